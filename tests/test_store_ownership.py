"""Who may take up what dead processes left: one process at a time, on each database the store works with."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path
from typing import cast

from build import KOMMUN, NOON
from scripted import DIRECTORY, ScriptedAdapter
from service_process import ROOT, clean_environment
from stored import LEASE, add, row

from gateway.clock import ManualClock
from gateway.context import Context
from gateway.hops import Gateway
from gateway.ports import Adapter, Transport
from gateway.progress import ignore
from gateway.store import Store, outgoing

HOLD = """
import asyncio, sys
from gateway.store import Store

async def hold(url):
    async with Store(url, migrates=False) as store, store.ownership() as free:
        print(free, flush=True)
        await asyncio.Event().wait()

asyncio.run(hold(sys.argv[1]))
"""


async def test_only_one_at_a_time_has_the_lock(store_url: str) -> None:
    async with Store(store_url) as one, Store(store_url) as other:
        async with one.ownership() as free:
            assert free
            async with other.ownership() as also:
                assert not also
            async with other.ownership() as again:
                assert not again  # whoever was refused has taken nothing away by leaving
        async with other.ownership() as free:
            assert free


async def test_whoever_has_the_lock_keeps_nobody_from_reading_and_writing(store_url: str) -> None:
    async with Store(store_url) as one, Store(store_url) as other, one.ownership():
        async with other.writing() as tx:
            await add(tx, row())
        async with one.writing() as tx:
            assert len(await outgoing.claim(tx, NOON, LEASE, 10)) == 1


async def test_it_is_held_when_the_store_that_took_it_is_closed(store_url: str) -> None:
    async with Store(store_url) as one:
        lock = one.ownership()
        await lock.__aenter__()
    async with Store(store_url) as other:
        async with other.ownership() as free:
            assert not free
        await lock.__aexit__(None, None, None)
        async with other.ownership() as free:
            assert free


async def test_the_lock_ends_with_a_process_that_is_killed(store_url: str) -> None:
    async with Store(store_url) as store:
        environment = clean_environment() | {"PYTHONPATH": str(ROOT)}
        holder = await asyncio.create_subprocess_exec(
            sys.executable, "-c", HOLD, store_url, env=environment, stdout=asyncio.subprocess.PIPE
        )
        assert holder.stdout is not None
        assert await holder.stdout.readline() == b"True\n"
        async with store.ownership() as free:
            assert not free
        os.kill(holder.pid, signal.SIGKILL)
        await holder.wait()
        async with asyncio.timeout(20):
            while True:  # a server needs a moment to see that the other end is gone
                async with store.ownership() as free:
                    if free:
                        return
                await asyncio.sleep(0.01)


async def test_a_database_in_memory_is_nobody_elses() -> None:
    async with Store("sqlite+aiosqlite://") as store, store.ownership() as free:
        assert free


def gateway(store: Store, clock: ManualClock) -> Gateway:
    context = Context(KOMMUN, DIRECTORY, store, clock, ignore, chance=lambda: 0.5)
    return Gateway(context, cast(Adapter, ScriptedAdapter()), cast(Transport, None))


async def test_a_second_gateway_on_a_database_leaves_the_leases_of_the_first_and_a_successor_takes_them_up(
    store_url: str,
) -> None:
    clock = ManualClock(NOON)
    async with Store(store_url) as one, Store(store_url) as other:
        async with gateway(one, clock).recovered():
            async with one.writing() as tx:
                await add(tx, row())
                assert len(await outgoing.claim(tx, NOON, LEASE, 10)) == 1
            async with gateway(other, clock).recovered(), other.writing() as tx:
                assert await outgoing.claim(tx, NOON, LEASE, 10) == []
                assert len(await outgoing.claim(tx, NOON + timedelta(seconds=60), LEASE, 10)) == 1  # it has run out
        async with gateway(other, clock).recovered(), other.writing() as tx:
            assert len(await outgoing.claim(tx, NOON, LEASE, 10)) == 1


async def test_where_no_lock_file_can_be_made_nothing_is_taken_up(tmp_path: Path) -> None:
    await asyncio.to_thread((tmp_path / "x.sqlite-owner").mkdir)
    async with Store(f"sqlite+aiosqlite:///{tmp_path / 'x.sqlite'}") as store, store.ownership() as free:
        assert not free
