"""Sessions, and links that log in once: told once and kept as a hash, over in time, and in the log."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from build import NOON, OFFICE
from sqlalchemy import func, select, text

from gateway.access import AccessRefusedError, Actor, Role
from gateway.sessions import (
    Session,
    begin,
    check_csrf,
    end,
    end_all_of,
    make_link,
    redeem,
    reveal,
    revealed_until,
    session_of,
)
from gateway.store import Store, access_tables, audit
from gateway.store.audit import Wanted
from gateway.store.sessions import MOST_REMOVED, keep_use

STAFF = "SE2120001355-P000000000117"
OTHER = "SE2120001355-P000000000125"
OPERATOR = Actor(name=STAFF, role=Role.OPERATOR, units=frozenset({OFFICE}), assignment="uppdrag-1")
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


async def begun(store: Store, actor: Actor = OPERATOR, at: datetime = NOON) -> str:
    async with store.writing() as tx:
        return await begin(tx, actor, at)


async def linked(store: Store, at: datetime = NOON) -> str:
    async with store.writing() as tx:
        return await make_link(tx, OPERATOR, at)


async def log_of(store: Store) -> list[tuple[str | None, ...]]:
    async with store.reading() as tx:
        found = await audit.find(tx, Wanted(), limit=100)
    return [tuple(row.said[name] for name in ("action", "by", "unit", "outcome", "code")) for row in found]


async def rows_in(store: Store, table: str) -> int:
    async with store.reading() as tx:
        counted = await tx.execute(select(func.count()).select_from(access_tables.metadata.tables[table]))
        return int(counted.scalar_one())


async def is_over(store: Store, value: str, at: datetime) -> bool:
    try:
        await session_of(store, value, at)
    except AccessRefusedError as error:
        return error.codes == ("access.session-refused",)
    return False


# --- sessions ---------------------------------------------------------------------------------------------------------


async def test_a_session_stands_for_whoever_began_it_and_its_cookie_is_kept_as_a_hash(store: Store) -> None:
    value, other = await begun(store), await begun(store, Actor(name=OTHER, role=Role.READER))
    assert len({value, other}) == 2
    assert len(value) == 43
    one, two = await session_of(store, value, NOON), await session_of(store, other, NOON)
    assert (one.actor, one.begun_at, one.ends_at) == (OPERATOR, NOON, NOON + 10 * HOUR)
    assert two.actor.units is None
    assert one.id != two.id
    async with store.reading() as tx:
        kept = json.dumps([dict(row) for row in (await tx.execute(text("SELECT * FROM session"))).mappings()])
    assert one.id in kept
    assert value not in kept
    assert one.csrf not in kept
    assert await log_of(store) == [
        ("session.begun", STAFF, OFFICE, "done", None),
        ("session.begun", OTHER, None, "done", None),
    ]


async def test_a_session_that_nobody_began_is_refused_like_one_that_is_over(store: Store) -> None:
    value = await begun(store)
    assert not await is_over(store, value, NOON)
    for shown in ("", "A" * 43, value[:-1], value + "A", "\ud800"):
        assert await is_over(store, shown, NOON)


async def test_a_session_is_over_after_half_an_hour_without_use(store: Store) -> None:
    value = await begun(store)
    assert not await is_over(store, value, NOON + 30 * MINUTE - timedelta(microseconds=1))
    assert not await is_over(store, value, NOON + 59 * MINUTE)
    assert await is_over(store, value, NOON + 59 * MINUTE + 30 * MINUTE)


async def test_a_session_is_over_after_ten_hours_however_much_it_is_used(store: Store) -> None:
    value = await begun(store)
    for quarters in range(1, 40):
        assert not await is_over(store, value, NOON + quarters * 15 * MINUTE)
    assert not await is_over(store, value, NOON + 10 * HOUR - timedelta(microseconds=1))
    assert await is_over(store, value, NOON + 10 * HOUR)


async def test_that_a_session_is_used_is_kept_once_a_minute(store: Store) -> None:
    value = await begun(store)
    for seconds, kept in ((0, 0), (59, 0), (60, 60), (61, 60), (120, 120)):
        at = NOON + timedelta(seconds=seconds)
        await asyncio.gather(session_of(store, value, at), session_of(store, value, at))
        async with store.reading() as tx:
            used = (await tx.execute(select(access_tables.session.c.used_at))).scalar_one()
        assert used == NOON + timedelta(seconds=kept)
    session, at = await session_of(store, value, NOON), NOON + timedelta(seconds=121)
    async with store.writing() as tx:  # whoever comes second of two at once finds it kept
        await keep_use(tx, session.id, at, unless_since=at - MINUTE)
        assert (await tx.execute(select(access_tables.session.c.used_at))).scalar_one() == NOON + 2 * MINUTE


async def test_a_session_that_was_ended_lets_nobody_in_and_is_ended_once(store: Store) -> None:
    value = await begun(store)
    session = await session_of(store, value, NOON)
    for _ in range(2):
        async with store.writing() as tx:
            await end(tx, session, NOON)
    assert await is_over(store, value, NOON)
    assert [row[0] for row in await log_of(store)] == ["session.begun", "session.ended"]


async def test_everything_of_somebody_is_ended_at_once_by_them_or_whoever_hands_out_access(store: Store) -> None:
    mine, link = [await begun(store), await begun(store)], await linked(store)
    another = await begun(store, Actor(name=OTHER, role=Role.OPERATOR))
    with pytest.raises(AccessRefusedError):
        async with store.writing() as tx:
            await end_all_of(tx, STAFF, NOON, by=Actor(name=OTHER, role=Role.OPERATOR))
    assert not await is_over(store, mine[0], NOON)
    async with store.writing() as tx:
        assert await end_all_of(tx, STAFF, NOON, by=Actor(name=OTHER, role=Role.ADMINISTRATOR)) == 2
    assert [await is_over(store, value, NOON) for value in (*mine, another)] == [True, True, False]
    with pytest.raises(AccessRefusedError):
        await redeem(store, link, NOON)
    assert [row for row in await log_of(store) if row[0] == "session.ended"] == [
        ("session.ended", OTHER, None, "done", None)
    ] * 2
    async with store.writing() as tx:
        assert await end_all_of(tx, OTHER, NOON, by=Actor(name=OTHER, role=Role.OPERATOR)) == 1


async def test_a_form_must_repeat_what_was_derived_from_the_cookie(store: Store) -> None:
    session = await session_of(store, await begun(store), NOON)
    another = await session_of(store, await begun(store), NOON)
    check_csrf(session, session.csrf)
    for given in (another.csrf, "", None, session.csrf[:-1], session.csrf + "A", session.id, "å", "\ud800"):
        with pytest.raises(AccessRefusedError) as caught:
            check_csrf(session, given)
        assert caught.value.codes == ("access.form-refused",)


# --- what a session may show ------------------------------------------------------------------------------------------


async def shown(store: Store, session: Session, target: str, at: datetime) -> datetime | None:
    async with store.reading() as tx:
        return await revealed_until(tx, session, target, at)


async def test_what_was_asked_for_is_shown_for_ten_minutes_in_that_session_alone(store: Store) -> None:
    session = await session_of(store, await begun(store), NOON)
    another = await session_of(store, await begun(store), NOON)
    async with store.writing() as tx:
        until = await reveal(tx, session, "SIP100001", NOON)
    assert until == NOON + 10 * MINUTE
    assert await shown(store, session, "SIP100001", until - timedelta(microseconds=1)) == until
    assert await shown(store, session, "SIP100001", until) is None
    assert await shown(store, session, "SIP100002", NOON) is None
    assert await shown(store, another, "SIP100001", NOON) is None
    async with store.writing() as tx:
        assert await reveal(tx, session, "SIP100001", NOON + MINUTE) == NOON + 11 * MINUTE
    assert await shown(store, session, "SIP100001", until) == NOON + 11 * MINUTE


async def test_what_may_be_shown_no_longer_is_forgotten_with_the_next_or_with_the_session(store: Store) -> None:
    session = await session_of(store, await begun(store), NOON)
    for minute, kept in ((0, 1), (1, 2), (10, 2), (30, 1)):
        async with store.writing() as tx:
            await reveal(tx, session, f"SIP1000{minute:02}", NOON + minute * MINUTE)
        assert await rows_in(store, "reveal") == kept
    async with store.writing() as tx:
        await end(tx, session, NOON)
    assert await rows_in(store, "reveal") == 0


# --- links that log in once -------------------------------------------------------------------------------------------


async def test_a_link_logs_in_once_and_is_kept_as_a_hash(store: Store) -> None:
    link = await linked(store)
    async with store.reading() as tx:
        kept = json.dumps([dict(row) for row in (await tx.execute(text("SELECT * FROM login_link"))).mappings()])
    assert link not in kept
    session = await session_of(store, await redeem(store, link, NOON + 9 * MINUTE), NOON + 9 * MINUTE)
    assert (session.actor, session.begun_at) == (OPERATOR, NOON + 9 * MINUTE)
    with pytest.raises(AccessRefusedError):
        await redeem(store, link, NOON + 9 * MINUTE)
    assert await log_of(store) == [
        ("login.link-made", STAFF, OFFICE, "done", None),
        ("session.begun", STAFF, OFFICE, "done", None),
        ("login.refused", STAFF, OFFICE, "refused", "access.link-used"),
    ]


async def test_a_link_that_is_followed_many_times_at_once_logs_in_once(store_url: str) -> None:
    async with Store(store_url) as store, Store(store_url) as another:
        link = await linked(store)
        done = await asyncio.gather(
            *(redeem(each, link, NOON) for each in (store, another) * 3), return_exceptions=True
        )
        values = [one for one in done if isinstance(one, str)]
        refused = [one for one in done if isinstance(one, AccessRefusedError)]
        assert (len(values), len(refused)) == (1, 5)
        assert await rows_in(store, "session") == 1
        assert [row[0] for row in await log_of(store)] == ["login.link-made", "session.begun", "login.refused"]


async def test_expired_used_and_unknown_links_are_told_apart_in_the_log_alone(store: Store) -> None:
    old, used = await linked(store), await linked(store)
    await redeem(store, used, NOON)
    told = []
    for value in (old, used, "A" * 43, "", old[:-1], "\ud800"):
        with pytest.raises(AccessRefusedError) as caught:
            await redeem(store, value, NOON + 10 * MINUTE)
        told.append(caught.value.findings)
    assert {findings[0].code for findings in told} == {"access.link-refused"}
    assert len(set(told)) == 1
    expected = ["access.link-expired", "access.link-used"]
    assert [row[-1] for row in await log_of(store) if row[0] == "login.refused"] == expected
    for seconds, more in ((59, []), (60, expected[:1])):  # whoever follows it on and on does not fill the log
        with pytest.raises(AccessRefusedError):
            await redeem(store, old, NOON + 10 * MINUTE + timedelta(seconds=seconds))
        assert [row[-1] for row in await log_of(store) if row[0] == "login.refused"] == expected + more


# --- cleaning ---------------------------------------------------------------------------------------------------------


async def test_what_is_over_since_a_day_is_removed_by_the_next_that_begins(store: Store) -> None:
    session = await session_of(store, await begun(store), NOON)
    async with store.writing() as tx:
        await reveal(tx, session, "SIP100001", NOON)
    await linked(store)
    for at, sessions, links in (
        (NOON + 24 * HOUR + 10 * MINUTE, 2, 1),
        (NOON + 34 * HOUR, 3, 0),
        (NOON + 34 * HOUR + MINUTE, 3, 0),
    ):
        await begun(store, at=at)
        assert (await rows_in(store, "session"), await rows_in(store, "login_link")) == (sessions, links)
    assert await rows_in(store, "reveal") == 0


async def test_no_more_than_a_hundred_are_removed_at_a_time(store: Store) -> None:
    async with store.writing() as tx:
        for number in range(MOST_REMOVED + 5):
            await begin(tx, replace(OPERATOR, assignment=str(number)), NOON)
    await begun(store, at=NOON + 40 * HOUR)
    assert await rows_in(store, "session") == 6
    await begun(store, at=NOON + 40 * HOUR)
    assert await rows_in(store, "session") == 2
