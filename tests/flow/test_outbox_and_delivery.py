"""The promise to send, and the promise to hand over: kept through refusals, outages and silence."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sides import (
    PRIMARY_CARE,
    PSYCHIATRY,
    Passages,
    ScriptedArrival,
    Side,
    open_side,
    story,
    told,
    willing,
)
from written_log import Log

from gateway import hops
from gateway.adapters.folder import NO_RECEIPT, REFUSED
from gateway.adapters.journal_codes import MESSAGE_TYPE
from gateway.clock import ManualClock
from gateway.errors import (
    DependencyDownError,
    InvalidDocumentError,
    NotYetError,
    RefusedError,
    WrittenMeanwhileError,
)
from gateway.lifecycle import OutState, Owner
from gateway.messages import Message
from gateway.ports import Event
from gateway.progress import Hop
from gateway.relay import LEASE, Relay
from gateway.store import notes
from gateway.store.failures import WRITTEN_MEANWHILE
from gateway.transport import EXCHANGE_DOWN
from gateway.watch import Watch

NEED, CONSENT, BOOKING, PLAN, _ = story()
OTHER_CASE = {"arendeId": "SN 2026-05555", "person": story("consent-declined")[0]["person"]}
OTHER_NEED = told(NEED, handelseId="TRV-OTHER-1", **OTHER_CASE)
OTHER_CONSENT = told(CONSENT, handelseId="TRV-OTHER-2", **OTHER_CASE)
WORDS = "Mira Solvind 19850912-9808"
FIRST_CASE, SECOND_CASE = "SIP100001", "SIP100002"


async def refusal(side: Side, event: bytes) -> tuple[str, ...]:
    """Return the codes an event is refused with."""
    with pytest.raises(InvalidDocumentError) as caught:
        await side.hears(event)
    return caught.value.codes


async def states(side: Side) -> list[tuple[str, OutState]]:
    return [(row.type, row.state) for row in await side.ledger() if row.unit == PRIMARY_CARE]


async def incoming(side: Side, case: str = FIRST_CASE) -> list[str]:
    return [row["state"] for row in await side.table("inbound") if row["case_number"] == case]


# --- hops 1 to 4: an event is kept with its messages, or refused with its reasons -------------------------------------


async def test_an_event_told_twice_gets_the_same_answer_and_changes_nothing(kommun: Side) -> None:
    first = await kommun.hears(told(NEED))
    once = await kommun.everything()
    assert await kommun.hears(told(NEED)) == first
    assert await kommun.everything() == once


async def test_an_event_told_by_two_at_once_is_kept_once(kommun: Side) -> None:
    answers = await asyncio.gather(*(kommun.hears(told(NEED)) for _ in range(4)))
    assert len(set(answers)) == len(await kommun.table("event")) == len(await kommun.table("message")) == 1


async def test_a_refused_event_is_kept_with_its_bytes_and_reasons_and_refused_alike_again(kommun: Side) -> None:
    wrong = told(NEED, person={**NEED["person"], "personnummer": "19850912-9807"})
    codes = await refusal(kommun, wrong)
    assert await refusal(kommun, wrong) == codes
    [kept] = await kommun.table("event")
    assert (kept["state"], kept["content"]) == ("refused", wrong)
    assert tuple(finding["code"] for finding in kept["findings"]) == codes
    assert {"sv", "en", "path"} <= set(kept["findings"][0])


async def test_a_refused_event_can_be_corrected_under_the_same_id(kommun: Side) -> None:
    await refusal(kommun, told(NEED, enhet="SE2120001355-NOWHERE"))
    submission = await kommun.hears(told(NEED))
    assert submission.message_ids
    assert [row["state"] for row in await kommun.table("event")] == ["refused", "accepted"]


async def test_a_refused_event_is_accepted_when_what_it_lacked_has_come(kommun: Side) -> None:
    assert await refusal(kommun, told(CONSENT)) == ("case.unknown",)
    await kommun.hears(told(NEED))
    assert (await kommun.hears(told(CONSENT))).case_number == FIRST_CASE


async def test_an_event_id_that_was_accepted_is_not_accepted_with_other_content(kommun: Side) -> None:
    first = await kommun.hears(told(NEED))
    before = await kommun.everything(but="event")
    assert await refusal(kommun, told(NEED, behov="Något helt annat.")) == ("event.id-conflict",)
    assert await kommun.everything(but="event") == before
    assert await kommun.hears(told(NEED)) == first


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(b"not JSON", id="unreadable"),
        pytest.param(told(NEED, handelseId="X", arendeId="Y", mottagare=["SE2321000131-NOWHERE"]), id="no such unit"),
        pytest.param(told(NEED, handelseId="X", arendeId="Y", enhet=PRIMARY_CARE), id="not our unit"),
        pytest.param(
            told(NEED, handelseId="X", arendeId="Y", uppmarksammatAv="Annan"), id="wrong when it has its case number"
        ),
        pytest.param(told(NEED, handelseId="X"), id="a case that is started already"),
        pytest.param(told(PLAN), id="a plan before its meeting"),
        pytest.param(told(BOOKING, person=OTHER_CASE["person"]), id="a booking for another person"),
        pytest.param(told(CONSENT, arendeId="SIP100009"), id="a case number nobody gave"),
    ],
)
async def test_a_refused_event_leaves_nothing_behind_but_itself(kommun: Side, event: bytes) -> None:
    await kommun.hears(told(NEED))
    before = await kommun.everything(but="event")
    await refusal(kommun, event)
    assert await kommun.everything(but="event") == before
    assert [row["content"] for row in await kommun.table("event")][1:] == [event]


# --- hop 5: the relay -------------------------------------------------------------------------------------------------


async def test_a_message_to_a_party_without_a_queue_is_tried_until_the_party_appears(
    kommun: Side, tmp_path: Path, clock: ManualClock, passages: Passages
) -> None:
    kommun.tries_on()
    message_id = (await kommun.hears(told(NEED))).message_ids[0]
    await kommun.hears(told(CONSENT))
    for minutes in (1, 5, 15, 60, 60):
        await kommun.sends()
        row = await kommun.row("sipStart")
        assert (row.state, row.owner) == (OutState.RETRYING, Owner.OPERATIONS)
        assert row.next_attempt_at == clock.now() + timedelta(minutes=minutes)
        clock.advance(timedelta(minutes=minutes) - timedelta(seconds=1))
        assert await kommun.relay.send() == 0
        clock.advance(timedelta(seconds=1))
    assert ("publish_failed", "retrying", "returned") in await kommun.life(message_id)
    async with open_side("region", tmp_path, clock, passages) as region:
        await kommun.sends()
        assert {state for _, state in await states(kommun)} == {OutState.SENT}
        await region.receives()
        assert await incoming(region) == ["validated"] * 4


async def test_while_the_exchange_is_away_messages_stay_promised(
    kommun: Side, region: Side, tmp_path: Path, clock: ManualClock
) -> None:
    message_id = (await kommun.hears(told(NEED))).message_ids[0]
    await kommun.hears(told(CONSENT))
    async with exchange_away(tmp_path):
        await kommun.sends()
        assert {state for _, state in await states(kommun)} == {OutState.RETRYING}
        assert ("publish_failed", "retrying", "unconfirmed") in await kommun.life(message_id)
    clock.advance(timedelta(minutes=1))
    await kommun.sends()
    await region.receives()
    assert await incoming(region) == ["validated"] * 4


async def test_what_was_published_and_not_confirmed_is_published_again_and_stored_once(
    kommun: Side, region: Side, clock: ManualClock
) -> None:
    async def line_breaks() -> None:
        raise DependencyDownError(EXCHANGE_DOWN.at())

    kommun.transport.meanwhile = line_breaks
    for event in (NEED, CONSENT):
        await kommun.hears(told(event))
    await kommun.sends()
    kommun.transport.meanwhile = None
    clock.advance(timedelta(minutes=1))
    await kommun.sends()
    first, again = kommun.transport.published[:4], kommun.transport.published[4:]
    assert first == again
    await region.receives()
    assert [row["duplicates"] for row in await region.table("inbound")] == [1] * 4


async def test_what_a_dead_relay_had_in_its_hands_is_left_alone_until_its_lease_ends_or_its_successor_begins(
    kommun: Side, region: Side, clock: ManualClock
) -> None:
    stuck = asyncio.Event()

    async def never() -> None:
        stuck.set()
        await asyncio.Event().wait()

    kommun.transport.meanwhile = never
    for event in (NEED, CONSENT):
        await kommun.hears(told(event))
    for freed in (lambda: clock.advance(LEASE), kommun.relay.recover):
        stuck.clear()
        dying = asyncio.create_task(kommun.relay.send())
        await stuck.wait()
        dying.cancel()
        await asyncio.gather(dying, return_exceptions=True)
        assert await kommun.relay.send() == 0
        if (freeing := freed()) is not None:
            await freeing
    kommun.transport.meanwhile = None
    await kommun.sends()
    assert {state for _, state in await states(kommun)} == {OutState.SENT}


@pytest.mark.usefixtures("region")
async def test_what_comes_while_a_batch_is_published_is_claimed_where_that_batch_is_marked(
    kommun: Side, clock: ManualClock
) -> None:
    await sends_while_another_case_is_told(kommun)
    waiting = [row for row in await kommun.ledger() if row.case_number == SECOND_CASE]
    in_hand = (OutState.QUEUED, 1, clock.now() + LEASE)
    assert {(row.state, row.attempts, row.lease_until) for row in waiting} == {in_hand}
    assert await Relay(kommun.context, kommun.transport).send() == 0, "another has it in its hands"
    assert await kommun.relay.send() == len(waiting)
    assert await kommun.relay.send() == 0
    assert {row.state for row in await kommun.ledger()} == {OutState.SENT}


@pytest.mark.usefixtures("region")
async def test_what_a_dead_relay_had_claimed_and_not_published_is_published_by_its_successor(
    kommun: Side, clock: ManualClock
) -> None:
    await sends_while_another_case_is_told(kommun)
    clock.advance(LEASE)
    successor = Relay(kommun.context, kommun.transport)
    assert await successor.send() == sum(row.case_number == SECOND_CASE for row in await kommun.ledger())
    assert {row.state for row in await kommun.ledger()} == {OutState.SENT}


async def sends_while_another_case_is_told(side: Side) -> None:
    """Send the first messages of a case; those of another come while they are on their way."""

    async def another() -> None:
        side.transport.meanwhile = None
        await side.hears(OTHER_NEED)
        await side.hears(OTHER_CONSENT)

    await side.hears(told(NEED))
    await side.hears(told(CONSENT))
    side.transport.meanwhile = another
    await side.relay.send()


async def test_a_message_nobody_has_received_in_half_an_hour_is_sent_again_under_the_same_id(
    kommun: Side, region: Side, clock: ManualClock
) -> None:
    for event in (NEED, CONSENT):
        await kommun.hears(told(event))
    await kommun.sends()
    clock.advance(timedelta(minutes=29, seconds=59))
    assert await kommun.tracker.sweep() == 0
    clock.advance(timedelta(seconds=1))
    assert await kommun.tracker.sweep() == 4
    await kommun.sends()
    assert kommun.transport.published[:4] == kommun.transport.published[4:]
    await region.receives()
    await region.sends()
    await kommun.learns()
    clock.advance(timedelta(minutes=31))
    assert await kommun.tracker.sweep() == 0  # it has been received: that is the partner's affair now
    assert {state for _, state in await states(kommun)} == {OutState.RECEIVED}


async def test_a_message_that_was_never_tried_is_tried_before_it_is_given_up(kommun: Side, clock: ManualClock) -> None:
    for event in (NEED, CONSENT):
        await kommun.hears(told(event))
    clock.advance(timedelta(hours=100))  # the gateway has stood still
    assert await kommun.tracker.sweep() == 0
    assert {reached for _, reached in await states(kommun)} == {OutState.QUEUED}


@pytest.mark.parametrize("state", [OutState.SENT, OutState.RETRYING])
async def test_after_three_days_a_message_is_given_up_and_put_before_operations(
    kommun: Side, tmp_path: Path, clock: ManualClock, passages: Passages, state: OutState
) -> None:
    for event in (NEED, CONSENT):
        await kommun.hears(told(event))
    if state is OutState.SENT:
        async with open_side("region", tmp_path, clock, passages):
            await kommun.sends()
    elif state is OutState.RETRYING:
        await kommun.sends()
    assert {reached for _, reached in await states(kommun)} == {state}
    clock.advance(timedelta(hours=72) - timedelta(seconds=1))
    await kommun.tracker.sweep()
    assert OutState.EXPIRED not in {reached for _, reached in await states(kommun)}
    clock.advance(timedelta(hours=1))
    await kommun.tracker.sweep()
    row = await kommun.row("sipStart")
    assert (row.state, row.owner, row.next_attempt_at) == (OutState.EXPIRED, Owner.OPERATIONS, None)
    assert row.due_at == clock.now() + timedelta(hours=24)
    assert await kommun.relay.send() == 0


async def test_messages_about_one_person_keep_their_order_while_others_pass(
    kommun: Side, tmp_path: Path, clock: ManualClock, passages: Passages
) -> None:
    for event in (told(NEED), told(CONSENT)):
        await kommun.hears(event)
    await kommun.sends()  # there is no queue: they wait for a minute
    async with open_side("region", tmp_path, clock, passages) as region:
        for event in (told(BOOKING), OTHER_NEED, OTHER_CONSENT):
            await kommun.hears(event)
        await kommun.sends()
        await region.receives()
        assert {row["case_number"] for row in await region.table("inbound")} == {SECOND_CASE}
        clock.advance(timedelta(minutes=1))
        await kommun.sends()
        await region.receives()
        first_case = [row for row in await region.table("inbound") if row["case_number"] == FIRST_CASE]
    for unit in (PRIMARY_CARE, PSYCHIATRY):
        mine = [(row["type"], row["sequence"]) for row in first_case if row["unit"] == unit]
        assert mine == [("sipStart", 1), ("consent", 2), ("meetingBooking", 3)]


# --- hop 7: the case system -------------------------------------------------------------------------------------------


@pytest.fixture
async def receiver(kommun: Side, region: Side) -> Side:
    """Return the region when it has received a need and a consent for two units, and answered so."""
    for event in (NEED, CONSENT):
        await kommun.hears(told(event))
    await kommun.sends()
    await region.receives()
    await region.sends()
    await kommun.learns()
    return region


async def _silent(message: Message, unit: str = "") -> None:
    raise DependencyDownError(NO_RECEIPT.at(seconds=10))


async def test_a_silent_case_system_is_tried_again_and_nothing_is_called_registered_before_it_is(
    receiver: Side, kommun: Side, clock: ManualClock
) -> None:
    came_at = clock.now()
    receiver.tries_on()
    receiver.system.answer = _silent
    for minutes in (1, 5, 15, 60, 60):
        await receiver.hands_over()
        waiting = (await receiver.table("inbound"))[0]
        assert waiting["state"] == "waiting_for_system"
        assert waiting["next_attempt_at"] == clock.now() + timedelta(minutes=minutes)
        assert (waiting["due_at"], waiting["owner"]) == (came_at + timedelta(minutes=60), "operations")
        await receiver.sends()
        await kommun.learns()
        assert {state for _, state in await states(kommun)} == {OutState.RECEIVED}
        clock.advance(timedelta(minutes=minutes) - timedelta(seconds=1))
        assert await receiver.delivery.deliver() == 0
        clock.advance(timedelta(seconds=1))
    life = await receiver.life(waiting["message_id"])
    assert ("system_silent", "waiting_for_system", "system.no-receipt") in life
    receiver.system.answer = willing
    await receiver.hands_over()
    assert await incoming(receiver) == ["registered"] * 4
    await receiver.sends()
    await kommun.learns()
    row = await kommun.row("sipStart")
    assert (row.state, row.registered_at) == (OutState.REGISTERED, clock.now())


async def test_a_refusal_by_the_case_system_reaches_the_sender_with_its_reasons(receiver: Side, kommun: Side) -> None:
    async def refuse(message: Message, unit: str) -> None:
        if (message.type, unit) == ("sipStart", PRIMARY_CARE):
            raise RefusedError(REFUSED.at(code="unit.closed"))

    receiver.system.answer = refuse
    await receiver.hands_over()
    await receiver.sends()
    await kommun.learns()
    row = await kommun.row("sipStart")
    assert (row.state, row.outcome, row.registered_at) == (OutState.REJECTED, "rejected", None)
    assert row.received_at is not None
    assert (await kommun.row("sipStart", PSYCHIATRY)).state is OutState.REGISTERED
    [verdict] = [one for one in await kommun.table("verdict") if one["outcome"] == "rejected"]
    assert verdict["level"] == "registered"
    assert [reason["code"] for reason in verdict["reasons"]] == ["system.refused"]
    [refused] = [one for one in await receiver.table("inbound") if one["state"] == "rejected"]
    assert refused["findings"][0]["code"] == "system.refused"


async def test_a_case_waits_in_order_for_its_system_and_other_cases_do_not(
    receiver: Side, kommun: Side, clock: ManualClock
) -> None:
    async def silent_about_the_first_need(message: Message, unit: str) -> None:
        if (message.type, message.header.case_number) == ("sipStart", FIRST_CASE):
            await _silent(message)

    receiver.system.answer = silent_about_the_first_need
    for event in (OTHER_NEED, OTHER_CONSENT):
        await kommun.hears(event)
    await kommun.sends()
    await receiver.receives()
    await receiver.hands_over()
    assert await incoming(receiver, FIRST_CASE) == ["waiting_for_system"] * 2 + ["validated"] * 2
    assert await incoming(receiver, SECOND_CASE) == ["registered"] * 4
    receiver.system.answer = willing
    clock.advance(timedelta(minutes=1))
    await receiver.hands_over()
    held = [(unit, message.type) for (_, unit), message in receiver.system.held.items()]
    assert [kind for unit, kind in held[4:] if unit == PRIMARY_CARE] == ["sipStart", "consent"]


async def test_steps_are_written_in_order_and_once_though_the_system_was_silent(
    kommun: Side, clock: ManualClock
) -> None:
    kommun.system.answer_note = _silent
    ids = [message_id for event in (NEED, CONSENT) for message_id in (await kommun.hears(told(event))).message_ids]
    await kommun.hands_over()
    kommun.system.answer_note = willing
    ids += (await kommun.hears(told(BOOKING))).message_ids
    await kommun.hands_over()
    assert kommun.system.notes == []
    clock.advance(timedelta(minutes=1))
    await kommun.hands_over()
    assert kommun.system.notes == ids
    assert await kommun.delivery.deliver() == 0


async def test_a_step_the_system_refuses_holds_up_its_own_case_only(kommun: Side) -> None:
    async def refuse_the_first_need(message: Message) -> None:
        if (message.type, message.header.case_number) == ("sipStart", FIRST_CASE):
            raise RefusedError(REFUSED.at(code="note.unwanted"))

    kommun.system.answer_note = refuse_the_first_need
    for event in (told(NEED), told(CONSENT)):
        await kommun.hears(event)
    other = [(await kommun.hears(event)).message_ids[0] for event in (OTHER_NEED, OTHER_CONSENT)]
    await kommun.hands_over()
    assert kommun.system.notes == other


async def test_a_notice_the_system_refuses_holds_up_no_step(kommun: Side, clock: ManualClock) -> None:
    ids = list((await kommun.hears(told(NEED))).message_ids)
    clock.advance(timedelta(days=6))
    await Watch(kommun.context).sweep()  # the person's decision is late: somebody is told
    await kommun.hands_over()
    ids += (await kommun.hears(told(CONSENT))).message_ids
    await kommun.hands_over()
    assert kommun.system.notes == ids
    async with kommun.context.store.reading() as tx:
        assert len(await notes.notices(tx, untold=True)) == 1  # and is tried again


# --- hop 8: a person takes charge -------------------------------------------------------------------------------------


async def test_taking_charge_of_a_message_that_is_not_registered_yet_must_wait_and_keeps_nothing(
    receiver: Side, clock: ManualClock
) -> None:
    charge = await _charge_before_registration(receiver, clock.now())
    before = await receiver.everything()
    with pytest.raises(NotYetError):
        await receiver.hears(charge)
    assert await receiver.everything() == before
    receiver.system.answer = willing
    clock.advance(timedelta(minutes=1))
    await receiver.hands_over()
    assert (await receiver.hears(charge)).case_number == FIRST_CASE


async def _charge_before_registration(receiver: Side, at: datetime) -> bytes:
    """Return the event of staff who take charge in the moment after the system has committed and before it says so."""

    async def committed_and_silent(message: Message, unit: str) -> None:
        receiver.system.held.setdefault((message.header.message_id, unit), message)
        await _silent(message)

    receiver.system.answer = committed_and_silent
    await receiver.hands_over()
    message_id, unit = next(iter(receiver.system.held))
    return receiver.system.takes_charge(message_id, unit, at)


async def test_staff_who_are_quicker_than_the_registration_are_answered_in_a_moment(
    receiver: Side, clock: ManualClock, passages: Passages
) -> None:
    arrivals: list[ScriptedArrival] = []

    async def staff_first(message: Message, unit: str) -> None:
        if (message.type, unit) == ("sipStart", PRIMARY_CARE):
            receiver.system.held[message.header.message_id, unit] = message
            charge = receiver.system.takes_charge(message.header.message_id, unit, clock.now())
            arrivals.append(ScriptedArrival(Event(source="journal", content=charge)))
            receiver.system.says.put_nowait(arrivals[0])
            await receiver.system.heard.wait()

    receiver.system.answer = staff_first
    async with receiver.at_work(), asyncio.timeout(20):
        taken = await passages.until(Hop.ACKNOWLEDGED, party="region", unit=PRIMARY_CARE)
        answer = await arrivals[0].answered
    assert (answer["accepted"], answer["caseNumber"]) == (True, FIRST_CASE)
    hops = [(one.hop, one.message_id, one.unit) for one in passages]
    assert hops.index((Hop.REGISTERED, taken.message_id, PRIMARY_CARE)) < hops.index(
        (Hop.ACKNOWLEDGED, taken.message_id, PRIMARY_CARE)
    )


async def test_taking_charge_twice_is_once(receiver: Side, kommun: Side, clock: ManualClock) -> None:
    await receiver.hands_over()
    message_id, unit = next(iter(receiver.system.held))
    charge = receiver.system.takes_charge(message_id, unit, clock.now())
    first = await receiver.hears(charge)
    before = await receiver.everything(but="event")
    assert await receiver.hears(charge) == first
    colleague = told(json.loads(charge), eventId="another-event", performer={"name": "Runa Vidmark"})
    assert await receiver.hears(colleague) == first
    assert await receiver.everything(but="event") == before
    await receiver.sends()
    await kommun.learns()
    [verdict] = [one for one in await kommun.table("verdict") if one["level"] == "acknowledged"]
    assert (verdict["message_id"], verdict["unit"]) == (message_id, unit)
    assert (await kommun.row("sipStart")).state is OutState.ACKNOWLEDGED


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"message": {"id": "00000000-0000-4000-8000-000000000000"}}, "acknowledgement.unknown-message"),
        ({"message": {"type": MESSAGE_TYPE.written("plan")}}, "acknowledgement.unknown-message"),
        ({"organization": {"value": "SE2321000131-E000000000303"}}, "acknowledgement.unknown-message"),
    ],
    ids=["unknown id", "another type", "another unit"],
)
async def test_nobody_can_take_charge_of_what_the_unit_has_not_received(
    receiver: Side, clock: ManualClock, changes: Mapping[str, Mapping[str, Any]], code: str
) -> None:
    await receiver.hands_over()
    charge = json.loads(receiver.system.takes_charge(*next(iter(receiver.system.held)), clock.now()))
    charge["message"] |= changes.get("message", {})
    charge["organization"]["identifier"] |= changes.get("organization", {})
    before = await receiver.everything(but="event")
    assert await refusal(receiver, told(charge)) == (code,)
    assert await receiver.everything(but="event") == before


async def test_nobody_can_take_charge_of_what_was_refused(receiver: Side, clock: ManualClock) -> None:
    async def refuse(message: Message, unit: str) -> None:
        receiver.system.held[message.header.message_id, unit] = message
        raise RefusedError(REFUSED.at(code="unit.closed"))

    receiver.system.answer = refuse
    await receiver.hands_over()
    charge = receiver.system.takes_charge(*next(iter(receiver.system.held)), clock.now())
    assert await refusal(receiver, charge) == ("acknowledgement.refused-message",)


# --- the gateway at work ----------------------------------------------------------------------------------------------


async def test_a_gateway_lives_through_the_loss_of_the_exchange(
    kommun: Side, region: Side, tmp_path: Path, passages: Passages, log: Log
) -> None:
    for event in (NEED, CONSENT):
        await kommun.hears(told(event))
    async with region.at_work(), asyncio.timeout(20):
        async with exchange_away(tmp_path):
            await log.event("dependency.down").wait()
        await kommun.sends()
        await passages.until(Hop.REGISTERED, party="region")


async def test_a_fault_in_the_adapter_holds_up_one_message_and_is_logged_without_its_words(
    receiver: Side, passages: Passages, log: Log
) -> None:
    async def stumble(message: Message, unit: str) -> None:
        if unit == PRIMARY_CARE:
            raise RuntimeError(WORDS)

    receiver.system.answer = stumble
    async with receiver.at_work():
        await passages.until(Hop.REGISTERED, party="region", type="consent", unit=PSYCHIATRY)
    rows = {(row["type"], row["unit"]): row["state"] for row in await receiver.table("inbound")}
    assert rows["sipStart", PRIMARY_CARE] == "waiting_for_system"
    assert rows["consent", PRIMARY_CARE] == "validated"
    assert "RuntimeError" in log.getvalue()
    assert "stumble" in log.getvalue()
    assert WORDS not in log.getvalue()


@pytest.mark.parametrize(
    "error", [RuntimeError(WORDS), WrittenMeanwhileError(WRITTEN_MEANWHILE.at())], ids=["anything", "always written"]
)
async def test_a_delivery_that_nobody_can_store_lies_among_the_dead_letters_and_holds_up_no_other(
    kommun: Side, region: Side, passages: Passages, log: Log, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(hops, "IDLE", timedelta(milliseconds=20))
    for event in (NEED, CONSENT):
        await kommun.hears(told(event))
    await kommun.sends()
    poison = (await kommun.row("sipStart")).message_id
    observe = passages.observe

    def stumble(passage: Any) -> None:
        if (passage.hop, passage.message_id, passage.unit) == (Hop.TAKEN, poison, PRIMARY_CARE):
            raise error
        observe(passage)

    object.__setattr__(region.context, "observe", stumble)
    async with region.at_work(), asyncio.timeout(20):
        await passages.until(Hop.REGISTERED, party="region", type="consent", unit=PSYCHIATRY)
        await log.event("dead-letter.kept").wait()
    [dead] = await region.table("dead_letter")
    assert (dead["message_id"], dead["unit"]) == (poison, PRIMARY_CARE)
    assert WORDS not in log.getvalue()


@asynccontextmanager
async def exchange_away(folder: Path) -> AsyncIterator[None]:
    """Take the tables of the exchange in ``folder`` away for as long as the block runs.

    In a thread, since a gateway of this process that holds the lock of the file must be able to let go of it.
    """
    await asyncio.to_thread(_rename_tables, folder, "{0}", "lost_{0}")
    yield
    await asyncio.to_thread(_rename_tables, folder, "lost_{0}", "{0}")


def _rename_tables(folder: Path, old: str, new: str) -> None:
    with closing(sqlite3.connect(folder / "exchange.sqlite")) as exchange, exchange:
        for table in ("party", "delivery", "dead_letter"):
            exchange.execute(f"ALTER TABLE {old.format(table)} RENAME TO {new.format(table)}")
