"""What the gateway does by itself in a case: redirects, corrections, joining, handing over, and what it refuses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid5

import pytest
from build import (
    CLINIC,
    HOME_CARE,
    NOON,
    OFFICE,
    PERSON,
    PSYCHIATRY,
    WARD,
    added,
    booking,
    change,
    closure,
    consent,
    follow_up_call,
    misdirected,
    need,
    plan,
    removed,
    reply,
    retraction,
    telling,
    transfer,
)
from build_discharge import notice, ready
from talk import Party, settle, talking

from gateway.clock import STOCKHOLM, ManualClock
from gateway.duties import of_sent
from gateway.errors import InvalidDocumentError
from gateway.lifecycle import InState, OutState
from gateway.messages import ClosureReason, InvitationAnswer, MisdirectedReport, ProtectedLevel, Retraction
from gateway.messages.correction import MisdirectedReason, RetractionReason
from gateway.process import CaseState, Participant, ParticipationState
from gateway.times import Times, agreed
from gateway.working_time import OpeningHours

CASE = "SIP100001"


@pytest.fixture
async def both(tmp_path: Path) -> AsyncIterator[tuple[Party, Party]]:
    async with talking(tmp_path, ManualClock(NOON)) as parties:
        parties["region"].case = CASE
        yield parties["kommun"], parties["region"]


async def prepared(kommun: Party, region: Party, *units: str) -> None:
    """Bring the case to where a meeting can be booked with ``units``."""
    await kommun.says(need(), *(units or (CLINIC,)))
    await kommun.says(consent())
    await settle(kommun, region)


async def invited(kommun: Party, region: Party, *units: str) -> str:
    """Bring the case to where ``units`` have been called; return the id of the invitation."""
    await prepared(kommun, region, *units)
    call = await kommun.says(booking(*(units or (CLINIC,))), *(units or (CLINIC,)))
    await settle(kommun, region)
    assert call is not None
    return call


async def codes(saying: object) -> tuple[str, ...]:
    with pytest.raises(InvalidDocumentError) as caught:
        await saying  # type: ignore[misc]
    return tuple(caught.value.codes)


async def test_a_reply_is_known_on_both_sides_and_fulfils_what_was_owed(both: tuple[Party, Party]) -> None:
    kommun, region = both
    call = await invited(kommun, region)
    await region.says(reply(), unit=CLINIC, reply=call)
    await settle(kommun, region)
    for side in both:
        (called,) = (await side.standing()).called
        assert (called.unit, called.state) == (CLINIC, ParticipationState.CONFIRMED)
    (row,) = await kommun.sent("meetingBooking")
    assert row.state is OutState.ACKNOWLEDGED
    (answered,) = await region.sent("invitationReply")
    assert (answered.party, answered.unit, answered.state) == ("kommun", OFFICE, OutState.REGISTERED)


async def test_a_redirect_calls_the_right_unit_by_itself(both: tuple[Party, Party]) -> None:
    kommun, region = both
    call = await invited(kommun, region)
    redirect = await region.says(reply(InvitationAnswer.REDIRECT, to=PSYCHIATRY), unit=CLINIC, reply=call)
    await settle(kommun, region)
    rows = {row.unit: row for row in await kommun.sent("meetingBooking")}
    assert set(rows) == {CLINIC, PSYCHIATRY}
    assert rows[PSYCHIATRY].message_id == str(uuid5(UUID(str(redirect)), f"call/{PSYCHIATRY}/0"))
    await region.says(reply(), unit=PSYCHIATRY, reply=rows[PSYCHIATRY].message_id)
    await settle(kommun, region)
    for side in both:
        states = {one.unit: one.state for one in (await side.standing()).called}
        assert states == {CLINIC: ParticipationState.REDIRECTED, PSYCHIATRY: ParticipationState.CONFIRMED}
    assert (await kommun.standing()).booking_version == 1


async def test_a_redirect_after_a_change_calls_the_right_unit_to_the_new_time(both: tuple[Party, Party]) -> None:
    kommun, region = both
    await invited(kommun, region)
    moved = change()
    changed = await kommun.says(moved)
    await settle(kommun, region)
    await region.says(reply(InvitationAnswer.REDIRECT, to=PSYCHIATRY), unit=CLINIC, reply=changed)
    await settle(kommun, region)
    (call,) = [row for row in await kommun.sent("meetingBooking") if row.unit == PSYCHIATRY]
    assert (await kommun.content(call.message_id)).body.meeting == moved.meeting


async def test_a_redirect_to_a_unit_the_consent_leaves_out_waits_for_a_wider_one(both: tuple[Party, Party]) -> None:
    kommun, region = both
    await kommun.says(need(), CLINIC)
    await kommun.says(consent(CLINIC))
    call = await kommun.says(booking(CLINIC), CLINIC)
    await settle(kommun, region)
    await region.says(reply(InvitationAnswer.REDIRECT, to=PSYCHIATRY), unit=CLINIC, reply=call)
    await settle(kommun, region)
    (row,) = [row for row in await kommun.sent("meetingBooking") if row.unit == PSYCHIATRY]
    assert (row.state, row.owner is not None) == (OutState.HELD, True)
    await kommun.says(consent())
    await settle(kommun, region)
    (row,) = [row for row in await kommun.sent("meetingBooking") if row.unit == PSYCHIATRY]
    assert row.state is OutState.REGISTERED


async def test_a_reply_to_a_booking_that_has_moved_is_refused_where_it_is_said(both: tuple[Party, Party]) -> None:
    kommun, region = both
    call = await invited(kommun, region)
    await kommun.says(change())
    await settle(kommun, region)
    assert await codes(region.says(reply(), unit=CLINIC, reply=call)) == ("case.other-invitation",)


async def test_a_unit_of_another_party_is_not_the_right_one(both: tuple[Party, Party]) -> None:
    kommun, region = both
    call = await invited(kommun, region)
    redirect = reply(InvitationAnswer.REDIRECT, to=HOME_CARE)
    assert await codes(region.says(redirect, unit=CLINIC, reply=call)) == ("recipient.other-party",)


async def test_a_plan_is_no_answer_to_an_invitation(both: tuple[Party, Party]) -> None:
    kommun, region = both
    call = await invited(kommun, region)
    assert await codes(region.says(plan(), unit=CLINIC, reply=call)) == ("answer.not-allowed",)


async def test_an_answer_to_what_never_came_is_refused(both: tuple[Party, Party]) -> None:
    kommun, region = both
    await invited(kommun, region)
    nothing = "00000000-0000-4000-8000-000000000000"
    assert "acknowledgement.unknown-message" in await codes(region.says(telling(), unit=CLINIC, reply=nothing))


async def test_a_message_that_is_taken_back_is_hidden_and_owes_nothing(both: tuple[Party, Party]) -> None:
    kommun, region = both
    call = await invited(kommun, region)
    target = await kommun.content(call)
    await kommun.says(retraction(target, RetractionReason.WRONG_PERSON))
    await settle(kommun, region)
    (row,) = await kommun.sent("meetingBooking")
    (came,) = await region.came("meetingBooking")
    assert (row.state, row.due_at) == (OutState.RETRACTED, None)
    assert (came.state, came.due_at) == (InState.RETRACTED, None)
    for side in both:
        assert (await side.standing()).state is CaseState.PREPARING


async def test_what_has_not_left_is_taken_back_without_anyone_being_told(both: tuple[Party, Party]) -> None:
    kommun, region = both
    await prepared(kommun, region)
    call = await kommun.says(booking(CLINIC), CLINIC)
    target = await kommun.content(str(call))
    await kommun.says(retraction(target))
    await settle(kommun, region)
    (row,) = await kommun.sent("meetingBooking")
    assert row.state is OutState.STOPPED
    assert await kommun.sent("retraction") == []
    assert await region.came("meetingBooking") == []


async def test_only_what_was_sent_from_here_and_may_be_taken_back_is(both: tuple[Party, Party]) -> None:
    kommun, region = both
    call = await invited(kommun, region)
    (start,) = await kommun.sent("sipStart")
    wrong_type = Retraction(target_message_id=call, target_type="plan", reason=RetractionReason.WRONG_CONTENT)
    kept = replace(wrong_type, target_message_id=start.message_id, target_type="sipStart")
    assert await codes(kommun.says(wrong_type)) == ("retraction.not-retractable",)
    assert await codes(kommun.says(kept)) == ("retraction.not-retractable",)


async def test_a_misdirected_invitation_is_hidden_where_it_came_and_owed_for_where_it_was_sent(
    both: tuple[Party, Party],
) -> None:
    kommun, region = both
    call = await invited(kommun, region)
    await region.says(misdirected(await kommun.content(call)), unit=CLINIC, reply=call)
    await settle(kommun, region)
    (row,) = await kommun.sent("meetingBooking")
    (came,) = await region.came("meetingBooking")
    assert (row.state, came.state) == (OutState.MISDIRECTED, InState.MISDIRECTED)
    (report,) = await kommun.came("misdirectedReport")
    assert (report.state, report.due_at is not None, report.owner) == (InState.REGISTERED, True, "recipient")
    (called,) = (await kommun.standing()).called
    assert called.state is ParticipationState.MISDIRECTED


async def test_a_report_about_a_message_that_was_never_sent_there_is_rejected(both: tuple[Party, Party]) -> None:
    kommun, region = both
    call = await invited(kommun, region, CLINIC, PSYCHIATRY)
    report = MisdirectedReport(target_message_id=call, target_type="plan", reason=MisdirectedReason.WRONG_UNIT)
    await region.says(report, unit=CLINIC, reply=call)
    await settle(kommun, region)
    (row,) = await region.sent("misdirectedReport")
    assert row.state is OutState.REJECTED
    (why,) = (await kommun.came("misdirectedReport"))[0].findings or []
    assert (why["code"], why["path"]) == (
        "misdirected-report.unknown-message",
        "/misdirectedReport/body/targetMessageId",
    )


async def test_a_unit_that_joins_learns_where_the_case_stands_and_what_the_consent_covers(
    both: tuple[Party, Party],
) -> None:
    kommun, region = both
    await invited(kommun, region)
    await kommun.says(added(PSYCHIATRY), PSYCHIATRY)
    await settle(kommun, region)
    (joined,) = await kommun.sent("participantAdded")
    body = (await kommun.content(joined.message_id)).body
    assert (body.state.value, body.booking_version, body.convener.unit) == ("invited", 1, OFFICE)
    assert {row.unit for row in await region.came("consent")} == {CLINIC, PSYCHIATRY}
    for side in both:
        assert Participant(party="region", unit=PSYCHIATRY) in (await side.standing()).participants


async def test_a_unit_that_was_removed_is_not_told_why_the_case_closed(both: tuple[Party, Party]) -> None:
    kommun, region = both
    await invited(kommun, region, CLINIC, PSYCHIATRY)
    await kommun.says(removed(PSYCHIATRY), PSYCHIATRY)
    await kommun.says(closure())
    await settle(kommun, region)
    assert {row.unit for row in await kommun.sent("closure")} == {CLINIC}
    for side in both:
        assert (await side.standing()).state is CaseState.CANCELLED


async def test_a_unit_that_is_not_concerned_gets_no_more_messages(both: tuple[Party, Party]) -> None:
    kommun, region = both
    await invited(kommun, region, CLINIC, PSYCHIATRY)
    (call,) = await region.came("meetingBooking", PSYCHIATRY)
    await region.takes_charge(call, not_concerned=True)
    await settle(kommun, region)
    await kommun.says(telling())
    await settle(kommun, region)
    assert {row.unit for row in await kommun.sent("generalMessage")} == {CLINIC}


async def test_the_responsibility_passes_when_the_new_one_takes_charge_and_not_before(
    both: tuple[Party, Party],
) -> None:
    kommun, region = both
    await invited(kommun, region)
    await kommun.says(plan())
    await settle(kommun, region)
    await kommun.says(transfer(CLINIC))
    await settle(kommun, region)
    for side in both:
        assert (await side.standing()).responsible_unit == OFFICE
    (handed,) = await region.came("responsibilityTransfer")
    await region.takes_charge(handed)
    await settle(kommun, region)
    for side in both:
        case = await side.standing()
        assert (case.responsible_unit, case.leader.party) == (CLINIC, "region")
    assert await codes(kommun.says(follow_up_call(CLINIC), CLINIC)) == ("case.not-convener",)
    call = await region.says(follow_up_call(CLINIC), OFFICE, unit=CLINIC)
    await settle(kommun, region)
    assert call is not None
    for side in both:
        assert (await side.standing()).state is CaseState.FOLLOW_UP_CALLED


async def test_the_death_that_a_participant_tells_ends_the_case_for_all(both: tuple[Party, Party]) -> None:
    kommun, region = both
    await invited(kommun, region, CLINIC, PSYCHIATRY)
    await region.says(closure(ClosureReason.DIED), unit=CLINIC)
    await settle(kommun, region)
    assert (await kommun.standing()).state is CaseState.CANCELLED
    told = await kommun.sent("closure")
    assert {row.unit for row in told} >= {PSYCHIATRY}
    assert all([(await kommun.content(row.message_id)).body.reason is ClosureReason.DIED for row in told])


async def test_a_person_has_one_open_sip_unless_a_reason_is_given(both: tuple[Party, Party]) -> None:
    kommun, region = both
    await prepared(kommun, region)
    kommun.case = "A-2"
    assert await codes(kommun.says(need(), CLINIC)) == ("case.open-already",)
    await kommun.says(replace(need(), parallel_reason="LSS-insatserna samordnas för sig."), CLINIC)
    assert (await kommun.standing("SIP100002")).state is CaseState.DRAFT


async def test_the_other_party_cannot_start_a_sip_beside_the_one_it_takes_part_in(both: tuple[Party, Party]) -> None:
    kommun, region = both
    await prepared(kommun, region)
    region.case = "B-1"
    assert await codes(region.says(need(), OFFICE, unit=PSYCHIATRY)) == ("case.open-already",)


async def test_a_change_of_protection_freezes_the_case(both: tuple[Party, Party]) -> None:
    kommun, region = both
    await prepared(kommun, region)
    hidden = replace(PERSON, protected_level=ProtectedLevel.CONFIDENTIALITY_MARKED)
    await kommun.says(telling(), person=hidden)
    await settle(kommun, region)
    for side in both:
        assert (await side.standing()).is_frozen
    assert await codes(kommun.says(booking(CLINIC), CLINIC, person=hidden)) == ("case.frozen",)
    assert await codes(region.says(telling(), unit=CLINIC, person=hidden)) == ("case.frozen",)


async def test_an_admission_has_a_number_of_its_own_kind_and_needs_no_consent(both: tuple[Party, Party]) -> None:
    kommun, region = both
    region.case = "VT-1"
    await region.says(notice(), OFFICE, unit=WARD)
    await settle(kommun, region)
    await region.says(ready(), unit=WARD)
    await settle(kommun, region)
    for side in both:
        case = await side.standing("M200001")
        assert (case.state, case.convener) == (CaseState.DISCHARGE_READY, "region")
    (row,) = await region.sent("admissionNotice")
    assert (row.state, row.unit) == (OutState.REGISTERED, OFFICE)


async def test_only_a_ward_tells_of_an_admission(both: tuple[Party, Party]) -> None:
    _, region = both
    region.case = "VT-1"
    assert await codes(region.says(notice(), OFFICE, unit=CLINIC)) == ("sender.unit-type",)


# --- by when --------------------------------------------------------------------------------------------------------


async def test_what_is_owed_is_counted_in_the_hours_of_each_unit_and_the_header_has_the_latest(tmp_path: Path) -> None:
    friday = datetime(2026, 11, 6, 18, tzinfo=STOCKHOLM)
    hours = {CLINIC: OpeningHours.parse("mon-fri 08:00-17:00")}  # psychiatry never closes here
    times = Times(agreed=agreed({"meetingBooking": "2 working days, reminder after 1"}), opening_hours=hours)
    clinic, psychiatry = friday + timedelta(days=4, hours=14), friday + timedelta(days=4)
    async with talking(tmp_path, ManualClock(friday), times) as parties:
        kommun, region = parties["kommun"], parties["region"]
        region.case = CASE
        await kommun.says(need(), CLINIC, PSYCHIATRY)
        await kommun.says(consent(at=friday))
        await settle(kommun, region)
        call = await kommun.says(booking(CLINIC, PSYCHIATRY, at=friday), CLINIC, PSYCHIATRY)
        assert call is not None
        assert (await kommun.content(call)).header.due_at == clinic
        await settle(kommun, region)
        sent, came = await kommun.sent("meetingBooking"), await region.came("meetingBooking")
        assert {one.state for one in sent} == {OutState.REGISTERED}
        for rows in (sent, came):
            assert {one.unit: one.due_at for one in rows} == {CLINIC: clinic, PSYCHIATRY: psychiatry}
        assert {of_sent(one, times).remind_at for one in sent} == {
            friday + timedelta(days=3, hours=14),
            friday + timedelta(days=3),
        }
        # A unit that is called because another redirected to it owes by its own hours.
        redirect = reply(InvitationAnswer.REDIRECT, to=WARD)
        await region.says(redirect, unit=CLINIC, reply=call)
        await settle(kommun, region)
        (row,) = [one for one in await kommun.sent("meetingBooking") if one.unit == WARD]
        assert row.due_at == (await kommun.content(row.message_id)).header.due_at == psychiatry
