"""A PostgreSQL server that is away, busy or closed: what the store says, and that it works again by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from services.ports import LOOPBACK, free_port
from services.postgresql import PostgreSqlServer
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError

from gateway.errors import ConfigurationError, DependencyDownError
from gateway.store import Store, Transaction
from gateway.store import engine as settings
from gateway.store.engine import open_engine


async def opens(url: str, password: str | None = None) -> None:
    async with Store(url, password=password):
        pass


async def ask(store: Store, question: str = "SELECT 1") -> object:
    async with store.writing() as tx:
        return (await tx.execute(text(question))).scalar()


def is_down(code: str = "database.down") -> Any:
    """Expect the one error that says to try again."""
    return pytest.raises(DependencyDownError, match=rf"^\[{code}\]")


def is_misconfigured(code: str) -> Any:
    """Expect the one error that says that somebody must set something right."""
    return pytest.raises(ConfigurationError, match=rf"^\[{code}\]")


# --- a server that ends and comes back ------------------------------------------------------------------------------


@pytest.fixture
async def on_own(own_postgresql: PostgreSqlServer) -> AsyncIterator[Store]:
    """Return a store on a server that a test may end."""
    async with Store(own_postgresql.create_database()) as opened:
        yield opened


async def test_a_server_that_does_not_run_is_a_dependency_that_is_down(tmp_path: Path) -> None:
    with is_down():
        await opens(f"postgresql+asyncpg://gateway:secret@{LOOPBACK}:{free_port(tmp_path)}/gateway")


@pytest.mark.long
@pytest.mark.parametrize("end", ["stop", "kill"])
async def test_after_a_restart_only_the_transactions_that_were_under_way_have_failed(
    own_postgresql: PostgreSqlServer, on_own: Store, end: str
) -> None:
    async with on_own.writing() as tx:
        await tx.execute(text("CREATE TABLE kept (number integer)"))
        await tx.execute(text("INSERT INTO kept VALUES (1)"))
    with is_down():
        async with on_own.reading() as first, on_own.writing() as tx:  # two connections, so that both are lost
            await first.execute(text("SELECT 1"))
            await tx.execute(text("INSERT INTO kept VALUES (2)"))
            getattr(own_postgresql, end)()
            await tx.execute(text("INSERT INTO kept VALUES (3)"))
    with is_down():
        await ask(on_own)
    own_postgresql.start()
    for _ in range(3):
        assert await ask(on_own, "SELECT array_agg(number) FROM kept") == [1]


async def test_a_restart_that_nobody_noticed_costs_one_transaction_however_many_connections_it_cut(
    own_postgresql: PostgreSqlServer, on_own: Store
) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(4):
            await (await stack.enter_async_context(on_own.writing())).execute(text("SELECT 1"))
    own_postgresql.restart()
    with is_down():
        await ask(on_own)
    assert await asyncio.gather(*(ask(on_own) for _ in range(4))) == [1] * 4


async def test_a_server_that_stands_still_is_not_waited_for_forever(
    own_postgresql: PostgreSqlServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "SILENT_SECONDS", 0.5)
    monkeypatch.setattr(settings, "CONNECT_SECONDS", 0.5)
    async with Store(own_postgresql.create_database()) as store:
        assert await ask(store) == 1
        own_postgresql.pause()
        try:
            async with asyncio.timeout(20):
                for _ in range(2):
                    with is_down():
                        await ask(store)
        finally:
            own_postgresql.resume()
        assert await ask(store) == 1


# --- a server that does not let us in -------------------------------------------------------------------------------


async def test_a_password_may_come_apart_from_the_address(postgresql: PostgreSqlServer, postgresql_url: str) -> None:
    address = postgresql_url.replace(f":{postgresql.password}@", "@")
    await opens(address, postgresql.password)
    with is_misconfigured("database.not-let-in"):
        await opens(address, "another")
    with is_misconfigured("database.not-let-in"):
        await opens(address)


async def test_a_database_that_does_not_exist_is_a_mistake_of_the_configuration(postgresql: PostgreSqlServer) -> None:
    with is_misconfigured("database.missing"):
        await opens(postgresql.url("nowhere"))


@pytest.fixture
def stranger(postgresql: PostgreSqlServer, postgresql_url: str) -> Iterator[str]:
    """Return the address of a database for a user that owns nothing in it."""
    name = f"stranger_{uuid4().hex}"
    postgresql.query(f"CREATE ROLE {name} LOGIN PASSWORD 'stranger'")
    yield postgresql.url(postgresql_url.rpartition("/")[2], user=name, password="stranger")  # noqa: S106
    postgresql.query(f"DROP ROLE {name}")


async def test_a_user_who_may_not_create_tables_is_a_mistake_of_the_configuration(stranger: str) -> None:
    with is_misconfigured("database.not-allowed"):
        await opens(stranger)


async def test_a_server_with_no_connection_left_is_down(postgresql: PostgreSqlServer, stranger: str) -> None:
    postgresql.query(f"ALTER ROLE {make_url(stranger).username} CONNECTION LIMIT 0")
    with is_down():
        await opens(stranger)


@pytest.mark.parametrize("option", ["sslmode=require", "password=secret", "command_timeout=1"])
def test_an_option_that_the_driver_does_not_have_is_found_before_anything_is_opened(option: str) -> None:
    with is_misconfigured("database.url"):
        open_engine(f"postgresql+asyncpg://gateway@localhost/gateway?{option}")


async def test_a_value_of_an_option_that_does_not_exist_is_a_mistake_of_the_configuration(postgresql_url: str) -> None:
    with is_misconfigured("database.options"):
        await opens(f"{postgresql_url}?ssl=perhaps")


# --- a server that is busy ------------------------------------------------------------------------------------------


AWAY = "08006 25006 40001 40P01 53100 53200 53300 55P03 57014 57P01 57P03 58030 XX001"
OURS = "22001 22021 23503 23514 42601 42P01 P0001 XX000"


@pytest.mark.parametrize("state", AWAY.split())
async def test_what_may_go_better_another_time_is_a_dependency_that_is_down(reachable: Store, state: str) -> None:
    with is_down():
        await ask(reachable, failing(state))
    assert await ask(reachable) == 1


@pytest.mark.parametrize("state", OURS.split())
async def test_a_mistake_of_ours_is_not_hidden(reachable: Store, state: str) -> None:
    with pytest.raises(DBAPIError):
        await ask(reachable, failing(state))


def failing(state: str) -> str:
    return f"DO $$ BEGIN RAISE EXCEPTION 'as if' USING ERRCODE = '{state}'; END $$"


@pytest.fixture
async def reachable(postgresql_store_url: str) -> AsyncIterator[Store]:
    """Return a store that is asked nothing about its tables, with a pool of two."""
    async with Store(postgresql_store_url, pool=2) as opened:
        yield opened


async def test_a_value_the_driver_cannot_send_is_a_mistake_of_ours_and_is_not_hidden(reachable: Store) -> None:
    with pytest.raises(DBAPIError):
        async with reachable.writing() as tx:
            await tx.execute(text("SELECT CAST(:number AS INTEGER)"), {"number": "x"})


async def test_writing_while_reading_is_a_mistake_of_ours_and_is_not_hidden(reachable: Store) -> None:
    with pytest.raises(DBAPIError):
        async with reachable.reading() as tx:
            await tx.execute(text("CREATE TABLE kept (number integer)"))


async def test_who_reads_sees_one_moment(reachable: Store) -> None:
    async with reachable.reading() as before:
        assert await number_of_cases(before) == 0
        async with reachable.writing() as tx:
            await tx.execute(text("INSERT INTO case_series VALUES ('sip', 10, 1)"))
        assert await number_of_cases(before) == 0
    async with reachable.reading() as after:
        assert await number_of_cases(after) == 1


async def number_of_cases(tx: Transaction) -> object:
    return (await tx.execute(text("SELECT count(*) FROM case_series"))).scalar()


async def test_a_transaction_waits_only_so_long_for_a_connection(
    postgresql_store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "FREE_SECONDS", 0.05)
    async with Store(postgresql_store_url, pool=1) as store, store.writing():
        with is_down():
            await ask(store)


async def test_a_statement_that_takes_too_long_is_ended(postgresql_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "STATEMENT_SECONDS", 0.05)
    async with Store(postgresql_url) as store:
        with is_down():
            await ask(store, "SELECT pg_sleep(60)")
        assert await ask(store) == 1


async def test_a_row_that_another_keeps_locked_is_waited_for_only_so_long(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "LOCK_SECONDS", 0.05)
    async with Store(postgresql_url) as store, store.writing() as tx:
        await tx.execute(text("LOCK TABLE sip_case"))
        with is_down():
            await ask(store, "SELECT count(*) FROM sip_case")


async def test_a_transaction_that_does_nothing_loses_its_locks(
    reachable: Store, postgresql_store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "IDLE_SECONDS", 0.05)
    seen = []
    async with Store(postgresql_store_url) as store:
        with is_down():
            async with store.writing() as hangs:
                await hangs.execute(text("LOCK TABLE sip_case"))
                seen.append(await ask(reachable, "SELECT count(*) FROM sip_case"))  # as soon as the other is ended
                await hangs.execute(text("SELECT 1"))
        assert seen == [0]
        assert await ask(store) == 1


async def test_of_two_transactions_that_wait_for_each_other_one_goes_on(reachable: Store) -> None:
    both = asyncio.Barrier(2)

    async def lock(first: str, second: str) -> bool:
        try:
            async with reachable.writing() as tx:
                await tx.execute(text(f"LOCK TABLE {first}"))
                await both.wait()
                await tx.execute(text(f"LOCK TABLE {second}"))
        except DependencyDownError:
            return False
        return True

    done = await asyncio.gather(lock("sip_case", "message"), lock("message", "sip_case"))
    assert sorted(done) == [False, True]
