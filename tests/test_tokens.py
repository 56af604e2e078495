"""Tokens: told once and kept as a hash; refused alike, whatever the reason, when they no longer hold."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest
from build import CLINIC, NOON, OFFICE
from sqlalchemy import text

from gateway.access import AccessRefusedError, Right, Role
from gateway.clock import ManualClock
from gateway.directory import Directory
from gateway.errors import CaseRuleError, InvalidDocumentError
from gateway.resources import demo_directory
from gateway.store import Store, audit, tokens
from gateway.store.audit import Wanted
from gateway.tokens import USUAL_DAYS, actor_of, check_units, create, revoke

STAFF = "SE2120001355-P000000000117"


async def made(store: Store, name: str = "portal", days: int = USUAL_DAYS, units: list[str] | None = None) -> str:
    async with store.writing() as tx:
        return await create(tx, name, Role.OPERATOR, units=units, days=days, by=STAFF, reason="Portalen.", now=NOON)


async def refused_rows(store: Store) -> list[tuple[str | None, str | None, str | None]]:
    async with store.reading() as tx:
        found = await audit.find(tx, Wanted(), limit=100)
    return [(row.said["by"], row.said["outcome"], row.said["code"]) for row in found]


async def test_a_token_stands_for_its_role_and_units_and_is_kept_as_a_hash(store: Store) -> None:
    shown, other = await made(store, units=[OFFICE]), await made(store, "other")
    assert shown != other
    assert len(shown) == len("gateway_") + 43
    actor = await actor_of(store, shown, NOON)
    assert (actor.name, actor.role, actor.units) == ("portal", Role.OPERATOR, frozenset({OFFICE}))
    assert (await actor_of(store, other, NOON)).units is None
    actor.check_for(Right.SEE_CONTENT, OFFICE)
    async with store.reading() as tx:
        kept = [dict(row) for row in (await tx.execute(text("SELECT * FROM token"))).mappings()]
        (_, one) = await tokens.every(tx)
    assert shown.removeprefix("gateway_") not in json.dumps(kept)
    assert (one.created_by, one.expires_at - one.created_at) == (STAFF, timedelta(days=90))


async def test_expired_revoked_and_unknown_are_told_apart_in_the_log_alone(store: Store) -> None:
    clock = ManualClock(NOON)
    old, ended = await made(store, "old", days=1), await made(store, "ended")
    async with store.writing() as tx:
        assert await revoke(tx, "ended", by=STAFF, reason="Läckt.", now=NOON)
        assert not await revoke(tx, "ended", by=STAFF, reason="Igen.", now=NOON)
    await actor_of(store, old, NOON + timedelta(days=1, microseconds=-1))
    clock.advance(timedelta(days=1))
    told = []
    for shown in (old, ended, "gateway_" + "A" * 43, "", old[:-1]):
        with pytest.raises(AccessRefusedError) as caught:
            await actor_of(store, shown, clock.now())
        told.append(caught.value.findings)
    assert {findings[0].code for findings in told} == {"access.token-refused"}
    assert len(set(told)) == 1
    expected = [("old", "refused", "access.token-expired"), ("ended", "refused", "access.token-revoked")]
    assert await refused_rows(store) == expected
    for seconds, more in ((59, []), (1, expected[:1])):  # a program that asks on and on does not fill the log
        clock.advance(timedelta(seconds=seconds))
        with pytest.raises(AccessRefusedError):
            await actor_of(store, old, clock.now())
        assert await refused_rows(store) == expected + more


async def test_a_token_that_is_refused_many_times_at_once_is_in_the_log_once(store: Store) -> None:
    old = await made(store, "old", days=1)
    later = NOON + timedelta(days=2)
    refused = await asyncio.gather(*(actor_of(store, old, later) for _ in range(4)), return_exceptions=True)
    assert [type(one) for one in refused] == [AccessRefusedError] * 4
    assert await refused_rows(store) == [("old", "refused", "access.token-expired")]


async def test_when_a_token_was_last_used_is_kept_to_the_minute(store: Store) -> None:
    shown = await made(store)
    for seconds, kept in ((0, 0), (59, 0), (60, 60), (61, 60)):
        await actor_of(store, shown, NOON + timedelta(seconds=seconds))
        async with store.reading() as tx:
            one = await tokens.named(tx, "portal")
        assert one is not None
        assert one.used_at == NOON + timedelta(seconds=kept)


async def test_a_token_that_cannot_be_is_not_made(store: Store) -> None:
    await made(store)
    for name, days, code in (
        ("portal", 90, "token.taken"),
        ("Portal", 90, "token.name"),
        ("x" * 32, 90, "token.name"),
        ("alva-19850912-9808", 90, "token.name"),
        ("other", 366, "token.days"),
        ("other", 0, "token.days"),
    ):
        with pytest.raises(CaseRuleError) as caught:
            await made(store, name, days)
        assert caught.value.codes == (code,)


def test_a_token_is_for_units_of_the_own_party() -> None:
    directory = Directory.load(demo_directory())
    check_units([OFFICE], "kommun", directory)
    for unit, code in ((CLINIC, "token.unit-of-other-party"), (OFFICE + "X", "unit.unknown-near")):
        with pytest.raises(InvalidDocumentError) as caught:
            check_units([unit], "kommun", directory)
        assert caught.value.codes == (code,)
