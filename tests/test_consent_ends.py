"""A consent is asked again before anything leaves: it may have shrunk, run out or ended while a message waited."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from build import CLINIC, NOON, PSYCHIATRY, REGION, booking, closure, consent, need, plan, withdrawn
from scripted import Convener, open_convener

from gateway.clock import ManualClock, local_date
from gateway.errors import InvalidDocumentError
from gateway.messages import InformationType, parse_xml
from gateway.process import CaseState, receive

BOTH = (CLINIC, PSYCHIATRY)
WITHOUT_PLAN = (InformationType.NEED, InformationType.MEETING)


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Convener]:
    """Return a municipality whose case is planned to be, with a plan that waits to leave for two units."""
    async with open_convener(tmp_path, ManualClock(NOON)) as convener:
        await convener.says(need(), *BOTH)
        yield convener


async def planned(office: Convener, **terms: object) -> None:
    await office.says(consent(**terms))  # type: ignore[arg-type]
    await office.says(booking(), *BOTH)
    await office.publishes()
    await office.says(plan())


async def test_a_plan_that_waits_does_not_leave_once_the_consent_covers_no_plans(office: Convener) -> None:
    await planned(office)
    await office.says(consent(kinds=WITHOUT_PLAN))
    assert {kind for kind, _ in await office.publishes()} == {"consent"}
    assert await office.states("plan") == {CLINIC: "stopped", PSYCHIATRY: "stopped"}


async def test_a_plan_that_waits_does_not_leave_after_the_last_day_of_the_consent(office: Convener) -> None:
    await planned(office, until=local_date(NOON))
    office.waits(days=1)
    assert await office.publishes() == []
    await office.tracker.sweep()
    assert await office.states("plan") == {CLINIC: "stopped", PSYCHIATRY: "stopped"}


async def test_a_plan_leaves_on_the_last_day_of_the_consent(office: Convener) -> None:
    await planned(office, until=local_date(NOON))
    assert await office.publishes() == [("plan", CLINIC), ("plan", PSYCHIATRY)]


async def test_a_message_nobody_answered_is_not_sent_again_after_the_last_day(office: Convener) -> None:
    await planned(office, until=local_date(NOON))
    await office.publishes()
    office.waits(days=1)
    await office.tracker.sweep()
    assert await office.publishes() == []
    assert set((await office.states("plan")).values()) == {"expired"}


async def test_a_unit_that_was_parted_with_learns_nothing_of_how_the_case_ended(office: Convener) -> None:
    await planned(office)
    await office.publishes()
    await office.says(consent(CLINIC))
    assert ("closure", PSYCHIATRY) in await office.publishes()
    await office.says(closure())
    assert await office.publishes() == [("closure", CLINIC)]


async def test_after_the_last_day_of_the_consent_those_who_know_learn_that_the_case_closed_and_nothing_else(
    office: Convener,
) -> None:
    await planned(office, until=local_date(NOON))
    await office.publishes()
    office.waits(days=2)
    await office.says(closure(at=office.clock.now()))
    assert await office.publishes() == [("closure", CLINIC), ("closure", PSYCHIATRY)]
    body = parse_xml(office.published[-1].body).body
    assert (body.where_to_turn, body.person_informed_how) == (None, None)


async def test_a_withdrawal_is_told_once(office: Convener) -> None:
    await planned(office)
    await office.publishes()
    await office.says(withdrawn())
    assert await office.publishes() == [("closure", CLINIC), ("closure", PSYCHIATRY)]
    await office.says(withdrawn())
    assert await office.publishes() == []


async def test_a_consent_for_a_unit_that_was_parted_with_is_refused_and_says_what_to_do(office: Convener) -> None:
    await planned(office)
    await office.publishes()
    await office.says(consent(CLINIC))
    with pytest.raises(InvalidDocumentError) as caught:
        await office.says(consent())
    assert caught.value.codes == ("case.unit-parted-with",)


async def test_what_is_due_counts_from_when_a_held_message_leaves(office: Convener) -> None:
    await office.says(booking(at=NOON + timedelta(days=7)), *BOTH)
    office.waits(days=5)
    await office.says(consent(at=office.clock.now()))
    await office.publishes()
    due_at = parse_xml(office.published[-1].body).header.due_at
    assert due_at is not None
    assert due_at > office.clock.now()


async def test_a_consent_that_moves_to_another_unit_is_told_there_before_the_first_unit_learns_that_it_is_over(
    office: Convener,
) -> None:
    await office.says(consent(CLINIC))
    await office.publishes()
    await office.says(consent(PSYCHIATRY))
    assert await office.publishes() == [("sipStart", PSYCHIATRY), ("consent", PSYCHIATRY), ("closure", CLINIC)]
    case, seen = None, set()
    for envelope in office.published:
        again = envelope.message_id in seen
        case = receive(case, parse_xml(envelope.body), unit=envelope.unit, party=REGION, again=again)
        seen.add(envelope.message_id)
    assert case is not None
    assert case.state is CaseState.PREPARING
    assert [one.unit for one in case.participants] == [PSYCHIATRY]
