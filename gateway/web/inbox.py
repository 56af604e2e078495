"""*Inkorg*: the work list of units, with the columns of SAMSA's inbox; messages are acknowledged and marked there."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Final
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import UUID

from aiohttp import web
from pydantic import Field

from gateway import marks
from gateway.access import Right
from gateway.actions import Result
from gateway.charge import acknowledge as take_charge
from gateway.envelope import ACKNOWLEDGEMENT
from gateway.items import Item
from gateway.messages import TYPES
from gateway.store import worklist
from gateway.store.worklist import Wanted
from gateway.web.forms import Asked
from gateway.web.inbox_reading import InboxPage, listed, protected_among, rows_of
from gateway.web.messages import title_of_type
from gateway.web.page import own_path, page, to
from gateway.web.revealing import shown_among
from gateway.web.route import Route
from gateway.web.state_words import DUTY_WORDS
from gateway.web.visit import Visit

ROWS: Final = 40
"""Rows of a page: with long names of units it is less than 60 kB."""
BY_A_BUTTON: Final = "Kvitterat i inkorgen."
"""Why a message is acknowledged, where nobody says more: a unit does what it owes."""

_DONE: Final = ("acknowledged", "read")
"""What may have been done on the page before."""


class InboxAsked(Asked):
    """Whose inbox is looked at, and what of it; what is not given is anything."""

    unit: Annotated[str | None, Field(max_length=31, description="HSA-id of the unit.")] = None
    type: Annotated[str | None, Field(max_length=64, description="The type of the message, such as `plan`.")] = None
    overdue: Annotated[bool, Field(description="Only what should have been done already.")] = False
    cursor: Annotated[str | None, Field(max_length=100)] = None
    done: Annotated[str | None, Field(max_length=20)] = None
    message: Annotated[UUID | None, Field()] = None
    refresh: Annotated[str | None, Field(max_length=3)] = None

    def wanted(self, visit: Visit) -> Wanted:
        """Return what to look for among what is of the units that somebody sees."""
        return Wanted(units=visit.units_of(self.unit), type=self.type, before=visit.now if self.overdue else None)

    def address(self, **changed: str | None) -> str:
        """Return where this is asked, with some of it ``changed``, from the beginning unless a ``cursor`` is given."""
        asked = {
            "unit": self.unit,
            "type": self.type,
            "overdue": "yes" if self.overdue else None,
            "refresh": self.refresh,
        }
        pairs = {name: value for name, value in (asked | changed).items() if value is not None}
        return "/inbox" + ("?" + urlencode(pairs) if pairs else "")


async def inbox(visit: Visit) -> web.Response:
    """Answer with a page of the inbox."""
    asked: InboxAsked = visit.query
    context, wanted = visit.window.context, asked.wanted(visit)
    async with context.store.reading() as tx:
        rows, following = await rows_of(tx, wanted, asked.cursor, ROWS)
        hidden = await protected_among(tx, rows)
        overdue = await worklist.count_owed(tx, wanted.units, before=visit.now)
        owed = await worklist.count_owed(tx, wanted.units)
        waiting = await worklist.count_on_the_way(tx, wanted.units)
    shown = await shown_among(visit, {row.message_id for row in rows})
    found = InboxPage(
        rows=[listed(row, visit.window.party, context.times, visit.now, hidden=hidden, shown=shown) for row in rows],
        next=following,
    )
    return page(
        visit,
        "inbox.html",
        asked=asked,
        rows=found.rows,
        next=asked.address(cursor=found.next) if found.next is not None else None,
        first=asked.address(),
        everything=asked.address(overdue=None),
        refreshed=asked.address(refresh=None if asked.refresh == "off" else "off"),
        overdue=overdue,
        owed=owed,
        waiting=waiting,
        units=_units(visit),
        types=[(name, kind) for name, kind in TYPES.items() if name != ACKNOWLEDGEMENT],
        title_of_type=lambda name: title_of_type(visit, name),
        duty=DUTY_WORDS,
        done=asked.done if asked.done in _DONE else None,
        may_act=visit.who.may(Right.ACKNOWLEDGE) and visit.session is not None,
    )


async def acknowledge(visit: Visit) -> web.Response:
    """Take charge of one message for the unit it came for, and go back to the inbox."""
    chosen = [Item.parse(visit.form.one("acknowledge"))]
    results = await take_charge(visit.window.context, chosen, by=visit.who, reason=BY_A_BUTTON)
    return _after(visit, results, "acknowledged")


async def read(visit: Visit) -> web.Response:
    """Mark messages as read in the unit each came for, and go back to the inbox."""
    alone = visit.form.one("alone")
    chosen = [Item.parse(one) for one in ([alone] if alone else visit.form.all("read"))]
    results = await marks.mark_read(visit.window.context, chosen, by=visit.who)
    return _after(visit, results, "read")


def _after(visit: Visit, results: Sequence[Result], done: str) -> web.Response:
    """Go back to the inbox, and say there what was done; or show what was refused, and why."""
    back = own_path(visit.form.one("back") or "/inbox")
    if any(one.is_refused for one in results):
        return page(visit, "inbox_refused.html", HTTPStatus.CONFLICT, results=results, to_go=back)
    path = urlsplit(back)
    kept = [(name, value) for name, value in parse_qsl(path.query) if name not in ("done", "message")]
    told = [("message", results[0].message_id)] if len(results) == 1 and results[0].message_id is not None else []
    return to(f"{path.path}?{urlencode([*kept, ('done', done), *told])}" if results else back)


def _units(visit: Visit) -> list[str]:
    """Return the units whose inboxes may be chosen, by their titles."""
    directory = visit.window.context.directory
    own = {unit.hsa_id for unit in directory.units.values() if unit.party == visit.window.party}
    return sorted(own if visit.units is None else visit.units, key=visit.window.title_of)


ROUTES = (
    Route.page(
        "GET",
        "/inbox",
        inbox,
        "Inkorg: vad som har kommit till enheterna, och vad de ska göra.",
        "Inbox: what has come to the units, and what they have to do.",
        query=InboxAsked,
    ),
    Route.page(
        "POST",
        "/inbox/acknowledge",
        acknowledge,
        "Kvitterar ett meddelande för den enhet det kom till.",
        "Acknowledges a message for the unit it came for.",
        right=Right.ACKNOWLEDGE,
    ),
    Route.page(
        "POST",
        "/inbox/read",
        read,
        "Markerar meddelanden som lästa i den enhet de kom till.",
        "Marks messages as read in the unit they came for.",
        right=Right.ACKNOWLEDGE,
    ),
)
