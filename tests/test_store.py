"""The store on its own, on each database it works with: what its constraints refuse, and what its cases keep."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from build import CASE, CLINIC, KOMMUN, NOON, PSYCHIATRY, WARD, message, need
from sqlalchemy import insert, text, update
from sqlalchemy.exc import DBAPIError
from stored import add, answer, received, refuses, row, values_of

from gateway.case_number import CaseKind
from gateway.errors import ConflictError, WrittenMeanwhileError
from gateway.lifecycle import InState, Level, Outcome, OutState
from gateway.messages import render_xml
from gateway.process import apply
from gateway.store import Store, Transaction, cases, events, history, incoming, ledger, outgoing, verdicts
from gateway.store.events import KeptEvent
from gateway.store.sheet import Sheet
from gateway.store.tables import dispatch, inbound, verdict

# --- the tables -----------------------------------------------------------------------------------------------------


async def test_a_store_that_is_opened_again_keeps_what_it_holds(database_url: str) -> None:
    async with Store(database_url) as store, store.writing() as tx:
        assert await next_number(tx, 10) == "SIP100001"
    async with Store(database_url) as store, store.writing() as tx:
        assert await next_number(tx, 10) == "SIP100002"


DURABLE: dict[str, tuple[list[str], list[Any]]] = {
    "sqlite": (["PRAGMA journal_mode", "PRAGMA synchronous"], ["wal", 2]),  # 2 is FULL
    "postgresql": (["SHOW fsync", "SHOW synchronous_commit"], ["on", "on"]),
}


async def test_what_is_committed_survives_the_loss_of_power(store: Store, store_url: str) -> None:
    asked, expected = DURABLE[store_url.partition("+")[0]]
    async with store.reading() as tx:
        assert [(await tx.execute(text(question))).scalar() for question in asked] == expected


async def test_a_time_is_read_back_as_the_instant_it_was_and_sorts_as_one(tx: Transaction) -> None:
    moments = [NOON + timedelta(microseconds=1), NOON, NOON + timedelta(days=200)]
    for moment in moments:
        await add(tx, row(created_at=moment))
    stored = await outgoing.of_case(tx, CASE)
    assert [one.created_at for one in stored] == moments
    raw = (await tx.execute(text("SELECT created_at FROM dispatch ORDER BY created_at"))).scalars().all()
    assert raw == [moment.isoformat(timespec="microseconds") for moment in sorted(moments)]


# --- what must never be ---------------------------------------------------------------------------------------------


async def test_the_first_verdict_at_a_level_stands(tx: Transaction) -> None:
    await verdicts.add(tx, [answer(), answer(Outcome.REJECTED)])
    await verdicts.add(tx, [answer(Outcome.PARTIAL), answer(level=Level.REGISTERED), answer(unit=PSYCHIATRY)])
    standing = await verdicts.standing(tx, ["m"])
    assert {key: one.outcome for key, one in standing.items()} == {
        ("m", CLINIC, "received"): "accepted",
        ("m", CLINIC, "registered"): "accepted",
        ("m", PSYCHIATRY, "received"): "accepted",
    }


async def test_a_second_verdict_is_refused_by_the_table_itself(tx: Transaction) -> None:
    await verdicts.add(tx, [answer()])
    columns = "message_id, unit, level, outcome, acknowledgement_id, at, arrived_at, reasons"
    copy = text(
        f"INSERT INTO verdict ({columns}) SELECT message_id, unit, level, 'rejected', 'other', at, arrived_at, reasons "  # noqa: S608
        "FROM verdict"
    )
    with refuses("UNIQUE constraint failed: verdict", "pk_verdict"):
        await tx.execute(copy)


@pytest.mark.parametrize("changes", [{"outcome": "rejected"}, {"late": 1}, {"record_id": "JRN-1"}])
async def test_a_verdict_is_never_changed(tx: Transaction, changes: dict[str, Any]) -> None:
    await verdicts.add(tx, [answer()])
    with refuses("a verdict never changes"):
        await tx.execute(update(verdict).values(**changes))


async def test_a_message_has_one_row_for_each_unit(tx: Transaction) -> None:
    one = row()
    await add(tx, one)
    with refuses("UNIQUE constraint failed: dispatch.message_id, dispatch.unit", "uq_dispatch_message_id_unit"):
        await tx.execute(insert(dispatch).values(values_of(one)))


async def test_two_messages_to_a_unit_never_share_a_sequence_number(tx: Transaction) -> None:
    await add(tx, row(sequence=1), row(sequence=1, unit=PSYCHIATRY), row(sequence=1, case_number="SIP100002"))
    with refuses("dispatch.case_number, dispatch.unit, dispatch.sequence", "uq_dispatch_case_number_unit_sequence"):
        await add(tx, row(sequence=1))


async def test_a_message_is_stored_once_for_each_sender_type_and_unit(tx: Transaction) -> None:
    one = received()
    await incoming.add(tx, [one, one._replace(unit=WARD), one._replace(type="consent")])  # one id for two types is two
    with refuses(
        "inbound.party, inbound.type, inbound.message_id, inbound.unit", "uq_inbound_party_type_message_id_unit"
    ):
        await incoming.add(tx, [one._replace(content_hash="1" * 64)])


async def test_an_event_id_is_accepted_once_and_refused_as_often_as_it_is_wrong(tx: Transaction) -> None:
    async def keep(content_hash: str, **verdict: Any) -> None:
        said: dict[str, Any] = {
            "source": "scripted",
            "event_id": "1",
            "kind": "need",
            "content": b"",
            "received_at": NOON,
        }
        await events.keep(tx, [KeptEvent(content_hash=content_hash, **said, **verdict)])

    await keep("a", findings=[])
    await keep("b", findings=[])
    await keep("c", answer={})
    with refuses("event.source, event.event_id", "uq_event_accepted"):
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
    await incoming.add(tx, [received()])
    with refuses(constraint):
        await tx.execute(update(table).values(**changes))


ON_ITS_WAY = {OutState.QUEUED, OutState.RETRYING, OutState.SENT, OutState.RECEIVED, OutState.REGISTERED}


@pytest.mark.parametrize("state", OutState)
async def test_a_message_is_settled_when_nothing_more_can_be_waited_for(tx: Transaction, state: OutState) -> None:
    await add(tx, row(state=state))
    assert await ledger.unsettled(tx) == (state in ON_ITS_WAY)


@pytest.mark.parametrize("state", InState)
async def test_a_message_that_came_is_settled_when_nobody_has_to_see_to_it(tx: Transaction, state: InState) -> None:
    await incoming.add(tx, [received(state=state)])
    seen_to = {InState.ACKNOWLEDGED, InState.REJECTED, InState.RETRACTED, InState.MISDIRECTED}
    assert await ledger.unsettled(tx) == (state not in seen_to)


async def test_a_row_without_its_message_is_refused(tx: Transaction) -> None:
    with refuses("FOREIGN KEY", "fk_dispatch_message_id"):
        await tx.execute(insert(dispatch).values(values_of(row())))


# --- cases ----------------------------------------------------------------------------------------------------------


async def next_number(tx: Transaction, series: int) -> str:
    """Give out the next case number of a series."""
    sheet = Sheet(tx, NOON)
    number = await sheet.next_case_number(CaseKind.SIP, series)
    await sheet.write()
    return number


async def test_of_two_writers_of_a_case_the_second_must_begin_again(store: Store) -> None:
    case = apply(None, message(need(), CLINIC))
    async with store.writing() as tx:
        await cases.save_all(tx, [(case, 0)], NOON)
    async with store.writing() as tx:
        await cases.save_all(tx, [(replace(case, plan_version=1), 1)], NOON)
    with pytest.raises(WrittenMeanwhileError) as caught:
        async with store.writing() as tx:
            await cases.save_all(tx, [(replace(case, plan_version=2), 1)], NOON)
    assert caught.value.codes == ("case.changed-meanwhile",)
    async with store.writing() as tx:
        stored = await cases.load(tx, CASE)
    assert (stored.case, stored.revision) == (replace(case, plan_version=1), 2)


async def test_case_numbers_follow_each_other_in_each_series(tx: Transaction) -> None:
    assert [await next_number(tx, series) for series in (10, 10, 20, 10)] == [
        "SIP100001",
        "SIP100002",
        "SIP200001",
        "SIP100003",
    ]


async def test_a_number_that_was_given_out_is_never_given_out_again(store: Store) -> None:
    async with store.writing() as tx:
        given = await next_number(tx, 10)
    with suppress(ZeroDivisionError):
        async with store.writing() as tx:
            await next_number(tx, 10)
            raise ZeroDivisionError
    async with store.writing() as tx:  # nobody has seen the number that was taken back
        assert [given, await next_number(tx, 10)] == ["SIP100001", "SIP100002"]


async def test_a_series_ends_after_ten_thousand_less_one(tx: Transaction) -> None:
    await next_number(tx, 10)
    await tx.execute(text("UPDATE case_series SET last = 9998"))
    assert await next_number(tx, 10) == "SIP109999"
    with pytest.raises(ConflictError) as caught:
        await next_number(tx, 10)
    assert caught.value.codes == ("case.series-full",)


# --- mistakes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("statement", ["SELECT nothing FROM nowhere", "SELEKT 1", "SELECT abs()"])
async def test_a_wrong_statement_is_a_mistake_of_ours_and_is_not_hidden(store: Store, statement: str) -> None:
    for transaction in (store.reading, store.writing):
        with pytest.raises(DBAPIError):
            async with transaction() as tx:
                await tx.execute(text(statement))


async def test_a_broken_promise_to_the_tables_is_a_mistake_of_ours_and_is_not_hidden(store: Store) -> None:
    with refuses("FOREIGN KEY", "fk_dispatch_message_id"):
        async with store.writing() as tx:
            await tx.execute(insert(dispatch).values(values_of(row())))


async def test_a_block_that_raises_leaves_nothing_behind(store: Store) -> None:
    with suppress(ZeroDivisionError):
        async with store.writing() as tx:
            await add(tx, row())
            raise ZeroDivisionError
    async with store.writing() as tx:
        assert await outgoing.of_case(tx, CASE) == []


def test_the_message_of_these_tests_is_valid() -> None:
    assert render_xml(message(need(), CLINIC))
    assert message(need(), CLINIC).header.sender.party == KOMMUN


async def test_a_code_that_a_partner_gave_is_kept_as_far_as_there_is_room(store: Store) -> None:
    one = row()
    async with store.writing() as tx:
        await add(tx, one)
        await history.record(tx, [one], "rejected", NOON, "x" * 100)
    async with store.reading() as tx:
        assert [line["code"] for line in await ledger.life_of(tx, one.message_id)][-1] == "x" * 64
