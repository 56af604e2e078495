"""What is kept of a message and of its case is read as far as it is of the units that somebody sees."""

from __future__ import annotations

from datetime import timedelta

import pytest
from build import CASE, CLINIC, NOON, OFFICE, PSYCHIATRY
from sqlalchemy import text
from stored import add, received, row

from gateway.lifecycle import InEvent, InState, OutEvent, OutState
from gateway.notices import Notice, NoticeKind
from gateway.store import Transaction, conversations, history, incoming, notes, one_message


async def test_a_message_has_its_rows_and_its_life(tx: Transaction) -> None:
    one = row()
    await add(tx, one, row())
    await history.record(tx, [one], OutEvent.PUBLISHED, NOON)
    await history.record(tx, [one._replace(unit=PSYCHIATRY)], OutEvent.PUBLISHED, NOON)
    kept = await one_message.kept(tx, one.message_id, None)
    assert kept is not None
    assert kept.wrote is not None
    assert (kept.wrote.sender_unit, kept.wrote.xml, [sent.unit for sent in kept.sent]) == (OFFICE, b"<xml/>", [CLINIC])
    # A unit that it was not sent to, or is not any more, is no part of it.
    assert [(line.unit, line.event) for line in kept.life] == [(CLINIC, "published")]
    assert (kept.came, kept.verdicts, kept.answers) == ([], [], [])


async def test_a_message_between_two_own_units_shows_each_its_own_side(tx: Transaction) -> None:
    sent = row(unit=PSYCHIATRY)
    await add(tx, sent)
    came = received(message_id=sent.message_id, unit=PSYCHIATRY)
    await incoming.add(tx, [came])
    await history.record(tx, [sent], OutEvent.PUBLISHED, NOON)
    await history.record(tx, [came], InEvent.VALIDATE, NOON)
    seen = {}
    for unit in (OFFICE, PSYCHIATRY, CLINIC):
        kept = await one_message.kept(tx, sent.message_id, frozenset({unit}))
        seen[unit] = kept and (kept.wrote is not None, len(kept.sent), len(kept.came), len(kept.life))
    assert seen == {OFFICE: (True, 1, 0, 1), PSYCHIATRY: (False, 0, 1, 1), CLINIC: None}


async def test_a_case_has_its_messages_both_ways_in_order(tx: Transaction) -> None:
    sent = row(created_at=NOON + timedelta(minutes=2))
    await add(tx, sent, row(case_number="SIP100099"), row(own_unit=PSYCHIATRY, created_at=NOON + timedelta(minutes=3)))
    came = received(case_number=CASE, unit=OFFICE, xml=b"<xml/>")
    await incoming.add(tx, [came])
    found = await conversations.of_case(tx, CASE, None)
    assert [(one.came, one.from_unit, one.to_unit) for one in found] == [
        (True, CLINIC, OFFICE),
        (False, OFFICE, CLINIC),
        (False, PSYCHIATRY, CLINIC),
    ]
    assert [one.xml for one in found] == [None] * 3
    mine = await conversations.of_case(tx, CASE, frozenset({OFFICE}), with_content=True)
    assert [(one.message_id, one.xml) for one in mine] == [(came.message_id, came.xml), (sent.message_id, None)]
    assert [one.message_id for one in await conversations.of_case(tx, CASE, None, most=1)] == [
        came.message_id,
        found[-1].message_id,
    ]


async def test_a_receipt_is_told_once_and_by_its_side(tx: Transaction) -> None:
    sent, came = row(state=OutState.RECEIVED), received(state=InState.VALIDATED)
    for event in ("submit", OutEvent.PUBLISHED, OutEvent.RECEIVED, OutEvent.RECEIVED):
        await history.record(tx, [sent], event, NOON)
    for event in ("store", InEvent.VALIDATE, InEvent.REGISTER):
        await history.record(tx, [came], event, NOON)
    told = await conversations.answers_of(tx, {sent.message_id, came.message_id})
    assert [(one.came, one.event) for one in told] == [
        (False, OutEvent.RECEIVED),
        (True, OutEvent.RECEIVED),
        (True, OutEvent.REGISTERED),
    ]
    assert await conversations.answers_of(tx, set()) == []


async def test_the_notices_of_a_case_are_found_by_an_index(tx: Transaction) -> None:
    told = [
        Notice(kind=NoticeKind.OVERDUE, unit=OFFICE, case_number=number, at=NOON, occasion="1")
        for number in (CASE, "SIP100099")
    ]
    await notes.tell(tx, told, NOON)
    assert [one.notice for one in await notes.notices_of(tx, CASE)] == told[:1]
    if tx.dialect.name != "sqlite":
        pytest.skip("how a query is carried out is told in words of each product")
    query = "SELECT id FROM note WHERE note.type = 'notice' AND case_number = 'x' ORDER BY id DESC LIMIT 9"
    plan = (await tx.execute(text(f"EXPLAIN QUERY PLAN {query}"))).all()
    assert "ix_note_notices" in str(plan)
