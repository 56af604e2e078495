"""The conversation of a case: rows of what was sent and what came, as steps of a sequence diagram. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from gateway.lifecycle import InState, OutState
from gateway.messages import TYPES
from gateway.web.sequence import Mark, Step

_RECEIPTS: Final = {
    "received_at": ("Mottaget", "Received"),
    "registered_at": ("Registrerat", "Registered"),
    "acknowledged_at": ("Kvitterat", "Acknowledged"),
}
_MARKS: Final = {
    OutState.HELD: Mark.HELD,
    OutState.RETRYING: Mark.RETRYING,
    OutState.PARTIAL: Mark.PARTIAL,
    OutState.REJECTED: Mark.REJECTED,
    OutState.EXPIRED: Mark.FAILED,
    OutState.STOPPED: Mark.STOPPED,
    OutState.RETRACTED: Mark.RETRACTED,
    OutState.MISDIRECTED: Mark.MISDIRECTED,
    OutState.LETTER: Mark.LETTER,
    OutState.MAILED: Mark.LETTER,
    InState.REJECTED: Mark.REJECTED,
    InState.RETRACTED: Mark.RETRACTED,
    InState.MISDIRECTED: Mark.MISDIRECTED,
    InState.WAITING_FOR_SYSTEM: Mark.RETRYING,
}


def steps_of(sent: Iterable[Mapping[str, Any]], received: Iterable[Mapping[str, Any]], now: datetime) -> Iterator[Step]:
    """Yield every message of a case and every receipt for one, in no order.

    ``sent`` and ``received`` are rows as :mod:`gateway.store.browse` gives them, of one case. A message is marked by
    its state, or as late when what is awaited for it is overdue at ``now``. Both its lanes are units (HSA-ids).
    """
    for row in sent:
        yield from _message(row, row["sent_at"] or row["created_at"], OutState(row["state"]), now)
    for row in received:
        yield from _message(row, row["received_at"], InState(row["state"]), now)


def _message(row: Mapping[str, Any], at: datetime, state: OutState | InState, now: datetime) -> Iterator[Step]:
    known = TYPES.get(row["type"])
    label = (known.title_sv, known.title_en) if known is not None else (row["type"], row["type"])
    is_late = row["due_at"] is not None and row["due_at"] < now
    mark = _MARKS.get(state) or (Mark.LATE if is_late else None)
    sender, recipient, message_id = row["sender_unit"], row["unit"], row["message_id"]
    yield Step(at=at, from_lane=sender, to_lane=recipient, label=label, message_id=message_id, mark=mark)
    for name, told in _RECEIPTS.items():
        if row.get(name) is not None:
            yield Step(
                at=row[name],
                from_lane=recipient,
                to_lane=sender,
                label=told,
                message_id=message_id,
                is_receipt=True,
            )
