"""The audit log as it is looked for and checked: what may be asked, and what a row says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final

from pydantic import Field

from gateway.audit import START, Action, Anchor, AuditOutcome, Link
from gateway.case_number import CaseNumber
from gateway.errors import InvalidDocumentError, UsageError
from gateway.store import Transaction, audit
from gateway.store.audit import Walked
from gateway.store.audit_page import Sought
from gateway.web import cursor
from gateway.web.forms import Asked, Paged
from gateway.web.refusals import QUERY

FARTHEST_WALK: Final = 20_000
"""How many rows are checked at a time, where nothing else is asked."""
LONGEST_WALK: Final = 100_000
"""How many rows may be checked at a time."""


class LogAsked(Paged):
    """Which rows of the audit log are looked for; what is not given is anything."""

    by: Annotated[str | None, Field(max_length=64, description="HSA-id, or the name of a token.")] = None
    action: Annotated[Action | None, Field(description="What was done.")] = None
    target: Annotated[
        str | None, Field(max_length=64, description="What it was done to: a message id, the name of an adapter, …")
    ] = None
    case: Annotated[str | None, Field(max_length=10, description="The number of a case.")] = None
    outcome: Annotated[AuditOutcome | None, Field(description="How it went.")] = None

    def sought(self, since: datetime | None, until: datetime | None) -> Sought:
        """Return what to look for. Raises :class:`UsageError`."""
        return Sought(
            by=self.by,
            action=self.action,
            target=self.target,
            case_number=_case_in(self.case),
            outcome=self.outcome,
            since=since,
            until=until,
            before=cursor.place_of(self.cursor),
        )


class WalkAsked(Asked):
    """Which part of the log is checked: from where on, and how far."""

    after: Annotated[
        str | None,
        Field(max_length=80, description="The `anchor` of the answer before; without it, from the first row."),
    ] = None
    limit: Annotated[int, Field(ge=1, le=LONGEST_WALK, description="Rows, at most.")] = FARTHEST_WALK


async def walked(tx: Transaction, asked: WalkAsked) -> Walked:
    """Check a part of the log. Raises :class:`UsageError` where it is no row that it is to begin after."""
    try:
        after = Anchor.parse(asked.after) if asked.after is not None else START
    except InvalidDocumentError:
        raise UsageError(QUERY.at("after")) from None
    return await audit.walk(tx, after=after, most=asked.limit)


def said_by(row: Link) -> Mapping[str, str | None]:
    """Return what a row says, by name; what is called ``case`` is the number of the case."""
    named = {"case" if name == "case_number" else name: value for name, value in row.said.items()}
    return {"number": str(row.number), **named}


def _case_in(text: str | None) -> str | None:
    try:
        return CaseNumber.parse(text.strip().upper()).value if text is not None else None
    except InvalidDocumentError:
        raise UsageError(QUERY.at("case")) from None
