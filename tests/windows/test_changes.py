"""What changes is told while it changes: to those who may see it, however many listen, and none is lost."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from build import CLINIC, HOME_CARE, OFFICE
from sqlalchemy import func, insert, select
from windows.opened import opened
from windows.site import BY, Site
from windows.two_units import two_units

from gateway import tokens
from gateway.errors import DependencyDownError
from gateway.store import changes
from gateway.store.tables import dispatch, history
from gateway.web.changes import BEHIND, IN_ALL, OF_ONE, Changes, News

PATH = "/api/v1/changes"
QUICK = timedelta(milliseconds=20)


@dataclass
class Heard:
    """What somebody hears, line by line."""

    answer: aiohttp.ClientResponse
    last_id: str = ""
    told: list[dict[str, Any]] = field(default_factory=list)

    async def change(self) -> dict[str, Any] | None:
        """Return the next change; ``None`` when it is over."""
        async with asyncio.timeout(20):
            async for line in self.answer.content:
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name == "id":
                    self.last_id = value
                elif name == "data":
                    self.told.append(json.loads(value))
                    return self.told[-1]
        return None

    async def beat(self) -> None:
        """Return when the next line without news has come."""
        async with asyncio.timeout(20):
            while not (await self.answer.content.readline()).startswith(b":"):
                pass


@asynccontextmanager
async def listening(client: aiohttp.ClientSession, who: dict[str, str], after: int | str | None = None) -> Any:
    headers = who | ({"Last-Event-ID": str(after)} if after is not None else {})
    async with client.get(PATH, headers=headers) as answer:
        assert (answer.status, answer.content_type) == (200, "text/event-stream"), await answer.text()
        yield Heard(answer)


@pytest.fixture
def hurried(site: Site) -> Changes:
    return Changes(site.context, every=QUICK, beat=QUICK)


@pytest.fixture
async def client(site: Site, hurried: Changes) -> AsyncIterator[aiohttp.ClientSession]:
    async with opened(site, changes=hurried) as made:
        yield made


async def last_line(site: Site) -> int:
    async with site.store.reading() as tx:
        return (await tx.execute(select(func.max(history.c.id)))).scalar_one()


async def write(site: Site, *ids: int) -> None:
    """Write lines about a message that the journey has sent, as if they were given these ids."""
    async with site.store.writing() as tx:
        about = (await tx.execute(select(dispatch.c.message_id, dispatch.c.unit).limit(1))).one()
        values = {"direction": "out", "at": site.clock.now(), "event": "sweep", "state": "sent", **about._mapping}
        await tx.execute(insert(history), [values | {"id": one} for one in ids])


async def lines_since(site: Site, since: int) -> list[tuple[int, str]]:
    """Return the number and the message of what has happened, acknowledgements left out."""
    async with site.store.reading() as tx:
        found, _ = await changes.after(tx, since, 10**9)
    return [(one.id, one.message_id) for one in found]


async def test_each_hears_what_happens_to_the_messages_of_their_units_and_nothing_about_a_person(
    site: Site, client: aiohttp.ClientSession
) -> None:
    since, mine, theirs = await last_line(site), await site.bearer(units=[OFFICE]), await site.bearer(units=[HOME_CARE])
    async with (
        listening(client, await site.bearer()) as whole,
        listening(client, mine) as one,
        listening(client, theirs) as other,
    ):
        office, home_care = await two_units(site)
        happened = await lines_since(site, since)
        everything = [*office.messages, *home_care.messages]
        for heard, ids in ((whole, everything), (one, office.messages), (other, home_care.messages)):
            expected = [line for line in happened if line[1] in ids]
            assert expected
            for _ in expected:
                assert await heard.change() is not None
            assert [(line["change"], line["messageId"]) for line in heard.told] == expected
    sent = next(line for line in other.told if line["direction"] == "sent")
    assert set(sent) == {"change", "at", "messageId", "direction", "type", "unit", "event", "state"}
    assert (sent["type"], sent["unit"], sent["state"]) == ("sipStart", CLINIC, "held")


async def test_whoever_was_cut_off_goes_on_where_they_were(site: Site, client: aiohttp.ClientSession) -> None:
    who, last = await site.bearer(), await last_line(site)
    async with listening(client, who, after=0) as heard:
        whole = await lines_since(site, 0)
        assert [(await heard.change() or {})["change"] for _ in whole] == [number for number, _ in whole]
        assert int(heard.last_id) == whole[-1][0]
    await write(site, last + 1, last + 2)
    async with listening(client, who, after=last + 1) as heard:
        assert (await heard.change() or {})["change"] == last + 2
        await write(site, last + 3)
        assert (await heard.change() or {})["change"] == last + 3


async def test_whoever_goes_on_at_a_place_that_is_not_there_yet_hears_what_happens(
    site: Site, client: aiohttp.ClientSession
) -> None:
    last = await last_line(site)
    async with listening(client, await site.bearer(), after=last + 1000) as heard:
        await heard.beat()
        await write(site, last + 1)
        assert (await heard.change() or {})["change"] == last + 1


async def test_a_line_that_turns_up_behind_others_is_told_and_missed_by_nobody_who_comes_again(
    site: Site, client: aiohttp.ClientSession
) -> None:
    who, last = await site.bearer(), await last_line(site)
    async with listening(client, who) as heard:
        await write(site, last + 2)
        assert (await heard.change() or {})["change"] == last + 2
        assert heard.last_id == str(last)  # whoever goes on there does not miss the one between
        await write(site, last + 1)
        assert (await heard.change() or {})["change"] == last + 1
        await write(site, last + 5)
        assert (await heard.change() or {})["change"] == last + 5
        assert heard.last_id == str(last + 2)
    # Whoever is the first to come knows too what is missing among the latest.
    async with listening(client, who, after=last + 2) as heard:
        assert (await heard.change() or {})["change"] == last + 5
        assert heard.last_id == str(last + 2)
        await write(site, last + 3)
        assert (await heard.change() or {})["change"] == last + 3


@pytest.mark.parametrize("after", ["x", "-1", "1" * 19, "\u0661"])
async def test_a_place_to_go_on_that_is_none_is_refused(site: Site, client: aiohttp.ClientSession, after: str) -> None:
    headers = await site.bearer() | {"Last-Event-ID": after}
    async with client.get(PATH, headers=headers) as answer:
        assert (answer.status, answer.content_type) == (400, "application/problem+json")


async def test_somebody_listens_in_few_places_and_all_in_not_too_many(
    site: Site, client: aiohttp.ClientSession, hurried: Changes
) -> None:
    who = await site.bearer()
    async with AsyncExitStack() as stack:
        for _ in range(OF_ONE):
            await stack.enter_async_context(listening(client, who))
        async with client.get(PATH, headers=who) as answer:
            told = await answer.json(content_type=None)
            assert (answer.status, told["errors"][0]["code"]) == (429, "web.listeners-yours")
        async with listening(client, await site.bearer()) as other:
            await other.beat()
            assert hurried.is_looking
        places = [
            await stack.enter_async_context(hurried.listening(f"{place}")) for place in range(IN_ALL - OF_ONE - 1)
        ]
        while len(places) < IN_ALL - OF_ONE:  # the place of the one that has left is free as soon as that is noticed
            with suppress(DependencyDownError):
                places.append(await stack.enter_async_context(hurried.listening("last")))
            await asyncio.sleep(0)
        async with client.get(PATH, headers=await site.bearer()) as answer:
            told = await answer.json(content_type=None)
            assert (answer.status, told["errors"][0]["code"]) == (503, "web.listeners-all")
            assert answer.headers["Retry-After"]


async def test_nobody_looks_while_nobody_listens(site: Site, hurried: Changes) -> None:
    async with hurried.listening("one"), hurried.listening("two"):
        assert hurried.is_looking
    assert not hurried.is_looking
    await hurried.ended()
    last = await last_line(site)
    async with hurried.listening("one") as heard:
        await write(site, last + 1)
        news = await heard.news()
        assert news is not None
        assert [one.id for one in news.changes] == [last + 1]


async def test_whoever_is_too_far_behind_is_to_come_again(site: Site, hurried: Changes) -> None:
    async with hurried.listening("slow") as heard:
        for _ in range(BEHIND + 1):
            heard.tell(News((), 0))
        assert await heard.news() is None


async def test_it_ends_with_the_token(site: Site, client: aiohttp.ClientSession) -> None:
    async with listening(client, await site.bearer()) as heard:
        await heard.beat()
        async with site.store.writing() as tx:
            await tokens.revoke(tx, "operator-1", by=BY, reason="prov", now=site.clock.now())
        assert await heard.change() is None


async def test_it_ends_with_the_session_which_listening_does_not_prolong(site: Site) -> None:
    await site.log_in()
    hurried = Changes(site.context, every=QUICK, beat=QUICK)
    async with opened(site, changes=hurried) as client:
        cookie = next(iter(site.client.cookie_jar))
        async with listening(client, {"Cookie": f"{cookie.key}={cookie.value}"}) as heard:
            await heard.beat()
            site.clock.advance(timedelta(minutes=20))
            for _ in range(3):
                await heard.beat()
            site.clock.advance(timedelta(minutes=10))
            assert await heard.change() is None


async def test_it_ends_when_the_door_closes(site: Site) -> None:
    hurried = Changes(site.context, every=QUICK, beat=timedelta(minutes=1))
    async with opened(site, changes=hurried) as client, listening(client, await site.bearer()) as heard:
        hurried.close()
        assert await heard.change() is None
        async with client.get(PATH, headers=await site.bearer()) as answer:
            assert answer.status == 503
