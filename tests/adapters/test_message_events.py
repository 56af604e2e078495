"""What the events mean that are about other messages, and about who takes part in a case."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from case_events import (
    CENTRE,
    EARLIER,
    EVENTS,
    MUNICIPAL_HEALTH,
    PSYCHIATRY,
    SOCIAL,
    draft_of,
    translator,
)

from gateway.errors import InvalidDocumentError
from gateway.messages import Principal
from gateway.messages.correction import MisdirectedReason, MisdirectedReport, Retraction, RetractionReason
from gateway.messages.general_message import GeneralMessage
from gateway.messages.participant import (
    CaseConvener,
    ParticipantAdded,
    ParticipantRemoved,
    RemovalReason,
    SharedCaseState,
)
from gateway.ports import Event

# --- messages -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "name", "body"),
    [
        (
            "treserva",
            "meddelande",
            GeneralMessage(
                topic="Ny telefontid",
                text="Ivar nås bäst på förmiddagarna.\nKan ni ringa mellan 9 och 11?",
                reply_wanted=True,
                reply_by=datetime(2026, 12, 4, 15, 0, tzinfo=UTC),
            ),
        ),
        (
            "journal",
            "message_sent",
            GeneralMessage(
                topic="Ny telefontid",
                text="Henrik nås bäst på eftermiddagarna.",
                reply_wanted=True,
                reply_by=datetime(2026, 10, 8, 14, 0, tzinfo=UTC),
            ),
        ),
    ],
)
def test_a_message_may_want_a_reply(kind: str, name: str, body: GeneralMessage) -> None:
    draft = draft_of(kind, name)

    assert draft.body == body
    assert draft.in_reply_to is None


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("treserva", "meddelande_svar"),
        ("treserva", "planering_svar"),
        ("journal", "message_sent_answer"),
        ("journal", "planning_answer"),
    ],
)
def test_a_message_may_answer_another(kind: str, name: str) -> None:
    draft = draft_of(kind, name)

    assert draft.in_reply_to == EARLIER
    assert (draft.body.reply_wanted, draft.body.reply_by) == (False, None)


@pytest.mark.parametrize(
    ("kind", "name", "body"),
    [
        (
            "treserva",
            "meddelande_atertaget",
            Retraction(
                target_message_id=EARLIER, target_type="generalMessage", reason=RetractionReason.WRONG_RECIPIENT
            ),
        ),
        (
            "journal",
            "message_retracted",
            Retraction(target_message_id=EARLIER, target_type="admissionNotice", reason=RetractionReason.WRONG_PERSON),
        ),
    ],
)
def test_a_retraction_names_what_it_takes_back_and_answers_nothing(kind: str, name: str, body: Retraction) -> None:
    draft = draft_of(kind, name)

    assert draft.body == body
    assert (draft.in_reply_to, draft.person) == (None, None)


@pytest.mark.parametrize(
    ("kind", "name", "body"),
    [
        (
            "treserva",
            "felsant",
            MisdirectedReport(
                target_message_id=EARLIER,
                target_type="admissionNotice",
                reason=MisdirectedReason.WRONG_UNIT,
                suggested_unit=MUNICIPAL_HEALTH,
            ),
        ),
        (
            "journal",
            "message_misdirected",
            MisdirectedReport(
                target_message_id=EARLIER,
                target_type="sipStart",
                reason=MisdirectedReason.PERSON_UNKNOWN,
                suggested_unit="SE2321000131-E000000000404",
            ),
        ),
    ],
)
def test_a_misdirected_message_is_answered_and_named(kind: str, name: str, body: MisdirectedReport) -> None:
    draft = draft_of(kind, name)

    assert draft.body == body
    assert (draft.in_reply_to, draft.person) == (EARLIER, None)


# --- who takes part -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "name", "joining", "principal", "convener", "at"),
    [
        (
            "treserva",
            "deltagare_tillagd",
            (PSYCHIATRY, "Psykiatrisk öppenvård", "Ivar har fått en fast vårdkontakt där."),
            Principal.REGION,
            CaseConvener(party="kommun", unit=SOCIAL),
            datetime(2026, 12, 3, 9, 0, tzinfo=UTC),
        ),
        (
            "journal",
            "participant_added",
            (MUNICIPAL_HEALTH, "Kommunal hälso- och sjukvård", "Läkemedlen ska ges på korttidsboendet."),
            Principal.MUNICIPALITY,
            CaseConvener(party="region", unit=PSYCHIATRY),
            datetime(2026, 10, 1, 8, 0, tzinfo=UTC),
        ),
    ],
)
def test_a_unit_that_joins_is_told_and_where_the_case_stands_is_left_to_the_core(
    kind: str,
    name: str,
    joining: tuple[str, str, str],
    principal: Principal,
    convener: CaseConvener,
    at: datetime,
) -> None:
    draft = draft_of(kind, name)
    unit, role, reason = joining

    assert draft.recipients == (unit,)
    assert draft.body == ParticipantAdded(
        unit=unit,
        principal=principal,
        role=role,
        reason=reason,
        convener=convener,
        opened_at=at,
        state=SharedCaseState.PREPARING,
        booking_version=0,
        plan_version=0,
    )


@pytest.mark.parametrize(
    ("kind", "name", "body"),
    [
        (
            "treserva",
            "deltagare_borttagen",
            ParticipantRemoved(unit=PSYCHIATRY, reason=RemovalReason.NOT_CONCERNED),
        ),
        (
            "journal",
            "participant_removed",
            ParticipantRemoved(unit=MUNICIPAL_HEALTH, reason=RemovalReason.REPLACED),
        ),
    ],
)
def test_a_unit_that_leaves_is_told(kind: str, name: str, body: ParticipantRemoved) -> None:
    draft = draft_of(kind, name)

    assert draft.body == body
    assert (draft.recipients, draft.person) == ((body.unit,), None)


def read(kind: str, name: str, **changed: Any) -> None:
    event = json.loads((EVENTS / kind / f"valid_{name}.json").read_bytes()) | changed
    translator(kind).translate(Event(source=kind, content=json.dumps(event).encode()))


@pytest.mark.parametrize("name", ["deltagare_tillagd", "deltagare_borttagen"])
def test_a_unit_of_the_own_party_cannot_be_sent_to(name: str) -> None:
    with pytest.raises(InvalidDocumentError) as caught:
        read("treserva", name, deltagarenhet=MUNICIPAL_HEALTH)

    assert [(finding.code, finding.path) for finding in caught.value.findings] == [
        ("event.recipient-at-home", "/deltagarenhet")
    ]


@pytest.mark.parametrize(
    ("hsa_id", "code"),
    [("SE2321000131-E000000000505", "unit.not-valid"), ("SE2120001355-NAGONANNAN", "unit.unknown")],
)
def test_a_unit_that_cannot_be_reached_is_said_once(hsa_id: str, code: str) -> None:
    with pytest.raises(InvalidDocumentError) as caught:
        read("treserva", "deltagare_tillagd", deltagarenhet=hsa_id)

    assert [(finding.code, finding.path) for finding in caught.value.findings] == [(code, "/deltagarenhet")]


def test_a_unit_without_inbox_can_join_and_gets_letters_but_cannot_act() -> None:
    private = "SE2321000131-E000000000606"
    read("treserva", "deltagare_tillagd", deltagarenhet=private)
    with pytest.raises(InvalidDocumentError) as caught:
        read("treserva", "deltagare_tillagd", enhet=private)
    assert ("unit.no-inbox", "/enhet") in [(finding.code, finding.path) for finding in caught.value.findings]


def test_an_unknown_unit_that_acts_is_said_once_where_it_stands_in_for_the_convener() -> None:
    with pytest.raises(InvalidDocumentError) as caught:
        read("treserva", "deltagare_tillagd", enhet="SE2120001355-OKAND")

    assert [(finding.code, finding.path) for finding in caught.value.findings] == [("unit.unknown", "/enhet")]


def test_a_vardcentral_can_join_as_any_unit() -> None:
    read("treserva", "deltagare_tillagd", deltagarenhet=CENTRE)
