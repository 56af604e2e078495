"""Rules 1 to 4 of acknowledgements: how an answer finds its message, and what it may change there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from answers import acknowledgement, with_text
from sides import PRIMARY_CARE, PSYCHIATRY, Side, story, told
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from gateway.clock import ManualClock
from gateway.envelope import ACKNOWLEDGEMENT, Envelope
from gateway.ledger import Dispatch
from gateway.lifecycle import GIVE_UP_AFTER, Level, Outcome, OutState, Owner

RECEIVED, REGISTERED, ACKNOWLEDGED = Level.RECEIVED, Level.REGISTERED, Level.ACKNOWLEDGED
ACCEPTED, PARTIAL, REJECTED, RETRY = Outcome.ACCEPTED, Outcome.PARTIAL, Outcome.REJECTED, Outcome.RETRY

NOBODY = "00000000-0000-4000-8000-000000000000"

Answer = Callable[..., Envelope]


@pytest.fixture
async def sender(kommun: Side, region: Side) -> Side:
    """Return the municipality after it has sent a need and a consent to two units of the region."""
    for event in story()[:2]:
        await kommun.hears(told(event))
    await kommun.sends()
    return kommun


@pytest.fixture
def answer(clock: ManualClock) -> Answer:
    """Return how to write an answer given now."""
    return lambda about, level, outcome=ACCEPTED, **more: acknowledgement(
        about, level, outcome, **{"at": clock.now(), **more}
    )


async def codes_of_unexpected(side: Side) -> list[str]:
    return [row["code"] for row in await side.table("unexpected")]


# --- 1: matched by message id and recipient ---------------------------------------------------------------------------


async def test_answers_find_their_message_by_id_and_unit_in_whatever_order_they_come(
    sender: Side, answer: Answer
) -> None:
    need, consent = await sender.row("sipStart"), await sender.row("consent", PSYCHIATRY)
    await sender.is_told(answer(consent, REGISTERED, record_id="JRN-8"), answer(need, RECEIVED))
    reached = {(row.type, row.unit): (row.state, row.record_id) for row in await sender.ledger()}
    assert reached == {
        ("sipStart", PRIMARY_CARE): (OutState.RECEIVED, None),
        ("sipStart", PSYCHIATRY): (OutState.SENT, None),
        ("consent", PRIMARY_CARE): (OutState.SENT, None),
        ("consent", PSYCHIATRY): (OutState.REGISTERED, "JRN-8"),
    }


@pytest.mark.parametrize(
    ("about", "from_party"),
    [
        pytest.param({}, "grannkommun", id="from a party that was no recipient"),
        pytest.param({"message_id": NOBODY}, "region", id="about an id nobody sent"),
        pytest.param({"unit": "SE2321000131-E000000000303"}, "region", id="about a unit it was not sent to"),
        pytest.param({"type": "plan"}, "region", id="about another type than was sent"),
    ],
)
async def test_an_answer_about_what_that_recipient_was_never_sent_is_parked_and_settles_nothing(
    sender: Side, answer: Answer, about: dict[str, Any], from_party: str
) -> None:
    before = await sender.everything(but="unexpected")
    stray = answer((await sender.row("sipStart"))._replace(**about), REGISTERED, party=from_party)
    await sender.is_told(stray)
    [parked] = await sender.table("unexpected")
    assert (parked["code"], parked["party"], parked["xml"]) == ("acknowledgement.orphan", from_party, stray.body)
    assert await sender.everything(but="unexpected") == before


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({"sender": "grannkommun"}, id="another party"),
        pytest.param({"sender_unit": PSYCHIATRY}, id="another unit"),
        pytest.param({"message_id": NOBODY}, id="another id"),
    ],
)
async def test_an_answer_whose_envelope_tells_another_story_than_its_header_is_parked(
    sender: Side, answer: Answer, claims: dict[str, str]
) -> None:
    before = await sender.everything(but="unexpected")
    await sender.is_told(replace(answer(await sender.row("sipStart"), RECEIVED), **claims))
    assert await codes_of_unexpected(sender) == ["envelope.mismatch"]
    assert await sender.everything(but="unexpected") == before


@pytest.mark.parametrize(
    ("level", "outcome", "old", "new", "code"),
    [
        pytest.param(RECEIVED, ACCEPTED, ">accepted<", ">approved<", "schema.value-not-in-list", id="unknown outcome"),
        pytest.param(RECEIVED, ACCEPTED, ">received<", ">arrived<", "schema.value-not-in-list", id="unknown level"),
        pytest.param(
            RECEIVED,
            ACCEPTED,
            "<outcome>accepted",
            "<outcome>accepted with errors",
            "schema.value-not-in-list",
            id="begins with success",
        ),
        pytest.param(RECEIVED, REJECTED, ">partner.reason<", "><", "schema.form", id="empty reason code"),
        pytest.param(
            RECEIVED, REJECTED, ">rejected<", ">accepted<", "acknowledgement.reason-not-allowed", id="yes, but"
        ),
        pytest.param(
            REGISTERED,
            ACCEPTED,
            "<recordId>JRN-1</recordId>",
            "",
            "acknowledgement.record-id-missing",
            id="registered without its proof",
        ),
        pytest.param(
            RECEIVED,
            ACCEPTED,
            ">sipStart<",
            f">{ACKNOWLEDGEMENT}<",
            "acknowledgement.of-acknowledgement",
            id="of an acknowledgement",
        ),
        pytest.param(RECEIVED, ACCEPTED, "</body>", "", "xml.malformed", id="cut short"),
    ],
)
async def test_an_answer_that_cannot_be_understood_is_parked_as_it_came_and_settles_nothing(
    sender: Side, answer: Answer, level: Level, outcome: Outcome, old: str, new: str, code: str
) -> None:
    before = await sender.everything(but="unexpected")
    broken = with_text(answer(await sender.row("sipStart"), level, outcome), old, new)
    await sender.is_told(broken)
    [parked] = await sender.table("unexpected")
    assert parked["findings"][0]["code"] == parked["code"] == code
    assert parked["xml"] == broken.body
    assert await sender.everything(but="unexpected") == before


async def test_a_message_that_comes_as_an_answer_is_parked(sender: Side) -> None:
    message = sender.transport.published[0]
    await sender.is_told(replace(message, type=ACKNOWLEDGEMENT))
    assert await codes_of_unexpected(sender) == ["envelope.mismatch"]


# --- 2: a verdict never flips -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((RECEIVED, ACCEPTED), (RECEIVED, REJECTED)),
        ((RECEIVED, REJECTED), (RECEIVED, ACCEPTED)),
        ((REGISTERED, ACCEPTED), (REGISTERED, REJECTED)),
        ((REGISTERED, REJECTED), (REGISTERED, ACCEPTED)),
        ((REGISTERED, ACCEPTED), (REGISTERED, PARTIAL)),
        ((RECEIVED, REJECTED), (REGISTERED, ACCEPTED)),
        ((RECEIVED, REJECTED), (ACKNOWLEDGED, ACCEPTED)),
        ((REGISTERED, ACCEPTED), (RECEIVED, REJECTED)),
        ((REGISTERED, REJECTED), (ACKNOWLEDGED, ACCEPTED)),
        ((ACKNOWLEDGED, ACCEPTED), (REGISTERED, REJECTED)),
        ((ACKNOWLEDGED, ACCEPTED), (RECEIVED, REJECTED)),
    ],
    ids=lambda said: f"{said[0]}-{said[1]}",
)
async def test_the_first_verdict_stands_and_a_different_second_is_put_before_a_person(
    sender: Side, answer: Answer, first: tuple[Level, Outcome], second: tuple[Level, Outcome]
) -> None:
    need = await sender.row("sipStart")
    await sender.is_told(answer(need, *first))
    stands, verdicts = await sender.row("sipStart"), await sender.table("verdict")
    await sender.is_told(answer(need, *second))
    assert await sender.row("sipStart") == stands
    assert await sender.table("verdict") == verdicts
    [parked] = await sender.table("unexpected")
    assert (parked["code"], parked["message_id"], parked["unit"]) == (
        "acknowledgement.contradicted",
        need.message_id,
        need.unit,
    )
    assert ("contradicted", stands.state, "acknowledgement.contradicted") in await sender.life(need.message_id)


async def test_two_record_ids_for_one_message_contradict_each_other(sender: Side, answer: Answer) -> None:
    need = await sender.row("sipStart")
    await sender.is_told(answer(need, REGISTERED, record_id="JRN-1"))
    await sender.is_told(answer(need, REGISTERED, record_id="JRN-2"))
    assert (await sender.row("sipStart")).record_id == "JRN-1"
    assert await codes_of_unexpected(sender) == ["acknowledgement.contradicted"]


async def test_a_contradiction_that_is_repeated_is_shown_once(sender: Side, answer: Answer) -> None:
    need = await sender.row("sipStart")
    await sender.is_told(answer(need, RECEIVED))
    await sender.is_told(answer(need, RECEIVED, REJECTED))
    shown = await sender.everything()
    await sender.is_told(answer(need, RECEIVED, REJECTED))
    assert await sender.everything() == shown


@pytest.mark.parametrize("outcome", [REJECTED, PARTIAL])
async def test_an_overtaken_answer_fills_in_its_clock_and_leaves_the_outcome(
    sender: Side, answer: Answer, clock: ManualClock, outcome: Outcome
) -> None:
    need, at = await sender.row("sipStart"), clock.now()
    await sender.is_told(answer(need, REGISTERED, outcome))
    decided = await sender.row("sipStart")
    await sender.is_told(answer(need, RECEIVED, at=at))
    assert await sender.row("sipStart") == decided._replace(received_at=at)
    assert await sender.table("unexpected") == []


async def test_the_database_itself_refuses_to_change_a_verdict(sender: Side, answer: Answer) -> None:
    await sender.is_told(answer(await sender.row("sipStart"), RECEIVED))
    with pytest.raises(IntegrityError):
        async with sender.context.store.writing() as tx:
            await tx.execute(text("UPDATE verdict SET outcome = 'rejected'"))


@pytest.mark.parametrize("outcome", [ACCEPTED, REJECTED, PARTIAL])
async def test_the_same_answer_twice_has_no_effect(sender: Side, answer: Answer, outcome: Outcome) -> None:
    need = await sender.row("sipStart")
    await sender.is_told(answer(need, REGISTERED, outcome))
    once, life = await sender.everything(but="history"), await sender.life(need.message_id)
    await sender.is_told(answer(need, REGISTERED, outcome))
    assert await sender.everything(but="history") == once
    state = (await sender.row("sipStart")).state
    assert await sender.life(need.message_id) == [*life, ("duplicate", state, None)]  # it came, and that is all


async def test_each_unit_gives_its_own_verdict(sender: Side, answer: Answer) -> None:
    one, other = await sender.row("sipStart"), await sender.row("sipStart", PSYCHIATRY)
    await sender.is_told(answer(one, RECEIVED, REJECTED), answer(other, RECEIVED))
    assert (await sender.row("sipStart")).state is OutState.REJECTED
    assert (await sender.row("sipStart", PSYCHIATRY)).state is OutState.RECEIVED


# --- the four levels, each with its own clock -------------------------------------------------------------------------


async def test_levels_may_come_in_any_order_and_each_keeps_its_own_clock(
    sender: Side, answer: Answer, clock: ManualClock
) -> None:
    need, received_at = await sender.row("sipStart"), clock.now()
    clock.advance(timedelta(minutes=1))
    registered_at = clock.now()
    clock.advance(timedelta(minutes=1))
    acknowledged_at = clock.now()
    clock.advance(timedelta(minutes=1))
    await sender.is_told(
        answer(need, ACKNOWLEDGED, at=acknowledged_at),
        answer(need, REGISTERED, at=registered_at),
        answer(need, RECEIVED, at=received_at),
    )
    row = await sender.row("sipStart")
    assert row.state is OutState.ACKNOWLEDGED
    assert (row.received_at, row.registered_at, row.acknowledged_at) == (received_at, registered_at, acknowledged_at)
    assert (row.outcome, row.record_id) == (ACCEPTED, "JRN-1")
    assert await sender.table("unexpected") == []


async def test_an_answer_that_overtakes_our_own_mark_counts(kommun: Side, region: Side) -> None:
    async def answered_at_once() -> None:
        await region.receives()
        await region.hands_over()
        await region.sends()
        await kommun.learns()

    kommun.transport.meanwhile = answered_at_once
    for event in story()[:2]:
        await kommun.hears(told(event))
    await kommun.relay.send()
    row = await kommun.row("sipStart")
    assert (row.state, row.outcome, row.record_id) == (OutState.REGISTERED, ACCEPTED, "journal-1")
    assert None not in (row.sent_at, row.received_at, row.registered_at)
    assert await kommun.table("unexpected") == []


# --- retry ------------------------------------------------------------------------------------------------------------


async def test_not_now_is_no_verdict_and_the_message_is_sent_again_after_a_while(
    sender: Side, region: Side, answer: Answer, clock: ManualClock
) -> None:
    need = await sender.row("sipStart")
    await sender.is_told(answer(need, RECEIVED, RETRY))
    waiting = await sender.row("sipStart")
    assert (waiting.state, waiting.outcome) == (OutState.RETRYING, None)
    assert waiting.next_attempt_at == clock.now() + timedelta(minutes=1)
    assert waiting.owner is Owner.OPERATIONS
    assert waiting.due_at == clock.now() + GIVE_UP_AFTER

    clock.advance(timedelta(seconds=59))
    assert await sender.relay.send() == 0
    clock.advance(timedelta(seconds=1))
    assert await sender.relay.send() == 1
    again = await sender.row("sipStart")
    assert (again.state, again.sequence, again.attempts) == (OutState.SENT, need.sequence, 2)

    await sender.is_told(answer(need, RECEIVED))
    assert (await sender.row("sipStart")).state is OutState.RECEIVED
    assert await sender.table("unexpected") == []


async def test_not_now_about_the_case_system_brings_the_message_back_to_received_when_it_is_repeated(
    sender: Side, answer: Answer, clock: ManualClock
) -> None:
    need = await sender.row("sipStart")
    await sender.is_told(answer(need, RECEIVED), answer(need, REGISTERED, RETRY))
    clock.advance(timedelta(minutes=1))
    await sender.sends()
    await sender.is_told(answer(need, RECEIVED))  # the duplicate is answered again
    assert (await sender.row("sipStart")).state is OutState.RECEIVED
    await sender.is_told(answer(need, REGISTERED))
    row = await sender.row("sipStart")
    assert (row.state, row.outcome, row.record_id) == (OutState.REGISTERED, ACCEPTED, "JRN-1")


# --- 4: late ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "state"), [(ACCEPTED, OutState.REGISTERED), (REJECTED, OutState.REJECTED), (PARTIAL, OutState.PARTIAL)]
)
async def test_an_answer_after_the_message_was_given_up_settles_it_and_is_marked_late(
    sender: Side, answer: Answer, clock: ManualClock, outcome: Outcome, state: OutState
) -> None:
    clock.advance(GIVE_UP_AFTER)
    await sender.tracker.sweep()
    assert (await sender.row("sipStart")).state is OutState.EXPIRED
    clock.advance(timedelta(hours=5))
    await sender.is_told(answer(await sender.row("sipStart"), REGISTERED, outcome))
    assert (await sender.row("sipStart")).state is state
    [verdict] = await sender.table("verdict")
    assert verdict["late"]
    assert await sender.table("unexpected") == []


async def test_an_answer_in_time_is_not_late(sender: Side, answer: Answer, clock: ManualClock) -> None:
    clock.advance(timedelta(minutes=29))
    await sender.is_told(answer(await sender.row("sipStart"), RECEIVED))
    [verdict] = await sender.table("verdict")
    assert not verdict["late"]


async def test_not_now_after_the_message_was_given_up_contradicts_nothing_and_sends_nothing(
    sender: Side, answer: Answer, clock: ManualClock
) -> None:
    clock.advance(GIVE_UP_AFTER)
    await sender.tracker.sweep()
    given_up: Dispatch = await sender.row("sipStart")
    await sender.is_told(answer(given_up, RECEIVED, RETRY))
    assert await sender.row("sipStart") == given_up
