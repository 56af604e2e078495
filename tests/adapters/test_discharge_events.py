"""What the events mean from the admission of a patient to the discharge."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest
from case_events import EARLIER, EVENTS, MUNICIPAL_HEALTH, PSYCHIATRY, SOCIAL, WARD, draft_of, translate, translator

from gateway.adapters.table import VOCABULARIES
from gateway.errors import InvalidDocumentError
from gateway.messages import TYPES, ProtectedLevel, User
from gateway.messages.admission import AdmissionNotice, AdmissionUpdate, CareNeed, CompulsoryCare
from gateway.messages.discharge import Destination, DischargeInformation, DischargeMessage, FirstVisit
from gateway.messages.discharge_ready import DischargeReady, DischargeReadyRecall, OpenCareAvailable, RecallReason
from gateway.messages.fixed_care_contact import FixedCareContact, FixedContactKind
from gateway.messages.planning_message import PlanningItem, PlanningItemKind, PlanningMessage
from gateway.messages.process_interruption import InterruptionReason, ProcessInterruption
from gateway.ports import Event

ENCOUNTER = "ENC-2026-60417"
NURSE = User(name="Isak Fjellander", role="Sjuksköterska", phone="031-390 06 77")
YLVA = User(name="Ylva Kornvik", role="Sjuksköterska, kommunal hälso- och sjukvård", phone="031-390 06 31")
NOOR = User(
    name="Noor Asklund",
    role="Fast vårdkontakt, sjuksköterska",
    hsa_id="SE2321000131-P000000000208",
    phone="031-390 06 43",
)


def utc(day: int, hour: int, minute: int = 0) -> datetime:
    """Return a time in November 2026, when Swedish time is an hour ahead."""
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


# --- what only a ward tells -----------------------------------------------------------------------------------------


def test_an_admission_is_told_to_the_units_it_names() -> None:
    draft = draft_of("journal", "admission")

    assert (draft.unit, draft.recipients) == (WARD, (SOCIAL, MUNICIPAL_HEALTH))
    assert draft.body == AdmissionNotice(
        encounter_id=ENCOUNTER,
        admitted_at=utc(9, 13, 20),
        judged_at=utc(10, 7, 30),
        registered_address="Övningsgatan 1, 417 00 Göteborg",
        expected_discharge=date(2026, 11, 16),
        expected_needs=(CareNeed.SOCIAL, CareNeed.MUNICIPAL_HEALTH),
        compulsory_care=CompulsoryCare.OPEN_PSYCHIATRIC,
        contact=NURSE,
    )


def test_an_admission_of_a_protected_patient_tells_no_address() -> None:
    draft = draft_of("journal", "admission_protected")

    assert draft.person is not None
    assert draft.person.protected_level is ProtectedLevel.CONFIDENTIALITY_MARKED
    assert (draft.body.registered_address, draft.body.judged_at, draft.body.compulsory_care) == (None, None, None)


def test_another_day_of_discharge_is_told_with_its_reason() -> None:
    assert draft_of("journal", "admission_update").body == AdmissionUpdate(
        expected_discharge=date(2026, 11, 18), reason="Behandlingen tar två dagar till."
    )


def test_a_patient_is_ready_when_the_physician_says_so() -> None:
    assert draft_of("journal", "discharge_ready").body == DischargeReady(
        ready_at=utc(17, 9, 45),
        physician=User(name="Malte Siggesund", role="Överläkare", phone="031-390 06 70"),
        sip_needed=True,
        open_care_available=OpenCareAvailable.YES,
        home_wish="Henrik vill till korttidsboendet.",
    )


def test_a_recall_names_the_notice_that_no_longer_holds() -> None:
    draft = draft_of("journal", "discharge_ready-recalled")

    assert draft.body == DischargeReadyRecall(
        ready_message_id=EARLIER,
        recalled_at=utc(17, 14, 40),
        reason=RecallReason.OTHER,
        text="Provsvaret behöver tas om.",
    )
    assert draft.in_reply_to is None


def test_a_planned_discharge_tells_where_to_and_what_comes_first() -> None:
    assert draft_of("journal", "discharge_planned").body == DischargeMessage(
        planned_at=utc(20, 10),
        destination=Destination.OTHER,
        destination_text="Hos sin syster",
        transport="Sjukresa, bokad.",
        first_visits=(FirstVisit(what="Besök av hemsjukvården", at=utc(20, 17), unit=MUNICIPAL_HEALTH),),
    )


def test_what_whoever_takes_over_needs_to_know_keeps_its_headings() -> None:
    assert draft_of("journal", "discharge_information").body == DischargeInformation(
        discharged_at=utc(20, 10),
        admission_reason="Återinsjuknande i psykos.",
        care_given="Läkemedel och samtal.",
        current_state="Lugn, sover om natten.",
        risks="Slutar lätt med läkemedlen när han är ensam.",
        medications="Oförändrat sedan den 12 november.",
        follow_up="Samtal med fast vårdkontakt varje vecka.",
        fixed_contact=NOOR,
        planned_sip=utc(24, 12),
        plans_in_place=("SIP", "Genomförandeplan"),
        patient_copy_given=True,
    )


@pytest.mark.parametrize(
    "name",
    ["admission", "admission_update", "discharge_ready", "discharge_ready-recalled", "discharge_planned"],
)
def test_the_case_of_a_stay_is_called_by_its_encounter(name: str) -> None:
    assert translate("journal", EVENTS / "journal" / f"valid_{name}.json").case_reference == ENCOUNTER


def test_a_stay_may_have_a_case_reference_of_its_own() -> None:
    named = translate("journal", EVENTS / "journal" / "valid_admission_protected.json")

    assert named.case_reference == "CASE-60417"
    assert named.drafts[0].body.encounter_id == ENCOUNTER


@pytest.mark.parametrize("name", ["care-contact", "planning", "interrupted"])
def test_what_others_say_of_the_stay_names_its_case_like_any_other(name: str) -> None:
    assert translate("journal", EVENTS / "journal" / f"valid_{name}.json").case_reference == ENCOUNTER


# --- what both principals tell --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "name", "body"),
    [
        (
            "treserva",
            "fast-kontakt",
            FixedCareContact(
                kind=FixedContactKind.SOCIAL_CARE,
                practitioner=YLVA,
                unit=MUNICIPAL_HEALTH,
                valid_from=date(2026, 11, 16),
                valid_until=date(2027, 11, 15),
            ),
        ),
        (
            "journal",
            "care-contact",
            FixedCareContact(
                kind=FixedContactKind.CARE,
                practitioner=NOOR,
                unit=PSYCHIATRY,
                valid_from=date(2026, 11, 13),
                valid_until=date(2027, 11, 12),
            ),
        ),
    ],
)
def test_a_fixed_contact_is_someone_at_a_unit_for_a_time(kind: str, name: str, body: FixedCareContact) -> None:
    assert draft_of(kind, name).body == body


@pytest.mark.parametrize(
    ("kind", "name", "body"),
    [
        (
            "treserva",
            "planering",
            PlanningMessage(
                topic="Hemgång",
                assessment="Ivar behöver hjälp morgon och kväll.",
                proposal="Hemtjänst från utskrivningsdagen, hemsjukvård två gånger i veckan.",
                items=(
                    PlanningItem(
                        kind=PlanningItemKind.AIDS,
                        text="Rollator förskriven.",
                        responsible_unit=MUNICIPAL_HEALTH,
                        by=date(2026, 11, 17),
                    ),
                    PlanningItem(kind=PlanningItemKind.MEDICATION, text="Vi behöver dosrecept från den 18 november."),
                ),
                reply_wanted=True,
                reply_by=utc(16, 11),
            ),
        ),
        (
            "journal",
            "planning",
            PlanningMessage(
                topic="Läkemedel",
                assessment="Henrik behöver påminnelse om läkemedlen varje dag.",
                proposal="Dosett som fylls på av öppenvården.",
                items=(
                    PlanningItem(
                        kind=PlanningItemKind.MEDICATION,
                        text="Dosrecept från den 18 november.",
                        responsible_unit=PSYCHIATRY,
                        by=date(2026, 11, 17),
                    ),
                    PlanningItem(kind=PlanningItemKind.HOUSING, text="Korttidsboende."),
                ),
                reply_wanted=True,
                reply_by=utc(16, 11),
            ),
        ),
    ],
)
def test_a_planning_message_tells_what_and_by_whom(kind: str, name: str, body: PlanningMessage) -> None:
    draft = draft_of(kind, name)

    assert draft.body == body
    assert draft.in_reply_to is None


@pytest.mark.parametrize(
    ("kind", "name", "body"),
    [
        (
            "treserva",
            "avbrott",
            ProcessInterruption(
                reason=InterruptionReason.OTHER,
                other_text="Personen har flyttat till en annan kommun.",
                at=utc(17, 7, 30),
            ),
        ),
        (
            "journal",
            "interrupted",
            ProcessInterruption(reason=InterruptionReason.DETERIORATED, at=utc(17, 15, 30)),
        ),
    ],
)
def test_an_interruption_ends_the_planning_and_names_nobody(kind: str, name: str, body: ProcessInterruption) -> None:
    draft = draft_of(kind, name)

    assert draft.body == body
    assert draft.person is None


# --- the whole ------------------------------------------------------------------------------------------------------


def test_every_event_whose_message_only_a_ward_sends_names_the_encounter() -> None:
    forms = VOCABULARIES["journal"].events
    of_wards = {kind for kind, form in forms.items() if TYPES[form.message_type].contract.sender_units}

    assert of_wards == {kind for kind, form in forms.items() if form.case_reference is not None}


def test_a_stay_without_its_encounter_is_not_understood_even_with_a_case_reference() -> None:
    event = json.loads((EVENTS / "journal" / "valid_discharge_ready.json").read_bytes())
    event["caseReference"] = event.pop("encounter")["id"]

    with pytest.raises(InvalidDocumentError) as caught:
        translator("journal").translate(Event(source="journal", content=json.dumps(event).encode()))
    assert [(finding.code, finding.path) for finding in caught.value.findings] == [("json.missing", "/encounter")]
