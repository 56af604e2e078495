"""What staff call the states of a message, the levels it reaches and the verdicts on it: a word, an icon and a colour.

The icon stands before the word and is not read aloud; the colour (a class of the style sheet) only repeats the word.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway.lifecycle import InState, Level, Outcome, OutState, Owner
from gateway.messages import Duty

GOOD: Final = "good"
"""It has come to where it was going."""
WARNING: Final = "warning"
"""Somebody may have to do something."""
BAD: Final = "bad"
"""It did not come to what it was meant for."""
ON_ITS_WAY: Final = ""
"""Nothing is wrong and nothing is done: it goes on by itself."""


@dataclass(frozen=True, slots=True)
class StateWord:
    """What something is called in Swedish and in English, with its icon and its class."""

    sv: str
    en: str
    icon: str
    look: str


OUT_WORDS: Final[Mapping[OutState, StateWord]] = {
    OutState.HELD: StateWord("Hålls kvar", "Held", "‖", ON_ITS_WAY),
    OutState.QUEUED: StateWord("I kö", "Queued", "…", ON_ITS_WAY),
    OutState.RETRYING: StateWord("Försöker igen", "Trying again", "↻", WARNING),
    OutState.SENT: StateWord("Skickat", "Sent", "→", ON_ITS_WAY),
    OutState.RECEIVED: StateWord("Mottaget", "Received", "→", ON_ITS_WAY),
    OutState.REGISTERED: StateWord("Registrerat", "Registered", "✓", GOOD),
    OutState.ACKNOWLEDGED: StateWord("Kvitterat", "Acknowledged", "✔", GOOD),
    OutState.PARTIAL: StateWord("Delvis mottaget", "Taken in part", "◐", WARNING),
    OutState.REJECTED: StateWord("Avvisat", "Rejected", "✗", BAD),
    OutState.EXPIRED: StateWord("Uppgivet", "Given up", "✗", BAD),
    OutState.RETRACTED: StateWord("Återtaget", "Retracted", "↩", ON_ITS_WAY),
    OutState.MISDIRECTED: StateWord("Felsänt", "Misdirected", "⚠", WARNING),
    OutState.STOPPED: StateWord("Stoppat", "Stopped", "■", ON_ITS_WAY),
    OutState.LETTER: StateWord("Brev att skicka", "Letter to send", "✉", WARNING),
    OutState.MAILED: StateWord("Brev skickat", "Letter sent", "✉", ON_ITS_WAY),
}
"""What is said of an outgoing message, for one recipient."""

IN_WORDS: Final[Mapping[InState, StateWord]] = {
    InState.STORED: StateWord("Väntar på tidigare", "Waits for an earlier one", "…", ON_ITS_WAY),
    InState.VALIDATED: StateWord("Godkänt, ska lämnas över", "Valid, to be handed over", "…", ON_ITS_WAY),
    InState.DELIVERING: StateWord("Lämnas över", "Being handed over", "→", ON_ITS_WAY),
    InState.WAITING_FOR_SYSTEM: StateWord("Väntar på verksamhetssystemet", "Waits for the case system", "↻", WARNING),
    InState.REGISTERED: StateWord("Registrerat", "Registered", "✓", GOOD),
    InState.ACKNOWLEDGED: StateWord("Kvitterat", "Acknowledged", "✔", GOOD),
    InState.REJECTED: StateWord("Avvisat", "Rejected", "✗", BAD),
    InState.RETRACTED: StateWord("Återtaget", "Retracted", "↩", ON_ITS_WAY),
    InState.MISDIRECTED: StateWord("Felsänt", "Misdirected", "⚠", WARNING),
}
"""What is said of a message that came, for one of the own units."""

LEVEL_WORDS: Final[Mapping[Level, StateWord]] = {
    Level.RECEIVED: StateWord("Mottaget", "Received", "→", GOOD),
    Level.REGISTERED: StateWord("Registrerat", "Registered", "✓", GOOD),
    Level.ACKNOWLEDGED: StateWord("Kvitterat", "Acknowledged", "✔", GOOD),
}
"""What is said of the levels that a recipient answers at; *sent* (``OUT_WORDS[OutState.SENT]``) is the sender's own."""

OUTCOME_WORDS: Final[Mapping[Outcome, StateWord]] = {
    Outcome.ACCEPTED: StateWord("Godtaget", "Accepted", "✓", GOOD),
    Outcome.PARTIAL: StateWord("Godtaget i delar", "Accepted in part", "◐", WARNING),
    Outcome.REJECTED: StateWord("Avvisat", "Rejected", "✗", BAD),
    Outcome.RETRY: StateWord("Inte nu, försök igen", "Not now, try again", "↻", WARNING),
}
"""What is said of a verdict."""

DUTY_WORDS: Final[Mapping[Duty, tuple[str, str]]] = {
    Duty.NOTIFY: ("Notifiering", "Notification"),
    Duty.ACKNOWLEDGE: ("Kvittera", "Acknowledge"),
    Duty.REPLY: ("Svara", "Reply"),
}
"""What the recipient has to do, in Swedish and in English."""

OWNER_WORDS: Final[Mapping[Owner, tuple[str, str]]] = {
    Owner.CONVENER: ("Den sammankallande enheten", "The unit that leads the case"),
    Owner.OPERATIONS: ("Driften av den här gatewayen", "Whoever runs this gateway"),
    Owner.PARTNER: ("Driften av motpartens gateway", "Whoever runs the partner's gateway"),
    Owner.RECIPIENT: ("Den mottagande enheten", "The receiving unit"),
}
"""Who must act when a deadline passes, in Swedish and in English."""


def word_of(state: OutState | InState | str, *, came: bool) -> StateWord:
    """Return what is said of a state of a message that ``came``, or else was sent. Raises :class:`ValueError`."""
    return IN_WORDS[InState(state)] if came else OUT_WORDS[OutState(state)]
