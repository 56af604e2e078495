"""What is posted with an Idempotency-Key is carried out once: whoever comes again gets the same answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from sqlalchemy import select
from windows.opened import opened
from windows.site import Site

from gateway.access import Right, Role
from gateway.accountability import Attempt, acting
from gateway.audit import Action
from gateway.errors import CaseRuleError, Fault
from gateway.store import adapters, answers, audit
from gateway.store.adapters import Pause
from gateway.store.answer_tables import kept_answer
from gateway.store.audit import Wanted
from gateway.web.forms import Act, Told
from gateway.web.repeating import AGAIN, KEPT_FOR, LET_GO_AFTER
from gateway.web.route import Route
from gateway.web.routes import ROUTES
from gateway.web.visit import Visit

PATH = "/api/v1/adapters/treserva/pause"
WORDS = "underhåll av lönnlig art"
NOT_NOW = Fault("test.not-now", "Inte nu.", "Not now.")


class Paused(Told):
    """Whether this was what paused the adapter."""

    changed: bool


@dataclass
class Pauses:
    """Pauses an adapter when it is called, and lets a test come between the steps."""

    keeps: bool = True
    fails: bool = False
    dies: bool = False
    count: int = 0
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    may_go_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, visit: Visit) -> Paused:
        self.count += 1
        self.begun.set()
        await self.may_go_on.wait()
        attempt = Attempt(action=Action.ADAPTER_PAUSED, by=visit.who, reason=visit.body.reason)
        async with acting(visit.window.context.store, visit.window.context.clock, attempt) as tx:
            one = Pause("treserva", visit.now, visit.who.name, "prov")
            told = Paused(changed=await adapters.put_on_hold(tx, one))
            if self.keeps:
                await visit.keep(tx, told)
            if self.fails:
                raise CaseRuleError(NOT_NOW.at())
        if self.dies:
            raise asyncio.CancelledError  # as when the process ends: nothing more is done
        return told


@dataclass
class Posting:
    """Somebody who posts."""

    client: aiohttp.ClientSession
    who: dict[str, str]

    async def post(self, key: str | None, reason: str = WORDS, **headers: str) -> tuple[int, Any, Any]:
        headers |= self.who | ({"Idempotency-Key": key} if key is not None else {})
        async with self.client.post(PATH, json={"reason": reason}, headers=headers) as answer:
            return answer.status, await answer.json(content_type=None), answer.headers


@asynccontextmanager
async def posting(site: Site, pauses: Pauses) -> AsyncIterator[Posting]:
    """Open windows over the store of the site in which an adapter can be paused."""

    async def pause(visit: Visit) -> Paused:
        return await pauses.answer(visit)

    route = Route.api("POST", PATH, pause, "Pausa.", "Pause.", right=Right.PAUSE, returns=Paused, body=Act)
    async with opened(site, (route,)) as client:
        yield Posting(client, await site.bearer())


async def done(site: Site) -> int:
    """Return how often the adapter was paused, as the audit log has it."""
    async with site.store.reading() as tx:
        links = await audit.find(tx, Wanted(action=Action.ADAPTER_PAUSED), limit=100)
    return len([link for link in links if link.said["outcome"] == "done"])


@pytest.fixture
def pauses() -> Pauses:
    made = Pauses()
    made.may_go_on.set()
    return made


@pytest.mark.parametrize("keeps", [True, False], ids=["in its own transaction", "right afterwards"])
async def test_what_comes_again_gets_the_same_answer_and_is_not_done_again(
    site: Site, pauses: Pauses, keeps: bool
) -> None:
    pauses.keeps = keeps
    async with posting(site, pauses) as somebody:
        first = await somebody.post("k-1")
        again = await somebody.post("k-1")
        assert (first[0], first[1]) == (again[0], again[1]) == (200, {"changed": True})
        assert (AGAIN in first[2], again[2][AGAIN]) == (False, "true")
        assert (pauses.count, await done(site)) == (1, 1)
        assert (await somebody.post("k-2"))[1] == {"changed": False}
        assert (await somebody.post(None))[1] == {"changed": False}


async def test_a_key_is_for_one_content_one_actor_and_what_they_may_see(site: Site, pauses: Pauses) -> None:
    async with posting(site, pauses) as somebody:
        await somebody.post("k")
        status, told, _ = await somebody.post("k", reason="något annat")
        assert (status, told["errors"][0]["code"]) == (409, "http.idempotency-key-taken")
        other = Posting(somebody.client, await site.bearer())
        assert (await other.post("k", reason="något annat"))[0] == 200
        reader = Posting(somebody.client, await site.bearer(Role.READER))
        assert (await reader.post("k"))[0] == 403


@pytest.mark.parametrize("key", ["", " ", "å", "a b", "x" * 256])
async def test_a_key_that_is_none_is_refused(site: Site, pauses: Pauses, key: str) -> None:
    async with posting(site, pauses) as somebody:
        status, told, _ = await somebody.post(key)
        assert (status, told["errors"][0]["code"], pauses.count) == (400, "http.idempotency-key", 0)


async def test_what_comes_while_the_first_is_under_way_is_told_to_come_again(site: Site, pauses: Pauses) -> None:
    pauses.may_go_on.clear()
    async with posting(site, pauses) as somebody:
        first = asyncio.create_task(somebody.post("k"))
        await pauses.begun.wait()
        status, told, headers = await somebody.post("k")
        assert (status, told["errors"][0]["code"]) == (409, "web.under-way")
        assert int(headers["Retry-After"]) == LET_GO_AFTER.total_seconds()
        pauses.may_go_on.set()
        assert (await first)[0] == 200
        assert (await somebody.post("k"))[1] == {"changed": True}
        assert await done(site) == 1


async def test_what_came_to_nothing_may_come_again(site: Site, pauses: Pauses) -> None:
    pauses.fails = True
    async with posting(site, pauses) as somebody:
        assert (await somebody.post("k"))[0] == 422
        pauses.fails = False
        assert (await somebody.post("k"))[:2] == (200, {"changed": True})


@pytest.mark.parametrize("keeps", [True, False], ids=["in its own transaction", "right afterwards"])
async def test_a_process_that_dies_after_it_has_acted_leaves_no_double_effect(
    site: Site, pauses: Pauses, keeps: bool
) -> None:
    pauses.dies, pauses.keeps = True, keeps
    async with posting(site, pauses) as somebody:
        with pytest.raises(aiohttp.ClientError):
            await somebody.post("k")
        pauses.dies = False
        if keeps:
            assert (await somebody.post("k"))[:2] == (200, {"changed": True})
            return
        assert (await somebody.post("k"))[0] == 409
        site.clock.advance(LET_GO_AFTER)
        # It is carried out again, and sees by itself that there is nothing left to do.
        assert (await somebody.post("k"))[:2] == (200, {"changed": False})


async def test_one_that_was_taken_for_dead_does_nothing_when_it_wakes(site: Site, pauses: Pauses) -> None:
    pauses.may_go_on.clear()
    async with posting(site, pauses) as somebody:
        slow = asyncio.create_task(somebody.post("k"))
        await pauses.begun.wait()
        site.clock.advance(LET_GO_AFTER)
        pauses.begun.clear()
        quick = asyncio.create_task(somebody.post("k"))
        await pauses.begun.wait()
        pauses.may_go_on.set()
        status, told, _ = await slow
        assert (status, told["errors"][0]["code"]) == (409, "web.taken-over")
        assert (await quick)[:2] == (200, {"changed": True})
        assert await done(site) == 1


async def test_an_answer_is_kept_for_a_day_and_forgotten_by_who_comes_next(site: Site, pauses: Pauses) -> None:
    async with posting(site, pauses) as somebody:
        await somebody.post("k")
        site.clock.advance(KEPT_FOR)
        assert AGAIN in (await somebody.post("k"))[2]
        site.clock.advance(timedelta(seconds=1))
        assert (await somebody.post("k"))[1] == {"changed": False}
    async with site.store.writing() as tx:
        for number in range(3):
            claim = answers.Claim("token", f"{number}", f"{number}")
            await answers.claim(tx, claim, "x", site.clock.now() - KEPT_FOR - timedelta(days=number + 1))
        await answers.forget(tx, site.clock.now() - KEPT_FOR, most=2)
        left = (await tx.execute(select(kept_answer.c.key).where(kept_answer.c.actor == "token"))).scalars()
        assert list(left) == ["0"]


async def test_neither_the_key_nor_what_was_sent_is_kept(site: Site, pauses: Pauses) -> None:
    async with posting(site, pauses) as somebody:
        await somebody.post("a-key-of-ours")
    async with site.store.reading() as tx:
        (row,) = (await tx.execute(select(kept_answer))).all()
    assert row.status == 200
    assert WORDS not in str(row)
    assert "a-key-of-ours" not in str(row)


OF_NO_PERSON = {"adapters": ["name"], "operations": ["reason"]}
"""What is the name of something else, or is kept with what was done anyway; by the part of the API."""


def test_no_answer_that_is_kept_has_a_place_for_a_person() -> None:
    person = ("person", "name", "address", "phone", "text", "content", "xml", "identifier", "reason")
    for route in ROUTES:
        if route.repeatable:
            assert route.returns is not None
            schema = str(route.returns.model_json_schema(by_alias=True))
            found = [word for word in person if f"'{word}'" in schema]
            assert found == [*OF_NO_PERSON.get(route.path.split("/")[3], [])], route.name
