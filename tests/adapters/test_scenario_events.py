"""The scenarios: stories whose events fit the times they are told at."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from case_events import MakeMessage, translate

from gateway.messages import Message, ProtectedLevel, render_xml
from gateway.messages.consent import Consent
from gateway.messages.meeting_booking import MeetingBooking
from gateway.messages.plan import Plan
from gateway.process import OPENING_TYPES
from gateway.resources import scenario_folder

SCENARIOS = sorted(path.parent for path in scenario_folder().glob("*/scenario.toml"))


def story(scenario: Path) -> dict[str, Any]:
    return tomllib.loads((scenario / "scenario.toml").read_text(encoding="utf-8"))


def messages(scenario: Path, make_message: MakeMessage) -> list[Message]:
    return [
        make_message(draft, step["at"])
        for step in story(scenario)["step"]
        for draft in translate(step["system"], scenario / step["event"]).drafts
    ]


def test_the_stories_are_there() -> None:
    assert [path.name for path in SCENARIOS] == [
        "consent-declined",
        "consent-withdrawn",
        "died",
        "discharge-with-sip-call",
        "journey",
        "moved",
        "protected-identity",
        "rebooked-with-substitute",
        "region-leads",
        "revised-twice",
        "two-guardians",
        "wrong-unit-redirected",
    ]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda path: path.name)
class TestEachScenario:
    def test_it_has_a_title_in_both_languages(self, scenario: Path) -> None:
        assert story(scenario)["title_sv"] != story(scenario)["title_en"]

    def test_its_steps_are_told_in_order_and_every_event_is_used(self, scenario: Path) -> None:
        steps = story(scenario)["step"]

        assert [step["at"] for step in steps] == sorted(step["at"] for step in steps)
        assert [step["event"] for step in steps] == sorted(path.name for path in scenario.glob("*.json"))

    def test_its_events_become_valid_messages_at_their_times(self, scenario: Path, make_message: MakeMessage) -> None:
        for message in messages(scenario, make_message):
            render_xml(message)

    def test_it_is_about_one_person(self, scenario: Path) -> None:
        translations = [translate(step["system"], scenario / step["event"]) for step in story(scenario)["step"]]

        assert len({translation.event_id for translation in translations}) == len(translations)
        people = {draft.person for translation in translations for draft in translation.drafts if draft.person}
        assert len(people) == 1
        assert people.pop().person_id.is_test

    def test_each_of_its_events_is_about_a_case_that_has_been_opened(self, scenario: Path) -> None:
        opened = {expected["case"] for expected in story(scenario)["expect_case"]}
        for step in story(scenario)["step"]:
            translation = translate(step["system"], scenario / step["event"])
            if any(draft.type in OPENING_TYPES for draft in translation.drafts):
                opened.add(translation.case_reference)
            assert translation.case_reference in opened

    def test_its_meetings_lie_after_the_call_and_before_the_plan(
        self, scenario: Path, make_message: MakeMessage
    ) -> None:
        for message in messages(scenario, make_message):
            if isinstance(message.body, MeetingBooking):
                assert message.body.meeting.start > message.header.created_at
            if isinstance(message.body, Plan):
                assert message.body.meeting.end < message.header.created_at


def test_the_journey_is_a_whole_plan(make_message: MakeMessage) -> None:
    made = messages(scenario_folder() / "journey", make_message)
    assert [message.type for message in made] == ["sipStart", "consent", "meetingBooking", "plan", "closure"]

    plan: Plan = made[3].body
    assert len(plan.sub_goals) >= 3
    assert len(plan.measures) >= 5
    assert plan.crisis_plan is not None
    assert (made[4].header.created_at - made[3].header.created_at).days > 60


def test_a_protected_person_cannot_be_found(make_message: MakeMessage) -> None:
    made = messages(scenario_folder() / "protected-identity", make_message)
    people = [message.header.person for message in made if message.header.person is not None]
    assert {person.protected_level for person in people} == {ProtectedLevel.PROTECTED_REGISTRATION}

    plan: Plan = made[-1].body
    assert (plan.address, plan.phone, plan.guardians) == (None, None, ())
    booking: MeetingBooking = next(message.body for message in made if isinstance(message.body, MeetingBooking))
    assert booking.meeting.phone is None


def test_both_guardians_of_a_child_consent(make_message: MakeMessage) -> None:
    made = messages(scenario_folder() / "two-guardians", make_message)
    consent: Consent = next(message.body for message in made if isinstance(message.body, Consent))
    assert [guardian.consents for guardian in consent.guardians] == [True, True]
    assert consent.child_attitude is not None
