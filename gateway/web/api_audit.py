"""The audit log over the API: who has read and done what, whether it is as it was written, and extracts of it."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import Annotated, Any

from pydantic import Field

from gateway.access import Right
from gateway.audit import START, Link
from gateway.log_extract import TOLD
from gateway.store import audit_page
from gateway.web import cursor
from gateway.web.audit_reading import LogAsked, WalkAsked, said_by, walked
from gateway.web.extract import MOST_NUMBERS, extracted
from gateway.web.forms import Asked, Reason, Since, Told, Until
from gateway.web.route import Route, Scope
from gateway.web.visit import Visit


class AuditAsked(LogAsked):
    """Which rows are looked for, from when and until when."""

    since: Annotated[Since, Field(alias="from")] = None
    until: Annotated[Until, Field(alias="to")] = None


class EntryTold(Told):
    """What a person is told of one row: a time in UTC, who, for which unit, what, and how it went."""

    number: int
    at: Annotated[str | None, Field(description="RFC 3339, in UTC; as it stands, where somebody has changed it.")]
    by: str | None
    unit: str | None
    action: str | None
    target: str | None
    case: str | None
    outcome: str | None
    code: str | None


class RowTold(EntryTold):
    """One row in full, with the hashes that tie it to its neighbours."""

    assignment: str | None
    role: str | None
    reason: str | None
    previous: str
    hash: str


class AuditTold(Told):
    """A page of the log, the newest rows first."""

    audit: list[RowTold]
    next: Annotated[str | None, Field(description="The `cursor` of the next page; null where there is no more.")]


class WalkedTold(Told):
    """How far the log was checked: the last row that fits, as its number and hash, and what does not, if anything."""

    after: Annotated[str, Field(description="The row that it began after, which was taken for right.")]
    anchor: Annotated[
        str, Field(description="The last row that fits, `number:hash`; give it back as `after` to go on.")
    ]
    is_whole: Annotated[bool, Field(description="Whether this was the end of the log, or of what fits.")]
    finding: Reason | None


class ExtractAsked(Asked):
    """Whom or what an extract is about, and why it is taken."""

    person_numbers: Annotated[
        tuple[Annotated[str, Field(max_length=40)], ...],
        Field(max_length=MOST_NUMBERS, description="Every number that one person is or was known by."),
    ] = ()
    case: Annotated[str | None, Field(max_length=10, description="The number of a case, instead.")] = None
    reason: Annotated[str, Field(min_length=1, max_length=500, description="Why; kept in the audit log.")]


class ExtractTold(Told):
    """The rows about a person or a case, the oldest first, and which cases those are."""

    cases: list[str]
    audit: list[EntryTold]


async def audit(visit: Visit) -> AuditTold:
    """Answer with a page of the log."""
    asked: AuditAsked = visit.query
    async with visit.window.context.store.reading() as tx:
        found = await audit_page.page(tx, asked.sought(asked.since, asked.until), asked.limit)
    rows = [RowTold(**_said(row), previous=row.previous, hash=row.hash) for row in found.rows]
    return AuditTold(audit=rows, next=cursor.written(found.next))


async def verify(visit: Visit) -> WalkedTold:
    """Answer with whether a part of the log is as it was written."""
    asked: WalkAsked = visit.query
    async with visit.window.context.store.reading() as tx:
        found = await walked(tx, asked)
    return WalkedTold(
        after=asked.after or str(START),
        anchor=str(found.end),
        is_whole=found.is_whole,
        finding=Reason.of(found.finding.as_json()) if found.finding is not None else None,
    )


async def extract(visit: Visit) -> ExtractTold:
    """Answer with an extract, and keep that it was taken."""
    asked: ExtractAsked = visit.body
    found = await extracted(visit, asked.case, asked.person_numbers, asked.reason)
    rows = [EntryTold(**{name: value for name, value in _said(row).items() if name in TOLD}) for row in found.rows]
    return ExtractTold(cases=list(found.cases), audit=rows)


def _said(row: Link) -> dict[str, Any]:
    return {**said_by(row), "number": row.number}


ROUTES = (
    Route.api(
        "GET",
        "/api/v1/audit",
        audit,
        "Loggen, de nyaste raderna först.",
        "The audit log, the newest rows first.",
        right=Right.READ_AUDIT,
        scope=Scope.PARTY,
        query=AuditAsked,
        returns=AuditTold,
    ),
    Route.api(
        "GET",
        "/api/v1/audit/verify",
        verify,
        "Om loggen är som den skrevs, en bit i taget.",
        "Whether the log is as it was written, a part at a time.",
        right=Right.READ_AUDIT,
        scope=Scope.PARTY,
        query=WalkAsked,
        returns=WalkedTold,
    ),
    # Taken anew each time: an answer that were kept for a key would be kept with a hash of the person number.
    replace(
        Route.api(
            "POST",
            "/api/v1/audit/extract",
            extract,
            "Ett loggutdrag om en person eller ett ärende. Det loggas.",
            "An extract of the log about a person or a case. It is logged.",
            right=Right.READ_AUDIT,
            scope=Scope.PARTY,
            body=ExtractAsked,
            returns=ExtractTold,
            refuses=(HTTPStatus.UNPROCESSABLE_ENTITY,),
        ),
        repeatable=False,
    ),
)
