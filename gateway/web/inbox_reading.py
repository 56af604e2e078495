"""What the inbox shows, for the page and the API alike: messages of the units that somebody sees, and what to do.

First what must be done, the first to be due first; then what is only to be read, the newest first. A person stands
behind a mask, unless somebody was let see that message; whoever has a protected identity is not shown at all.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gateway.duties import Duty as Awaited
from gateway.duties import Urgency, of_received
from gateway.errors import InvalidDocumentError
from gateway.ledger import Inbound
from gateway.messages import Duty, Message, parse_xml
from gateway.store import Transaction, subjects, worklist
from gateway.store.subjects import WITHDRAWN
from gateway.store.worklist import Wanted
from gateway.times import Times
from gateway.web.concerns import Concern, concern_of
from gateway.web.cursor import number_of, places_of, time_of, written_of
from gateway.web.masking import PersonShown, in_list

MOST: Final = 50
"""Messages of a page, at most: each is read for whom it is about."""

_OWED, _UNREAD = 0, 1
"""What a page begins with, in its cursor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A message in the inbox of a unit. ``number`` is that of its row.

    ``urgency`` tells how what must be done stands, ``None`` where nothing must. Nothing of a message that
    ``is_withdrawn`` may be read. ``concern`` is ``None`` where it is not told, and ``shown_until`` until when somebody
    is let see it.
    """

    number: int
    message_id: str
    type: str
    case_number: str
    party: str
    sender_unit: str
    unit: str
    duty: Duty
    received_at: datetime
    due_at: datetime | None
    urgency: Urgency | None
    is_withdrawn: bool
    person: PersonShown
    concern: Concern | None
    shown_until: datetime | None = None

    @property
    def is_overdue(self) -> bool:
        """Whether what must be done should have been done already."""
        return self.urgency is Urgency.OVERDUE


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxPage:
    """A page of the inbox; ``next`` is where the next begins, ``None`` where there is no more."""

    rows: Sequence[Listed]
    next: str | None


async def rows_of(
    tx: Transaction, wanted: Wanted, cursor: str | None, limit: int
) -> tuple[Sequence[Inbound], str | None]:
    """Return the rows of a page of the inbox, and the cursor of the next. With ``wanted.before``, only what is due.

    Raises:
        UsageError: no page begins with ``cursor``.
    """
    part, due, number = places_of(cursor, 3) if cursor is not None else (_OWED, 0, 0)
    rows: list[Inbound] = []
    if part == _OWED:
        after = (time_of(due), number) if cursor is not None else None
        rows = await worklist.owed(tx, wanted, after, limit + 1)
        if len(rows) > limit:
            last = rows[limit - 1]
            assert last.due_at is not None  # it is owed by then
            return rows[:limit], written_of(_OWED, number_of(last.due_at), last.id)
    if wanted.before is not None:
        return rows, None
    before = number if part != _OWED else None
    left = limit - len(rows)
    if not left:
        return rows, written_of(_UNREAD, 0, 2**61)
    more, place = await worklist.unread(tx, wanted, before, left)
    return [*rows, *more], written_of(_UNREAD, 0, place) if place is not None else None


async def protected_among(tx: Transaction, rows: Collection[Inbound]) -> frozenset[str]:
    """Return the numbers of the cases of ``rows`` whose person has a protected identity."""
    return await subjects.protected(tx, {row.case_number for row in rows})


def listed(
    row: Inbound,
    party: str,
    times: Times,
    now: datetime,
    *,
    hidden: Collection[str],
    shown: Mapping[str, datetime] | None = None,
    is_shown: bool = False,
) -> Listed:
    """Return a row as the inbox of ``party`` shows it: ``hidden`` are the cases of whoever is protected.

    ``shown`` tells which messages somebody is let see, and until when; ``is_shown`` that it is this one.
    """
    until = (shown or {}).get(row.message_id)
    may_see = is_shown or until is not None
    owed: Awaited | None = of_received(row, party, times) if row.due_at is not None else None
    is_withdrawn = row.state in WITHDRAWN
    message = _message(row) if not is_withdrawn else None
    if message is None:
        person = PersonShown(is_protected=row.case_number in hidden)
    else:
        person = in_list(message.header.person, is_shown=may_see, is_protected=row.case_number in hidden)
    return Listed(
        number=row.id,
        message_id=row.message_id,
        type=row.type,
        case_number=row.case_number,
        party=row.party,
        sender_unit=row.sender_unit,
        unit=row.unit,
        duty=row.duty,
        received_at=row.received_at,
        due_at=row.due_at,
        urgency=owed.urgency(now) if owed is not None else None,
        is_withdrawn=is_withdrawn,
        person=person,
        concern=_concern(message, may_see and not person.is_protected) if message is not None else None,
        shown_until=until,
    )


def _message(row: Inbound) -> Message | None:
    """Return what a row says; ``None`` where it cannot be read any more, as its schema has changed since it came."""
    try:
        return parse_xml(row.xml)
    except InvalidDocumentError:
        return None


def _concern(message: Message, may_see: bool) -> Concern | None:
    """Return what a message is about, unless somebody has typed it and it may not be seen."""
    concern = concern_of(message)
    return None if concern.is_free_text and not may_see else concern
