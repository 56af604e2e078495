"""The two vocabularies: what each word means, and how a message looks to each system."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from enum import StrEnum
from types import ModuleType
from typing import Any

import pytest
from case_events import (
    CENTRE,
    EVENTS,
    PSYCHIATRY,
    SOCIAL,
    MakeMessage,
    draft_of,
    json_events,
    message_to,
    sent_at,
    translator,
)

from gateway.adapters import journal_codes, treserva_codes
from gateway.adapters.table import VOCABULARIES
from gateway.errors import InvalidDocumentError
from gateway.lifecycle import Level, Outcome
from gateway.messages import (
    TYPES,
    Duty,
    Identifier,
    InformationType,
    NeedNoticedBy,
    Person,
    Principal,
    ProtectedLevel,
    ReserveRoutine,
    ReserveWay,
    User,
)
from gateway.messages.acknowledgement import Acknowledgement
from gateway.messages.closure import ClosureReason
from gateway.messages.consent import (
    Consent,
    ConsentDecision,
    ConsentForm,
    ConsentGiver,
    ConsentScope,
    GuardianConsent,
    GuardianWaiver,
)
from gateway.messages.measure import LegalBasis, LifeArea, Measure, MeasureStatus, Responsible, ResponsibleKind
from gateway.messages.meeting_booking import Invitee, InviteeKind
from gateway.messages.sip_start import CareSetting, Placement, PlacementKind, SipStart, SipVariant
from gateway.ports import Event

AMIRA = User(name="Amira Granlid", role="Socialsekreterare", hsa_id="SE2120001355-P000000000117", phone="031-390 06 17")

TAKING_CHARGE = ("MEDDELANDE_KVITTERAT", "message.signed")
"""The event of each system in which someone takes charge of a message."""


def code_lists(module: ModuleType) -> list[Any]:
    return [
        pytest.param(table, id=f"{module.__name__.rpartition('.')[2]}.{name}")
        for name, table in vars(module).items()
        if isinstance(table, Mapping) and name.isupper()
    ]


@pytest.mark.parametrize("table", code_lists(treserva_codes) + code_lists(journal_codes))
def test_every_meaning_has_one_word(table: Mapping[str, Any]) -> None:
    meanings = list(table.values())
    assert len(set(meanings)) == len(meanings)

    whole = set(type(meanings[0])) if isinstance(meanings[0], StrEnum) else set(TYPES) - {"acknowledgement"}
    # A withdrawal is an event of its own in the municipal system, not a decision.
    exempt = {ConsentDecision.WITHDRAWN} if table is treserva_codes.DECISION else set()
    assert set(meanings) == whole - exempt


# --- the municipal case system --------------------------------------------------------------------------------------


def test_behov_identifierat_starts_a_sip() -> None:
    draft = draft_of("treserva", "behov")

    assert draft.unit == SOCIAL
    assert draft.user == AMIRA
    assert draft.recipients == (CENTRE,)
    assert draft.person == Person(
        identifiers=(Identifier(root="1.2.752.129.2.1.3.1", extension="196505239811"),), name="Ivar Testlund"
    )
    assert draft.body == SipStart(
        initiated_by=NeedNoticedBy.SOCIAL_SERVICES,
        need_text="Ivar behöver hjälp att samordna hemtjänst, hemsjukvård och besök på vårdcentralen.",
        requested_by_person=True,
        pre_meeting_date=date(2026, 11, 5),
    )


def test_a_need_before_discharge_names_the_admission() -> None:
    body: SipStart = draft_of("treserva", "behov_utskrivning").body

    assert (body.setting, body.linked_admission) == (CareSetting.DISCHARGE, "Avdelning 303, inskriven 2026-10-27")
    assert (body.initiated_by, body.initiated_by_other) == (NeedNoticedBy.OTHER, "Personligt ombud")
    assert body.variant is SipVariant.FOLLOW_UP


@pytest.mark.parametrize(
    ("kind", "name", "centre"),
    [
        ("treserva", "behov_okand-vardcentral", CENTRE),
        ("treserva", "behov_folkbokforing", "SE2321000131-E000000000404"),
        ("journal", "need_unknown-centre", CENTRE),
        ("journal", "need_residence", "SE2321000131-E000000000404"),
    ],
)
def test_a_region_named_without_a_unit_gets_it_at_its_vardcentral(kind: str, name: str, centre: str) -> None:
    assert draft_of(kind, name).recipients == (centre,)


def test_a_protected_person_is_marked() -> None:
    person = draft_of("treserva", "behov_skyddad").person

    assert person is not None
    assert person.protected_level is ProtectedLevel.PROTECTED_REGISTRATION


@pytest.mark.parametrize(
    ("name", "decision"),
    [
        ("samtycke_ja", ConsentDecision.GIVEN),
        ("samtycke_nej", ConsentDecision.DECLINED),
        ("samtycke_delvis", ConsentDecision.PARTIAL),
        ("samtycke_aterkallat", ConsentDecision.WITHDRAWN),
    ],
)
def test_each_decision_about_consent_is_understood(name: str, decision: ConsentDecision) -> None:
    draft = draft_of("treserva", name)

    assert draft.body.decision is decision
    assert draft.recipients == ()


def test_samtycke_registrerat_says_by_whom_and_for_whom() -> None:
    body: Consent = draft_of("treserva", "samtycke_delvis").body

    assert (body.form, body.given_by, body.giver_name) == (ConsentForm.WRITTEN, ConsentGiver.GUARDIAN, "Per Ranberg")
    assert body.scope == ConsentScope(
        parties=("region",),
        units=(PSYCHIATRY,),
        information_types=(InformationType.NEED, InformationType.MEETING),
        exclusions="Det som Tilde har berättat för skolkuratorn lämnas inte ut.",
    )
    assert body.taken_at == datetime(2026, 10, 7, 14, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "name", "waiver"),
    [
        ("treserva", "samtycke_vardnadshavare", GuardianWaiver.HINDERED),
        ("journal", "consent_guardians", GuardianWaiver.SOCIAL_WELFARE_BOARD),
    ],
)
def test_a_consent_may_tell_what_each_guardian_decides(kind: str, name: str, waiver: GuardianWaiver) -> None:
    body: Consent = draft_of(kind, name).body

    assert body.guardians == (
        GuardianConsent(name="Per Ranberg", consents=True),
        GuardianConsent(name="Disa Ranberg", consents=False, waiver=waiver),
    )


@pytest.mark.parametrize(("kind", "name"), [("treserva", "behov_parallell"), ("journal", "need_parallel")])
def test_a_need_may_say_why_there_is_one_more_sip(kind: str, name: str) -> None:
    reason = draft_of(kind, name).body.parallel_reason

    assert reason.startswith("Den pågående planen gäller")
    assert draft_of(kind, {"treserva": "behov", "journal": "need"}[kind]).body.parallel_reason is None


def test_a_need_may_say_that_the_person_is_placed_elsewhere() -> None:
    municipal, regional = draft_of("treserva", "behov_placerad").body, draft_of("journal", "need_placed").body

    assert municipal.placement == Placement(municipality="0581", kind=PlacementKind.HVB, since=date(2026, 9, 1))
    assert regional.placement == Placement(municipality="0581", kind=PlacementKind.FAMILY_HOME, since=date(2026, 8, 15))
    assert draft_of("treserva", "behov").body.placement is None


@pytest.mark.parametrize(("kind", "name"), [("treserva", "plan_placerad"), ("journal", "careplan_placed")])
def test_a_plan_says_what_the_region_does_for_a_person_who_is_placed_elsewhere(kind: str, name: str) -> None:
    placement = draft_of(kind, name).body.placement

    assert placement is not None
    assert "per video" in placement.health_care


def test_kallelse_begard_goes_to_the_units_of_other_parties() -> None:
    draft = draft_of("treserva", "kallelse")

    assert draft.recipients == (CENTRE, PSYCHIATRY)
    assert draft.body.invitees[0] == Invitee(
        kind=InviteeKind.SUMMONS,
        principal=Principal.MUNICIPALITY,
        unit=SOCIAL,
        role="Sammankallande",
        requested_profession="Socialsekreterare",
    )
    assert draft.body.invitees[4].kind is InviteeKind.INVITE
    assert draft.body.reply_to == AMIRA


def test_plan_upprattad_says_who_does_what() -> None:
    body = draft_of("treserva", "plan_krisplan").body

    assert [goal.life_area for goal in body.sub_goals] == [
        LifeArea.FINANCES,
        LifeArea.HOUSING,
        LifeArea.PHYSICAL_HEALTH,
        LifeArea.SOCIAL_RELATIONS,
    ]
    assert body.measures[3] == Measure(
        id="I4",
        sub_goal="D3",
        what="KBT vid sömnbesvär, åtta träffar med fast vårdkontakt, och stöd per telefon mellan träffarna.",
        when="Varje måndag kl. 14.00 från 30 november",
        responsible=Responsible(kind=ResponsibleKind.PRINCIPAL, principal=Principal.REGION, unit=PSYCHIATRY),
        legal_basis=LegalBasis.HSL,
        evidence_based=True,
        follow_up=date(2027, 2, 1),
    )
    assert body.measures[0].status is MeasureStatus.ONGOING
    assert body.overall_responsible.principal is Principal.MUNICIPALITY


@pytest.mark.parametrize(("kind", "name", "unit"), [("treserva", "kvittens", SOCIAL), ("journal", "signed", CENTRE)])
def test_taking_charge_answers_the_message_it_names(kind: str, name: str, unit: str) -> None:
    draft = draft_of(kind, name)
    body: Acknowledgement = draft.body

    assert draft.in_reply_to == body.message_id == "5f0e8c1a-3b7d-4c52-9a64-0d1e2f3a4b5c"
    assert (body.message_type, body.unit) == ("meetingBooking", unit)
    assert (body.level, body.outcome) == (Level.ACKNOWLEDGED, Outcome.ACCEPTED)
    assert body.acknowledged_by == draft.user
    assert (draft.person, draft.recipients) == (None, ())


@pytest.mark.parametrize(
    ("kind", "name", "not_concerned"),
    [
        ("treserva", "kvittens", None),
        ("treserva", "kvittens_ej-berord", True),
        ("journal", "signed", None),
        ("journal", "signed_not-concerned", True),
    ],
)
def test_whoever_takes_charge_may_not_be_concerned(kind: str, name: str, not_concerned: bool | None) -> None:
    assert draft_of(kind, name).body.not_concerned is not_concerned


@pytest.mark.parametrize(
    ("kind", "name", "member"), [("treserva", "kvittens", "ejBerord"), ("journal", "signed", "notConcerned")]
)
def test_to_deny_that_one_is_not_concerned_says_nothing(kind: str, name: str, member: str) -> None:
    path = EVENTS / kind / f"valid_{name}.json"
    denied = json.dumps(json.loads(path.read_bytes()) | {member: False}).encode()

    (draft,) = translator(kind).translate(Event(source=kind, content=denied)).drafts
    assert draft == draft_of(kind, name)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (("avslut_nekad", "closed_refused"), ClosureReason.REFUSED),
        (("avslut_vardplan", "closed_compulsory-careplan"), ClosureReason.COMPULSORY_CARE_PLAN),
    ],
)
def test_a_case_may_end_refused_or_in_a_plan_under_compulsory_care(
    name: tuple[str, str], reason: ClosureReason
) -> None:
    municipal, regional = name

    assert draft_of("treserva", municipal).body.reason is draft_of("journal", regional).body.reason is reason


def test_a_message_is_a_row_of_the_inbox(make_message: MakeMessage) -> None:
    message = message_to("treserva", make_message)
    row = VOCABULARIES["treserva"].message(message, SOCIAL)

    assert row.pop("innehall")["purpose"] == message.body.purpose
    assert row == {
        "meddelandeId": message.header.message_id,
        "arendenummer": "SIP100001",
        "meddelandetyp": "SIP",
        "galler": "Mötesbokning",
        "attGora": "Svara",
        "skickat": "2026-09-18T11:35:00+02:00",
        "enhet": SOCIAL,
        "avsandare": {"part": "region", "enhet": PSYCHIATRY, "namn": "Noor Asklund"},
        "person": {"personid": "197811309819", "patientNamn": "Henrik Vallgård", "skydd": "Ingen"},
    }


@pytest.mark.parametrize(
    ("duty", "word", "code"),
    [("notify", "Notifiering", "notify"), ("acknowledge", "Kvittera", "sign"), ("reply", "Svara", "reply")],
)
def test_each_system_is_told_what_the_unit_owes(duty: str, word: str, code: str, make_message: MakeMessage) -> None:
    message = message_to("treserva", make_message)
    recipients = (replace(message.header.recipients[0], duty=Duty(duty)),)
    message = replace(message, header=replace(message.header, recipients=recipients))

    assert VOCABULARIES["treserva"].message(message, SOCIAL)["attGora"] == word
    assert VOCABULARIES["journal"].message(message, SOCIAL)["duty"]["code"] == code


def test_each_system_is_told_which_process_a_message_belongs_to(make_message: MakeMessage) -> None:
    sip, stay = (
        make_message(draft_of("journal", name), datetime(2026, 11, 10, 9, 0, tzinfo=UTC))
        for name in ("activity", "admission")
    )
    row, entry = VOCABULARIES["treserva"].message, VOCABULARIES["journal"].message

    assert (row(sip, SOCIAL)["meddelandetyp"], row(sip, SOCIAL)["galler"]) == ("SIP", "Insatsstatus")
    assert row(stay, SOCIAL)["meddelandetyp"] == "In- och utskrivning"
    assert row(stay, SOCIAL)["galler"] == "Inskrivningsmeddelande"
    assert [entry(message, SOCIAL)["entryType"] for message in (sip, stay)] == ["sip.message", "encounter.message"]


@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [
        (
            "treserva",
            "samtycke_reservrutin",
            ReserveRoutine(at=datetime(2026, 11, 3, 8, 40, tzinfo=UTC), by=ReserveWay.PAPER),
        ),
        (
            "journal",
            "discharge_ready_faxed",
            ReserveRoutine(at=datetime(2026, 11, 17, 10, 0, tzinfo=UTC), by=ReserveWay.FAX),
        ),
    ],
)
def test_what_is_registered_after_an_outage_says_when_and_how_it_was_said(
    kind: str, name: str, expected: ReserveRoutine
) -> None:
    assert draft_of(kind, name).reserve_routine == expected


DOWNTIME = {
    "treserva": {"reservrutin": {"tidpunkt": "2026-09-01T08:00:00", "satt": "TELEFON"}},
    "journal": {
        "downtime": {
            "occurred": "2026-09-01T08:00:00",
            "channel": {"system": "urn:journal:codes:downtime-channel", "code": "phone"},
        }
    },
}
"""What an event of each system says that was said by telephone during an outage."""


def after_an_outage(kind: str, event_type: str) -> Event:
    """Return a valid event of the type, registered after an outage."""
    member = VOCABULARIES[kind].type_member
    for path in json_events(kind):
        told = json.loads(path.read_text(encoding="utf-8-sig"))
        if told[member] == event_type:
            return Event(source=kind, content=json.dumps(told | DOWNTIME[kind]).encode())
    raise AssertionError(event_type)


@pytest.mark.parametrize(
    ("kind", "event_type"),
    [(kind, name) for kind, words in VOCABULARIES.items() for name in words.events if name not in TAKING_CHARGE],
)
def test_any_event_may_be_registered_after_an_outage(kind: str, event_type: str) -> None:
    (draft,) = translator(kind).translate(after_an_outage(kind, event_type)).drafts

    assert draft.reserve_routine == ReserveRoutine(at=datetime(2026, 9, 1, 6, 0, tzinfo=UTC), by=ReserveWay.TELEPHONE)


@pytest.mark.parametrize(("kind", "event_type"), list(zip(VOCABULARIES, TAKING_CHARGE, strict=True)))
def test_the_taking_charge_of_a_message_tells_its_own_time(kind: str, event_type: str) -> None:
    with pytest.raises(InvalidDocumentError) as refused:
        translator(kind).translate(after_an_outage(kind, event_type))
    assert refused.value.codes == ("json.unknown",)


def test_a_consent_on_paper_was_taken_when_it_was_signed_and_not_when_it_was_registered() -> None:
    assert draft_of("treserva", "samtycke_reservrutin").body.taken_at == datetime(2026, 11, 3, 8, 40, tzinfo=UTC)
    (draft,) = translator("journal").translate(after_an_outage("journal", "sip.consent")).drafts
    assert draft.body.taken_at == datetime(2026, 9, 1, 6, 0, tzinfo=UTC)


def test_each_system_is_told_that_a_message_was_registered_after_an_outage(make_message: MakeMessage) -> None:
    message = message_to("treserva", make_message)
    row, entry = VOCABULARIES["treserva"].message, VOCABULARIES["journal"].message
    assert "reservrutin" not in row(message, SOCIAL)
    assert "downtime" not in entry(message, SOCIAL)
    routine = ReserveRoutine(at=datetime(2026, 9, 18, 6, 0, tzinfo=UTC), by=ReserveWay.FAX)
    message = replace(message, header=replace(message.header, reserve_routine=routine))

    assert row(message, SOCIAL)["reservrutin"] == {"tidpunkt": "2026-09-18T08:00:00+02:00", "satt": "FAX"}
    assert entry(message, SOCIAL)["downtime"] == {
        "occurred": "2026-09-18T08:00:00+02:00",
        "channel": {"system": "urn:journal:codes:downtime-channel", "code": "fax"},
    }


# --- the regional journal -------------------------------------------------------------------------------------------


def test_a_need_in_an_inpatient_encounter_is_one_before_discharge() -> None:
    body: SipStart = draft_of("journal", "need").body

    assert (body.setting, body.linked_admission) == (CareSetting.DISCHARGE, "ENC-2026-55128")
    assert body.initiated_by is NeedNoticedBy.REGIONAL_HEALTH_CARE


def test_a_need_in_an_ambulatory_encounter_names_no_admission() -> None:
    body: SipStart = draft_of("journal", "need_ambulatory").body

    assert (body.setting, body.linked_admission) == (CareSetting.OPEN_CARE, None)


def test_a_patient_may_have_several_identifiers() -> None:
    person = draft_of("journal", "need_reserve-number").person

    assert person is not None
    assert person.identifiers == (
        Identifier(root="1.2.752.74.9.1", extension="22790814AA01"),
        Identifier(root="1.2.752.129.2.1.3.1", extension="197811309819"),
    )


def test_a_consent_is_permitted_or_revoked() -> None:
    assert draft_of("journal", "consent").body.decision is ConsentDecision.GIVEN
    assert draft_of("journal", "consent_revoked").body.decision is ConsentDecision.WITHDRAWN


def test_an_appointment_goes_to_the_units_of_other_parties() -> None:
    assert draft_of("journal", "appointment").recipients == (SOCIAL,)


def test_a_care_plan_keeps_who_answers_for_it() -> None:
    responsible = draft_of("journal", "careplan").body.overall_responsible

    assert (responsible.principal, responsible.unit) == (Principal.REGION, PSYCHIATRY)
    assert responsible.user.name == "Noor Asklund"


def test_a_message_is_an_entry_of_the_journal(make_message: MakeMessage) -> None:
    draft = draft_of("treserva", "behov_skyddad")
    message = make_message(draft, sent_at("treserva", EVENTS / "treserva" / "valid_behov_skyddad.json"))
    entry = VOCABULARIES["journal"].message(message, CENTRE)
    hsa = "urn:oid:1.2.752.129.2.1.4.1"

    assert entry.pop("content")["initiatedBy"] == "social-services"
    assert entry == {
        "entryType": "sip.message",
        "message": {
            "id": message.header.message_id,
            "type": {"system": "urn:journal:codes:message-type", "code": "sip-start"},
        },
        "caseNumber": "SIP100001",
        "sent": "2026-11-02T09:17:00+01:00",
        "duty": {"system": "urn:journal:codes:duty", "code": "notify"},
        "organization": {"identifier": {"system": hsa, "value": CENTRE}},
        "sender": {
            "party": "kommun",
            "organization": {"identifier": {"system": hsa, "value": SOCIAL}},
            "performer": {"name": "Amira Granlid"},
        },
        "patient": {
            "identifier": [{"system": "urn:oid:1.2.752.129.2.1.3.1", "value": "196505239811"}],
            "name": {"text": "Ivar Testlund"},
            "protection": {"system": "urn:journal:codes:protection", "code": "SKF"},
        },
    }
