"""What staff call the actions of the audit log, how they went, and the roles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.access import Role
from gateway.audit import Action, AuditOutcome
from gateway.web.state_words import BAD, GOOD, WARNING, StateWord

ACTION_WORDS: Final[Mapping[Action, tuple[str, str]]] = {
    Action.LETTER_SHOWN: ("Visade ett brev", "Showed a letter"),
    Action.LETTER_MAILED: ("Angav ett brev som skickat", "Stated a letter as sent"),
    Action.LETTER_ANSWERED: ("Angav ett brev som besvarat", "Stated a letter as answered"),
    Action.CASE_REVIEWED: ("Granskade ett ärende", "Reviewed a case"),
    Action.ADAPTER_PAUSED: ("Pausade en koppling", "Paused a connection"),
    Action.ADAPTER_RESUMED: ("Återupptog en koppling", "Resumed a connection"),
    Action.EVENT_READ: ("Läste en händelse", "Read an event"),
    Action.EVENT_RESENT: ("Tog upp en händelse igen", "Took an event up again"),
    Action.EVENT_DISCARDED: ("Skrev av en händelse", "Discarded an event"),
    Action.MESSAGE_RESENT: ("Skickade ett meddelande igen", "Sent a message again"),
    Action.MESSAGE_DISCARDED: ("Skrev av ett meddelande", "Discarded a message"),
    Action.MESSAGE_RESTORED: ("Återställde ett meddelande", "Restored a message"),
    Action.MESSAGE_ACKNOWLEDGED: ("Kvitterade ett meddelande", "Acknowledged a message"),
    Action.MESSAGE_MARKED_READ: ("Markerade ett meddelande som läst", "Marked a message as read"),
    Action.FAILURE_NOTED: ("Antecknade om ett fel", "Noted about a failure"),
    Action.OPERATION_BEGUN: ("Började en åtgärd över flera", "Began an operation over many"),
    Action.OPERATION_PAUSED: ("Pausade en åtgärd över flera", "Paused an operation over many"),
    Action.OPERATION_CONTINUED: ("Fortsatte en åtgärd över flera", "Went on with an operation over many"),
    Action.OPERATION_STOPPED: ("Avbröt en åtgärd över flera", "Stopped an operation over many"),
    Action.TOKEN_CREATED: ("Skapade en nyckel", "Created a token"),
    Action.TOKEN_REVOKED: ("Återkallade en nyckel", "Revoked a token"),
    Action.TOKEN_USED: ("Använde en nyckel", "Used a token"),
    Action.WINDOW_REFUSED: ("Gick till en sida eller ett anrop", "Came to a page or a call"),
    Action.AUDIT_EXTRACTED: ("Tog ett loggutdrag", "Took an extract of the log"),
    Action.MESSAGE_READ: ("Läste ett meddelande", "Read a message"),
    Action.MESSAGE_PROVED: ("Hämtade beviset för ett meddelande", "Fetched the proof of a message"),
    Action.MESSAGE_PROVED_IN_FULL: (
        "Hämtade bevis för ett meddelande, med innehållet",
        "Fetched proof of a message, with its content",
    ),
    Action.CASE_READ: ("Läste ett ärende", "Read a case"),
    Action.INBOX_READ: ("Läste i inkorgen", "Read in the inbox"),
    Action.LOGIN_LINK_MADE: ("Skapade en inloggningslänk", "Made a login link"),
    Action.LOGIN_REFUSED: ("Försökte logga in", "Tried to log in"),
    Action.SESSION_BEGUN: ("Loggade in", "Logged in"),
    Action.SESSION_ENDED: ("Loggade ut", "Logged out"),
}
"""What somebody set out to do; whether it was done is told beside it."""
_BY_VALUE: Final = {action.value: words for action, words in ACTION_WORDS.items()}

OUTCOME_WORDS: Final[Mapping[AuditOutcome, StateWord]] = {
    AuditOutcome.DONE: StateWord("Gjort", "Done", "✓", GOOD),
    AuditOutcome.REFUSED: StateWord("Nekat", "Refused", "■", BAD),
    AuditOutcome.FAILED: StateWord("Misslyckades", "Failed", "⚠", WARNING),
}

ROLE_WORDS: Final[Mapping[Role, tuple[str, str]]] = {
    Role.READER: ("läsare", "reader"),
    Role.OPERATOR: ("operatör", "operator"),
    Role.ADMINISTRATOR: ("administratör", "administrator"),
    Role.AUDITOR: ("granskare", "auditor"),
}


def action_word(said: str | None) -> tuple[str, str]:
    """Return what an action is called; as it stands, where it is none that is known."""
    return _BY_VALUE.get(said or "", (said or "–", said or "–"))


def outcome_word(said: str | None) -> StateWord:
    """Return how it went; as it stands, where that is nothing that is known."""
    try:
        return OUTCOME_WORDS[AuditOutcome(said or "")]
    except ValueError:
        return StateWord(said or "–", said or "–", "⚠", WARNING)


def role_word(said: str | None) -> tuple[str, str]:
    """Return what a role is called; as it stands, where it is none that is known."""
    try:
        return ROLE_WORDS[Role(said or "")]
    except ValueError:
        return said or "–", said or "–"
