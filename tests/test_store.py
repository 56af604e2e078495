"""The store on its own: what its constraints refuse, what a claim takes, and what it says when the database is away."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from build import CASE, CLINIC, KOMMUN, NOON, OFFICE, PSYCHIATRY, REGION, WARD, message, need
from sqlalchemy import CheckConstraint, Connection, insert, inspect, text, update
from sqlalchemy.exc import IntegrityError, OperationalError

from gateway.clock import ManualClock
from gateway.envelope import ACKNOWLEDGEMENT
from gateway.errors import ConflictError, DependencyDownError
from gateway.ledger import Dispatch, Inbound
from gateway.lifecycle import InState, Level, Outcome, OutEvent, OutState
from gateway.messages import Duty, render_xml
from gateway.process import apply
from gateway.store import Store, Transaction, cases, events, incoming, outgoing, verdicts
from gateway.store.tables import dispatch, inbound, metadata, verdict
from gateway.store.verdicts import Verdict

LEASE = timedelta(seconds=60)


def url(folder: Path) -> str:
    return f"sqlite+aiosqlite:///{folder / 'store.sqlite'}"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with Store(url(tmp_path)) as opened:
        yield opened


@pytest.fixture
async def tx(store: Store) -> AsyncIterator[Transaction]:
    async with store.writing() as opened:
        yield opened


# --- the tables -----------------------------------------------------------------------------------------------------


async def test_the_migrations_make_the_tables_that_the_code_knows(store: Store) -> None:
    def differences(connection: Connection) -> list[Any]:
        return list(compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata))

    def checks(connection: Connection) -> dict[str, set[str]]:
        seen = inspect(connection)
        return {name: {str(check["name"]) for check in seen.get_check_constraints(name)} for name in metadata.tables}

    async with store.reading() as tx:
        assert await tx.run_sync(differences) == []
        assert await tx.run_sync(checks) == {
            table.name: {str(check.name) for check in table.constraints if isinstance(check, CheckConstraint)}
            for table in metadata.tables.values()
        }


async def test_a_store_that_is_opened_again_keeps_what_it_holds(tmp_path: Path) -> None:
    async with Store(url(tmp_path)) as store, store.writing() as tx:
        assert await cases.next_number(tx, 10) == "SIP100001"
    async with Store(url(tmp_path)) as store, store.writing() as tx:
        assert await cases.next_number(tx, 10) == "SIP100002"


async def test_what_is_committed_survives_the_loss_of_power(store: Store) -> None:
    async with store.reading() as tx:
        settings = [(await tx.execute(text(f"PRAGMA {name}"))).scalar() for name in ("journal_mode", "synchronous")]
    assert settings == ["wal", 2]  # 2 is FULL


async def test_a_time_is_read_back_as_the_instant_it_was_and_sorts_as_one(tx: Transaction) -> None:
    moments = [NOON + timedelta(microseconds=1), NOON, NOON + timedelta(days=200)]
    for moment in moments:
        await add(tx, row(created_at=moment))
    stored = await outgoing.of_case(tx, CASE)
    assert [one.created_at for one in stored] == moments
    raw = (await tx.execute(text("SELECT created_at FROM dispatch ORDER BY created_at"))).scalars().all()
    assert raw == [moment.isoformat(timespec="microseconds") for moment in sorted(moments)]


# --- rows for these tests -------------------------------------------------------------------------------------------


def row(**changes: Any) -> Dispatch:
    """Return a ledger row that waits for the relay."""
    values: dict[str, Any] = {
        "message_id": str(uuid4()),
        "type": "sipStart",
        "case_number": CASE,
        "party": REGION,
        "unit": CLINIC,
        "duty": Duty.NOTIFY,
        "state": OutState.QUEUED,
        "created_at": NOON,
        "queued_at": NOON,
        "position": 1,
    }
    return Dispatch(**{**values, **changes}).timed(NOON)


async def add(tx: Transaction, *rows: Dispatch) -> None:
    """Store rows, each with a message of its own, as the next in line where none says otherwise."""
    for one in rows:
        made = message(need(), one.unit)
        header = replace(made.header, message_id=one.message_id, case_number=one.case_number)
        made = replace(made, type=one.type, header=header)
        await outgoing.add(tx, made, b"<xml/>", [replace(one, position=await outgoing.next_position(tx))])


def received(**changes: Any) -> Inbound:
    """Return a row for a message that has come."""
    values: dict[str, Any] = {
        "party": REGION,
        "type": "sipStart",
        "message_id": str(uuid4()),
        "unit": OFFICE,
        "case_number": "SIP200001",
        "sequence": 1,
        "sender_unit": CLINIC,
        "content_hash": "0" * 64,
        "xml": b"<xml/>",
        "state": InState.VALIDATED,
        "received_at": NOON,
    }
    return Inbound(**{**values, **changes}).timed(NOON)


def answer(outcome: Outcome = Outcome.ACCEPTED, **changes: Any) -> Verdict:
    """Return a verdict."""
    values: dict[str, Any] = {
        "message_id": "m",
        "unit": CLINIC,
        "level": Level.RECEIVED,
        "outcome": outcome,
        "acknowledgement_id": str(uuid4()),
        "at": NOON,
        "arrived_at": NOON,
        "record_id": None,
        "reasons": [],
        "late": False,
    }
    return Verdict(**{**values, **changes})


def refuses(constraint: str) -> Any:
    return pytest.raises(IntegrityError, match=constraint)


# --- what must never be ---------------------------------------------------------------------------------------------


async def test_the_first_verdict_at_a_level_stands(tx: Transaction) -> None:
    assert await verdicts.first(tx, answer())
    assert not await verdicts.first(tx, answer(Outcome.REJECTED))
    standing = await verdicts.standing(tx, "m", CLINIC, Level.RECEIVED)
    assert standing is not None
    assert standing["outcome"] == "accepted"
    assert await verdicts.first(tx, answer(level=Level.REGISTERED))
    assert await verdicts.first(tx, answer(unit=PSYCHIATRY))


async def test_a_second_verdict_is_refused_by_the_table_itself(tx: Transaction) -> None:
    await verdicts.first(tx, answer())
    columns = "message_id, unit, level, outcome, acknowledgement_id, at, arrived_at, reasons"
    copy = text(
        f"INSERT INTO verdict ({columns}) SELECT message_id, unit, level, 'rejected', 'other', at, arrived_at, reasons "  # noqa: S608
        "FROM verdict"
    )
    with refuses("UNIQUE constraint failed: verdict"):
        await tx.execute(copy)


@pytest.mark.parametrize("changes", [{"outcome": "rejected"}, {"late": 1}, {"record_id": "JRN-1"}])
async def test_a_verdict_is_never_changed(tx: Transaction, changes: dict[str, Any]) -> None:
    await verdicts.first(tx, answer())
    with refuses("a verdict never changes"):
        await tx.execute(update(verdict).values(**changes))


async def test_a_message_has_one_row_for_each_unit(tx: Transaction) -> None:
    one = row()
    await add(tx, one)
    with refuses("UNIQUE constraint failed: dispatch.message_id, dispatch.unit"):
        await tx.execute(insert(dispatch).values(_values(one)))


async def test_two_messages_to_a_unit_never_share_a_sequence_number(tx: Transaction) -> None:
    await add(tx, row(sequence=1), row(sequence=1, unit=PSYCHIATRY), row(sequence=1, case_number="SIP100002"))
    with refuses("dispatch.case_number, dispatch.unit, dispatch.sequence"):
        await add(tx, row(sequence=1))


async def test_a_message_is_stored_once_for_each_sender_type_and_unit(tx: Transaction) -> None:
    one = received()
    await incoming.add(tx, one)
    await incoming.add(tx, replace(one, unit=WARD))
    await incoming.add(tx, replace(one, type="consent"))  # one id for two types is two messages
    with refuses("inbound.party, inbound.type, inbound.message_id, inbound.unit"):
        await incoming.add(tx, replace(one, content_hash="1" * 64))


async def test_an_event_id_is_accepted_once_and_refused_as_often_as_it_is_wrong(tx: Transaction) -> None:
    async def keep(content_hash: str, **verdict: Any) -> None:
        await events.keep(
            tx,
            None,
            source="scripted",
            event_id="1",
            kind="need",
            content_hash=content_hash,
            content=b"",
            received_at=NOON,
            **verdict,
        )

    await keep("a", findings=[])
    await keep("b", findings=[])
    await keep("c", answer={})
    with refuses("event.source, event.event_id"):
        await keep("d", answer={})


@pytest.mark.parametrize(
    ("table", "changes", "constraint"),
    [
        (dispatch, {"owner": None}, "ck_dispatch_deadline_has_owner"),
        (dispatch, {"due_at": None}, "ck_dispatch_deadline_has_owner"),
        (dispatch, {"state": "lost"}, "ck_dispatch_state"),
        (inbound, {"owner": None}, "ck_inbound_deadline_has_owner"),
        (inbound, {"due_at": None}, "ck_inbound_deadline_has_owner"),
        (inbound, {"state": "lost"}, "ck_inbound_state"),
    ],
)
async def test_a_row_has_a_known_state_and_no_deadline_without_an_owner(
    tx: Transaction, table: Any, changes: dict[str, Any], constraint: str
) -> None:
    await add(tx, row())
    await incoming.add(tx, received())
    with refuses(constraint):
        await tx.execute(update(table).values(**changes))


async def test_a_row_without_its_message_is_refused(tx: Transaction) -> None:
    with refuses("FOREIGN KEY"):
        await tx.execute(insert(dispatch).values(_values(row())))


def _values(one: Dispatch) -> dict[str, Any]:
    return {column.name: getattr(one, column.name) for column in dispatch.columns if column.name != "id"}


# --- cases ----------------------------------------------------------------------------------------------------------


async def test_of_two_writers_of_a_case_the_second_must_begin_again(store: Store) -> None:
    case = apply(None, message(need(), CLINIC))
    async with store.writing() as tx:
        revision = await cases.save(tx, case, 0, NOON)
    async with store.writing() as tx:
        assert await cases.save(tx, replace(case, plan_version=1), revision, NOON) == revision + 1
    with pytest.raises(DependencyDownError) as caught:
        async with store.writing() as tx:
            await cases.save(tx, replace(case, plan_version=2), revision, NOON)
    assert caught.value.codes == ("case.changed-meanwhile",)
    async with store.reading() as tx:
        stored = await cases.load(tx, CASE)
    assert (stored.case, stored.revision) == (replace(case, plan_version=1), revision + 1)


async def test_case_numbers_follow_each_other_in_each_series(tx: Transaction) -> None:
    assert [await cases.next_number(tx, series) for series in (10, 10, 20, 10)] == [
        "SIP100001",
        "SIP100002",
        "SIP200001",
        "SIP100003",
    ]


async def test_a_number_that_was_given_out_is_never_given_out_again(store: Store) -> None:
    async with store.writing() as tx:
        given = await cases.next_number(tx, 10)
    with suppress(ZeroDivisionError):
        async with store.writing() as tx:
            await cases.next_number(tx, 10)
            raise ZeroDivisionError
    async with store.writing() as tx:  # nobody has seen the number that was taken back
        assert [given, await cases.next_number(tx, 10)] == ["SIP100001", "SIP100002"]


async def test_a_series_ends_after_ten_thousand_less_one(tx: Transaction) -> None:
    await cases.next_number(tx, 10)
    await tx.execute(text("UPDATE case_series SET last = 9998"))
    assert await cases.next_number(tx, 10) == "SIP109999"
    with pytest.raises(ConflictError) as caught:
        await cases.next_number(tx, 10)
    assert caught.value.codes == ("case.series-full",)


# --- claims ---------------------------------------------------------------------------------------------------------


async def claim(tx: Transaction, clock: ManualClock, limit: int = 64) -> list[str]:
    """Claim what is due; return the message ids."""
    return [one.dispatch.message_id for one in await outgoing.claim(tx, clock.now(), LEASE, limit)]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


async def test_what_is_claimed_is_left_alone_until_its_lease_runs_out(tx: Transaction, clock: ManualClock) -> None:
    one = row()
    await add(tx, one)
    assert await claim(tx, clock) == [one.message_id]
    clock.advance(LEASE - timedelta(microseconds=1))
    assert await claim(tx, clock) == []
    clock.advance(timedelta(microseconds=1))
    assert await claim(tx, clock) == [one.message_id]
    [stored] = await outgoing.of_case(tx, CASE)
    assert (stored.attempts, stored.sequence) == (2, 1)


async def test_a_new_process_gets_back_what_a_dead_one_had_claimed(tx: Transaction, clock: ManualClock) -> None:
    one = row()
    await add(tx, one)
    await claim(tx, clock)
    await outgoing.release_leases(tx)
    assert await claim(tx, clock) == [one.message_id]


async def test_rows_are_claimed_in_line_order_with_a_sequence_for_each_case_and_unit(
    tx: Transaction, clock: ManualClock
) -> None:
    rows = [row(), row(unit=PSYCHIATRY), row(), row(case_number="SIP100002"), row(unit=PSYCHIATRY)]
    await add(tx, *rows)
    taken = await outgoing.claim(tx, clock.now(), LEASE, 4)
    assert [one.dispatch.message_id for one in taken] == [one.message_id for one in rows[:4]]
    assert [one.dispatch.sequence for one in taken] == [1, 1, 2, 1]
    await outgoing.release_leases(tx)
    assert [one.dispatch.sequence for one in await outgoing.claim(tx, clock.now(), LEASE, 64)] == [1, 1, 2, 1, 2]


@pytest.mark.parametrize("state", [state for state in OutState if state.value not in outgoing.WAITING])
async def test_only_what_waits_for_the_relay_is_claimed(tx: Transaction, clock: ManualClock, state: OutState) -> None:
    await add(tx, row(state=state))
    assert await claim(tx, clock) == []


@pytest.fixture
async def stuck(tx: Transaction) -> Dispatch:
    """Return a row that waits for its next try in an hour."""
    one = row(state=OutState.RETRYING, attempts=1, sequence=1, next_attempt_at=NOON + timedelta(hours=1))
    await add(tx, one)
    return one


async def test_the_order_about_a_person_to_a_unit_is_kept_while_the_first_one_is_tried_again(
    tx: Transaction, clock: ManualClock, stuck: Dispatch
) -> None:
    behind = row()
    await add(tx, behind)
    assert await claim(tx, clock) == []
    clock.advance(timedelta(hours=1))
    assert await claim(tx, clock) == [stuck.message_id, behind.message_id]


async def test_the_order_is_kept_while_the_first_one_is_being_published(tx: Transaction, clock: ManualClock) -> None:
    first, behind = row(), row()
    await add(tx, first, behind)
    assert await claim(tx, clock, limit=1) == [first.message_id]
    assert await claim(tx, clock) == []


@pytest.mark.parametrize("changes", [{"unit": PSYCHIATRY}, {"case_number": "SIP100002"}])
@pytest.mark.usefixtures("stuck")
async def test_other_units_and_other_persons_are_not_blocked(
    tx: Transaction, clock: ManualClock, changes: dict[str, str]
) -> None:
    other = row(**changes)
    await add(tx, other)
    assert await claim(tx, clock) == [other.message_id]


@pytest.mark.usefixtures("stuck")
async def test_an_acknowledgement_waits_for_nobody(tx: Transaction, clock: ManualClock) -> None:
    acknowledgement = row(type=ACKNOWLEDGEMENT)
    await add(tx, acknowledgement)
    [taken] = await outgoing.claim(tx, clock.now(), LEASE, 64)
    assert (taken.dispatch.message_id, taken.dispatch.sequence) == (acknowledgement.message_id, None)


async def test_nobody_waits_for_an_acknowledgement(tx: Transaction, clock: ManualClock) -> None:
    behind = row()
    await add(tx, row(type=ACKNOWLEDGEMENT, next_attempt_at=NOON + timedelta(hours=1)), behind)
    assert await claim(tx, clock) == [behind.message_id]


async def test_what_is_given_up_blocks_nobody(tx: Transaction, clock: ManualClock, stuck: Dispatch) -> None:
    behind = row()
    await add(tx, behind)
    [stored, _] = await outgoing.of_case(tx, CASE)
    await outgoing.save(tx, [stored.after(OutEvent.EXPIRE, NOON)])
    assert await claim(tx, clock) == [behind.message_id]


async def test_two_gateways_on_one_database_never_claim_the_same_row(tmp_path: Path, clock: ManualClock) -> None:
    async def take(store: Store) -> list[str]:
        async with store.writing() as tx:
            return await claim(tx, clock, limit=5)

    async with AsyncExitStack() as stack:
        one, other = [await stack.enter_async_context(Store(url(tmp_path))) for _ in range(2)]
        rows = [row(case_number=f"SIP10{number:04d}") for number in range(1, 31)]
        async with one.writing() as tx:
            await add(tx, *rows)
        taken = [claimed for _ in range(3) for claimed in await asyncio.gather(take(one), take(other))]
    assert [len(claimed) for claimed in taken] == [5] * 6
    assert {message_id for claimed in taken for message_id in claimed} == {one.message_id for one in rows}


async def test_a_received_message_waits_for_the_one_before_it(tx: Transaction) -> None:
    first, behind = received(), received(sequence=2)
    other_unit, other_case = received(unit=WARD), received(case_number="SIP200002")
    for one in (first, behind, other_unit, other_case):
        await incoming.add(tx, one)
    due = await incoming.claimable(tx, NOON, 64)
    assert [one.message_id for one in due] == [first.message_id, other_unit.message_id, other_case.message_id]
    await incoming.save(tx, [replace(due[0], state=InState.REGISTERED, due_at=None, owner=None)])
    assert behind.message_id in [one.message_id for one in await incoming.claimable(tx, NOON, 64)]


# --- when the database is away --------------------------------------------------------------------------------------


async def opens(place: str) -> None:
    async with Store(place):
        pass


@pytest.mark.parametrize("content", [b"not a database " * 100, b"SQLite format 3\0" + b"\xff" * 4096])
async def test_a_file_that_is_no_database_is_a_dependency_that_is_down(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "store.sqlite").write_bytes(content)
    with pytest.raises(DependencyDownError) as caught:
        await opens(url(tmp_path))
    assert caught.value.codes == ("database.down",)


async def test_a_place_that_does_not_exist_is_a_dependency_that_is_down(tmp_path: Path) -> None:
    with pytest.raises(DependencyDownError) as caught:
        await opens(url(tmp_path / "nowhere"))
    assert caught.value.codes == ("database.down",)


async def test_a_database_that_is_damaged_later_is_a_dependency_that_is_down(tmp_path: Path) -> None:
    await opens(url(tmp_path))
    place = tmp_path / "store.sqlite"
    place.write_bytes(place.read_bytes()[:4096] + b"\xff" * (place.stat().st_size - 4096))
    with pytest.raises(DependencyDownError) as caught:
        async with Store(url(tmp_path)) as store, store.reading() as tx:
            await outgoing.of_case(tx, CASE)
    assert caught.value.codes == ("database.down",)


@pytest.mark.parametrize("statement", ["SELECT nothing FROM nowhere", "SELEKT 1", "SELECT abs()"])
async def test_a_wrong_statement_is_a_mistake_of_ours_and_is_not_hidden(store: Store, statement: str) -> None:
    for transaction in (store.reading, store.writing):
        with pytest.raises(OperationalError):
            async with transaction() as tx:
                await tx.execute(text(statement))


async def test_a_broken_promise_to_the_tables_is_a_mistake_of_ours_and_is_not_hidden(store: Store) -> None:
    with refuses("FOREIGN KEY"):
        async with store.writing() as tx:
            await tx.execute(insert(dispatch).values(_values(row())))


async def test_a_database_that_another_keeps_locked_is_down_and_not_waited_for_forever(
    tmp_path: Path, store: Store
) -> None:
    async with store.writing() as tx:
        await tx.execute(text("PRAGMA busy_timeout = 1"))
    other = sqlite3.connect(tmp_path / "store.sqlite", isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DependencyDownError) as caught:
            async with store.writing():
                pass
        async with store.reading() as tx:  # a writer blocks no reader
            assert await outgoing.of_case(tx, CASE) == []
    finally:
        other.close()
    assert caught.value.codes == ("database.down",)


async def test_a_block_that_raises_leaves_nothing_behind(store: Store) -> None:
    with suppress(ZeroDivisionError):
        async with store.writing() as tx:
            await add(tx, row())
            raise ZeroDivisionError
    async with store.reading() as tx:
        assert await outgoing.of_case(tx, CASE) == []


def test_the_message_of_these_tests_is_valid() -> None:
    assert render_xml(message(need(), CLINIC))
    assert message(need(), CLINIC).header.sender.party == KOMMUN
