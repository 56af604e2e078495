"""*Logg*: who has read and done what, page by page, and whether the log is as it was written."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Annotated, Final
from urllib.parse import urlencode

from aiohttp import web
from pydantic import Field

from gateway.access import Right
from gateway.audit import Action, AuditOutcome
from gateway.clock import STOCKHOLM
from gateway.store import audit as kept
from gateway.store import audit_page
from gateway.web import cursor
from gateway.web.audit_reading import LogAsked, WalkAsked, said_by, walked
from gateway.web.audit_words import OUTCOME_WORDS, action_word, outcome_word, role_word
from gateway.web.ledger_reading import id_in
from gateway.web.page import page
from gateway.web.route import Route, Scope
from gateway.web.times_said import time_of
from gateway.web.visit import Visit

CHECKED: Final = 500
"""How many of the newest rows are checked each time the first page is looked at."""


class AuditAsked(LogAsked):
    """Which rows are looked for, on which Swedish days, the first and the last included."""

    since: Annotated[date | None, Field(alias="from", ge=date(2000, 1, 1), le=date(2100, 1, 1))] = None
    until: Annotated[date | None, Field(alias="to", ge=date(2000, 1, 1), le=date(2100, 1, 1))] = None

    def address(self, **changed: str | None) -> str:
        """Return where this is asked, with some of it ``changed``: at the newest, where no ``cursor`` is given."""
        asked = self.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude={"cursor"}) | changed
        return "/audit?" + urlencode({name: value for name, value in asked.items() if value is not None})


async def audit(visit: Visit) -> web.Response:
    """Answer with a page of the log."""
    asked: AuditAsked = visit.query
    until = asked.until + timedelta(days=1) if asked.until is not None else None
    sought = asked.sought(_midnight(asked.since), _midnight(until))
    is_first = asked.model_dump(exclude_defaults=True, exclude={"limit"}) == {}
    async with visit.window.context.store.reading() as tx:
        found = await audit_page.page(tx, sought, asked.limit)
        checked = await kept.walk_newest(tx, CHECKED) if is_first else None
    return page(
        visit,
        "audit.html",
        asked=asked,
        rows=[said_by(row) for row in found.rows],
        checked=checked,
        count=CHECKED,
        is_filtered=asked.model_dump(exclude_defaults=True, exclude={"limit", "cursor"}) != {},
        newest=asked.address(),
        next=asked.address(cursor=cursor.written(found.next)) if found.next is not None else None,
        actions=sorted(((one.value, action_word(one.value)) for one in Action), key=lambda pair: visit.say(*pair[1])),
        outcomes=[(one.value, OUTCOME_WORDS[one]) for one in AuditOutcome],
        action_word=action_word,
        outcome_word=outcome_word,
        role_word=role_word,
        is_message=lambda target: target is not None and id_in(target) is not None,
        time_of=time_of,
    )


async def verify(visit: Visit) -> web.Response:
    """Answer with whether a part of the log is as it was written, and where to go on."""
    asked: WalkAsked = visit.query
    async with visit.window.context.store.reading() as tx:
        found = await walked(tx, asked)
        end = await kept.end(tx)
    onward = "/audit/verify?" + urlencode({"after": str(found.end), "limit": asked.limit})
    return page(visit, "audit_verify.html", found=found, end=end, onward=onward)


def _midnight(day: date | None) -> datetime | None:
    return datetime.combine(day, time(), STOCKHOLM) if day is not None else None


ROUTES = (
    Route.page(
        "GET",
        "/audit",
        audit,
        "Logg: vem som har läst och gjort vad.",
        "Audit log: who has read and done what.",
        right=Right.READ_AUDIT,
        scope=Scope.PARTY,
        query=AuditAsked,
    ),
    Route.page(
        "GET",
        "/audit/verify",
        verify,
        "Kontrollerar att loggen är som den skrevs.",
        "Checks that the log is as it was written.",
        right=Right.READ_AUDIT,
        scope=Scope.PARTY,
        query=WalkAsked,
    ),
)
