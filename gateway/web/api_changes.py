"""Changes over the API, as they happen: server-sent events, one for each line of the history. No person.

Each event has the ``id`` after which whoever was cut off may go on (``Last-Event-ID``): they miss nothing, and may be
told some changes twice, which the number of the ``change`` shows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from http import HTTPStatus
from typing import Annotated, Final

import structlog
from aiohttp import web
from pydantic import Field

from gateway.access import Actor
from gateway.context import trace_of
from gateway.errors import GatewayError, UsageError
from gateway.store import changes as kept
from gateway.store.changes import Change
from gateway.web.changes import CHANGES, Changes, Listener, News
from gateway.web.entry import who_asks
from gateway.web.forms import Moment, Told, told_as_json
from gateway.web.ledger_reading import Direction
from gateway.web.refusals import QUERY
from gateway.web.route import LAST_EVENT_ID, STREAM, Route
from gateway.web.visit import Visit

RETRY_MS: Final = 3000
"""After how long whoever was cut off is to come again."""
WRITE_SECONDS: Final = 30.0
"""How long a listener may take nothing in."""

log = structlog.get_logger(__name__)


class ChangeTold(Told):
    """That something has happened to a message. ``unit`` is its recipient."""

    change: Annotated[int, Field(description="The number of the change, the same whenever it is told.")]
    at: Moment
    message_id: str
    direction: Direction
    type: str
    unit: str
    event: str
    state: str


async def changes(visit: Visit) -> web.StreamResponse:
    """Answer with what changes, until the session or token ends, or the door closes."""
    hub, since = visit.request.app[CHANGES], _last_event_id(visit)
    async with hub.listening(visit.who.name) as listener:
        answer = web.StreamResponse(status=HTTPStatus.OK, headers={"X-Accel-Buffering": "no"})
        answer.content_type, answer.charset = STREAM, "utf-8"
        await answer.prepare(visit.request)
        try:
            await _Telling(visit, hub, listener, answer).tell(since)
            await answer.write_eof()
        except (ConnectionError, TimeoutError, GatewayError) as error:  # they come again, from where they were
            log.debug("changes.cut-off", error=type(error).__name__)
        except Exception as error:  # nothing we foresaw, and the answer has begun
            log.error("changes.failed", **trace_of(error))
    return answer


class _Telling:
    """Tells one listener."""

    def __init__(self, visit: Visit, hub: Changes, listener: Listener, answer: web.StreamResponse) -> None:
        self._visit, self._hub, self._listener, self._answer = visit, hub, listener, answer
        self._actor: Actor = visit.who
        self._looked_up = _now()
        self._since = 0  # they have been told everything up to there

    async def tell(self, since: int | None) -> None:
        """Tell what has happened after the line ``since``, and then what happens. Return when it is over."""
        await self._write(f"retry: {RETRY_MS}\n\n")
        if since is not None:
            self._since = await self._known(since)
            await self._tell_what_was(self._since)
        beat = self._hub.beat.total_seconds()
        while True:
            news: News | None = News((), 0)
            with suppress(TimeoutError):
                async with asyncio.timeout(beat):
                    news = await self._listener.news()
            if news is None or (_now() - self._looked_up >= beat and not await self._may_listen()):
                return
            await self._write(self._written(news.changes, news.safe) or ":\n\n")

    async def _known(self, since: int) -> int:
        """Return ``since``, or the end where it is no line of this database: it has been restored, or is another."""
        if since <= self._listener.last:
            return since
        async with self._visit.window.context.store.reading() as tx:
            end = await kept.end(tx, self._visit.now)
        return since if since <= end.last else self._listener.last

    async def _tell_what_was(self, since: int) -> None:
        last, until, safe = since, self._listener.last, self._listener.start.safe
        while last < until:
            async with self._visit.window.context.store.reading() as tx:
                found, last = await kept.after(tx, last, until)
            await self._write(self._written(found, min(last, safe)))

    async def _may_listen(self) -> bool:
        """Tell whether whoever listens still may, with what they may see now. It is no use of a session."""
        self._looked_up = _now()
        try:
            known = await who_asks(self._visit.window, self._visit.request, keeps_use=False)
        except GatewayError:
            return False
        right = self._visit.route.right
        if known is None or (right is not None and not known.actor.may(right)):
            return False
        self._actor = known.actor
        return True

    def _written(self, changes: Iterable[Change], safe: int) -> str:
        return "".join(
            f"id: {min(one.id, safe)}\nevent: change\ndata: {told_as_json(_told(one))}\n\n"
            for one in changes
            if one.id > self._since and self._actor.sees(one.own_unit)
        )

    async def _write(self, text: str) -> None:
        if text:
            async with asyncio.timeout(WRITE_SECONDS):
                await self._answer.write(text.encode())


def _now() -> float:
    return asyncio.get_running_loop().time()


def _last_event_id(visit: Visit) -> int | None:
    text = visit.request.headers.get(LAST_EVENT_ID)
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise UsageError(QUERY.at(LAST_EVENT_ID))
    return int(text)


def _told(one: Change) -> ChangeTold:
    return ChangeTold(
        change=one.id,
        at=one.at,
        message_id=one.message_id,
        direction=Direction.SENT if one.direction == "out" else Direction.RECEIVED,
        type=one.type,
        unit=one.unit,
        event=one.event,
        state=one.state,
    )


ROUTES = (
    Route.api(
        "GET",
        "/api/v1/changes",
        changes,
        "Det som ändras, medan det ändras: varje data är en ChangeTold.",
        "What changes, while it changes: each data is a ChangeTold.",
        returns=ChangeTold,
        media=(STREAM,),
    ),
)
