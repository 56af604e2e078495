"""What staff call how a case system, a partner, or something that the gateway stands on is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.circuit import Circuit
from gateway.envelope import Channel
from gateway.silence import Cause
from gateway.web.adapters_reading import Neighbour, System
from gateway.web.state_words import BAD, GOOD, ON_ITS_WAY, WARNING, StateWord

ANSWERS: Final = StateWord("Svarar", "Answers", "✓", GOOD)
SILENT: Final = StateWord("Svarar inte", "Does not answer", "✗", BAD)
PAUSED: Final = StateWord("Pausad", "Paused", "‖", WARNING)
NOT_ASKED: Final = StateWord("Inte tillfrågad än", "Not asked yet", "…", ON_ITS_WAY)
CUT: Final = StateWord("Bruten, prövas igen", "Cut, tried again", "✗", BAD)
DRAINS: Final = StateWord("Kön töms", "The queue drains", "↻", WARNING)
FAILING: Final = StateWord("Senaste försöken misslyckades", "The last tries failed", "⚠", WARNING)
OPEN: Final = StateWord("Öppen", "Open", "✓", GOOD)
HEARD: Final = StateWord("Hörs", "Is heard", "✓", GOOD)
QUIET: Final = StateWord("Tyst", "Silent", "✗", BAD)

WAYS: Final[Mapping[str, tuple[str, str]]] = {
    "in": ("in: lämnar händelser", "in: brings events"),
    "out": ("ut: tar emot meddelanden", "out: takes messages"),
    "both": ("in och ut", "in and out"),
}
"""What is said of the direction of an adapter."""
CAUSES: Final[Mapping[Cause, tuple[str, str]]] = {
    Cause.NO_RECEIPT: ("inga mottagningsbesked", "no receipts"),
    Cause.CIRCUIT: ("går inte att skicka till", "cannot be sent to"),
}
"""Why a partner counts as silent."""
CHANNELS: Final[Mapping[Channel, tuple[str, str]]] = {
    Channel.MESSAGES: ("Meddelanden i kö till oss", "Messages queued for us"),
    Channel.ACKNOWLEDGEMENTS: ("Kvittenser i kö till oss", "Acknowledgements queued for us"),
}
PARTS: Final[Mapping[str, tuple[str, str]]] = {
    "database": ("Databasen", "The database"),
    "exchange": ("Meddelandeväxeln", "The exchange"),
    "migrations": ("Databasens version", "The version of the database"),
}
"""What the gateway stands on, by the name of its probe."""


def word_of_system(one: System) -> StateWord:
    """Return how a case system is; that somebody has paused it stands before what it answers."""
    if one.signs.pause is not None:
        return PAUSED
    if one.signs.beat is None:
        return NOT_ASKED
    return SILENT if one.signs.beat.codes else ANSWERS


def word_of_partner(one: Neighbour) -> StateWord:
    """Return whether a partner is silent."""
    return QUIET if one.silence is not None else HEARD


def word_of_way(circuit: Circuit | None) -> StateWord:
    """Return how the way to a partner or a case system is; one of which nothing is kept is well."""
    if circuit is None or circuit.is_healthy:
        return OPEN
    if circuit.opened_at is not None:
        return CUT
    return DRAINS if circuit.drains_since is not None else FAILING
