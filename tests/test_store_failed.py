"""Failures by cause: each group with how many and since when, its items in pages, and no more than may be seen."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from build import CASE, CLINIC, NOON, OFFICE, PSYCHIATRY, REGION
from sqlalchemy import event as on
from sqlalchemy.ext.asyncio import AsyncEngine
from stored import add, received, row

from gateway.envelope import ACKNOWLEDGEMENT, Envelope
from gateway.errors import CaseRuleError, Fault
from gateway.items import Item, ItemKind
from gateway.lifecycle import InState, Level, Outcome, OutEvent, OutState
from gateway.messages import Acknowledgement, Duty, Header, Message, Recipient, Sender, render_xml
from gateway.store import Store, Transaction, dead_letters, events, failed, incoming, strays, verdicts
from gateway.store.events import KeptEvent
from gateway.store.failed import Cause, GroupNote

MINE, OTHERS = frozenset({OFFICE}), frozenset({"SE2120001355-HSLHISINGEN"})
LATER = NOON + timedelta(hours=2)
BROKEN = Fault("schema.test-broken", "Det går inte att läsa.", "It cannot be read.").at()


def expired(minute: int, code: str = "message.given-up", **changes: Any) -> Any:
    """Return a row that was given up so many minutes after noon."""
    return row(**changes).after(OutEvent.EXPIRE, NOON + timedelta(minutes=minute), failed_code=code)


async def some_of_all(tx: Transaction) -> None:
    """Store failures of every kind, beside what is none."""
    await add(tx, row(), expired(3), expired(1), expired(2, unit=PSYCHIATRY), expired(4, party="skola"))
    await add(tx, expired(5)._replace(discarded_at=NOON), row(state=OutState.REGISTERED, position=None))
    refused = received(state=InState.REJECTED)._replace(failed_at=NOON, failed_code="rule.broken")
    waits = received(state=InState.WAITING_FOR_SYSTEM)._replace(failed_at=NOON, failed_code="system.silent")
    await incoming.add(tx, [refused, waits, received()])
    stray = envelope()
    await incoming.park(tx, stray, [BROKEN], NOON)
    await verdicts.park(tx, stray, [BROKEN], None, NOON)
    await dead_letters.keep(tx, [(stray, b"x", "spent")], NOON, NOON)
    await dead_letters.tried(tx, dead_letters.KeptLetter(1, stray, 4), None)
    refusal = {"source": "treserva", "event_id": None, "kind": None, "content": b"x", "received_at": NOON}
    kept = [KeptEvent(content_hash="a", findings=[BROKEN.as_json()], **refusal), KeptEvent(content_hash="b", **refusal)]
    await events.keep(tx, kept)


def envelope(**changes: Any) -> Envelope:
    values: dict[str, Any] = {
        "message_id": "0f8fad5b-d9cb-469f-a165-70867728950e",
        "type": ACKNOWLEDGEMENT,
        "sender": REGION,
        "recipient": "kommun",
        "unit": OFFICE,
        "sender_unit": CLINIC,
        "case_ref": CASE,
        "created_at": NOON,
        "body": b"<xml/>",
    }
    return Envelope(**{**values, **changes})


async def told(tx: Transaction, **changes: Any) -> dict[tuple[str, str, str], int]:
    found = await failed.groups(tx, LATER, **changes)
    return {(one.cause.kind, one.cause.code, one.cause.party): one.count for one in found}


async def test_failures_are_grouped_by_kind_code_and_party(tx: Transaction) -> None:
    await some_of_all(tx)
    assert await told(tx) == {
        ("sent", "message.given-up", REGION): 3,
        ("sent", "message.given-up", "skola"): 1,
        ("received", "rule.broken", REGION): 1,
        ("received", "system.silent", REGION): 1,
        ("parked", BROKEN.code, REGION): 1,
        ("unexpected", BROKEN.code, REGION): 1,
        ("dead-letter", "spent", REGION): 1,
        ("event", BROKEN.code, "treserva"): 1,
    }
    assert ("received", "system.silent", REGION) not in {
        (one.cause.kind, one.cause.code, one.cause.party) for one in await failed.groups(tx, NOON)
    }
    (group,) = [one for one in await failed.groups(tx, LATER, kinds=[ItemKind.SENT]) if one.cause.party == REGION]
    assert (group.first_at, group.last_at) == (NOON + timedelta(minutes=1), NOON + timedelta(minutes=3))


async def test_a_unit_sees_its_own_failures_alone(tx: Transaction) -> None:
    await some_of_all(tx)
    mine = await told(tx, units=MINE)
    assert {kind for kind, _, _ in mine} == {"sent", "received", "parked", "dead-letter"}
    assert sum(mine.values()) == 8
    assert await told(tx, units=OTHERS) == {}
    cause = Cause(kind=ItemKind.SENT, code="message.given-up", party=REGION)
    assert (await failed.of_group(tx, cause, LATER, 10, units=OTHERS)).items == []
    event = Cause(kind=ItemKind.EVENT, code=BROKEN.code, party="treserva")
    assert (await failed.of_group(tx, event, LATER, 10, units=MINE)).items == []
    assert len((await failed.of_group(tx, event, LATER, 10)).items) == 1


async def test_every_item_of_a_group_is_on_one_page_the_newest_first(tx: Transaction) -> None:
    await some_of_all(tx)
    cause = Cause(kind=ItemKind.SENT, code="message.given-up", party=REGION)
    for units in (None, MINE):
        first = await failed.of_group(tx, cause, LATER, 2, units=units)
        second = await failed.of_group(tx, cause, LATER, 2, units=units, before=first.next)
        assert [len(first.items), len(second.items), second.next] == [2, 1, None]
        found = [*first.items, *second.items]
        assert [one.at for one in found] == [NOON + timedelta(minutes=minute) for minute in (3, 2, 1)]
        assert {(one.own_unit, one.case_number, one.state) for one in found} == {(OFFICE, CASE, "expired")}
    for kind, code in (
        (ItemKind.PARKED, BROKEN.code),
        (ItemKind.DEAD_LETTER, "spent"),
        (ItemKind.RECEIVED, "rule.broken"),
    ):
        (one,) = (await failed.of_group(tx, Cause(kind=kind, code=code, party=REGION), LATER, 9)).items
        assert (one.own_unit, one.unit) == (OFFICE, OFFICE)


async def test_nothing_is_counted_past_a_limit_and_the_newest_is_known_all_the_same(tx: Transaction) -> None:
    await some_of_all(tx)
    found = await failed.groups(tx, LATER, kinds=[ItemKind.SENT], most=2)
    (group,) = [one for one in found if one.cause.party == REGION]
    assert (group.count, group.more, group.last_at) == (2, True, NOON + timedelta(minutes=3))


async def test_the_last_note_stands_beside_its_group_for_whoever_sees_all_units(tx: Transaction) -> None:
    await some_of_all(tx)
    cause = Cause(kind=ItemKind.SENT, code="message.given-up", party=REGION)
    for number in (1, 2):
        await failed.add_note(tx, cause, GroupNote(text=f"Ärende {number} hos leverantören.", at=NOON, by="SE1"))
    noted = {one.cause: one.note for one in await failed.groups(tx, LATER)}
    assert noted.pop(cause) == GroupNote(text="Ärende 2 hos leverantören.", at=NOON, by="SE1")
    assert set(noted.values()) == {None}
    assert len(await failed.notes_of(tx, cause)) == 2
    assert {one.note for one in await failed.groups(tx, LATER, units=MINE)} == {None}


INDEXES = (
    "ix_dispatch_failed|ix_inbound_failed|ix_parked_open|ix_unexpected_open|ix_dead_letter_|ix_event_refused"
    "|ix_note_open"
)
TABLES = "dispatch|inbound|parked|unexpected|dead_letter|event|note|message"


async def test_failures_are_found_by_indexes_that_hold_nothing_else(store: Store, store_url: str) -> None:
    asked: list[tuple[str, Any]] = []
    async with store.writing() as tx:
        await some_of_all(tx)

    engine: AsyncEngine = store._engine  # what is asked of the database is seen only here

    def listen(_: Any, __: Any, statement: str, values: Any, ___: Any, ____: Any) -> None:
        asked.append((statement, values))

    on.listen(engine.sync_engine, "before_cursor_execute", listen)
    async with store.reading() as tx:
        for units in (None, MINE):
            for group in await failed.groups(tx, LATER, units=units):
                await failed.of_group(tx, group.cause, LATER, 10, units=units)
    on.remove(engine.sync_engine, "before_cursor_execute", listen)
    looked = [one for one in asked if "SELECT" in one[0] and "failure_note" not in one[0]]
    assert len(looked) > 20
    explain = "EXPLAIN QUERY PLAN" if store_url.startswith("sqlite") else "EXPLAIN"
    for statement, values in {one[0]: one for one in looked}.values():
        async with store.reading() as tx:
            plan = "\n".join(map(str, (await tx.exec_driver_sql(f"{explain} {statement}", values)).all()))
        assert re.search(f"{INDEXES}|ix_inbound_open", plan), f"{statement}\n{plan}"
        assert "Seq Scan" not in plan, plan
        assert not re.search(f"SCAN ({TABLES})'", plan), plan
        if "count(*)" in statement and "FROM dispatch" in statement and "JOIN" not in statement:
            assert "COVERING INDEX" in plan or not store_url.startswith("sqlite"), plan


async def test_an_unexpected_acknowledgement_is_listed_with_what_it_may_be_about(tx: Transaction) -> None:
    await add(tx, row(message_id="0f8fad5b-d9cb-469f-a165-70867728950e", state=OutState.SENT, sent_at=NOON))
    stray = envelope(body=acknowledged(unit=PSYCHIATRY), message_id="11111111-0000-4000-8000-000000000001")
    about = ("0f8fad5b-d9cb-469f-a165-70867728950e", PSYCHIATRY)
    await verdicts.park(tx, stray, [BROKEN], about, NOON)
    await verdicts.park(tx, envelope(), [BROKEN], None, NOON)
    unread, read = (await strays.page(tx, 10)).rows
    assert (unread.says, unread.suggestion, unread.own_unit) == (None, None, None)
    assert read.suggestion is not None
    assert (read.suggestion.dispatch.unit, read.suggestion.reason, read.own_unit) == (CLINIC, "other-recipient", OFFICE)
    assert [one.item for one in (await strays.page(tx, 10, units=MINE)).rows] == [read.item]
    assert (await strays.page(tx, 10, units=OTHERS)).rows == []
    first = await strays.page(tx, 1)
    assert [one.item for one in (await strays.page(tx, 1, before=first.next)).rows] == [read.item]


def acknowledged(*, unit: str) -> bytes:
    """Return an acknowledgement of level *received* as a partner writes it."""
    body = Acknowledgement(
        message_id="0f8fad5b-d9cb-469f-a165-70867728950e",
        message_type="sipStart",
        unit=unit,
        level=Level.RECEIVED,
        outcome=Outcome.ACCEPTED,
        at=NOON,
    )
    header = Header(
        message_id="11111111-0000-4000-8000-000000000001",
        case_number=CASE,
        created_at=NOON,
        sender=Sender(party=REGION, unit=unit),
        recipients=(Recipient(party="kommun", unit=OFFICE, duty=Duty.NOTIFY),),
        in_reply_to=body.message_id,
    )
    return render_xml(Message(ACKNOWLEDGEMENT, header, body))


@pytest.mark.parametrize("text", ["sent", "sent:", "sent:0", "sent:x", "sent:99999999999", "sent:²", "nothing:1", ":1"])
def test_an_item_that_is_not_written_as_one_is_refused(text: str) -> None:
    with pytest.raises(CaseRuleError):
        Item.parse(text)
    assert str(Item.parse("dead-letter:17")) == "dead-letter:17"
