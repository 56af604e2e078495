"""The life of one message to one unit, told as moments: what happened, when, how long after, and whether in time. Pure.

What is told comes from the lines of its history; by when each should have come follows from the clocks of its states,
and from the contract of its type once it is registered. What is awaited now comes last.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from gateway.envelope import ACKNOWLEDGEMENT
from gateway.ledger import Dispatch, Inbound
from gateway.lifecycle import InEvent, InState, OutEvent, OutState, in_clock, out_clock
from gateway.times import USUAL, Times


class Line(Protocol):
    """A line of the history, as the store keeps it."""

    @property
    def at(self) -> datetime:
        """When it was written."""

    @property
    def event(self) -> str:
        """What happened."""

    @property
    def state(self) -> str:
        """The state it brought the message to."""

    @property
    def code(self) -> str | None:
        """Why, where there is a reason: a code, or the HSA-id of who stated it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Something that happened to a message, or that is awaited (``is_awaited``) and stands ``at`` its deadline.

    ``after`` is how long after the moment before it, ``attempt`` the number of the try where it is one, ``code`` the
    reason. ``due`` is by when it should have happened, where there was a time for it, and ``is_late`` whether it was
    later; of what is awaited, whether that time has passed.
    """

    at: datetime
    sv: str
    en: str
    state: str
    after: timedelta | None = None
    attempt: int | None = None
    code: str | None = None
    due: datetime | None = None
    is_late: bool = False
    is_awaited: bool = False


_OUT: Final = {
    "submit": ("Skapat", "Made"),
    "queue": ("Ställt i kö", "Queued"),
    OutEvent.RELEASE: ("Fick skickas: ett samtycke omfattar mottagaren", "Let go: a consent covers the recipient"),
    OutEvent.HOLD: ("Hölls kvar: ärendet fick inte fortsätta", "Held back: the case could not go on"),
    OutEvent.STOP: ("Stoppat innan det skickades", "Stopped before it was sent"),
    OutEvent.PUBLISHED: (
        "Skickat: växeln har bekräftat och förmedlat det",
        "Sent: the exchange confirmed and routed it",
    ),
    OutEvent.PUBLISH_FAILED: ("Försök att skicka misslyckades", "A try to send it failed"),
    OutEvent.RECEIVED: ("Mottaget av partens gateway", "Received by the partner's gateway"),
    OutEvent.REGISTERED: ("Registrerat i mottagarens system", "Registered in the recipient's system"),
    OutEvent.ACKNOWLEDGED: ("Kvitterat: någon har tagit hand om det", "Acknowledged: somebody took charge of it"),
    OutEvent.PARTIAL: ("Taget emot delvis", "Taken in part"),
    OutEvent.REJECTED: ("Avvisat av mottagaren", "Rejected by the recipient"),
    OutEvent.RETRY: ("Ska skickas igen", "To be sent again"),
    OutEvent.EXPIRE: ("Uppgivet: inga fler försök görs", "Given up: no more tries are made"),
    OutEvent.RETRACT: ("Återtaget av avsändaren", "Taken back by its sender"),
    OutEvent.MISDIRECT: ("Mottagaren svarar att det är fel enhet", "The recipient says it is the wrong unit"),
    OutEvent.BY_LETTER: ("Får skickas som brev", "May be sent by letter"),
    OutEvent.MAILED: ("Brevet är skickat, enligt den som uppgav det", "The letter was sent, as somebody stated"),
    OutEvent.ANSWERED: ("Brevet är besvarat, enligt den som uppgav det", "The letter was answered, as somebody stated"),
    "duplicate": ("Samma svar kom igen", "The same answer came again"),
    "resend": ("Skickas igen, på begäran", "Sent again, on request"),
}
_IN: Final = {
    "store": ("Mottaget och sparat", "Received and stored"),
    InEvent.VALIDATE: ("Granskat utan anmärkning", "Checked, nothing wrong"),
    InEvent.CLAIM: ("Lämnas till verksamhetssystemet", "Handed to the case system"),
    InEvent.SYSTEM_SILENT: ("Verksamhetssystemet svarade inte", "The case system did not answer"),
    InEvent.REGISTER: ("Registrerat i verksamhetssystemet", "Registered in the case system"),
    InEvent.ACKNOWLEDGE: ("Kvitterat: någon har tagit hand om det", "Acknowledged: somebody took charge of it"),
    InEvent.REJECT: ("Avvisat", "Rejected"),
    InEvent.RETRACT: ("Återtaget av avsändaren", "Taken back by its sender"),
    InEvent.MISDIRECT: ("Anmält som felsänt hit", "Reported as sent here by mistake"),
    "duplicate": ("Kom en gång till och besvarades likadant", "Came once more and was answered alike"),
    "resend": ("Lämnas igen, på begäran", "Handed over again, on request"),
}
_BY_HAND: Final = {
    "discard": ("Lagt åt sidan av någon", "Discarded by somebody"),
    "restore": ("Taget tillbaka av någon", "Restored by somebody"),
}
_AWAITED: Final = {
    OutState.HELD: ("Samtycke väntas", "A consent is awaited"),
    OutState.QUEUED: ("Ska ha skickats", "To have been sent"),
    OutState.RETRYING: ("Försök görs till", "Tries go on until"),
    OutState.SENT: ("Svar att det är mottaget väntas", "The answer that it was received is awaited"),
    OutState.RECEIVED: ("Svar att det är registrerat väntas", "The answer that it is registered is awaited"),
    OutState.REGISTERED: ("Kvittens eller svar väntas", "An acknowledgement or a reply is awaited"),
    OutState.PARTIAL: ("Någon ska avgöra vad som görs", "Somebody is to decide what to do"),
    OutState.EXPIRED: ("Någon ska avgöra vad som görs", "Somebody is to decide what to do"),
    OutState.LETTER: ("Brevet ska ha skickats", "The letter to have been sent"),
    InState.STORED: ("Ett tidigare meddelande väntas", "An earlier message is awaited"),
    InState.VALIDATED: ("Ska ha registrerats", "To have been registered"),
    InState.DELIVERING: ("Ska ha registrerats", "To have been registered"),
    InState.WAITING_FOR_SYSTEM: ("Ska ha registrerats", "To have been registered"),
}
_TRIES: Final = frozenset({OutEvent.PUBLISHED.value, OutEvent.PUBLISH_FAILED.value, InEvent.CLAIM.value})
_ANSWERS: Final = frozenset(
    {
        *(event.value for event in (OutEvent.RECEIVED, OutEvent.REGISTERED, OutEvent.ACKNOWLEDGED)),
        *(event.value for event in (OutEvent.PARTIAL, OutEvent.REJECTED, OutEvent.ANSWERED, OutEvent.MAILED)),
        *(event.value for event in (InEvent.REGISTER, InEvent.REJECT, InEvent.ACKNOWLEDGE)),
    }
)
"""What may be late: it is what the state before it waits for."""


def timeline(lines: Iterable[Line], row: Dispatch | Inbound, now: datetime, times: Times = USUAL) -> list[Moment]:
    """Return the life of the message of ``row``, the earliest moment first, and last what is awaited at ``now``.

    ``lines`` are those of its history, of this unit alone, in the order in which they were written; ``times`` are the
    gateway's own.
    """
    told = list(_happened(list(lines), row, times))
    if row.due_at is not None:
        told.append(_awaited(row, row.due_at, now))
    return told


def _happened(lines: Sequence[Line], row: Dispatch | Inbound, times: Times) -> Iterator[Moment]:
    due: datetime | None = None
    before: Line | None = None
    tries = 0
    for line in lines:
        tries += line.event in _TRIES
        sv, en = _words(line.event, row)
        is_answer = line.event in _ANSWERS
        yield Moment(
            at=line.at,
            sv=sv,
            en=en,
            state=line.state,
            after=max(line.at - before.at, timedelta()) if before is not None else None,
            attempt=tries if line.event in _TRIES else None,
            code=line.code,
            due=due if is_answer else None,
            is_late=is_answer and due is not None and line.at > due,
        )
        # The clock starts again when the state is new, as that of the ledger does.
        if before is None or before.state != line.state:
            due = _due(line, row, due, times)
        before = line


def _words(event: str, row: Dispatch | Inbound) -> tuple[str, str]:
    known = _OUT if isinstance(row, Dispatch) else _IN
    # A word that a later version wrote is shown as it is.
    return known.get(event) or _BY_HAND.get(event) or (event, event)


def _due(line: Line, row: Dispatch | Inbound, before: datetime | None, times: Times) -> datetime | None:
    """Return by when the next answer is to come, after a line that began a state."""
    if isinstance(row, Inbound):
        if line.state == InState.REGISTERED:
            return times.owed(row.type, row.duty, row.unit, line.at)
        # The time to register runs from when it came, however often it is tried.
        if line.state in (InState.DELIVERING, InState.WAITING_FOR_SYSTEM):
            return before
        clock = in_clock(InState(line.state)) if line.state in set(InState) else None
    elif line.state == OutState.REGISTERED:
        return times.owed(row.type, row.duty, row.unit, line.at)
    elif line.state in (OutState.QUEUED, OutState.RETRYING):  # what answers then has overtaken our own mark
        return None
    else:
        answered = row.type != ACKNOWLEDGEMENT
        clock = out_clock(OutState(line.state), answered=answered) if line.state in set(OutState) else None
    return line.at + clock[0] if clock is not None else None


def _awaited(row: Dispatch | Inbound, due: datetime, now: datetime) -> Moment:
    usual = ("Kvittens eller svar ska ges", "To be acknowledged or answered")
    sv, en = (
        usual if row.state is InState.REGISTERED else _AWAITED.get(row.state, ("Något väntas", "Something is awaited"))
    )
    return Moment(at=due, sv=sv, en=en, state=row.state.value, due=due, is_late=now > due, is_awaited=True)
