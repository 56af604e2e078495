"""The edge cases of the process as two gateways meet them: what leaves, what is refused, what each side then knows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from build import CLINIC, NOON, OFFICE, PSYCHIATRY, WARD, added, booking, consent, need, plan, reply
from build_discharge import notice, ready
from talk import Party, settle, talking

from gateway.clock import ManualClock
from gateway.errors import InvalidDocumentError
from gateway.messages import InvitationAnswer, Placement, PlacementCare, PlacementKind, ReserveRoutine, ReserveWay
from gateway.process import Awaited, CaseState, deadlines

STAY = "M200001"


@pytest.fixture
async def both(tmp_path: Path) -> AsyncIterator[tuple[Party, Party]]:
    async with talking(tmp_path, ManualClock(NOON)) as parties:
        yield parties["kommun"], parties["region"]


async def codes(saying: object) -> tuple[str, ...]:
    """Return the codes for which what is said is refused."""
    with pytest.raises(InvalidDocumentError) as caught:
        await saying  # type: ignore[misc]
    return tuple(caught.value.codes)


# --- the systems were down ------------------------------------------------------------------------------------------


async def test_system_down(both: tuple[Party, Party]) -> None:
    kommun, region = both
    region.case = "VT-1"
    await region.says(notice(), OFFICE, unit=WARD)
    await settle(kommun, region)
    faxed = ReserveRoutine(at=NOON - timedelta(hours=1), by=ReserveWay.FAX)
    region.context.clock.advance(timedelta(hours=3))
    sent = await region.says(ready(at=faxed.at), unit=WARD, reserve_routine=faxed)
    await settle(kommun, region)
    assert sent is not None
    header = (await region.content(sent)).header
    assert (header.created_at, header.happened_at) == (NOON + timedelta(hours=3), faxed.at)
    assert header.reserve_routine == faxed
    for side in both:
        stay = (await side.standing(STAY)).stay
        assert stay is not None
        assert stay.ready_sent_at == faxed.at


async def test_what_is_said_by_fax_was_not_said_later_than_it_is_registered(both: tuple[Party, Party]) -> None:
    _, region = both
    region.case = "VT-1"
    later = ReserveRoutine(at=NOON + timedelta(minutes=1), by=ReserveWay.FAX)
    refused = region.says(notice(), OFFICE, unit=WARD, reserve_routine=later)
    assert await codes(refused) == ("header.original-time-later",)


async def test_what_the_gateway_says_by_itself_was_not_said_by_telephone(both: tuple[Party, Party]) -> None:
    kommun, region = both
    region.case = "SIP100001"
    await kommun.says(need(), CLINIC)
    await kommun.says(consent())
    by_telephone = ReserveRoutine(at=NOON, by=ReserveWay.TELEPHONE)
    kommun.context.clock.advance(timedelta(hours=3))
    call = await kommun.says(booking(CLINIC), CLINIC, reserve_routine=by_telephone)
    await settle(kommun, region)
    await region.says(reply(InvitationAnswer.REDIRECT, to=PSYCHIATRY), unit=CLINIC, reply=call)
    await settle(kommun, region)
    await kommun.says(added(WARD), WARD, reserve_routine=by_telephone)
    await settle(kommun, region)
    rows = [*await kommun.sent("meetingBooking"), *await kommun.sent("consent")]
    routines = {(row.type, row.unit): (await kommun.content(row.message_id)).header.reserve_routine for row in rows}
    assert routines == {
        ("meetingBooking", CLINIC): by_telephone,
        ("meetingBooking", PSYCHIATRY): None,
        ("consent", CLINIC): None,
        ("consent", WARD): None,
    }


async def test_what_is_owed_counts_from_when_it_was_asked_by_telephone(both: tuple[Party, Party]) -> None:
    kommun, region = both
    await kommun.says(need(), CLINIC)
    await kommun.says(consent())
    kommun.context.clock.advance(timedelta(days=1))
    by_telephone = ReserveRoutine(at=NOON, by=ReserveWay.TELEPHONE)
    call = await kommun.says(booking(CLINIC), CLINIC, reserve_routine=by_telephone)
    await settle(kommun, region)
    header = (await kommun.content(str(call))).header
    for side in both:
        (reply_owed,) = [one for one in deadlines(await side.standing()) if one.awaited is Awaited.REPLY]
        assert reply_owed.due_at == header.due_at == NOON + timedelta(days=3)


# --- the person is placed elsewhere ---------------------------------------------------------------------------------


async def test_placement_in_another_region_changes_neither_who_leads_nor_who_is_called(
    both: tuple[Party, Party],
) -> None:
    kommun, region = both
    region.case = "SIP100001"
    await kommun.says(replace(need(), placement=Placement(municipality="0581", kind=PlacementKind.HVB)), CLINIC)
    await kommun.says(consent())
    await kommun.says(booking(CLINIC), CLINIC)
    await kommun.says(added(PSYCHIATRY), PSYCHIATRY)
    await settle(kommun, region)
    assert await codes(kommun.says(plan())) == ("case.placement-care-missing",)
    await kommun.says(replace(plan(), placement=PlacementCare(health_care="Psykiatrin följer upp per video.")))
    await settle(kommun, region)
    for side in both:
        case = await side.standing()
        assert (case.state, case.is_placed, case.leader.unit) == (CaseState.ACTIVE, True, OFFICE)
    assert {row.unit for row in await kommun.sent("plan")} == {CLINIC, PSYCHIATRY}
    (joined,) = await kommun.sent("participantAdded")
    assert (await kommun.content(joined.message_id)).body.person_placed is True
