"""The steps of a case that FHIR has one natural resource for, and what of it must be said in codes and extensions."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from fhir_documents import (
    CENTRE,
    EARLIER,
    MUNICIPAL_HEALTH,
    PSYCHIATRY,
    SOCIAL,
    WARD,
    Json,
    bundle,
    call,
    case,
    communication,
    draft_of,
    extensions,
    people,
    performed,
    reply,
    to,
    translate,
    unit,
)
from fhir_steps import (
    STEPS,
    contact,
    follow_up_call,
    followed_up,
    forward,
    goal,
    goals,
    held,
    measure,
    planning,
    whole,
)

from gateway.errors import InvalidDocumentError
from gateway.messages import (
    Effect,
    FollowUpOutcome,
    InterruptionReason,
    MeasureStatus,
    MeetingMode,
    MeetingOutcome,
    MisdirectedReason,
    PlanningItemKind,
    Principal,
    RemovalReason,
    RetractionReason,
    SharedCaseState,
)


def places(*resources: Json) -> list[tuple[str, str | None]]:
    with pytest.raises(InvalidDocumentError) as caught:
        translate(bundle(*resources, *people(CENTRE)))
    return [
        (finding.code, (finding.path or "").removeprefix("Bundle.entry[0].resource."))
        for finding in caught.value.findings
    ]


def body_of(*resources: Json) -> Any:
    return draft_of(bundle(*resources, *people(CENTRE))).body


@pytest.mark.parametrize("message_type", STEPS)
def test_each_step_becomes_its_message_in_its_case(message_type: str) -> None:
    understood = translate(whole(message_type))
    (draft,) = understood.drafts
    assert draft.type == message_type
    assert draft.unit == CENTRE
    assert draft.user is not None
    assert draft.user.name == "Isak Fjellander"
    assert understood.case_reference in ("JRN-SIP-17", "ENC-2026-60417")


# --- meetings -------------------------------------------------------------------------------------------------------


def test_a_fulfilled_appointment_that_says_what_came_of_it_is_a_meeting_that_was_held() -> None:
    body = body_of(held())
    assert (body.mode, body.outcome, body.person_present) == (MeetingMode.HYBRID, MeetingOutcome.PLAN, True)
    isak, maria, sister = body.attendees
    assert (isak.name, isak.role, isak.unit, isak.present) == ("Isak Fjellander", "Sjuksköterska", CENTRE, True)
    assert (maria.name, maria.unit, maria.principal) == ("Maria Provsson", SOCIAL, Principal.MUNICIPALITY)
    assert maria.present  # by the extension: her status does not tell
    assert (sister.name, sister.unit, sister.present) == ("Siv Vallgård", None, False)


def test_who_came_to_a_meeting_is_never_guessed() -> None:
    unsure = held()
    del unsure["participant"][2]["extension"][1]
    assert places(unsure) == [("json.value", "participant[2].status")]
    assert places(held(participant=held()["participant"][:1])) == [("event.empty-list", "participant")]


def test_an_appointment_that_is_not_fulfilled_cannot_say_what_came_of_it() -> None:
    early = call([*call()["extension"], *extensions(meeting_outcome="plan")])
    assert places(early) == [("fhir.says-two-things", "status")]
    half = held(performed(meeting_mode="video"))
    assert [code for code, _ in places(half)] == ["json.missing"]


def test_an_appointment_of_the_type_follow_up_calls_to_one() -> None:
    draft = draft_of(whole("followUpInvitation"))
    assert (draft.body.plan_version, draft.body.items_due, draft.recipients) == (1, ("D1", "I1"), (SOCIAL,))
    assert draft_of(bundle(follow_up_call(appointmentType=None), *people(CENTRE))) == draft
    routine = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0276", "code": "ROUTINE"}]}
    assert draft_of(bundle(call(appointmentType=routine), *people(CENTRE))).type == "meetingBooking"


def test_a_follow_up_of_no_plan_is_refused() -> None:
    assert places(follow_up_call(extension=call()["extension"])) == [
        ("json.missing", "extension('urn:sip-gateway:fhir:extension:plan-version')")
    ]


def test_a_response_that_names_the_right_unit_hands_the_call_on() -> None:
    draft = draft_of(whole("invitationForward"))
    assert (draft.in_reply_to, draft.body.from_unit, draft.body.to_unit) == (EARLIER, CENTRE, PSYCHIATRY)
    assert [(step.from_unit, step.to_unit) for step in draft.body.earlier] == [(WARD, CENTRE)]


def test_a_response_cannot_hand_on_and_answer() -> None:
    assert places(forward(participantStatus="accepted")) == [("fhir.says-two-things", "participantStatus")]
    both = forward([*forward()["extension"], *extensions(redirect_unit=unit(WARD))])
    assert places(both) == [("fhir.says-two-things", "extension")]
    assert draft_of(bundle(reply(), *people(CENTRE))).type == "invitationReply"


# --- how the plan goes ----------------------------------------------------------------------------------------------


def test_a_care_plan_that_was_followed_up_tells_of_each_goal() -> None:
    body = body_of(followed_up(), *goals())
    assert (body.plan_version, body.held_on, body.outcome) == (1, date(2026, 11, 10), FollowUpOutcome.REVISE)
    first, second = body.progress
    assert (first.sub_goal, first.status, first.effect) == ("D1", MeasureStatus.DONE, Effect.FULL)
    assert (second.status, second.effect) == (MeasureStatus.ONGOING, Effect.PART)
    assert second.comment == "Tar medicinen de flesta dagar.\n\nIbland med hjälp."
    assert [(one.unit, one.done) for one in body.commitments] == [(SOCIAL, True), (CENTRE, False)]
    assert (body.next_follow_up.on, body.crisis_plan_checked) == (date(2027, 1, 22), True)


def test_a_follow_up_may_have_ended_the_plan() -> None:
    closed = performed(plan_version=1, held_on="2026-11-10", follow_up_outcome="close")
    assert body_of(followed_up(closed, status="completed"), *goals()).outcome is FollowUpOutcome.CLOSE
    assert translate(bundle(followed_up(status="draft"), *goals(), *people(CENTRE))).drafts == ()


def test_a_plan_that_the_gateway_wrote_may_be_followed_up_where_it_stands() -> None:
    written = [{"system": "urn:sip-gateway:entry", "value": "1"}]
    assert draft_of(bundle(followed_up(identifier=written), *goals(), *people(CENTRE))).type == "followUp"
    assert draft_of(bundle(held(identifier=written), *people(CENTRE))).type == "meetingHeld"
    assert translate(bundle(follow_up_call(identifier=written), *people(CENTRE))).drafts == ()


def test_a_follow_up_is_no_revised_plan() -> None:
    both = followed_up([*followed_up()["extension"], *extensions(change_summary="Nytt boende.")])
    assert ("fhir.says-two-things", "extension") in places(both, *goals())


@pytest.mark.parametrize(
    ("lifecycle", "achievement", "place"),
    [("on-hold", "achieved", "lifecycleStatus"), ("active", "worsening", "achievementStatus.coding[0]")],
)
def test_what_does_not_tell_how_a_goal_has_gone_is_refused(lifecycle: str, achievement: str, place: str) -> None:
    told = places(followed_up(goal=[to("Goal/goal-D1")]), goal("D1", lifecycle, achievement))
    assert told == [("json.value", f"Bundle.entry[1].resource.{place}")]


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        ("accepted", MeasureStatus.NOT_STARTED),
        ("in-progress", MeasureStatus.ONGOING),
        ("completed", MeasureStatus.DONE),
        ("failed", MeasureStatus.STOPPED),
    ],
)
def test_the_status_of_a_measures_task_is_how_far_it_has_come(status: str, meaning: MeasureStatus) -> None:
    body = body_of(measure(status))
    assert (body.measure, body.status, body.on) == ("I1", meaning, date(2026, 11, 9))
    assert body.comment == "Läkemedlen ges nu på boendet."


def test_a_measure_that_nobody_has_begun_with_is_kept_and_one_on_hold_is_refused() -> None:
    assert translate(bundle(measure("requested"), *people(CENTRE))).drafts == ()
    assert places(measure("on-hold")) == [("fhir.status-not-taken", "status")]


# --- who takes part, and what was sent ------------------------------------------------------------------------------


def test_a_unit_joins_and_leaves_a_case() -> None:
    joins = draft_of(whole("participantAdded"))
    assert (joins.recipients, joins.body.unit, joins.body.principal) == ((SOCIAL,), SOCIAL, Principal.MUNICIPALITY)
    assert (joins.body.role, joins.body.reason) == ("Ansvarar för boendestödet", "Boendestöd behövs.")
    assert (joins.body.convener.unit, joins.body.state) == (CENTRE, SharedCaseState.PREPARING)
    leaves = draft_of(whole("participantRemoved"))
    assert (leaves.recipients, leaves.person) == ((MUNICIPAL_HEALTH,), None)
    assert leaves.body.reason is RemovalReason.REPLACED


def test_a_message_is_taken_back_or_came_to_the_wrong_unit() -> None:
    back = draft_of(whole("retraction"))
    assert (back.body.target_message_id, back.body.target_type) == (EARLIER, "meetingBooking")
    assert (back.body.reason, back.in_reply_to, back.person) == (RetractionReason.WRONG_CONTENT, None, None)
    wrong = draft_of(whole("misdirectedReport"))
    assert (wrong.body.reason, wrong.body.suggested_unit) == (MisdirectedReason.WRONG_UNIT, PSYCHIATRY)
    assert (wrong.in_reply_to, wrong.person) == (EARLIER, None)


# --- before a discharge ---------------------------------------------------------------------------------------------


def test_a_fixed_contact_is_appointed_for_a_time() -> None:
    body = body_of(contact())
    assert (body.practitioner.name, body.unit, body.valid_from) == ("Isak Fjellander", CENTRE, date(2026, 11, 16))
    assert body.valid_until is None
    until = {"start": "2026-11-16", "end": "2027-05-31"}
    assert body_of(contact(executionPeriod=until)).valid_until == date(2027, 5, 31)


def test_a_communication_of_the_category_planning_is_a_planning_message() -> None:
    body = body_of(planning())
    assert (body.topic, body.reply_wanted) == ("Läkemedel", True)
    medication, housing = body.items
    assert (medication.kind, medication.responsible_unit) == (PlanningItemKind.MEDICATION, PSYCHIATRY)
    assert housing.by is None


def category(*codes: str) -> list[Json]:
    return [{"coding": [{"system": "urn:sip-gateway:code:communication", "code": code}]} for code in codes]


@pytest.mark.parametrize(
    ("resource", "code", "place"),
    [
        (planning(payload=[{"contentString": "Dosett."}]), "fhir.says-two-things", "payload"),
        (communication(category=category("general", "planning")), "fhir.says-two-things", "category"),
        (communication(category=category("gossip")), "json.value", "category"),
        (communication(extension=case(assessment="Behöver hjälp.")), "fhir.says-two-things", "extension"),
    ],
)
def test_a_communication_says_one_thing(resource: Json, code: str, place: str) -> None:
    assert (code, place) in places(resource)


def test_a_category_of_another_system_tells_nothing() -> None:
    alert = [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/communication-category", "code": "alert"}]}]
    assert draft_of(bundle(communication(category=alert), *people(CENTRE))).type == "generalMessage"


def test_the_planning_is_interrupted() -> None:
    draft = draft_of(whole("processInterruption"))
    assert (draft.body.reason, draft.body.other_text) == (InterruptionReason.OTHER, "Flyttar utomlands")
    assert draft.person is None
