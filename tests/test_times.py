"""The times in force: what is set, what is usual, and whose opening hours move the beginning."""

from __future__ import annotations

from datetime import datetime, time
from pathlib import Path

import pytest
from build import CLINIC, HOME_CARE, NOON, OFFICE, WARD
from scripted import DIRECTORY
from service_process import DIRECTORY as DIRECTORY_FILE
from stored import received, row

from gateway.app import open_gateway, times_of
from gateway.clock import STOCKHOLM, ManualClock
from gateway.config import Settings
from gateway.errors import ConfigurationError
from gateway.grace import Grace
from gateway.ledger import Dispatch, Inbound
from gateway.lifecycle import InEvent, InState, OutEvent, OutState
from gateway.messages import TYPES, Duty
from gateway.messages.deadline import calendar_days, hours, working_days
from gateway.preflight import faults_of
from gateway.times import CASE_CLOCKS, USUAL, CountedFrom, Times, agreed

HERE = times_of(Settings(), DIRECTORY)
"""The usual times, with the opening hours of the fixtures."""
FRIDAY = datetime(2026, 11, 6, 15, 30, tzinfo=STOCKHOLM)
"""Half an hour after the office has closed; the clinic is open until 17."""


def sweden(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=STOCKHOLM)


# --- what is set ----------------------------------------------------------------------------------------------------


def test_every_type_that_owes_something_and_every_clock_that_is_agreed_can_be_set() -> None:
    owing = {name for name, kind in TYPES.items() if kind.contract.deadline is not None}
    assert set(USUAL.in_force()) == owing | set(CASE_CLOCKS)
    assert owing & set(CASE_CLOCKS) == set()  # a name means one thing
    assert agreed({name: str(deadline) for name, deadline in USUAL.in_force().items()}) == USUAL.in_force()


def test_what_is_set_replaces_what_is_usual_and_nothing_else() -> None:
    times = Times(agreed=agreed({"meetingBooking": "5 working days", "meeting": "14 calendar days"}))
    assert times.in_force() == USUAL.in_force() | {"meetingBooking": working_days(5), "meeting": calendar_days(14)}
    assert times.deadline("meetingChange") == working_days(3, remind=2)
    assert times.clock("meeting") == calendar_days(14)


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("meetingBookin", "3 working days", "deadline.unknown-near"),
        ("lunch", "3 working days", "deadline.unknown"),
        ("follow-up", "3 working days", "deadline.unknown"),  # its day is set by the plan
        ("measureUpdate", "3 working days", "deadline.owes-nothing"),
        ("meeting", "soon", "deadline.form"),
        ("plan", "3 working days, reminder after 3", "deadline.reminder-too-late"),
    ],
)
def test_a_deadline_that_cannot_be_set_is_refused_by_its_name(name: str, text: str, code: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        agreed({name: text})
    assert caught.value.codes == (code,)
    assert name in caught.value.findings[0].sv
    assert name in caught.value.findings[0].en


def test_everything_that_is_wrong_is_told_at_once_before_a_gateway_starts(tmp_path: Path) -> None:
    settings = Settings(deadlines={"measureUpdate": "3 hours", "meeting": "soon", "plan": "1 working day"})
    codes = [finding.code for finding in faults_of(settings)]
    assert [code for code in codes if code.startswith("deadline.")] == ["deadline.owes-nothing", "deadline.form"]
    with pytest.raises(ConfigurationError):
        times_of(settings, DIRECTORY)


def test_the_settings_reach_the_times() -> None:
    settings = Settings(
        deadlines={"plan": "1 working day"},
        meeting_counted_from="need",
        payment_grace_days=5,
        payment_cutoff="15:00",
    )
    times = times_of(settings, DIRECTORY)
    assert times.clock("plan") == working_days(1)
    assert times.meeting_counted_from is CountedFrom.NEED
    assert times.grace == Grace(days=5, cutoff=time(15))
    assert str(times.opening(HOME_CARE)) == "mon-sun 07:00-21:30"


async def test_a_gateway_counts_by_its_settings_and_its_directory(tmp_path: Path) -> None:
    settings = Settings(
        directory=DIRECTORY_FILE,
        store=f"sqlite+aiosqlite:///{tmp_path / 'store.sqlite'}",
        exchange=f"sqlite+aiosqlite:///{tmp_path / 'exchange.sqlite'}",
        folder=tmp_path,
        deadlines={"plan": "1 working day"},
    )
    async with open_gateway(settings, ManualClock(NOON)) as gateway:
        assert gateway.context.times == times_of(settings, DIRECTORY)


def test_the_source_of_a_time_that_is_set_says_so() -> None:
    assert USUAL.source("plan", "agreed") == "agreed"
    assert (
        Times(agreed={"plan": working_days(1)}).source("plan", "agreed") == "set here: 1 working day; usually: agreed"
    )


# --- whose opening hours --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("unit", "due"),
    [
        (OFFICE, "2026-11-10T08:00"),  # closed already: it begins on Monday
        (CLINIC, "2026-11-09T15:30"),  # open still, and the weekend is skipped
        (HOME_CARE, "2026-11-07T15:30"),
        (WARD, "2026-11-07T15:30"),
        ("SE2321000131-E000000009999", "2026-11-07T15:30"),  # not in the directory: as if it never closed
    ],
)
def test_an_admission_notice_is_due_a_day_after_the_unit_opens_next(unit: str, due: str) -> None:
    assert TYPES["admissionNotice"].contract.deadline == hours(24)
    assert HERE.owed("admissionNotice", Duty.ACKNOWLEDGE, unit, FRIDAY) == sweden(due)


def test_without_a_directory_every_unit_is_always_open() -> None:
    assert USUAL.owed("admissionNotice", Duty.ACKNOWLEDGE, OFFICE, FRIDAY) == sweden("2026-11-07T15:30")


def test_a_header_has_the_latest_time_of_all_its_recipients() -> None:
    each = {HERE.owed("meetingBooking", Duty.REPLY, unit, FRIDAY) for unit in (OFFICE, CLINIC)}
    assert each == {sweden("2026-11-12T08:00"), sweden("2026-11-11T15:30")}
    assert HERE.owed_by_all("meetingBooking", Duty.REPLY, (CLINIC, OFFICE), FRIDAY) == sweden("2026-11-12T08:00")
    assert HERE.owed_by_all("meetingBooking", Duty.REPLY, (), FRIDAY) is None


@pytest.mark.parametrize(
    ("type_name", "duty"),
    [
        ("meetingBooking", Duty.NOTIFY),
        ("plan", Duty.ACKNOWLEDGE),  # the clock of that name is another matter
        ("consent", Duty.ACKNOWLEDGE),
        ("notAType", Duty.REPLY),
    ],
)
def test_nothing_is_owed_where_the_contract_says_nothing(type_name: str, duty: Duty) -> None:
    assert HERE.owed(type_name, duty, OFFICE, FRIDAY) is None
    assert HERE.owed_by_all(type_name, duty, (OFFICE,), FRIDAY) is None


def test_a_unit_is_reminded_on_its_own_days() -> None:
    assert HERE.remind_at("meetingBooking", OFFICE, FRIDAY) == sweden("2026-11-11T08:00")
    assert HERE.remind_at("meetingBooking", WARD, FRIDAY) == sweden("2026-11-10T15:30")
    assert HERE.remind_at("admissionNotice", OFFICE, FRIDAY) is None
    assert HERE.remind_at("plan", OFFICE, FRIDAY) is None


# --- the ledger -----------------------------------------------------------------------------------------------------


def registered(times: Times) -> list[Dispatch | Inbound]:
    """Return a booking that is registered on Friday afternoon, as it stands at its sender and at its recipient."""
    asked = {"type": "meetingBooking", "duty": Duty.REPLY, "unit": OFFICE}
    return [
        row(**asked, state=OutState.RECEIVED).after(OutEvent.REGISTERED, FRIDAY, times),
        received(**asked, state=InState.DELIVERING).after(InEvent.REGISTER, FRIDAY, times),
    ]


def test_a_row_is_due_by_the_times_in_force_on_both_sides_once_it_is_registered() -> None:
    assert {one.due_at for one in registered(HERE)} == {sweden("2026-11-12T08:00")}
    set_here = Times(agreed={"meetingBooking": hours(2)})
    assert {one.due_at for one in registered(set_here)} == {sweden("2026-11-06T17:30")}
    assert {one.due_at for one in registered(USUAL)} == {sweden("2026-11-11T15:30")}
