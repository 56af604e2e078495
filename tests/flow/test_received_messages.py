"""The receiver's side of the rules: duplicates, conflicts, order, and what cannot be taken at all."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from answers import with_header, with_text
from sides import PRIMARY_CARE, PSYCHIATRY, Side, story, told

from gateway.clock import ManualClock
from gateway.envelope import Envelope
from gateway.lifecycle import OutState
from gateway.messages import Acknowledgement, Message, Reason, parse_xml

NEED, CONSENT, BOOKING, _, _ = story()
PERSON = (NEED["person"]["personnummer"], "198509129808", "Mira", "Solvind")


@pytest.fixture
async def journey(kommun: Side, region: Side) -> list[Envelope]:
    """Return what the municipality sends to primary care about a need, a consent and a meeting; nobody took it yet."""
    for event in (NEED, CONSENT, BOOKING):
        await kommun.hears(told(event))
    await kommun.sends()
    return [envelope for envelope in kommun.transport.published if envelope.unit == PRIMARY_CARE]


async def answers_of(side: Side) -> list[Message]:
    """Return the acknowledgements a party has published since it was last asked, and forget them."""
    side.transport.published.clear()
    await side.sends()
    return [parse_xml(envelope.body) for envelope in side.transport.published]


async def verdicts_of(side: Side) -> list[tuple[str, str, str]]:
    """Return type, level and outcome of the acknowledgements a party has published since it was last asked."""
    bodies: list[Acknowledgement] = [answer.body for answer in await answers_of(side)]
    return [(body.message_type, body.level, body.outcome) for body in bodies]


async def states_of(side: Side) -> list[tuple[str, str]]:
    return [(row["type"], row["state"]) for row in await side.table("inbound")]


# --- 3: duplicates ----------------------------------------------------------------------------------------------------


async def test_a_duplicate_is_stored_once_counted_and_answered_again_with_the_same_answers(
    journey: list[Envelope], region: Side
) -> None:
    need = journey[0]
    await region.gets(need)
    await region.hands_over()
    first = await answers_of(region)
    await region.gets(need)
    await region.hands_over()
    assert await answers_of(region) == first
    assert [answer.body.level for answer in first] == ["received", "registered"]
    [stored] = await region.table("inbound")
    assert (stored["duplicates"], stored["attempts"]) == (1, 1)
    assert len(region.system.held) == 1


async def test_two_of_the_same_in_one_batch_are_one(journey: list[Envelope], region: Side) -> None:
    await region.gets(journey[0], journey[0])
    [stored] = await region.table("inbound")
    assert stored["duplicates"] == 1
    assert await verdicts_of(region) == [("sipStart", "received", "accepted")]


async def test_a_refused_message_that_comes_again_is_refused_again_with_the_same_answer(
    journey: list[Envelope], region: Side
) -> None:
    stranger = with_header(replace(journey[0], case_ref="SIP200001"), case_number="SIP200001")
    await region.gets(stranger)
    first = await answers_of(region)
    await region.gets(stranger)
    assert await answers_of(region) == first
    assert [answer.body.reasons[0].code for answer in first] == ["case.other-series"]
    assert await states_of(region) == [("sipStart", "rejected")]


async def test_the_same_id_with_other_content_is_a_conflict_and_leaves_the_original_as_it_was(
    journey: list[Envelope], region: Side
) -> None:
    await region.gets(journey[0])
    original = await region.everything(but="parked")
    other = with_text(journey[0], "Mira bor", "Mira bodde")
    for _ in range(2):
        await region.gets(other)
    [parked] = await region.table("parked")
    assert parked["findings"][0]["code"] == "message.id-conflict"
    assert parked["body"] == other.body
    now = await region.everything(but="parked")
    assert [now[name] for name in ("inbound", "sip_case", "note")] == [
        original[name] for name in ("inbound", "sip_case", "note")
    ]


async def test_a_conflict_does_not_flip_what_the_sender_was_told(
    journey: list[Envelope], kommun: Side, region: Side
) -> None:
    await region.gets(journey[0], with_text(journey[0], "Mira bor", "Mira bodde"))
    await region.sends()
    await kommun.learns()
    assert (await kommun.row("sipStart")).state is OutState.RECEIVED
    assert [row["code"] for row in await kommun.table("unexpected")] == ["acknowledgement.contradicted"]


async def test_one_id_used_for_two_types_is_two_messages(journey: list[Envelope], region: Side) -> None:
    need, consent, _ = journey
    reused = with_header(replace(consent, message_id=need.message_id), message_id=need.message_id)
    await region.gets(need, reused)
    await region.hands_over()
    assert await states_of(region) == [("sipStart", "registered"), ("consent", "registered")]
    answers = await answers_of(region)
    assert len({answer.header.message_id for answer in answers}) == 4
    assert {answer.body.message_type for answer in answers} == {"sipStart", "consent"}


# --- two units of one party -------------------------------------------------------------------------------------------


async def test_two_units_of_one_party_have_a_ledger_each_and_share_the_case(kommun: Side, region: Side) -> None:
    for event in (NEED, CONSENT):
        await kommun.hears(told(event))
    await kommun.sends()
    await region.receives()
    await region.hands_over()
    await region.sends()
    await kommun.learns()
    rows = {(row.type, row.unit): row.record_id for row in await kommun.ledger()}
    assert set(rows) == {(kind, unit) for kind in ("sipStart", "consent") for unit in (PRIMARY_CARE, PSYCHIATRY)}
    assert len(set(rows.values())) == 4
    [case] = await region.table("sip_case")
    assert {one["unit"] for one in case["snapshot"]["participants"]} == {PRIMARY_CARE, PSYCHIATRY}
    assert len(region.system.notes) == 2  # a step of the case is one, however many units it is for


GAP = timedelta(minutes=30)
"""How long a message waits for the one before it."""

# --- 7: order ---------------------------------------------------------------------------------------------------------


async def test_a_message_that_overtakes_waits_and_is_then_judged_in_its_turn(
    journey: list[Envelope], region: Side
) -> None:
    need, consent, booking = journey
    await region.gets(booking)
    await region.gets(consent)
    assert await states_of(region) == [("meetingBooking", "stored"), ("consent", "stored")]
    assert await verdicts_of(region) == []
    assert await region.delivery.deliver() == 0
    await region.gets(need)
    assert dict(await states_of(region)) == dict.fromkeys(("sipStart", "consent", "meetingBooking"), "validated")
    assert await verdicts_of(region) == [
        ("sipStart", "received", "accepted"),
        ("consent", "received", "accepted"),
        ("meetingBooking", "received", "accepted"),
    ]


async def test_messages_that_came_out_of_order_reach_the_case_system_in_order(
    journey: list[Envelope], region: Side
) -> None:
    for envelope in reversed(journey):
        await region.gets(envelope)
    await region.hands_over()
    assert [message.type for message in region.system.held.values()] == ["sipStart", "consent", "meetingBooking"]
    assert region.system.notes == [envelope.message_id for envelope in journey]


async def test_a_gap_that_is_never_filled_has_a_deadline_and_an_owner(
    journey: list[Envelope], region: Side, clock: ManualClock
) -> None:
    await region.gets(journey[1])
    [waiting] = await region.table("inbound")
    assert (waiting["state"], waiting["owner"]) == ("stored", "partner")
    assert waiting["due_at"] == clock.now() + GAP


async def test_after_half_an_hour_messages_behind_a_gap_are_judged_and_the_missing_one_too_when_it_comes(
    journey: list[Envelope], region: Side, clock: ManualClock
) -> None:
    need, consent, booking = journey
    await region.gets(need)
    await region.gets(booking)
    clock.advance(GAP - timedelta(seconds=1))
    assert await region.inbox.sweep() == 0
    clock.advance(timedelta(seconds=1))
    assert await region.inbox.sweep() == 1
    assert dict(await states_of(region)) == {"sipStart": "validated", "meetingBooking": "rejected"}
    assert ("gap", "stored", None) in await region.life(booking.message_id)
    await region.gets(consent)
    assert dict(await states_of(region))["consent"] == "validated"


async def test_what_comes_behind_a_message_that_waited_out_its_gap_need_not_wait_for_itself(
    journey: list[Envelope], region: Side, clock: ManualClock
) -> None:
    _, consent, booking = journey
    await region.gets(consent)
    clock.advance(timedelta(minutes=10))
    await region.gets(booking)
    clock.advance(GAP - timedelta(minutes=10))
    await region.inbox.sweep()
    assert "stored" not in dict(await states_of(region)).values()


async def test_a_message_that_could_not_be_read_leaves_no_gap(journey: list[Envelope], region: Side) -> None:
    need, consent, booking = journey
    await region.gets(booking)
    await region.gets(need)
    await region.gets(replace(consent, body=b"garbage"))
    assert dict(await states_of(region)) == {"sipStart": "validated", "meetingBooking": "rejected"}
    [refusal] = [answer for answer in await answers_of(region) if answer.body.message_id == booking.message_id]
    assert [reason.code for reason in refusal.body.reasons] == ["case.consent-missing"]


async def test_a_second_message_with_a_number_already_taken_is_refused(journey: list[Envelope], region: Side) -> None:
    need, consent, booking = journey
    await region.gets(need, consent, replace(booking, sequence=2))
    assert dict(await states_of(region))["meetingBooking"] == "rejected"
    [refusal] = [answer for answer in await answers_of(region) if answer.body.outcome == "rejected"]
    assert [reason.code for reason in refusal.body.reasons] == ["message.sequence-taken"]


# --- what cannot be taken ---------------------------------------------------------------------------------------------

NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    "claims",
    [
        {"type": "plan"},
        {"message_id": NOBODY},
        {"sender": "grannkommun"},
        {"sender_unit": "SE2120001355-HSLHISINGEN"},
        {"case_ref": "SIP100002"},
        {"recipient": "kommun"},
        {"unit": "SE2321000131-E000000000303"},
    ],
    ids=lambda claims: next(iter(claims)),
)
async def test_an_envelope_that_does_not_agree_with_its_header_is_parked_and_refused(
    journey: list[Envelope], region: Side, claims: dict[str, str]
) -> None:
    false = replace(journey[0], **claims)
    await region.gets(false)
    assert await states_of(region) == []
    [parked] = await region.table("parked")
    assert parked["findings"][0]["code"] == "envelope.mismatch"
    assert parked["body"] == false.body
    [refusal] = await answers_of(region)
    assert (refusal.body.message_id, refusal.body.outcome) == (false.message_id, "rejected")


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"MSH|^~\\&|", id="another format"),
        pytest.param(b"<?xml version='1.0'?><plan", id="cut short"),
        pytest.param(b"<nothing-we-know/>", id="unknown element"),
    ],
)
async def test_a_body_that_is_no_message_ends_rejected_in_the_senders_ledger_with_its_reasons(
    journey: list[Envelope], kommun: Side, region: Side, broken: bytes
) -> None:
    await region.gets(replace(journey[0], body=broken))
    await region.sends()
    await kommun.learns()
    row = await kommun.row("sipStart")
    assert (row.state, row.outcome) == (OutState.REJECTED, "rejected")
    [parked] = await region.table("parked")
    [verdict] = await kommun.table("verdict")
    assert [reason["code"] for reason in verdict["reasons"]] == [finding["code"] for finding in parked["findings"]]
    assert verdict["reasons"]


async def test_garbage_that_comes_again_is_parked_once_and_answered_again(
    journey: list[Envelope], region: Side
) -> None:
    garbage = replace(journey[0], body=b"garbage")
    await region.gets(garbage)
    first = await answers_of(region)
    await region.gets(garbage)
    assert await answers_of(region) == first
    assert len(first) == len(await region.table("parked")) == 1


async def test_a_type_from_a_later_version_is_parked_and_its_sender_told(journey: list[Envelope], region: Side) -> None:
    later = replace(with_text(journey[0], "sipStart", "sipBegin"), type="sipBegin")
    await region.gets(later)
    [refusal] = await answers_of(region)
    assert (refusal.body.message_type, refusal.body.outcome) == ("sipBegin", "rejected")
    assert len(await region.table("parked")) == 1


@pytest.mark.parametrize(
    "claims", [{"sender_unit": "nobody"}, {"case_ref": "4711"}, {"message_id": "17"}, {"unit": "<&>"}, {"type": "<&>"}]
)
async def test_garbage_that_names_no_one_to_answer_is_parked_and_answered_by_nobody(
    journey: list[Envelope], region: Side, claims: dict[str, str]
) -> None:
    await region.gets(replace(journey[0], body=b"garbage", **claims))
    assert len(await region.table("parked")) == 1
    assert await answers_of(region) == []


async def test_one_bad_message_does_not_hold_up_the_rest_of_its_batch(journey: list[Envelope], region: Side) -> None:
    garbage = replace(journey[0], message_id=NOBODY, body=b"garbage", type="unheardOf")
    await region.gets(journey[0], garbage, journey[1])
    assert await states_of(region) == [("sipStart", "validated"), ("consent", "validated")]


@pytest.mark.parametrize(
    ("unit", "code"), [("SE2120001355-HSLHISINGEN", "recipient.not-here"), ("SE2120001355-NOWHERE", "unit.unknown")]
)
async def test_a_message_to_a_unit_of_another_party_or_of_none_is_refused(
    journey: list[Envelope], region: Side, unit: str, code: str
) -> None:
    recipient = replace(parse_xml(journey[0].body).header.recipients[0], unit=unit)
    astray = with_header(replace(journey[0], unit=recipient.unit), recipients=(recipient,))
    await region.gets(astray)
    [refusal] = await answers_of(region)
    assert [reason.code for reason in refusal.body.reasons] == [code]


def _wrong_check_digit(need: Envelope) -> Envelope:
    return with_text(need, PERSON[1], PERSON[1][:-1] + "7")


def _two_persons(need: Envelope) -> Envelope:
    body = re.sub(rb"(<person>.*?</person>)", rb"\1\1", need.body, flags=re.DOTALL)
    return replace(need, body=body)


def _name_as_attribute(need: Envelope) -> Envelope:
    return with_text(need, "<body>", '<body Solvind="Mira">')


def _number_where_a_time_belongs(need: Envelope) -> Envelope:
    return replace(need, body=re.sub(rb"(<createdAt>).*?<", rb"\g<1>19850912-9808<", need.body))


def _words_where_a_code_belongs(need: Envelope) -> Envelope:
    return replace(need, body=re.sub(rb"(<initiatedBy>).*?<", rb"\g<1>Mira Solvind<", need.body, count=1))


def _no_end_tag(need: Envelope) -> Envelope:
    return with_text(need, "</body>", "</Mira-Solvind>")


def _name_in_a_comment(need: Envelope) -> Envelope:
    return replace(need, body=need.body + b"<Mira>Solvind 19850912-9808</Mira>")


@pytest.mark.parametrize(
    "spoil",
    [
        _wrong_check_digit,
        _two_persons,
        _name_as_attribute,
        _number_where_a_time_belongs,
        _words_where_a_code_belongs,
        _no_end_tag,
        _name_in_a_comment,
    ],
)
async def test_a_refusal_never_repeats_what_stood_in_the_message(
    journey: list[Envelope], region: Side, spoil: Callable[[Envelope], Envelope]
) -> None:
    spoiled = spoil(journey[0])
    assert spoiled.body != journey[0].body
    await region.gets(spoiled)
    [refusal] = await answers_of(region)
    reasons: tuple[Reason, ...] = refusal.body.reasons
    assert reasons
    said = " ".join(f"{reason.code} {reason.path} {reason.sv} {reason.en}" for reason in reasons)
    assert [word for word in PERSON if word in said] == []


async def test_a_case_rule_that_is_broken_is_told_without_the_content(
    journey: list[Envelope], kommun: Side, region: Side
) -> None:
    need, consent, booking = journey
    await region.gets(need, replace(booking, sequence=2))  # without the consent
    await region.sends()
    await kommun.learns()
    row = await kommun.row("meetingBooking")
    assert row.state is OutState.REJECTED
    [verdict] = [one for one in await kommun.table("verdict") if one["message_id"] == booking.message_id]
    assert [reason["code"] for reason in verdict["reasons"]] == ["case.consent-missing"]
    assert consent.message_id not in {one["message_id"] for one in await region.table("inbound")}
