"""What a message looks like to a FHIR system, and that a plan, a call and a consent survive the way there and back."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from build import (
    CLINIC,
    NOON,
    OFFICE,
    PERSON,
    PSYCHIATRY,
    booking,
    cancellation,
    change,
    consent,
    declined,
    follow_up,
    follow_up_call,
    message,
    need,
    plan,
    revised,
    telling,
    transfer,
    withdrawn,
)
from fhir.resources.R4B.bundle import Bundle
from fhir_documents import translate

from gateway.adapters.fhir_out import message_bundle, note_bundle, notice_bundle
from gateway.adapters.fhir_written import as_bytes
from gateway.messages import (
    TYPES,
    CrisisAction,
    CrisisPlan,
    Guardian,
    GuardianKind,
    Message,
    PlacementCare,
    ProtectedLevel,
    parse_xml,
)
from gateway.notices import Notice, NoticeKind

Json = dict[str, Any]
MESSAGES = Path(__file__).parents[2] / "fixtures" / "messages"

FULL_PLAN = replace(
    plan(),
    address="Övningsgatan 1",
    phone="031-390 06 77",
    kin_needs="Avlastning.",
    guardians=(Guardian(kind=GuardianKind.GOOD_MAN, name="Siv Ek"),),
    crisis_plan=CrisisPlan(
        early_signs=("Sover dåligt",),
        actions=(CrisisAction(sign="Sover dåligt", who="Siv Ek", what="Ringer kliniken"),),
        known_by=("Boendet", "Kliniken"),
    ),
    placement=PlacementCare(health_care="Kliniken följer upp."),
)
FOLLOW_UP_CALL = replace(follow_up_call(CLINIC), items_due=("D1", "I1"))
BODIES = [
    FULL_PLAN,
    revised(),
    booking(CLINIC),
    FOLLOW_UP_CALL,
    consent(),
    declined(),
    withdrawn(),
    change(),
    cancellation(),
    need(),
    telling(),
    transfer(),
    follow_up(),
]


def resources_of(bundle: Json) -> dict[str, list[Json]]:
    found: dict[str, list[Json]] = {}
    for entry in bundle["entry"]:
        found.setdefault(entry["resource"]["resourceType"], []).append(entry["resource"])
    return found


def all_texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for inner in value.values() for text in all_texts(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in all_texts(inner)]
    return [value] if isinstance(value, str) else []


def as_another_system_writes_it(bundle: Json) -> Json:
    """Return a transaction as a system would that had made the resources itself: without what marks them as ours."""
    for entry in bundle["entry"]:
        resource = entry["resource"]
        if resource["resourceType"] != "Patient":
            resource["identifier"] = [
                one for one in resource["identifier"] if one["system"] != "urn:sip-gateway:entry"
            ] or None
            resource["meta"] = {**resource.get("meta", {}), "lastUpdated": bundle["timestamp"]}
        for name in [name for name, value in resource.items() if value is None]:
            del resource[name]
    bundle["entry"] = [
        entry for entry in bundle["entry"] if entry["resource"]["resourceType"] not in ("DocumentReference", "Task")
    ]
    return bundle


@pytest.mark.parametrize("body", BODIES, ids=lambda body: type(body).__name__)
def test_a_message_is_a_valid_transaction_the_same_bytes_each_time(body: Any) -> None:
    sent = message(body, CLINIC)
    bundle = message_bundle(sent, CLINIC)
    Bundle.model_validate(bundle)
    assert as_bytes(bundle) == as_bytes(message_bundle(sent, CLINIC))
    assert as_bytes(bundle) != as_bytes(message_bundle(sent_to(sent, PSYCHIATRY), PSYCHIATRY))
    urls = [entry["fullUrl"] for entry in bundle["entry"]]
    assert len(set(urls)) == len(urls)
    referred = {text for text in all_texts(bundle) if text.startswith("urn:uuid:")}
    assert referred == set(urls)
    assert all(
        entry["request"]["ifNoneExist"].startswith("identifier=urn")
        or entry["request"]["ifNoneExist"].startswith("identifier=http")
        for entry in bundle["entry"]
    )


def sent_to(sent: Message, unit: str) -> Message:
    recipients = tuple(replace(one, unit=unit) for one in sent.header.recipients)
    return replace(sent, header=replace(sent.header, recipients=recipients))


@pytest.mark.parametrize("name", TYPES)
def test_every_type_of_message_is_handed_to_a_journal(name: str) -> None:
    sent = parse_xml(next(MESSAGES.glob(f"{name}_valid_*.xml")).read_bytes())
    told = sent.header.recipients
    bundle = message_bundle(sent, told[0].unit) if told else note_bundle(sent)  # a note of a meeting stays at home
    Bundle.model_validate(bundle)
    (document,) = resources_of(bundle)["DocumentReference"]
    assert document["type"]["coding"][0]["code"] == name


@pytest.mark.parametrize("body", BODIES, ids=lambda body: type(body).__name__)
def test_the_message_itself_is_attached(body: Any) -> None:
    sent = message(body, CLINIC)
    (document,) = resources_of(message_bundle(sent, CLINIC))["DocumentReference"]
    (content,) = document["content"]
    assert parse_xml(base64.b64decode(content["attachment"]["data"])) == sent


@pytest.mark.parametrize(
    "body",
    [
        FULL_PLAN,
        revised(),
        booking(CLINIC),
        FOLLOW_UP_CALL,
        consent(),
        declined(),
        withdrawn(),
        change(),
        cancellation(),
    ],
    ids=lambda body: type(body).__name__,
)
def test_there_and_back_a_message_says_the_same(body: Any) -> None:
    sent = message(body, CLINIC)
    (draft,) = translate(as_another_system_writes_it(message_bundle(sent, CLINIC)), raw=True).drafts
    expected = replace(body, address=None, phone=None) if body is FULL_PLAN else body
    assert draft.type == sent.type
    assert draft.body == expected
    assert draft.unit == OFFICE
    assert draft.person == PERSON


@pytest.mark.parametrize("body", BODIES, ids=lambda body: type(body).__name__)
def test_what_the_gateway_wrote_is_no_news_when_it_comes_back(body: Any) -> None:
    bundle = message_bundle(message(body, CLINIC), CLINIC)
    bundle["entry"] = [entry for entry in bundle["entry"] if entry["resource"]["resourceType"] != "DocumentReference"]
    for entry in bundle["entry"]:
        entry["resource"]["meta"] = {"lastUpdated": bundle["timestamp"]}
        if entry["resource"]["resourceType"] == "Task":
            del entry["resource"]["focus"]["reference"]
    if len(bundle["entry"]) > 1:
        assert translate(bundle, raw=True).drafts == ()


def test_what_the_unit_owes_is_a_task_that_staff_complete_to_take_charge() -> None:
    sent = message(transfer(), CLINIC)
    due = NOON + timedelta(days=3)
    sent = replace(sent, header=replace(sent.header, due_at=due))
    found = resources_of(message_bundle(sent, CLINIC))
    (task,) = found["Task"]
    assert task["code"]["coding"][0]["code"] == "take-charge"
    assert task["owner"]["identifier"]["value"] == CLINIC
    assert task["restriction"]["period"]["end"] == "2026-11-05T12:00:00+01:00"
    task |= {"id": "t", "status": "completed", "meta": {"versionId": "2", "lastUpdated": "2026-11-03T09:00:00+01:00"}}
    del task["focus"]["reference"], task["for"]
    task["extension"].append(
        {"url": "urn:sip-gateway:fhir:extension:performer", "valueReference": {"display": "Isak Fjellander"}}
    )
    (draft,) = translate(task, raw=True).drafts
    assert draft.type == "acknowledgement"
    assert (draft.body.message_id, draft.body.message_type) == (sent.header.message_id, "responsibilityTransfer")
    assert draft.unit == CLINIC


def test_a_mere_notification_owes_nothing_and_a_call_owes_a_reply() -> None:
    assert "Task" not in resources_of(message_bundle(message(plan(), CLINIC), CLINIC))
    (task,) = resources_of(message_bundle(message(booking(CLINIC), CLINIC), CLINIC))["Task"]
    assert task["code"]["coding"][0]["code"] == "reply"


@pytest.mark.parametrize(
    ("level", "code"),
    [
        (ProtectedLevel.CONFIDENTIALITY_MARKED, "sekretessmarkering"),
        (ProtectedLevel.PROTECTED_REGISTRATION, "skyddadFolkbokforing"),
        (ProtectedLevel.FICTITIOUS_IDENTITY, "fingeradeUppgifter"),
    ],
)
def test_a_protected_identity_is_labelled_on_everything_about_the_person(level: ProtectedLevel, code: str) -> None:
    sent = message(plan(), CLINIC, person=replace(PERSON, protected_level=level))
    for found in resources_of(message_bundle(sent, CLINIC)).values():
        assert [[label["code"] for label in one["meta"]["security"]] for one in found] == [[code]] * len(found)


def test_no_address_and_no_telephone_number_of_the_person_stands_in_any_element() -> None:
    bundle = message_bundle(message(FULL_PLAN, CLINIC), CLINIC)
    (patient,) = resources_of(bundle)["Patient"]
    assert set(patient) == {"resourceType", "identifier", "name"}
    assert not any("Övningsgatan" in text or "031" in text for text in all_texts(bundle))


def test_a_note_and_a_notice_are_written_once_and_a_notice_names_nobody() -> None:
    sent = message(plan(), CLINIC)
    Bundle.model_validate(note_bundle(sent))
    assert set(resources_of(note_bundle(sent))) == {"Patient", "DocumentReference"}
    notice = Notice(
        kind=NoticeKind.OVERDUE,
        unit=CLINIC,
        case_number="SIP100001",
        at=NOON,
        occasion="1",
        awaited="fixed-contact",
        owed_by=OFFICE,
        due_at=NOON,
        message_id=sent.header.message_id,
        type="plan",
    )
    bundle = notice_bundle(notice)
    Bundle.model_validate(bundle)
    (task,) = resources_of(bundle)["Task"]
    assert "for" not in task
    task |= {"id": "t", "meta": {"versionId": "1", "lastUpdated": "2026-11-03T09:00:00+01:00"}}
    assert translate(task, raw=True).drafts == ()
