"""*Kopplingar* shows how everything is that the gateway is connected to, and lets an operator rest a case system."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from windows.opened import opened
from windows.site import BY, Site

from gateway.access import Role
from gateway.app import open_transport
from gateway.circuit import TO_SYSTEM, Circuit
from gateway.errors import DependencyDownError
from gateway.ports import Lane
from gateway.silence import Cause, Silence
from gateway.store import adapters, audit, circuits, silences
from gateway.store.audit import Wanted
from gateway.transport import EXCHANGE_DOWN
from gateway.web.silent import FRESH_SECONDS, SilentPartners

PATH = "/api/v1/adapters"


def text_of(page: str) -> str:
    """Return what a page says, without marks."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


async def kept(site: Site) -> list[tuple[str | None, ...]]:
    async with site.store.reading() as tx:
        found = await audit.find(tx, Wanted(), limit=50)
    names = ("action", "by", "target", "reason", "outcome", "code")
    return [
        tuple(one.said[name] for name in names) for one in found if (one.said["action"] or "").startswith("adapter.")
    ]


async def test_the_api_tells_what_got_through_what_answers_and_what_is_away(site: Site) -> None:
    now, who = site.clock.now(), await site.bearer(Role.READER)
    _, told = await site.get(PATH, who)
    (one,) = told["adapters"]
    assert (one["name"], one["way"], one["paused"], one["heartbeat"]["isUp"]) == ("treserva", "folder", None, True)
    assert one["lastSuccess"] == max(one["lastEvent"], one["lastRegistration"] or "", one["heartbeat"]["at"])
    async with site.store.writing() as tx:
        await adapters.keep_beat(tx, "treserva", now, ["adapter.too-slow"])
        await circuits.save(tx, [Circuit(party="kommun", failures=5, opened_at=now, probe_at=now)])
        await circuits.save(tx, [Circuit(party="region", failures=2)])
        await silences.change(tx, "region", None, Silence("region", now, Cause.NO_RECEIPT, now))
    _, told = await site.get(PATH, who)
    (one,) = told["adapters"]
    assert (one["heartbeat"]["isUp"], one["heartbeat"]["codes"]) == (False, ["adapter.too-slow"])
    assert one["circuit"]["state"] == "Cut, tried again"
    region = next(partner for partner in told["partners"] if partner["party"] == "region")
    assert (region["cause"], region["circuit"]["failures"]) == ("no-receipt", 2)
    assert told["probes"] == [{"name": "migrations", "isUp": True, "codes": []}]
    await site.log_in(Role.READER)
    page = text_of(await site.page("/adapters"))
    for words in ("Svarar inte", "adapter.too-slow", "Bruten, prövas igen", "Tyst inga mottagningsbesked"):
        assert words in page
    assert "Skäl att pausa" not in page


async def test_a_system_among_several_has_a_way_of_its_own(site: Site) -> None:
    now = site.clock.now()
    several = replace(site, window=replace(site.window, lanes={"treserva": Lane(name="treserva")}))
    async with site.store.writing() as tx:
        await circuits.save(tx, [Circuit(party=f"{TO_SYSTEM}treserva", failures=5, opened_at=now, probe_at=now)])
        await circuits.save(tx, [Circuit(party="kommun", failures=1)])
    async with opened(several) as client, client.get(PATH, headers=await site.bearer()) as answer:
        (one,) = (await answer.json())["adapters"]
    assert one["circuit"]["failures"] == 5


@pytest.mark.parametrize("is_away", [False, True])
async def test_the_exchange_is_asked_and_what_waits_there_is_counted(site: Site, is_away: bool) -> None:
    async def away() -> None:
        raise DependencyDownError(EXCHANGE_DOWN.at())

    async with open_transport(site.window.settings, site.clock) as transport:
        probes = {"exchange": away if is_away else transport.ping}
        seen = replace(site, window=replace(site.window, probes=probes, depth=transport.depth))
        async with opened(seen) as client, client.get(PATH, headers=await site.bearer()) as answer:
            told = await answer.json()
    codes = [EXCHANGE_DOWN.code] if is_away else []
    assert told["probes"] == [{"name": "exchange", "isUp": not is_away, "codes": codes}]
    assert told["exchange"] == {"messages": 0, "acknowledgements": 0, "deadLetters": 0}


async def test_an_operator_lets_a_system_rest_and_work_again_and_both_are_kept(site: Site) -> None:
    await site.log_in()
    assert await site.send("/adapters/treserva/pause", reason="Uppgradering") == (303, "/adapters?done=paused")
    page = text_of(await site.page("/adapters?done=paused"))
    assert "Pausad" in page
    assert f"av {BY}" in page
    assert "Uppgradering" in page
    async with site.store.reading() as tx:
        assert await adapters.is_paused(tx, "treserva")
    site.clock.advance(timedelta(minutes=5))
    assert await site.send("/adapters/treserva/resume", reason="Klart") == (303, "/adapters?done=resumed")
    async with site.store.reading() as tx:
        assert not await adapters.is_paused(tx, "treserva")
    assert await kept(site) == [
        ("adapter.paused", BY, "treserva", "Uppgradering", "done", None),
        ("adapter.resumed", BY, "treserva", "Klart", "done", None),
    ]


async def test_a_reason_that_cannot_be_kept_is_told_on_the_page_and_not_repeated(site: Site) -> None:
    await site.log_in()
    status, page = await site.send("/adapters/treserva/pause", reason="gäller 19121212-1212")
    assert status == 422
    assert "by-hand.person-number" in page
    assert "1212-1212" not in page
    assert await kept(site) == [("adapter.paused", BY, None, None, "refused", "by-hand.person-number")]
    async with site.store.reading() as tx:
        assert not await adapters.is_paused(tx, "treserva")


async def test_programs_pause_once_and_are_told_whether_it_changed_anything(site: Site) -> None:
    who, body = await site.bearer(), {"reason": "Uppgradering"}
    changed = []
    for _ in range(2):
        async with site.client.post(f"{PATH}/treserva/pause", json=body, headers=who) as answer:
            told = await answer.json()
            assert (answer.status, told["isPaused"]) == (200, True)
            changed.append(told["changed"])
    assert changed == [True, False]
    async with site.client.post(f"{PATH}/nowhere/pause", json=body, headers=who) as answer:
        assert answer.status == 404


async def test_a_reader_lets_no_system_rest(site: Site) -> None:
    headers = await site.bearer(Role.READER)
    async with site.client.post(f"{PATH}/treserva/pause", json={"reason": "prov"}, headers=headers) as answer:
        assert answer.status == 403


async def test_every_page_but_the_overview_tells_of_a_silent_partner_and_looks_once_in_a_while(site: Site) -> None:
    ticks = [0.0]
    looked = SilentPartners(site.context, lambda: ticks[0])
    assert await looked.sentences() == []
    now = site.clock.now()
    async with site.store.writing() as tx:
        await silences.change(tx, "region", None, Silence("region", now, Cause.CIRCUIT, now))
    assert await looked.sentences() == []
    ticks[0] += FRESH_SECONDS
    (told,) = await looked.sentences()
    await site.log_in(Role.READER)
    assert told.sv in await site.page("/messages")
    assert (await site.page("/")).count(told.sv) == 1


async def test_whoever_sees_some_units_is_not_told_how_many_of_all_wait_for_a_silent_partner(site: Site) -> None:
    now = site.clock.now()
    async with site.store.writing() as tx:
        await silences.change(tx, "region", None, Silence("region", now, Cause.CIRCUIT, now))
    await site.log_in(Role.READER, ["SE2120001355-SOCHISINGEN"])
    for path in ("/", "/messages"):
        shown = await site.page(path)
        assert ("har inte svarat på" in shown, "väntar." in shown) == (True, False)
