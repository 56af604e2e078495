"""Duties: when a unit is reminded, who is told when it does not act, and what the two commands show of a real store."""

from __future__ import annotations

import asyncio
import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from blank import blank_store
from build import CLINIC, NOON, OFFICE, booking, consent, message, need, reply
from command import over_store
from scripted import DIRECTORY
from stored import add, received, row

from gateway.clock import STOCKHOLM
from gateway.duties import Duty, Urgency, of_case, of_received, of_sent
from gateway.lifecycle import InEvent, InState, OutEvent, OutState
from gateway.messages import Duty as Owed
from gateway.process import Awaited, SipCase, apply, deadlines
from gateway.store import Store, cases, incoming

CENTRE = "SE2321000131-E000000000404"
"""A health care centre that is not the intake unit of its party, so that its line has three units."""
DUE = NOON + timedelta(days=3)


def duty(**changes: Any) -> Duty:
    values = {
        "awaited": "acknowledged",
        "case_number": "SIP100001",
        "party": "region",
        "unit": CENTRE,
        "owner": "recipient",
        "due_at": DUE,
        "remind_at": NOON + timedelta(days=2),
    }
    return Duty(**{**values, **changes})


@pytest.mark.parametrize(
    ("at", "urgency"),
    [
        (NOON, Urgency.WAITING),
        (NOON + timedelta(days=2), Urgency.REMINDED),
        (DUE, Urgency.REMINDED),
        (DUE + timedelta(seconds=1), Urgency.OVERDUE),
    ],
)
def test_a_duty_waits_then_is_reminded_of_then_is_overdue(at: datetime, urgency: Urgency) -> None:
    assert duty().urgency(at) is urgency


def test_an_overdue_duty_goes_to_the_intake_unit_and_then_to_the_manager() -> None:
    line = DIRECTORY.escalation(CENTRE)
    assert len(line) == 3
    owed = duty()
    assert owed.told(DIRECTORY, NOON) == line[0] == CENTRE
    assert owed.told(DIRECTORY, DUE + timedelta(minutes=1)) == line[1]
    # The deadline is a Thursday: a working day later is Friday, and nothing happens before.
    assert DUE.astimezone(STOCKHOLM).strftime("%a") == "Thu"
    assert owed.told(DIRECTORY, DUE + timedelta(hours=23)) == line[1]
    assert owed.told(DIRECTORY, DUE + timedelta(days=2)) == line[2]
    assert owed.told(DIRECTORY, DUE + timedelta(days=200)) == line[2]


def test_what_a_unit_owes_that_has_closed_is_told_to_the_one_that_takes_over() -> None:
    assert duty(unit="SE2321000131-E000000000505").told(DIRECTORY, NOON) == CENTRE


def test_over_a_weekend_nobody_is_told_in_vain() -> None:
    friday = datetime(2026, 11, 6, 11, 0, tzinfo=UTC)
    owed = duty(due_at=friday)
    line = DIRECTORY.escalation(CENTRE)
    assert owed.told(DIRECTORY, friday + timedelta(days=2)) == line[1]
    assert owed.told(DIRECTORY, friday + timedelta(days=3, hours=1)) == line[2]


def test_a_registered_booking_is_owed_by_its_deadline_with_a_reminder() -> None:
    sent = row(type="meetingBooking", duty=Owed.REPLY, state=OutState.RECEIVED).after(OutEvent.REGISTERED, NOON)
    owed = of_sent(sent._replace(registered_at=NOON))
    assert (owed.awaited, owed.due_at, owed.remind_at) == (
        "acknowledged",
        NOON + timedelta(days=3),
        NOON + timedelta(days=2),
    )
    came = received(type="meetingBooking", duty=Owed.REPLY, state=InState.DELIVERING).after(InEvent.REGISTER, NOON)
    mine = of_received(came._replace(registered_at=NOON), "kommun")
    assert (mine.party, mine.due_at) == ("kommun", owed.due_at)


@pytest.mark.parametrize("state", [state for state in OutState if row(state=state).due_at is not None])
def test_every_outgoing_state_that_waits_says_for_what(state: OutState) -> None:
    assert of_sent(row(state=state)).awaited


@pytest.mark.parametrize("state", [state for state in InState if received(state=state).due_at is not None])
def test_every_incoming_state_that_waits_says_for_what(state: InState) -> None:
    assert of_received(received(state=state), "kommun").awaited


def test_a_meeting_breaks_without_the_reply_of_whoever_is_called_to_it() -> None:
    case = case_with_call()
    (meeting,) = [of_case(one, DIRECTORY) for one in deadlines(case) if one.awaited is Awaited.MEETING]
    assert (meeting.party, meeting.depends_on) == ("kommun", ("region",))
    assert meeting.breaks_without(None, "kommun")
    assert meeting.breaks_without("region", "kommun")
    assert not meeting.breaks_without("skola", "kommun")
    answered = message(reply(), OFFICE, sender=CLINIC, in_reply_to=case.booking_ref)
    (meeting,) = [of_case(one, DIRECTORY) for one in deadlines(apply(case, answered)) if one.awaited is Awaited.MEETING]
    assert not meeting.breaks_without(None, "kommun")


def case_with_call() -> SipCase:
    case = apply(apply(None, message(need(), CLINIC)), message(consent(), CLINIC))
    return apply(case, message(booking(CLINIC), CLINIC))


# --- the commands ---------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a store in which one message is overdue at the partner, and one has a day left."""
    now = datetime.now(UTC)

    async def fill() -> None:
        async with Store(blank_store(tmp_path / "kommun.sqlite")) as store, store.writing() as tx:
            late = row(message_id="late", state=OutState.SENT)._replace(due_at=now - timedelta(hours=1))
            soon = row(message_id="soon", state=OutState.RECEIVED)._replace(due_at=now + timedelta(hours=5))
            mine = received(message_id="mine", unit=OFFICE)._replace(due_at=now + timedelta(hours=1))
            await add(tx, late, soon)
            await incoming.add(tx, [mine])

    asyncio.run(fill())
    return tmp_path


def listed(said: subprocess.CompletedProcess[str]) -> list[str]:
    return [one["messageId"] for one in json.loads(said.stdout)["duties"]]


def test_everything_awaited_is_listed_with_what_is_overdue_first(folder: Path) -> None:
    said = over_store(folder, "acknowledgements", "list", "--json")
    assert (said.returncode, listed(said)) == (0, ["late", "mine", "soon"]), said.stderr


def test_asking_for_what_is_overdue_ends_with_7_when_there_is_something(folder: Path) -> None:
    said = over_store(folder, "acknowledgements", "list", "--overdue", "--json")
    assert (said.returncode, listed(said)) == (7, ["late"]), said.stderr
    table = over_store(folder, "acknowledgements", "list", "--overdue")
    assert "Overdue" in table.stdout


def test_what_breaks_when_a_partner_is_silent_is_what_others_owe_until_then(folder: Path) -> None:
    said = over_store(folder, "deadlines", "--if-partner-down", "8h", "--json")
    assert (said.returncode, listed(said)) == (0, ["late", "soon"]), said.stderr
    assert listed(over_store(folder, "deadlines", "--if-partner-down", "2h", "--json")) == ["late"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--if-partner-down", "a while"), "deadlines.silence"),
        (("--if-partner-down", "8h", "--party", "nowhere"), "deadlines.unknown-party"),
    ],
)
def test_a_question_that_makes_no_sense_is_a_usage_error(folder: Path, arguments: tuple[str, ...], code: str) -> None:
    said = over_store(folder, "deadlines", *arguments)
    assert said.returncode == 2
    assert code in said.stderr


def test_the_commands_count_by_the_settings_and_the_opening_hours(tmp_path: Path) -> None:
    monday_noon = NOON.astimezone(STOCKHOLM)
    url = blank_store(tmp_path / "kommun.sqlite")

    async def fill() -> None:
        owed = {"type": "meetingBooking", "duty": Owed.REPLY, "unit": CLINIC, "state": OutState.RECEIVED}
        evening = NOON + timedelta(hours=8)
        sent = row(**owed).after(OutEvent.REGISTERED, evening, registered_at=evening)
        case = apply(None, message(need()))
        async with Store(url) as store, store.writing() as tx:
            await add(tx, sent)
            await cases.save_all(tx, [(case, 0)], NOON)

    asyncio.run(fill())
    (tmp_path / "gateway.toml").write_text(
        '[deadlines]\nmeetingBooking = "2 working days, reminder after 1"\nconsent = "1 working day"\n', "utf-8"
    )
    config = ("--config", str(tmp_path / "gateway.toml"))
    said = over_store(tmp_path, "acknowledgements", "list", "--json", *config)
    duties = {one["awaited"]: one for one in json.loads(said.stdout)["duties"]}
    # From the Monday evening the clinic, closed then, is reminded after Tuesday's opening and a working day more.
    assert duties["acknowledged"]["remindAt"] == "2026-11-04T08:00:00+01:00"
    assert duties["consent"]["dueAt"] == (monday_noon + timedelta(days=1)).isoformat()
    assert duties["consent"]["source"].startswith("set here: 1 working day; usually: ")
    (case,) = json.loads(over_store(tmp_path, "cases", "list", "--json", *config).stdout)["cases"]
    assert case["awaited"][0]["dueAt"] == duties["consent"]["dueAt"]
    (tmp_path / "gateway.toml").write_text('[deadlines]\nmeasureUpdate = "1 hour"\n', "utf-8")
    for asked in (("acknowledgements", "list"), ("cases", "list"), ("config", "show"), ("config", "check")):
        said = over_store(tmp_path, *asked, *config)
        assert (said.returncode, "deadline.owes-nothing" in said.stderr) == (3, True), asked
