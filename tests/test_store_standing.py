"""What waits for somebody, counted in the store: by unit, by index, and not past ten thousand."""

from __future__ import annotations

import re
from datetime import timedelta

from build import CLINIC, NOON, OFFICE, PSYCHIATRY
from sqlalchemy.dialects import sqlite
from stored import add, received, row

from gateway.envelope import Envelope
from gateway.lifecycle import InState, OutState, Owner
from gateway.store import Store, Transaction, adapters, dead_letters, incoming, standing
from gateway.store.adapters import Pause
from gateway.store.standing import Facts

HOUR = timedelta(hours=1)
LATER = NOON + 200 * timedelta(days=1)


async def test_whatever_is_late_is_counted_as_what_it_is(tx: Transaction) -> None:
    await add(
        tx,
        row(state=OutState.SENT, position=None),
        row(state=OutState.REGISTERED, due_at=NOON + HOUR, owner=Owner.RECIPIENT, position=None),
        row(state=OutState.QUEUED),
        row(state=OutState.QUEUED, type="acknowledgement"),
        row(state=OutState.HELD, queued_at=None),
        row(state=OutState.LETTER),
        row(state=OutState.ACKNOWLEDGED),
        row(state=OutState.EXPIRED, failed_at=NOON, failed_code="overdue"),
    )
    owed = received(state=InState.REGISTERED)._replace(due_at=NOON + HOUR, owner=Owner.RECIPIENT)
    silent = received(state=InState.WAITING_FOR_SYSTEM)._replace(failed_at=NOON, failed_code="http.away")
    waiting = [received(), received(state=InState.STORED), silent]
    await incoming.add(tx, [owed, *waiting, received(state=InState.ACKNOWLEDGED)])
    await dead_letters.keep(tx, [(None, b"?", "expired")], NOON, NOON)
    delivery = Envelope(
        message_id="m",
        type="plan",
        sender="region",
        recipient="kommun",
        unit=OFFICE,
        case_ref="SIP200001",
        created_at=NOON,
        body=b"?",
        sender_unit=CLINIC,
    )
    await dead_letters.keep(tx, [(delivery, b"?", "expired")], NOON, NOON)
    everything = Facts(owed=1, undelivered=2, answers=1, failures=3, unsent=2, held=1, letters=1, dead_letters=1)
    assert await standing.facts(tx, LATER, units=None) == everything
    soon = await standing.facts(tx, NOON, units=None)
    assert soon == Facts(failures=2, letters=1, dead_letters=1)


async def test_a_unit_is_told_of_its_own_only(tx: Transaction) -> None:
    await add(tx, row(), row(state=OutState.LETTER))  # both are of the office
    await incoming.add(tx, [received(), received(unit=PSYCHIATRY)])
    await dead_letters.keep(tx, [(None, b"?", "expired")], NOON, NOON)
    mine = await standing.facts(tx, LATER, units=frozenset({OFFICE}), systems=["journal"])
    assert mine == Facts(undelivered=1, unsent=1, letters=1)
    assert await standing.facts(tx, LATER, units=frozenset({CLINIC})) == Facts()
    assert await standing.facts(tx, LATER, units=frozenset()) == Facts()


async def test_systems_that_do_not_answer_and_those_that_are_paused_are_named(tx: Transaction) -> None:
    for name, codes in (("journal", ["adapter.too-slow"]), ("treserva", []), ("old", ["x"]), ("folder", ["x"])):
        await adapters.keep_beat(tx, name, NOON, codes)
    await adapters.put_on_hold(tx, Pause("folder", NOON, "SE2321000016-1A2B", "Byte av server."))
    found = await standing.facts(tx, NOON, units=None, systems=["treserva", "journal", "folder"])
    assert (found.down, found.paused) == (("journal",), ("folder",))


async def test_what_is_many_is_not_counted_to_the_end(tx: Transaction) -> None:
    await incoming.add(tx, [received(sequence=number) for number in range(6)])
    assert (await standing.facts(tx, LATER, units=None, most=3)).undelivered == 4


async def test_only_indexes_of_what_is_open_are_read(store: Store, store_url: str) -> None:
    async with store.reading() as tx:
        explain = "EXPLAIN QUERY PLAN" if isinstance(tx.dialect, sqlite.dialect) else "EXPLAIN"
        plans = []
        for units in (None, frozenset({OFFICE})):
            query = standing.counts(NOON, units).compile(dialect=tx.dialect, compile_kwargs={"literal_binds": True})
            plans.append("\n".join(str(one) for one in (await tx.exec_driver_sql(f"{explain} {query}")).all()))
    for plan in plans:
        for index in ("ix_dispatch_open", "ix_dead_letter_open"):
            assert index in plan, plan
        assert re.search("ix_inbound_open|ix_inbound_stream", plan), plan  # the latter by a server whose table is empty
        assert "Seq Scan" not in plan
        if store_url.startswith("sqlite"):
            assert not re.search("SCAN (dispatch|inbound|dead_letter|message)(?! USING)", plan), plan
