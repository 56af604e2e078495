"""A database that is busy for a while stops a hop for a while, never the gateway."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sides import Side, story, told

from gateway.clock import ManualClock
from gateway.delivery import LEASE
from gateway.errors import DependencyDownError
from gateway.messages import Message


@pytest.mark.long
async def test_a_busy_database_during_a_delivery_is_one_clear_error_and_the_message_is_registered_later(
    kommun: Side, region: Side, tmp_path: Path, clock: ManualClock
) -> None:
    for event in story()[:2]:
        await kommun.hears(told(event))
    await kommun.sends()
    await region.receives()
    with closing(sqlite3.connect(tmp_path / "region.sqlite", isolation_level=None)) as other:

        async def while_another_writes(message: Message, unit: str = "") -> None:
            if not other.in_transaction:
                other.execute("BEGIN IMMEDIATE")

        region.system.answer = while_another_writes
        with pytest.raises(DependencyDownError) as caught:
            await region.delivery.deliver()
        assert caught.value.codes == ("database.down",)
        other.execute("ROLLBACK")

        region.system.answer = nothing
        clock.advance(LEASE + timedelta(seconds=1))
        await region.hands_over()
    assert {row["state"] for row in await region.table("inbound")} == {"registered"}
    assert len(region.system.held) == len(await region.table("inbound"))  # handed over twice, kept once


async def nothing(message: Message, unit: str = "") -> None:
    """Answer at once."""
