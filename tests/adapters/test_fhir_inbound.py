"""What FHIR resources become: objects that ``fhir.resources`` has serialised, read as another system sends them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from fhir_documents import (
    CENTRE,
    EARLIER,
    MUNICIPAL_HEALTH,
    PERSONNUMMER,
    SOCIAL,
    WARD,
    Json,
    bundle,
    call,
    case,
    charge,
    close,
    communication,
    decision,
    draft_of,
    encounter,
    extensions,
    party,
    patient,
    people,
    performed,
    practitioner,
    reply,
    role,
    start,
    to,
    transfer,
    translate,
    unit,
)

from gateway.errors import Finding, InvalidDocumentError
from gateway.messages import (
    CareNeed,
    ConsentDecision,
    Destination,
    Identifier,
    InvitationAnswer,
    InviteeKind,
    MeetingChangeReason,
    Principal,
    ProtectedLevel,
    RecallReason,
    Slot,
    User,
)

ISAK = User(name="Isak Fjellander", role="Sjuksköterska", hsa_id="SE2321000131-P000000012345", phone="031-390 06 77")


def findings_of(resource: Json, *, raw: bool = True) -> tuple[Finding, ...]:
    with pytest.raises(InvalidDocumentError) as caught:
        translate(resource, raw=raw)
    return caught.value.findings


def places(resource: Json, *, raw: bool = True) -> list[tuple[str, str | None]]:
    return [(finding.code, finding.path) for finding in findings_of(resource, raw=raw)]


# --- a stay in hospital ---------------------------------------------------------------------------------------------


def test_an_encounter_that_has_begun_is_a_notice_of_admission() -> None:
    understood = translate(bundle(encounter(), *people()))
    (draft,) = understood.drafts
    assert (understood.kind, understood.case_reference) == ("Encounter", "ENC-2026-60417")
    assert draft.type == "admissionNotice"
    assert draft.unit == WARD
    assert draft.user == draft.body.contact == ISAK
    assert draft.recipients == (SOCIAL, MUNICIPAL_HEALTH)
    assert draft.body.expected_needs == (CareNeed.SOCIAL, CareNeed.MUNICIPAL_HEALTH)
    assert draft.person is not None
    assert draft.person.identifiers == (Identifier(root="1.2.752.129.2.1.3.1", extension=PERSONNUMMER),)
    assert draft.person.name == "Henrik Vallgård"


@pytest.mark.parametrize(
    ("status", "extension", "message_type", "expected"),
    [
        ("in-progress", {"step": "admissionUpdate", "expected_discharge": "2026-11-20"}, "admissionUpdate", {}),
        (
            "in-progress",
            {
                "step": "dischargeReady",
                "ready_at": "2026-11-16T09:00:00+01:00",
                "sip_needed": True,
                "open_care": "yes",
                "physician": to("Practitioner/isak"),
            },
            "dischargeReady",
            {"sip_needed": True},
        ),
        (
            "onleave",
            {
                "step": "dischargeReadyRecall",
                "ready_message": EARLIER,
                "recalled_at": "2026-11-17T09:00:00+01:00",
                "recall_reason": "deteriorated",
            },
            "dischargeReadyRecall",
            {"reason": RecallReason.DETERIORATED, "ready_message_id": EARLIER},
        ),
    ],
)
def test_a_step_of_the_stay_says_which_message_it_is(
    status: str, extension: Json, message_type: str, expected: Json
) -> None:
    draft = draft_of(bundle(encounter(status, extensions(**extension)), *people()))
    assert draft.type == message_type
    assert {name: getattr(draft.body, name) for name in expected} == expected
    assert draft.recipients == ()


def test_a_discharge_tells_where_to_and_what_was_done() -> None:
    planned = encounter(
        "in-progress",
        extensions(
            step="dischargeMessage",
            planned_at="2026-11-18T13:00:00+01:00",
            first_visit=[{"what": "Hembesök", "at": "2026-11-19T09:00:00+01:00", "unit": unit(CENTRE)}],
        ),
        hospitalization={
            "dischargeDisposition": {
                "coding": [{"system": "http://terminology.hl7.org/CodeSystem/discharge-disposition", "code": "home"}]
            }
        },
    )
    body = draft_of(bundle(planned, *people())).body
    assert body.destination is Destination.HOME
    assert [visit.unit for visit in body.first_visits] == [CENTRE]
    finished = encounter(
        "finished",
        extensions(
            admission_reason="Fall i hemmet.",
            care_given="Mobilisering.",
            current_state="Går med rollator.",
            medications="Se läkemedelslistan.",
            discharge_follow_up="Återbesök om två veckor.",
            plan_in_place=["SIP"],
            patient_copy=True,
        ),
        period={"start": "2026-11-09T14:20:00+01:00", "end": "2026-11-18T13:05:00+01:00"},
    )
    assert draft_of(bundle(finished, *people())).body.plans_in_place == ("SIP",)


@pytest.mark.parametrize(
    "resource",
    [
        encounter("planned"),
        encounter("in-progress"),
        encounter(**{"class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"}}),
        call(status="fulfilled"),
        decision(status="draft"),
        communication(status="preparation"),
        charge(status="requested"),
        transfer(status="draft"),
        {**communication(), "identifier": [{"system": "urn:sip-gateway:entry", "value": "1"}]},
    ],
    ids=lambda resource: f"{resource['resourceType']}-{resource['status']}",
)
def test_what_tells_nothing_is_kept_and_becomes_no_message(resource: Json) -> None:
    understood = translate(bundle(resource, *people()))
    assert understood.drafts == ()
    assert understood.kind == resource["resourceType"]


def test_a_patient_alone_is_kept() -> None:
    labelled = patient(
        meta={
            "versionId": "7",
            "lastUpdated": "2026-11-10T08:55:00+01:00",
            "security": [
                {"system": "http://hl7.se/fhir/ig/base/CodeSystem/SecurityLabel", "code": "sekretessmarkering"}
            ],
        }
    )
    understood = translate(labelled)
    assert (understood.event_id, understood.kind, understood.drafts) == ("Patient|p1|7", "Patient", ())


# --- meetings -------------------------------------------------------------------------------------------------------


def test_an_appointment_is_a_call_to_a_meeting() -> None:
    understood = translate(bundle(call(), *people(CENTRE)))
    (draft,) = understood.drafts
    assert (draft.type, understood.case_reference, draft.unit) == ("meetingBooking", "JRN-SIP-17", CENTRE)
    assert draft.recipients == (SOCIAL,)
    office, centre, sister = draft.body.invitees
    assert (office.unit, office.principal, office.kind) == (SOCIAL, Principal.MUNICIPALITY, InviteeKind.SUMMONS)
    assert office.requested_profession == "Biståndshandläggare"
    assert centre.unit == CENTRE
    assert (sister.unit, sister.name, sister.role, sister.kind) == (None, "Siv Vallgård", "Syster", InviteeKind.INVITE)
    assert draft.body.person_attends
    assert len(draft.body.alternatives) == 1


def test_a_previous_period_means_that_the_meeting_is_moved_and_cancelled_that_it_is_called_off() -> None:
    before = {"start": "2026-11-18T13:00:00+01:00", "end": "2026-11-18T14:30:00+01:00"}
    moved = call(performed(previous_period=before, reason="illness", place="Rum 2"))
    body = draft_of(bundle(moved, *people(CENTRE))).body
    assert body.reason is MeetingChangeReason.ILLNESS
    assert body.previous.start.isoformat() == before["start"]
    cancelled = call(performed(reason="consent"), status="cancelled")
    draft = draft_of(bundle(cancelled, *people(CENTRE)))
    assert draft.type == "meetingCancellation"
    assert isinstance(draft.body.slot, Slot)


@pytest.mark.parametrize(
    ("status", "extension", "answer"),
    [
        ("accepted", {"attendee": {"name": "Isak Fjellander"}}, InvitationAnswer.CONFIRM),
        ("declined", {"substitute": {"name": "Siv Ek", "role": "Kurator"}}, InvitationAnswer.DECLINE),
        ("tentative", {}, InvitationAnswer.TENTATIVE),
        ("declined", {"redirect_unit": unit(WARD)}, InvitationAnswer.REDIRECT),
    ],
)
def test_an_appointment_response_answers_the_call(status: str, extension: Json, answer: InvitationAnswer) -> None:
    about = case(performer=to("PractitionerRole/isak-303"), patient=to("Patient/p1"), **extension)
    draft = draft_of(bundle(reply(about, participantStatus=status), *people(CENTRE)))
    assert (draft.type, draft.body.answer, draft.in_reply_to) == ("invitationReply", answer, EARLIER)


def test_a_call_that_came_along_with_its_answer_is_no_call_of_its_own() -> None:
    received = call(identifier=[{"system": "urn:sip-gateway:message-id", "value": EARLIER}])
    answer = reply(appointment=to("Appointment/app-1"))
    draft = draft_of(bundle(received, answer, *people(CENTRE)))
    assert (draft.type, draft.in_reply_to) == ("invitationReply", EARLIER)


# --- consent, messages, tasks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "more", "meaning"),
    [
        ({}, {}, ConsentDecision.GIVEN),
        ({}, {"decision": "partial"}, ConsentDecision.PARTIAL),
        ({"provision": {"type": "deny"}}, {}, ConsentDecision.DECLINED),
        ({"status": "rejected", "provision": None}, {}, ConsentDecision.DECLINED),
        ({"status": "inactive", "provision": None}, {}, ConsentDecision.WITHDRAWN),
    ],
)
def test_a_consent_decides(changed: Json, more: Json, meaning: ConsentDecision) -> None:
    extension = decision()["extension"] + extensions(**more)
    draft = draft_of(bundle(decision(extension, **changed), *people(CENTRE)))
    assert draft.body.decision is meaning
    assert (draft.body.scope is None) is (meaning in (ConsentDecision.DECLINED, ConsentDecision.WITHDRAWN))


def test_a_consent_that_names_units_covers_their_parties() -> None:
    provision = decision()["provision"] | {"actor": [{"role": {"text": "Enhet"}, "reference": unit(SOCIAL)}]}
    scope = draft_of(bundle(decision(provision=provision), *people(CENTRE))).body.scope
    assert (scope.parties, scope.units) == (("kommun",), (SOCIAL,))


def test_a_communication_is_a_free_message() -> None:
    body = draft_of(bundle(communication(), *people(CENTRE))).body
    assert (body.topic, body.reply_wanted) == ("Läkemedelslista", True)
    assert body.text == "Listan är uppdaterad.\n\nDosetten hämtas på fredag."


def test_a_completed_task_takes_charge_and_a_transfer_hands_over() -> None:
    taken = draft_of(bundle(charge(), *people(CENTRE)))
    assert (taken.type, taken.body.message_id, taken.body.acknowledged_by) == ("acknowledgement", EARLIER, ISAK)
    handed = draft_of(bundle(transfer(), *people(CENTRE)))
    assert (handed.type, handed.body.next.unit, handed.recipients) == ("responsibilityTransfer", SOCIAL, (SOCIAL,))


def test_a_task_asks_for_a_case_to_begin_or_end() -> None:
    begun = draft_of(bundle(start(), *people(CENTRE)))
    assert (begun.type, begun.unit, begun.recipients) == ("sipStart", CENTRE, (SOCIAL,))
    assert begun.body.requested_by_person
    ended = draft_of(bundle(close(), *people(CENTRE)))
    assert (ended.type, ended.person) == ("closure", None)
    assert [one.principal for one in ended.body.documented] == [Principal.REGION]
    assert translate(bundle({**start(), "status": "accepted"}, *people(CENTRE))).drafts == ()


# --- references, bundles, identities --------------------------------------------------------------------------------


def test_a_single_resource_may_contain_whom_it_refers_to() -> None:
    single = encounter(
        subject=to("#p1"),
        participant=[{"individual": to("#isak-303")}],
        contained=[patient(), practitioner(), {**role(), "practitioner": to("#isak")}],
    )
    understood = translate(single)
    assert understood.event_id == "Encounter|enc-60417|1"
    assert understood.drafts[0].user == ISAK


@pytest.mark.parametrize("kind", ["message", "transaction", "collection"])
def test_each_kind_of_bundle_says_the_same(kind: str) -> None:
    resources: list[Json] = [encounter(), *people()]
    if kind == "message":
        header = {
            "resourceType": "MessageHeader",
            "id": "h",
            "eventUri": "urn:journal:sip",
            "source": {"endpoint": "https://journal.example"},
            "focus": [to("Encounter/enc-60417")],
        }
        resources.insert(0, header)
    assert translate(bundle(*resources, kind=kind)).drafts == translate(bundle(encounter(), *people())).drafts


def test_references_by_full_url_and_by_version_are_followed() -> None:
    whole = bundle(
        encounter(subject=to("urn:uuid:3f5cf2d0-58d4-4d3f-8b29-6f7c6d6d2a11")),
        *people(),
    )
    whole["entry"][1]["fullUrl"] = "urn:uuid:3f5cf2d0-58d4-4d3f-8b29-6f7c6d6d2a11"
    assert translate(whole).drafts[0].person is not None
    versioned = bundle(encounter(subject=to("Patient/p1/_history/3")), *people())
    assert translate(versioned).drafts[0].person is not None


@pytest.mark.parametrize(
    ("system", "value", "root"),
    [
        ("http://electronichealth.se/identifier/samordningsnummer", "197010632391", "1.2.752.129.2.1.3.3"),
        ("urn:oid:1.2.752.129.2.1.3.3", "197010632391", "1.2.752.129.2.1.3.3"),
        ("http://electronichealth.se/identifier/nationelltReservnummer", "22950606FH20", "1.2.752.74.9.1"),
        ("urn:oid:1.2.752.113.11.0.2.1.1.1", "19810829M070", "1.2.752.113.11.0.2.1.1.1"),
        (
            "http://electronichealth.se/identifier/LMA-nummer",
            "50-123456",
            "http://electronichealth.se/identifier/LMA-nummer",
        ),
    ],
)
def test_every_swedish_number_is_known_by_its_system(system: str, value: str, root: str) -> None:
    known = patient(identifier=[{"system": system, "value": value}])
    person = draft_of(bundle(encounter(), known, practitioner(), role())).person
    assert person is not None
    assert person.identifiers == (Identifier(root=root, extension=value),)


def test_where_the_patient_is_registered_is_read_from_the_home_address() -> None:
    parts = {"use": "home", "line": ["Övningsgatan 1", "lgh 1101"], "postalCode": "417 00", "city": "Göteborg"}
    known = patient(address=[{"use": "work", "text": "Annanstans"}, parts])
    body = draft_of(bundle(encounter(), known, practitioner(), role())).body
    assert body.registered_address == "Övningsgatan 1, lgh 1101, 417 00 Göteborg"


def test_an_old_number_is_history_and_a_record_number_is_the_journals_own() -> None:
    numbers: list[Json] = [
        {"use": "old", "system": "urn:oid:1.2.752.74.9.1", "value": "22950606FH20"},
        {
            "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}]},
            "system": "urn:oid:1.2.752.113.999.3",
            "value": "J-4711",
        },
        *patient()["identifier"],
    ]
    person = draft_of(bundle(encounter(), patient(identifier=numbers), practitioner(), role())).person
    assert person is not None
    assert [one.extension for one in person.identifiers] == [PERSONNUMMER, "22950606FH20"]


LABELS = "http://hl7.se/fhir/ig/base/CodeSystem/SecurityLabel"


@pytest.mark.parametrize(
    ("labels", "level"),
    [
        ([(LABELS, "sekretessmarkering")], ProtectedLevel.CONFIDENTIALITY_MARKED),
        (
            [(LABELS, "sekretessmarkering"), (LABELS, "skyddadFolkbokforing")],
            ProtectedLevel.PROTECTED_REGISTRATION,
        ),
        (
            [("http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "R"), (LABELS, "skyddadFolkbokforing")],
            ProtectedLevel.PROTECTED_REGISTRATION,
        ),
        ([("urn:sip-gateway:security-label", "fingeradeUppgifter")], ProtectedLevel.FICTITIOUS_IDENTITY),
        ([("http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "N")], ProtectedLevel.NONE),
    ],
)
@pytest.mark.parametrize("on", ["Patient", "Encounter"])
def test_security_labels_tell_of_a_protected_identity(
    labels: list[tuple[str, str]], level: ProtectedLevel, on: str
) -> None:
    security = {"security": [{"system": system, "code": code} for system, code in labels]}
    stay = encounter()
    if on == "Encounter":
        stay["meta"] |= security
        whole = bundle(stay, patient(), practitioner(), role())
    else:
        whole = bundle(stay, patient(meta=security), practitioner(), role())
    draft = draft_of(whole)
    assert draft.person is not None
    assert draft.person.protected_level is level
    assert (draft.body.registered_address is None) is (level is not ProtectedLevel.NONE)


@pytest.mark.parametrize("code", ["R", "V"])
def test_a_label_that_may_mean_protection_and_does_not_say_which_is_refused(code: str) -> None:
    security = [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": code}]
    whole = bundle(encounter(), patient(meta={"security": security}), practitioner(), role())
    assert places(whole) == [("fhir.label-unclear", "Bundle.entry[1].resource.meta.security[0]")]


def test_a_region_may_stand_for_its_unit_in_a_notice_of_admission() -> None:
    to_region = encounter(
        extension=extensions(
            expected_discharge="2026-11-16",
            expected_need=["region-open-care"],
            recipient=[party("region")],
            acting_unit=unit(SOCIAL),
        )
    )
    assert draft_of(bundle(to_region, *people())).recipients == (CENTRE,)


def test_what_was_said_during_an_outage_keeps_its_time() -> None:
    said = communication(extension=case(downtime={"occurred": "2026-11-09T10:00:00+01:00", "channel": "telephone"}))
    routine = draft_of(bundle(said, *people(CENTRE))).reserve_routine
    assert routine is not None
    assert routine.at.isoformat() == "2026-11-09T10:00:00+01:00"


# --- what is wrong, and where ---------------------------------------------------------------------------------------


def _without(resource: Json, name: str) -> Json:
    return {key: value for key, value in resource.items() if key != name}


@pytest.mark.parametrize(
    ("resource", "code", "place"),
    [
        (encounter(period={"start": "2026-13-01"}), "json.form", "Bundle.entry[0].resource.period.start"),
        (encounter(period={}), "json.missing", "Bundle.entry[0].resource.period.start"),
        (encounter("cancelled"), "fhir.status-not-taken", "Bundle.entry[0].resource.status"),
        (encounter(status=["arrived"]), "json.type", "Bundle.entry[0].resource.status"),
        (encounter(nonsense=1), "json.unknown", "Bundle.entry[0].resource.nonsense"),
        (
            encounter(modifierExtension=[{"url": "urn:x", "valueBoolean": True}]),
            "fhir.modifier-not-understood",
            "Bundle.entry[0].resource.modifierExtension",
        ),
        (
            encounter(extension=extensions(expected_discharge="2026-11-16", expected_need=["cleaning"])),
            "json.value",
            "Bundle.entry[0].resource.extension[1].valueCode",
        ),
        (
            encounter(extension=[{"url": "urn:sip-gateway:fhir:extension:unheard-of", "valueString": "x"}]),
            "fhir.extension-unknown",
            "Bundle.entry[0].resource.extension[0]",
        ),
        (
            encounter(extension=[*encounter()["extension"], *extensions(judged_at="2026-11-10T08:30:00+01:00")]),
            "fhir.extension-twice",
            "Bundle.entry[0].resource.extension[6].valueDateTime",
        ),
        (
            encounter(extension=[*encounter()["extension"], *extensions(works_well="Allt.")]),
            "fhir.extension-unknown",
            "Bundle.entry[0].resource.extension[6]",
        ),
        (
            encounter(subject=to("Patient/p9")),
            "fhir.reference-unresolved",
            "Bundle.entry[0].resource.subject.reference",
        ),
        (
            encounter(subject=to("Practitioner/isak")),
            "fhir.reference-target",
            "Bundle.entry[0].resource.subject.reference",
        ),
        (
            encounter(serviceProvider={"identifier": {"system": "urn:oid:1.2.3", "value": "x"}}),
            "json.value",
            "Bundle.entry[0].resource.serviceProvider.identifier.system",
        ),
        (
            encounter(serviceProvider=unit("SE2321000131-OKAND")),
            "unit.unknown",
            "Bundle.entry[0].resource.serviceProvider.identifier.value",
        ),
        (_without(call(), "description"), "json.missing", "Bundle.entry[0].resource.description"),
        (
            call(participant=call()["participant"][1:]),
            "fhir.appointment-without-patient",
            "Bundle.entry[0].resource.participant",
        ),
        (
            charge(code={"coding": [{"system": "urn:sip-gateway:code:task", "code": "dance"}]}),
            "json.value",
            "Bundle.entry[0].resource.code.coding[0]",
        ),
        (
            communication(payload=[{"contentAttachment": {"title": "bild"}}]),
            "json.missing",
            "Bundle.entry[0].resource.payload[0].contentString",
        ),
    ],
)
def test_every_fault_is_told_with_its_place(resource: Json, code: str, place: str) -> None:
    assert (code, place) in places(bundle(resource, *people()))


def test_a_number_that_is_wrong_is_told_where_it_stands_and_never_repeated() -> None:
    wrong = patient(
        identifier=[{"system": "http://electronichealth.se/identifier/personnummer", "value": "197811309818"}]
    )
    (finding,) = findings_of(bundle(encounter(), wrong, practitioner(), role()))
    assert (finding.code, finding.path) == ("person-id.check-digit", "Bundle.entry[1].resource.identifier[0].value")
    assert "197811309818" not in str(finding)


def test_a_system_that_stands_in_no_table_is_refused() -> None:
    strange = patient(identifier=[{"system": "urn:oid:1.2.3.4", "value": PERSONNUMMER}])
    codes = places(bundle(encounter(), strange, practitioner(), role()))
    assert ("json.value", "Bundle.entry[1].resource.identifier[0].system") in codes


@pytest.mark.parametrize(
    ("changed", "code", "place"),
    [
        ({"type": "searchset"}, "json.value", "Bundle.type"),
        ({"identifier": None}, "fhir.event-id-missing", "Bundle.identifier"),
        ({"entry": [{"fullUrl": "urn:uuid:1"}]}, "fhir.entry-without-resource", "Bundle.entry[0]"),
        (
            {"entry": [{"resource": {"resourceType": "Observation", "id": "o"}}]},
            "fhir.resource-not-used",
            "Bundle.entry[0].resource.resourceType",
        ),
        (
            {"entry": [{"resource": {"resourceType": "Gurka", "id": "o"}}]},
            "fhir.resource-type-unknown",
            "Bundle.entry[0].resource.resourceType",
        ),
        ({"entry": [{"resource": practitioner()}]}, "fhir.nothing-to-take", "Bundle.entry"),
    ],
)
def test_a_bundle_that_cannot_be_taken_says_why(changed: Json, code: str, place: str) -> None:
    whole = {**bundle(encounter(), *people()), **changed}
    whole = {name: value for name, value in whole.items() if value is not None}
    assert (code, place) in places(whole)


def test_a_deletion_is_refused_and_so_are_resources_of_two_cases() -> None:
    whole = bundle(encounter(), *people(), kind="transaction")
    whole["entry"][0]["request"]["method"] = "DELETE"
    assert places(whole) == [("fhir.method-not-taken", "Bundle.entry[0].request.method")]
    other = communication(id="com-2", extension=extensions(case_reference="JRN-SIP-18"))
    assert ("fhir.several-cases", "Bundle.entry") in places(bundle(communication(), other, *people(CENTRE)))


def test_all_faults_of_all_resources_are_told_at_once() -> None:
    broken = [encounter(period={}), communication(topic={"text": " "}), *people()]
    assert {place for _, place in places(bundle(*broken))} >= {
        "Bundle.entry[0].resource.period.start",
        "Bundle.entry[1].resource.topic.text",
    }


def test_the_same_document_gives_the_same_drafts() -> None:
    whole: Any = bundle(encounter(), *people())
    assert translate(whole) == translate(whole)
    assert replace(translate(whole), event_id="x") != translate(whole)
