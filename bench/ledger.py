"""A long ledger to look into: a party's messages of three months, sent and received, one in fifty of them still open.

It holds what makes pages slow, more of it than a party has: units with thousands of open messages and a unit with next
to none, hundreds of thousands that nobody has marked as read, failures of many causes, and answers nobody expected.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from bench.stored import insert_all
from gateway.case_number import CaseKind, CaseNumber
from gateway.envelope import ACKNOWLEDGEMENT
from gateway.hour import last_hours
from gateway.lifecycle import InEvent, InState, Level, Outcome, OutEvent, OutState, Owner
from gateway.messages import Duty, Message, parse_xml
from gateway.process import CaseState, SipCase
from gateway.store import Store, cases
from gateway.store.observation_tables import hour_tally
from gateway.store.operation_tables import operation, operation_item
from gateway.store.tables import dead_letter, dispatch, event, history, inbound, message, parked, unexpected, verdict

MESSAGES: Final = Path(__file__).parents[1] / "fixtures" / "messages"
BUSY, OTHER, RARE = "SE2120001355-SOCHISINGEN", "SE2120001355-HSLHISINGEN", "SE2120001355-ELEVHALSAN"
"""Own units: the first has most of all messages, the last one in a thousand."""
PARTNERS = ("SE2321000131-E000000000101", "SE2321000131-E000000000202", "SE2321000131-E000000000303")
DAYS: Final = 90
_EACH: Final = 10
"""How many messages of either direction a case has."""
_OPEN: Final = 50
"""One in so many is open."""
_FAILED: Final = 400
"""One in so many has failed."""
_STRAYS: Final = 500
_ITEMS: Final = 10_000
_CODES: Final = tuple(f"bench.reason-{number}" for number in range(12))
_SENT_OPEN: Final = (
    (OutState.RECEIVED, Owner.PARTNER),
    (OutState.REGISTERED, Owner.PARTNER),
    (OutState.REGISTERED, Owner.RECIPIENT),
    (OutState.SENT, Owner.PARTNER),
    (OutState.HELD, Owner.CONVENER),
    (OutState.LETTER, Owner.CONVENER),
    (OutState.RETRYING, Owner.OPERATIONS),
)


class Ledger:
    """``count`` messages, half of them sent and half received, the newest just before ``now``."""

    def __init__(self, count: int, now: datetime) -> None:
        self._half = count // 2
        self._now = now
        self._step = timedelta(days=DAYS) / max(self._half, 1)
        every = [_read(path) for path in sorted(MESSAGES.glob("*_valid_*.xml"))]
        self._receipts = [one for one in every if one[1].type == ACKNOWLEDGEMENT]
        self._about = [one for one in every if one[1].header.person is not None]

    @property
    def case_number(self) -> str:
        """Return the number of a case that is stored whole, and has messages both ways."""
        return self._case(self._half - 1)

    @property
    def message_ids(self) -> tuple[str, str]:
        """Return the ids of a message that was sent, and of one that came."""
        return _id(self._half - 2), _id(2 * self._half - 2)

    @property
    def operation(self) -> str:
        """Return the id of an operation over ten thousand items."""
        return _id(0)

    @property
    def day(self) -> str:
        """Return a day in the middle of it."""
        return str((self._now - timedelta(days=DAYS / 2)).date())

    async def write(self, url: str) -> None:
        """Put everything in a database."""
        sent, half = range(self._half), range(self._half, 2 * self._half)
        async with Store(url) as store:
            await insert_all(store, message, (self._message(number) for number in sent))
            await insert_all(store, dispatch, (self._dispatch(number) for number in sent))
            await insert_all(store, verdict, (self._verdict(number) for number in sent[::2]))
            await insert_all(store, inbound, (self._inbound(number) for number in half))
            await insert_all(store, history, (self._line(number) for number in range(2 * self._half)))
            await insert_all(store, unexpected, (self._stray(number) for number in range(_STRAYS)))
            await insert_all(store, parked, (self._parked(number) for number in range(_STRAYS)))
            await insert_all(store, dead_letter, (self._dead_letter(number) for number in range(_STRAYS)))
            await insert_all(store, event, (self._event(number) for number in range(_STRAYS)))
            await insert_all(store, hour_tally, self._hours())
            await insert_all(store, operation, iter([self._operation()]))
            await insert_all(store, operation_item, (self._item(number) for number in range(_ITEMS)))
            async with store.writing() as tx:
                await cases.save_all(tx, [(self._sip_case(), 0)], self._now)

    def _case(self, number: int) -> str:
        """Return the number of the case of a message; those of either direction have the same cases."""
        return str(CaseNumber(CaseKind.SIP, number % self._half // _EACH + 1))

    def _sent(self, number: int) -> tuple[bytes, Message]:
        """Every other message that was sent is an acknowledgement."""
        kind = self._receipts if number % 2 else self._about
        return kind[number // 2 % len(kind)]

    def _at(self, number: int) -> datetime:
        return self._now - timedelta(days=DAYS) + self._step * (number % self._half)

    def _due(self, number: int) -> datetime:
        """One in ten open ones is overdue."""
        late = (number // _OPEN) % 10 == 0
        return self._now + timedelta(hours=-1 if late else 1 + number // _OPEN % 100, seconds=number % 3000)

    def _message(self, number: int) -> dict[str, Any]:
        xml, made = self._sent(number)
        return {
            "message_id": _id(number),
            "type": made.type,
            "case_number": self._case(number),
            "created_at": self._at(number),
            "content_hash": "0" * 64,
            "xml": xml,
            "sender_unit": _unit(number),
            "in_reply_to": None,
            "applied": True,
        }

    def _dispatch(self, number: int) -> dict[str, Any]:
        at = self._at(number)
        row: dict[str, Any] = {
            "message_id": _id(number),
            "type": self._sent(number)[1].type,
            "case_number": self._case(number),
            "party": "region",
            "own_unit": _unit(number),
            "unit": _partner(number),
            "duty": Duty.ACKNOWLEDGE,
            "state": OutState.ACKNOWLEDGED,
            "queued_at": at,
            "position": number + 1,
            "sequence": number + 1,
            "attempts": 1,
            "created_at": at,
            "sent_at": at,
            "received_at": at,
            "registered_at": at,
            "acknowledged_at": at,
            "record_id": f"R-{number}",
            "outcome": Outcome.ACCEPTED,
            "due_at": None,
            "owner": None,
            "failed_at": None,
            "failed_code": None,
        }
        if number % 2:
            none = dict.fromkeys(("acknowledged_at", "registered_at", "record_id", "outcome"))
            return row | none | {"state": OutState.SENT}
        if number % _FAILED == 2:
            failed = {"failed_at": at, "failed_code": _code(number), "outcome": Outcome.REJECTED}
            return row | failed | {"state": OutState.REJECTED, "acknowledged_at": None, "registered_at": None}
        if number % _OPEN == 0:
            state, owner = _SENT_OPEN[number // _OPEN % len(_SENT_OPEN)]
            return row | {"state": state, "owner": owner, "due_at": self._due(number), "acknowledged_at": None}
        return row

    def _verdict(self, number: int) -> dict[str, Any]:
        at = self._at(number)
        return {
            "message_id": _id(number),
            "unit": _partner(number),
            "level": Level.ACKNOWLEDGED,
            "outcome": Outcome.ACCEPTED,
            "acknowledgement_id": _id(number + 2 * self._half),
            "at": at,
            "arrived_at": at,
            "record_id": None,
            "reasons": [],
            "late": int(number % _OPEN == 4),
        }

    def _inbound(self, number: int) -> dict[str, Any]:
        at = self._at(number)
        xml, made = self._about[number % len(self._about)]
        row: dict[str, Any] = {
            "party": "region",
            "type": made.type,
            "message_id": _id(number),
            "unit": _unit(number),
            "case_number": self._case(number),
            "sequence": number + 1,
            "sender_unit": _partner(number),
            "content_hash": "0" * 64,
            "xml": xml,
            "state": InState.ACKNOWLEDGED,
            "attempts": 1,
            "received_at": at,
            "registered_at": at,
            "acknowledged_at": at,
            "record_id": f"R-{number}",
            "duty": Duty.ACKNOWLEDGE,
            "due_at": None,
            "owner": None,
            "failed_at": None,
            "failed_code": None,
        }
        if number % _FAILED == 2:
            return row | {"state": InState.REJECTED, "failed_at": at, "failed_code": _code(number)}
        if number % _OPEN == 0:
            due = {"due_at": self._due(number), "owner": Owner.RECIPIENT}
            return row | due | {"state": InState.REGISTERED, "acknowledged_at": None}
        if number % _OPEN == 5 and number > self._half * 19 // 10:
            due = {"due_at": self._due(number), "owner": Owner.OPERATIONS}
            return row | due | {"state": InState.WAITING_FOR_SYSTEM, "acknowledged_at": None, "registered_at": None}
        if number % 2:  # only to be read, and nobody has said that it was
            return row | {"state": InState.REGISTERED, "duty": Duty.NOTIFY, "acknowledged_at": None}
        return row

    def _line(self, number: int) -> dict[str, Any]:
        line = {"message_id": _id(number), "at": self._at(number), "state": "acknowledged", "code": None}
        if number >= self._half:
            return line | {"direction": "in", "unit": _unit(number), "event": InEvent.ACKNOWLEDGE.value}
        again = number % 100 == 8
        told = {"event": "duplicate", "code": Level.ACKNOWLEDGED} if again else {"event": OutEvent.ACKNOWLEDGED.value}
        return line | {"direction": "out", "unit": _partner(number)} | told

    def _stray(self, number: int) -> dict[str, Any]:
        known = self._half - 1 - number * _OPEN % self._half
        return {
            "acknowledgement_id": _id(number + 4 * self._half),
            "party": "region",
            "code": ("acknowledgement.contradicted", "acknowledgement.orphan")[number % 2],
            "message_id": _id(known),
            "unit": _partner(known),
            "xml": self._receipts[number % len(self._receipts)][0],
            "findings": [],
            "arrived_at": self._at(number),
        }

    def _parked(self, number: int) -> dict[str, Any]:
        return {
            "party": "region",
            "type": "plan",
            "message_id": _id(number),
            "unit": _unit(number),
            "case_number": self._case(number),
            "sequence": None,
            "content_hash": "0" * 64,
            "body": b"<plan/>",
            "findings": [],
            "arrived_at": self._at(number),
            "code": _CODES[number % len(_CODES)],
        }

    def _dead_letter(self, number: int) -> dict[str, Any]:
        return {
            "party": "region",
            "type": "plan",
            "message_id": _id(number),
            "unit": _unit(number),
            "content_hash": "0" * 64,
            "envelope": {},
            "body": b"<plan/>",
            "reason": _CODES[number % len(_CODES)],
            "arrived_at": self._at(number),
        }

    def _event(self, number: int) -> dict[str, Any]:
        return {
            "source": "treserva",
            "event_id": f"B-{number}",
            "kind": "x",
            "content_hash": f"{number:064}",
            "content": b"{}",
            "received_at": self._at(number),
            "state": "refused",
            "findings": [],
            "code": _CODES[number % len(_CODES)],
        }

    def _operation(self) -> dict[str, Any]:
        return {
            "number": 1,
            "id": self.operation,
            "action": "resend",
            "state": "done",
            "is_dry_run": False,
            "by": "SE2120001447-P0001",
            "role": "operator",
            "assignment": None,
            "of_all_units": True,
            "reason": "bench",
            "total": _ITEMS,
            "done": _ITEMS,
            "refused": 0,
            "failed": 0,
            "begun_at": self._now,
            "started_at": self._now,
            "ended_at": self._now,
        }

    def _item(self, number: int) -> dict[str, Any]:
        told = {"outcome": "done", "sv": "Gjort.", "en": "Done.", "at": self._now}
        return {"operation": 1, "position": number, "kind": "sent", "number": number + 1, "tries": 1} | told

    def _hours(self) -> Iterator[dict[str, Any]]:
        for unit in ("", BUSY, OTHER, RARE):
            for at in last_hours(self._now):
                for kind in ("sent", "received", "acknowledged", "taken"):
                    yield {"unit": unit, "at": at, "kind": kind, "step": 0, "number": 500}
                for level in (Level.RECEIVED, Level.REGISTERED, Level.ACKNOWLEDGED):
                    for step in range(8):
                        yield {"unit": unit, "at": at, "kind": f"wait.{level}", "step": step, "number": 60}

    def _sip_case(self) -> SipCase:
        header = self._about[0][1].header
        assert header.person is not None  # it is among those that name one
        return SipCase(
            number=self.case_number,
            convener="kommun",
            convening_unit=BUSY,
            state=CaseState.PREPARING,
            opened_at=self._now - timedelta(days=1),
            person=header.person.identifiers[0],
        )


def _read(path: Path) -> tuple[bytes, Message]:
    content = path.read_bytes()
    return content, parse_xml(content)


def _id(number: int) -> str:
    return str(UUID(int=number))


def _unit(number: int) -> str:
    return RARE if number % 1000 in (0, 4) else OTHER if number % 8 in (1, 6) else BUSY


def _partner(number: int) -> str:
    return PARTNERS[number % 3]


def _code(number: int) -> str:
    return _CODES[number // _FAILED % len(_CODES)]
