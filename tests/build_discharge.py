"""Messages of a discharge process for tests: each is valid as it comes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from build import CLINIC, NOON, STAFF, WARD, message

from gateway.clock import local_date
from gateway.messages import (
    AdmissionNotice,
    AdmissionUpdate,
    CareNeed,
    Destination,
    DischargeInformation,
    DischargeMessage,
    DischargeReady,
    DischargeReadyRecall,
    FixedCareContact,
    FixedContactKind,
    InterruptionReason,
    Message,
    OpenCareAvailable,
    PlanningMessage,
    ProcessInterruption,
    RecallReason,
)

ADMISSION = "M200001"


def notice(*, at: datetime = NOON) -> AdmissionNotice:
    """Return that a patient was admitted an hour before ``at``, and is expected to leave in a week."""
    return AdmissionNotice(
        encounter_id="VT-2026-11-303-7",
        admitted_at=at - timedelta(hours=1),
        registered_address="Övningsgatan 1, 417 00 Göteborg",
        expected_discharge=local_date(at) + timedelta(days=7),
        expected_needs=(CareNeed.SOCIAL,),
        contact=STAFF,
    )


def expectation(days: int = 10, *, at: datetime = NOON) -> AdmissionUpdate:
    """Return that the discharge is expected ``days`` days after ``at``."""
    return AdmissionUpdate(expected_discharge=local_date(at) + timedelta(days=days))


def contact(unit: str = CLINIC, *, at: datetime = NOON) -> FixedCareContact:
    """Return that someone at ``unit`` is the fixed care contact."""
    return FixedCareContact(kind=FixedContactKind.CARE, practitioner=STAFF, unit=unit, valid_from=local_date(at))


def planning(*, reply_wanted: bool = False) -> PlanningMessage:
    """Return what is planned before the discharge."""
    return PlanningMessage(topic="Hemtjänst", proposal="Hemtjänsten börjar samma dag.", reply_wanted=reply_wanted)


def ready(*, at: datetime = NOON) -> DischargeReady:
    """Return that the patient needs no more inpatient care."""
    return DischargeReady(ready_at=at, sip_needed=True, open_care_available=OpenCareAvailable.YES)


def recall(of: str, *, at: datetime = NOON) -> DischargeReadyRecall:
    """Return that the notice with the message id ``of`` no longer holds."""
    return DischargeReadyRecall(ready_message_id=of, recalled_at=at, reason=RecallReason.DETERIORATED)


def planned_discharge(*, at: datetime = NOON) -> DischargeMessage:
    """Return that the patient is to go home the day after ``at``."""
    return DischargeMessage(planned_at=at + timedelta(days=1), destination=Destination.HOME)


def discharge(*, at: datetime = NOON) -> DischargeInformation:
    """Return what whoever takes over needs to know."""
    return DischargeInformation(
        discharged_at=at,
        admission_reason="Lunginflammation.",
        care_given="Antibiotika.",
        current_state="Uppegående.",
        medications="Enligt läkemedelslistan.",
        follow_up="Återbesök om en månad.",
        patient_copy_given=True,
    )


def interruption(reason: InterruptionReason = InterruptionReason.DIED, *, at: datetime = NOON) -> ProcessInterruption:
    """Return that the planning has ended without a discharge."""
    return ProcessInterruption(reason=reason, at=at)


def of_stay(body: Any, *to: str, sender: str = WARD, **more: Any) -> Message:
    """Return ``body`` as a message of the discharge process, from the ward unless another unit is named."""
    return message(body, *to, sender=sender, number=ADMISSION, **more)
