"""A person whose identity becomes protected in mid case: what has not left waits, and then is mended or stopped."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from build import CLINIC, NOON, OFFICE, PERSON, PSYCHIATRY, WARD, booking, consent, need, plan, reply, telling
from build_discharge import notice, ready
from talk import Party, settle, talking

from gateway.clock import ManualClock
from gateway.lifecycle import OutState
from gateway.messages import InvitationAnswer, Placement, PlacementKind, ProtectedLevel
from gateway.notices import NoticeKind
from gateway.process import ParticipationState

HIDDEN = replace(PERSON, protected_level=ProtectedLevel.PROTECTED_REGISTRATION)
PRIVATE = "SE2321000131-E000000000606"


@pytest.fixture
async def both(tmp_path: Path) -> AsyncIterator[tuple[Party, Party]]:
    async with talking(tmp_path, ManualClock(NOON)) as parties:
        parties["region"].case = "SIP100001"
        yield parties["kommun"], parties["region"]


async def invited(kommun: Party, region: Party, *units: str) -> str:
    await kommun.says(need(), *units)
    await kommun.says(consent())
    call = await kommun.says(booking(*units), *units)
    await settle(kommun, region)
    assert call is not None
    return call


async def levels(side: Party, *types: str) -> set[ProtectedLevel]:
    """Return the protection that messages of some types tell of, of those that have left."""
    found = set()
    for row in await side.sent_at_all():
        if row.type in types and row.state not in (OutState.HELD, OutState.STOPPED):
            person = (await side.content(row.message_id)).header.person
            assert person is not None
            found.add(person.protected_level)
    return found


async def test_a_consent_that_tells_of_the_protection_releases_nothing_until_the_review(
    both: tuple[Party, Party],
) -> None:
    kommun, region = both
    await kommun.says(need(), CLINIC)
    await kommun.says(booking(CLINIC), CLINIC)
    await kommun.says(consent(), person=HIDDEN)
    await settle(kommun, region)
    assert {row.state for row in await kommun.sent_at_all()} == {OutState.HELD}
    assert await region.came("sipStart") == []
    await kommun.reviews()
    await settle(kommun, region)
    assert {row.state for row in await kommun.sent_at_all()} <= {OutState.REGISTERED, OutState.ACKNOWLEDGED}
    assert await levels(kommun, "sipStart", "meetingBooking", "consent") == {ProtectedLevel.PROTECTED_REGISTRATION}
    assert (await region.standing()).protected_level is ProtectedLevel.PROTECTED_REGISTRATION
    assert not (await region.standing()).is_frozen  # it has never known anything else


async def test_what_may_not_be_told_of_a_protected_person_is_stopped_and_its_sender_told(
    both: tuple[Party, Party],
) -> None:
    kommun, region = both
    placed = replace(need(), placement=Placement(municipality="0581", kind=PlacementKind.FAMILY_HOME))
    await kommun.says(placed, CLINIC)
    await kommun.says(consent(), person=HIDDEN)
    await kommun.reviews()
    await settle(kommun, region)
    (start,) = await kommun.sent("sipStart")
    assert start.state is OutState.STOPPED
    assert await region.came("sipStart") == []
    told = [(one.kind, one.unit, one.type) for one in await kommun.looks_over()]
    assert (NoticeKind.NOT_TAKEN, OFFICE, "sipStart") in told


async def test_what_is_queued_when_the_case_is_frozen_waits_for_the_review(both: tuple[Party, Party]) -> None:
    kommun, region = both
    region.case = "E-1"
    await region.says(notice(), OFFICE, unit=WARD)  # with the address, as the law asks
    await region.says(replace(ready(), home_wish=None), OFFICE, unit=WARD, person=HIDDEN)
    await settle(kommun, region)
    (admitted,) = await region.sent("admissionNotice")
    assert admitted.state is OutState.HELD
    assert await kommun.came("admissionNotice") == []
    await region.reviews("M200001")
    await settle(kommun, region)
    (admitted,) = await region.sent("admissionNotice")
    assert admitted.state is OutState.STOPPED  # an address may not be told any longer: it is to be written anew
    assert await kommun.came("admissionNotice") == []


async def test_a_letter_that_is_not_sent_waits_for_the_review(both: tuple[Party, Party]) -> None:
    kommun, region = both
    await invited(kommun, region, CLINIC, PRIVATE)
    await kommun.says(telling(), CLINIC, person=HIDDEN)
    await settle(kommun, region)
    letters = [row for row in await kommun.sent("meetingBooking") if row.unit == PRIVATE]
    assert [row.state for row in letters] == [OutState.HELD]


async def test_a_call_that_the_gateway_makes_by_itself_tells_of_the_protection(both: tuple[Party, Party]) -> None:
    kommun, region = both
    call = await invited(kommun, region, CLINIC)
    await kommun.says(telling(), CLINIC, person=HIDDEN)
    await settle(kommun, region)
    await kommun.reviews()
    await region.reviews()
    await region.says(reply(InvitationAnswer.REDIRECT, to=PSYCHIATRY), unit=CLINIC, reply=call, person=HIDDEN)
    await settle(kommun, region)
    (row,) = [row for row in await kommun.sent("meetingBooking") if row.unit == PSYCHIATRY]
    person = (await kommun.content(row.message_id)).header.person
    assert person is not None
    assert (row.state, person.protected_level) == (OutState.REGISTERED, ProtectedLevel.PROTECTED_REGISTRATION)
    for side in both:
        case = await side.standing()
        assert (case.protected_level, case.is_frozen) == (ProtectedLevel.PROTECTED_REGISTRATION, False)


async def test_all_who_were_redirected_to_while_the_case_was_frozen_are_called_after_the_review(
    both: tuple[Party, Party],
) -> None:
    kommun, region = both
    call = await invited(kommun, region, CLINIC, WARD)
    await kommun.says(telling(), CLINIC, person=HIDDEN)
    await settle(kommun, region)
    await region.reviews()
    await region.says(reply(InvitationAnswer.REDIRECT, to=PSYCHIATRY), unit=CLINIC, reply=call, person=HIDDEN)
    other = "SE2321000131-E000000000404"
    await region.says(reply(InvitationAnswer.REDIRECT, to=other), unit=WARD, reply=call, person=HIDDEN)
    await settle(kommun, region)
    assert {row.unit for row in await kommun.sent("meetingBooking")} == {CLINIC, WARD}
    await kommun.reviews()
    await settle(kommun, region)
    assert {row.unit for row in await kommun.sent("meetingBooking")} == {CLINIC, WARD, PSYCHIATRY, other}
    for side in both:
        states = {one.unit: (one.state, one.ref is not None) for one in (await side.standing()).called}
        assert states[PSYCHIATRY] == states[other] == (ParticipationState.SENT, True)


async def test_after_the_review_the_case_goes_on(both: tuple[Party, Party]) -> None:
    kommun, region = both
    await invited(kommun, region, CLINIC)
    await kommun.says(telling(), CLINIC, person=HIDDEN)
    await kommun.reviews()
    hidden = plan()
    await kommun.says(replace(hidden, address=None, phone=None), person=HIDDEN)
    await settle(kommun, region)
    assert (await region.standing()).plan_version == 1
