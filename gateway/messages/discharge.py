"""Discharge message and information (Utskrivningsmeddelande, Information vid utskrivning).

When and where the patient goes, and what whoever takes over needs to know, told on the day of the discharge
(lag 2017:612, 3 kap. 2 §).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gateway.clock import local_date
from gateway.errors import Fault
from gateway.messages.binding import elements
from gateway.messages.case_event import CaseEvent
from gateway.messages.contract import DISCHARGE, WARDS, Contract, MessageType, Rule, SenderKind
from gateway.messages.header_rules import is_protected
from gateway.messages.model import Duty, Message, User


class Destination(StrEnum):
    """Where the patient goes."""

    HOME = "home"
    SHORT_TERM_HOUSING = "short-term-housing"
    SPECIAL_HOUSING = "special-housing"
    OTHER_HOSPITAL = "other-hospital"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstVisit:
    """A first visit or measure after the discharge, when, and by which unit (HSA-id)."""

    what: str
    at: datetime
    unit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DischargeMessage:
    """When and where the patient is planned to go, how, and what comes first there."""

    planned_at: datetime
    destination: Destination
    destination_text: str | None = None
    transport: str | None = None
    first_visits: tuple[FirstVisit, ...] = elements("firstVisit")


@dataclass(frozen=True, slots=True, kw_only=True)
class DischargeInformation:
    """What whoever takes over needs to know, told the same day (3 kap. 2 §)."""

    discharged_at: datetime
    admission_reason: str
    care_given: str
    current_state: str
    risks: str | None = None
    medications: str
    follow_up: str
    fixed_contact: User | None = None
    planned_sip: datetime | None = None
    plans_in_place: tuple[str, ...] = elements("planInPlace")
    patient_copy_given: bool


def _destination_is_told(message: Message) -> Iterable[str]:
    discharge: DischargeMessage = message.body
    if discharge.destination is Destination.OTHER and discharge.destination_text is None and not is_protected(message):
        yield "body/destination"


def _protected_person_is_not_followed(message: Message) -> Iterable[str]:
    discharge: DischargeMessage = message.body
    if is_protected(message):
        if discharge.destination_text is not None:
            yield "body/destinationText"
        if discharge.transport is not None:
            yield "body/transport"


def _visits_come_after(message: Message) -> Iterable[str]:
    discharge: DischargeMessage = message.body
    for n, visit in enumerate(discharge.first_visits, 1):
        if visit.at < discharge.planned_at:
            yield f"body/firstVisit[{n}]/at"


def _is_discharged(message: Message) -> Iterable[str]:
    information: DischargeInformation = message.body
    # Written before the patient goes, the information may be sent on the day of the discharge, and not before it.
    if local_date(information.discharged_at) > local_date(message.header.happened_at):
        yield "body/dischargedAt"


def _sip_comes_after(message: Message) -> Iterable[str]:
    information: DischargeInformation = message.body
    if information.planned_sip is not None and information.planned_sip < information.discharged_at:
        yield "body/plannedSip"


MESSAGE = MessageType(
    name="dischargeMessage",
    title_sv="Utskrivningsmeddelande",
    title_en="Discharge message",
    body=DischargeMessage,
    moves=CaseEvent.PLAN_DISCHARGE,
    contract=Contract(
        process=DISCHARGE,
        senders=frozenset({SenderKind.CONVENER}),
        sender_units=WARDS,
        duty=Duty.NOTIFY,
        deadline_source="nothing is owed for being told",
        consent=None,
        without_consent="2017:612, 2 kap. 6 §",
        carries_person=True,
        answers=("misdirectedReport", "acknowledgement"),
    ),
    rules=(
        Rule(
            Fault(
                "discharge-message.destination-not-told",
                "Ange vart med ord när ”annat” är valt.",
                "Say where to in words when 'other' is chosen.",
            ),
            _destination_is_told,
        ),
        Rule(
            Fault(
                "discharge-message.protected-destination",
                "Vart och hur en person med skyddade personuppgifter åker får inte lämnas ut med egna ord.",
                "Where and how a person with a protected identity goes may not be told in words.",
            ),
            _protected_person_is_not_followed,
        ),
        Rule(
            Fault(
                "discharge-message.visit-before-discharge",
                "Ett första besök ligger före utskrivningen.",
                "A first visit is before the discharge.",
            ),
            _visits_come_after,
        ),
    ),
)

INFORMATION = MessageType(
    name="dischargeInformation",
    title_sv="Information vid utskrivning",
    title_en="Discharge information",
    body=DischargeInformation,
    moves=CaseEvent.DISCHARGE,
    contract=Contract(
        process=DISCHARGE,
        senders=frozenset({SenderKind.CONVENER}),
        sender_units=WARDS,
        duty=Duty.NOTIFY,
        deadline_source="nothing is owed for being told; sent the same day by 2017:612, 3 kap. 2 §",
        consent=None,
        without_consent="2017:612, 3 kap. 2 §",
        carries_person=True,
        answers=("misdirectedReport", "acknowledgement"),
    ),
    rules=(
        Rule(
            Fault(
                "discharge-information.discharged-in-the-future",
                "Utskrivningen ligger efter den dag då meddelandet skapades.",
                "The discharge is after the day the message was created.",
            ),
            _is_discharged,
        ),
        Rule(
            Fault(
                "discharge-information.sip-before-discharge",
                "Det planerade SIP-mötet ligger före utskrivningen.",
                "The planned SIP meeting is before the discharge.",
            ),
            _sip_comes_after,
        ),
    ),
)
