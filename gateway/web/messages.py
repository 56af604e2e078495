"""*Meddelanden*: what was sent and what came, page by page, and how far each got. No person is shown."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Annotated
from urllib.parse import urlencode

from aiohttp import web
from pydantic import Field

from gateway.clock import STOCKHOLM
from gateway.envelope import ACKNOWLEDGEMENT
from gateway.messages import TYPES, Duty
from gateway.web import cursor
from gateway.web.ledger_reading import Direction, LedgerAsked, page_of
from gateway.web.page import page
from gateway.web.route import Route
from gateway.web.state_words import DUTY_WORDS, IN_WORDS, OUT_WORDS, word_of
from gateway.web.visit import Visit


class MessagesAsked(LedgerAsked):
    """Which messages are looked for, on which Swedish days, the first and the last included."""

    since: Annotated[date | None, Field(alias="from", ge=date(2000, 1, 1), le=date(2100, 1, 1))] = None
    until: Annotated[date | None, Field(alias="to", ge=date(2000, 1, 1), le=date(2100, 1, 1))] = None

    def address(self, **changed: str | None) -> str:
        """Return where this is asked, with some of it ``changed``: at the newest, where no ``cursor`` is given."""
        asked = self.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude={"cursor"})
        asked = {"direction": self.direction.value} | asked | changed
        return "/messages?" + urlencode({name: value for name, value in asked.items() if value is not None})


async def messages(visit: Visit) -> web.Response:
    """Answer with a page of the ledger."""
    asked: MessagesAsked = visit.query
    until = asked.until + timedelta(days=1) if asked.until is not None else None
    sought = asked.sought(visit.units, _midnight(asked.since), _midnight(until))
    async with visit.window.context.store.reading() as tx:
        found = await page_of(tx, asked.direction, sought, asked.limit)
    came = asked.direction is Direction.RECEIVED
    directory = visit.window.context.directory
    on_page = {row[name] for row in found.rows for name in ("unit", "sender_unit")}
    return page(
        visit,
        "messages.html",
        asked=asked,
        came=came,
        rows=found.rows,
        states=[(state.value, word) for state, word in (IN_WORDS if came else OUT_WORDS).items()],
        types=[(name, kind) for name, kind in TYPES.items() if name != ACKNOWLEDGEMENT],
        parties=[(name, party.title) for name, party in sorted(directory.parties.items())],
        units=sorted(on_page | (visit.units or frozenset()), key=visit.window.title_of),
        is_filtered=asked.model_dump(exclude_defaults=True, exclude={"direction", "limit", "cursor"}) != {},
        newest=asked.address(),
        next=asked.address(cursor=cursor.written(found.next)) if found.next is not None else None,
        other=lambda direction: asked.address(direction=direction, state=None),
        title_of_type=lambda name: title_of_type(visit, name),
        duty=lambda name: DUTY_WORDS[Duty(name)],
        word_of=word_of,
    )


def title_of_type(visit: Visit, name: str) -> str:
    """Return what a type of message is called; its name, where no such type is known any more."""
    kind = TYPES.get(name)
    return visit.say(kind.title_sv, kind.title_en) if kind is not None else name


def _midnight(day: date | None) -> datetime | None:
    return datetime.combine(day, time(), STOCKHOLM) if day is not None else None


ROUTES = (
    Route.page(
        "GET",
        "/messages",
        messages,
        "Meddelanden: vad som har skickats och mottagits, och hur långt var sak har kommit.",
        "Messages: what was sent and received, and how far each got.",
        query=MessagesAsked,
    ),
)
