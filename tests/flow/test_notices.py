"""What units are told without asking, as time goes by in two gateways: by the clock of the test, not by waiting."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from build import (
    CLINIC,
    NOON,
    OFFICE,
    OTHER_PERSON,
    PERSON,
    PSYCHIATRY,
    WARD,
    booking,
    cancellation,
    change,
    consent,
    follow_up,
    follow_up_call,
    held,
    need,
    plan,
    reply,
    slot,
    telling,
    transfer,
)
from build_discharge import notice, ready
from scripted import DIRECTORY
from talk import Party, settle, talking

from gateway.clock import ManualClock
from gateway.directory import Directory
from gateway.messages import Chair, ConsentScope, InformationType, ProtectedLevel, SipStart
from gateway.notices import Notice, NoticeKind
from gateway.process import MeetingState, ParticipationState

MANAGERS = {"kommun": "SE2120001355-VARDSAMVERKAN", "region": "SE2321000131-E000000000900"}


class World:
    """Two parties and their clock; what their units are told is kept, with when it was."""

    def __init__(self, parties: dict[str, Party], clock: ManualClock) -> None:
        self.kommun, self.region = parties["kommun"], parties["region"]
        self.clock = clock
        self.told: list[tuple[datetime, Notice]] = []

    async def settles(self) -> None:
        await settle(self.kommun, self.region)
        await self.looks_over()

    async def looks_over(self) -> None:
        for party in (self.kommun, self.region):
            self.told += [(self.clock.now(), told) for told in await party.looks_over()]

    async def plays(self, *, hours_each: int = 4, **time: float) -> None:
        """Let time pass, while both gateways look over what is open, every few hours of it."""
        until = self.clock.now() + timedelta(**time)
        while self.clock.now() < until:
            self.clock.advance(timedelta(hours=hours_each))
            await self.looks_over()

    def of(self, kind: NoticeKind, awaited: str | None = None) -> list[tuple[datetime, str]]:
        """Return from when which unit was to be told of something, and has been."""
        return [(one.at, one.unit) for _, one in self.told if (one.kind, one.awaited) == (kind, awaited)]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    clock = ManualClock(NOON)
    async with talking(tmp_path, clock) as parties:
        parties["region"].case = "SIP100001"
        yield World(parties, clock)


async def prepared(world: World, *units: str) -> None:
    await world.kommun.says(need(), *(units or (CLINIC,)))
    await world.kommun.says(consent())
    await world.settles()


async def invited(world: World, *units: str) -> str:
    await prepared(world, *units)
    call = await world.kommun.says(booking(*(units or (CLINIC,))), *(units or (CLINIC,)))
    await world.settles()
    assert call is not None
    return call


async def test_no_reply(world: World) -> None:
    """Reminder, then the next in line at the invited principal, and the convener sees red; the duty remains."""
    await invited(world)
    await world.plays(days=6)
    assert world.of(NoticeKind.REMINDER, "reply") == [(NOON + timedelta(days=2), CLINIC)]
    assert world.of(NoticeKind.OVERDUE, "reply") == [
        (NOON + timedelta(days=3), OFFICE),
        (NOON + timedelta(days=3), MANAGERS["region"]),
    ]
    await world.kommun.says(held())
    await world.kommun.says(plan())
    await world.settles()
    for side in (world.kommun, world.region):
        (called,) = (await side.standing()).called
        assert (called.unit, called.state) == (CLINIC, ParticipationState.NO_REPLY)


async def test_three_weeks_without_a_meeting_are_told_to_the_convener_and_then_above(world: World) -> None:
    await prepared(world)
    await world.plays(weeks=3, days=1)
    assert world.of(NoticeKind.OVERDUE, "meeting") == [(NOON + timedelta(weeks=3), MANAGERS["kommun"])]


async def test_whoever_acts_in_time_is_told_nothing(world: World) -> None:
    call = await invited(world)
    await world.plays(days=1)
    await world.region.says(reply(), unit=CLINIC, reply=call)
    await world.settles()
    await world.plays(days=5)
    assert world.told == []


async def test_a_unit_that_is_called_anew_is_reminded_anew(world: World) -> None:
    await invited(world)
    await world.plays(days=1)
    await world.kommun.says(change())
    await world.settles()
    await world.plays(days=3)
    assert world.of(NoticeKind.REMINDER, "reply") == [(NOON + timedelta(days=3), CLINIC)]


async def test_nobody_is_told_twice(world: World) -> None:
    await invited(world)
    await world.plays(days=4)
    before = list(world.told)
    await world.kommun.says(telling(), CLINIC)  # the case changes, and is looked over again
    await world.settles()
    assert world.told == before


async def test_a_unit_is_told_while_it_is_open(world: World) -> None:
    """Three working days after the Monday at midnight are over on Friday, at night: it is told in the morning."""
    world.clock.advance(timedelta(hours=12))  # midnight
    await world.kommun.says(need(), CLINIC)
    await world.plays(days=4)
    (told,) = world.of(NoticeKind.OVERDUE, "consent")
    assert told == (datetime(2026, 11, 6, 7, tzinfo=UTC), MANAGERS["kommun"])
    assert all(told.at <= at < told.at + timedelta(hours=4) for at, told in world.told)


async def test_unsigned_or_late_plan(world: World) -> None:
    await invited(world)
    await world.kommun.says(held())
    await world.settles()
    await world.plays(days=14)
    ended = held().meeting.end
    assert world.of(NoticeKind.OVERDUE, "plan") == [(ended + timedelta(days=3), MANAGERS["kommun"])]


async def test_a_transfer_that_nobody_takes_charge_of_is_told_to_both(world: World) -> None:
    await invited(world)
    await world.kommun.says(held())
    await world.kommun.says(plan())
    await world.settles()
    await world.kommun.says(transfer(CLINIC), CLINIC)
    await world.settles()
    await world.plays(days=4)
    assert world.of(NoticeKind.REMINDER, "acknowledged") == [(NOON + timedelta(days=2), CLINIC)]
    assert world.of(NoticeKind.OVERDUE, "acknowledged") == [
        (NOON + timedelta(days=3), OFFICE),
        (NOON + timedelta(days=3), MANAGERS["region"]),
    ]


async def test_a_message_that_is_refused_is_told_to_the_unit_that_sent_it(world: World) -> None:
    call = await invited(world)
    await world.region.says(reply(), unit=CLINIC, reply=call)
    await world.kommun.says(cancellation())  # both at once: the reply comes to a meeting that is off
    await world.settles()
    ((_, told),) = world.told
    assert (told.kind, told.unit, told.type, told.code) == (
        NoticeKind.NOT_TAKEN,
        CLINIC,
        "invitationReply",
        "case.no-meeting",
    )


async def test_a_frozen_case_is_told_to_whoever_may_review_it(world: World) -> None:
    await prepared(world)
    marked = replace(PERSON, protected_level=ProtectedLevel.CONFIDENTIALITY_MARKED)
    await world.kommun.says(booking(CLINIC), CLINIC, person=marked)
    await world.settles()
    assert {unit for _, unit in world.of(NoticeKind.REVIEW_NEEDED)} == {OFFICE, CLINIC}


async def test_payment_begins(world: World) -> None:
    world.region.case = "E-1"
    await world.region.says(notice(), OFFICE, unit=WARD)
    await world.region.says(ready(), unit=WARD)
    await world.settles()
    await world.plays(days=5)
    units = {unit for _, unit in world.of(NoticeKind.PAYMENT_BEGINS)}
    assert units == {OFFICE, WARD}


async def test_every_follow_up_that_is_missed_is_told(world: World) -> None:
    """A day that is set anew is told anew."""
    await invited(world)
    await world.kommun.says(held())
    await world.kommun.says(plan())
    await world.settles()
    first = plan().follow_up.on
    await world.plays(days=64, hours_each=24)
    await world.kommun.says(follow_up_call(CLINIC, at=world.clock.now()), CLINIC)
    await world.kommun.says(follow_up(at=world.clock.now()))
    await world.settles()
    await world.plays(days=92, hours_each=24)
    days = [at.date() for at, _ in world.of(NoticeKind.OVERDUE, "follow-up")]
    assert days[0] == first + timedelta(days=3)  # the first working day of the year
    assert len(days) == len(world.of(NoticeKind.REMINDER, "follow-up")) == 2


async def test_what_a_unit_owes_that_is_missing_in_the_directory_is_told_to_those_behind_it(tmp_path: Path) -> None:
    units = {hsa_id: unit for hsa_id, unit in DIRECTORY.units.items() if hsa_id != PSYCHIATRY}
    clock = ManualClock(NOON)
    async with talking(tmp_path, clock) as parties:
        parties["region"].case = "SIP100001"
        world = World(parties, clock)
        await invited(world, PSYCHIATRY)
    async with talking(tmp_path, clock, region=Directory(DIRECTORY.parties, units)) as again:
        world = World(again, clock)
        await world.plays(days=5)
    told = world.of(NoticeKind.OVERDUE, "reply")
    assert (NOON + timedelta(days=3), CLINIC) in told


# --- what two cases have to do with each other ----------------------------------------------------------------------


def parallel() -> SipStart:
    return replace(need(), parallel_reason="En plan till, för skolan.")


async def beside(world: World, *, minutes: int) -> None:
    """Let the region lead a SIP of the same person, with a meeting so long after the municipality's has ended."""
    world.region.case = "J-2"
    scope = ConsentScope(parties=("kommun",), information_types=tuple(InformationType))
    start = slot().end + timedelta(minutes=minutes)
    call = booking()
    meeting = replace(call.meeting, start=start, end=start + timedelta(hours=1))
    await world.region.says(parallel(), OFFICE, unit=PSYCHIATRY)
    await world.region.says(replace(consent(), scope=scope), unit=PSYCHIATRY)
    await world.region.says(
        replace(call, meeting=meeting, chair=Chair(name="David Fiktivberg")), OFFICE, unit=PSYCHIATRY
    )
    await world.settles()


async def test_simultaneous_bookings_of_the_person(world: World) -> None:
    await invited(world)
    await beside(world, minutes=15)
    assert {one.kind for _, one in world.told} == {NoticeKind.MEETINGS_OVERLAP}
    assert {(one.unit, one.case_number, one.other_case) for _, one in world.told} == {
        (OFFICE, "SIP100001", "SIP200001"),  # the convener of the one
        (PSYCHIATRY, "SIP200001", "SIP100001"),  # and of the other
    }
    for side in (world.kommun, world.region):  # a warning: nothing is stopped
        for number in ("SIP100001", "SIP200001"):
            assert (await side.standing(number)).meeting is MeetingState.BOOKED


async def test_bookings_with_time_to_travel_between_them_do_not_clash(world: World) -> None:
    await invited(world)
    await beside(world, minutes=30)
    assert world.told == []


async def test_simultaneous_bookings_of_whoever_leads_the_meetings(world: World) -> None:
    await invited(world)
    world.kommun.case = "A-2"
    await world.kommun.says(need(), CLINIC, person=OTHER_PERSON)
    await world.kommun.says(consent(), person=OTHER_PERSON)
    await world.kommun.says(booking(CLINIC), CLINIC, person=OTHER_PERSON)
    await world.settles()
    assert {(one.unit, one.case_number) for _, one in world.told if one.unit == OFFICE} == {
        (OFFICE, "SIP100001"),
        (OFFICE, "SIP100002"),
    }


async def test_readmission_during_an_open_sip(world: World) -> None:
    await invited(world)
    world.region.case = "E-1"
    await world.region.says(notice(), OFFICE, unit=WARD)
    await world.settles()
    told = {(one.unit, one.case_number, one.other_case) for _, one in world.told}
    assert told == {(OFFICE, "SIP100001", "M200001")}  # who leads the SIP, and nobody else
    for side in (world.kommun, world.region):
        stay = (await side.standing("M200001")).stay
        assert stay is not None
        assert stay.open_sip == "SIP100001"
    await world.kommun.says(change())  # the meeting may be moved, and the case goes on
    await world.settles()
    assert (await world.region.standing()).booking_version == 2
