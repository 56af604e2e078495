"""Admission notice and update (Inskrivningsmeddelande, Ändrad beräknad utskrivning): a patient has been admitted.

The ward tells the units that may have to do something after the discharge, within 24 hours of the admission or of the
judgement that comes later (lag 2017:612 om samverkan vid utskrivning från sluten hälso- och sjukvård, 2 kap. 1-4 §§).
A late notice is sent all the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from gateway.clock import local_date
from gateway.errors import Fault
from gateway.messages.binding import element
from gateway.messages.case_event import CaseEvent
from gateway.messages.contract import DISCHARGE, WARDS, Contract, MessageType, Rule, SenderKind
from gateway.messages.deadline import hours
from gateway.messages.header_rules import is_protected
from gateway.messages.model import Duty, Message, User


class CareNeed(StrEnum):
    """Whose measures may be needed after the discharge."""

    SOCIAL = "social"
    MUNICIPAL_HEALTH = "municipal-health"
    REGION_OPEN_CARE = "region-open-care"


class CompulsoryCare(StrEnum):
    """Open compulsory care after the discharge; it has a coordinated care plan of its own (2017:612, 4 kap. 1 §)."""

    OPEN_PSYCHIATRIC = "open-psychiatric"
    """Öppen psykiatrisk tvångsvård (lag 1991:1128)."""
    OPEN_FORENSIC = "open-forensic"
    """Öppen rättspsykiatrisk vård (lag 1991:1129)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionNotice:
    """What the notice must contain (2 kap. 2 §): the person, the registered address and the expected discharge.

    ``encounter_id`` names the stay in the journal of the ward. ``judged_at`` is when the physician judged that measures
    may be needed, ``expected_needs`` of whom. ``contact`` answers questions.
    """

    encounter_id: str
    admitted_at: datetime
    judged_at: datetime | None = None
    registered_address: str | None = None
    expected_discharge: date
    expected_needs: tuple[CareNeed, ...] = element("expectedNeed")
    compulsory_care: CompulsoryCare | None = None
    contact: User


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionUpdate:
    """The new day on which the discharge is expected, and why."""

    expected_discharge: date
    reason: str | None = None


def _is_admitted(message: Message) -> Iterable[str]:
    notice: AdmissionNotice = message.body
    if notice.admitted_at > message.header.happened_at:
        yield "body/admittedAt"


def _leaves_after_admission(message: Message) -> Iterable[str]:
    notice: AdmissionNotice = message.body
    if notice.expected_discharge < local_date(notice.admitted_at):
        yield "body/expectedDischarge"


def _has_address(message: Message) -> Iterable[str]:
    notice: AdmissionNotice = message.body
    if notice.registered_address is None and not is_protected(message):
        yield "body"


def _protected_person_cannot_be_found(message: Message) -> Iterable[str]:
    notice: AdmissionNotice = message.body
    if notice.registered_address is not None and is_protected(message):
        yield "body/registeredAddress"


def _needs_differ(message: Message) -> Iterable[str]:
    notice: AdmissionNotice = message.body
    for n, need in enumerate(notice.expected_needs, 1):
        if need in notice.expected_needs[: n - 1]:
            yield f"body/expectedNeed[{n}]"


def _discharge_is_ahead(message: Message) -> Iterable[str]:
    update: AdmissionUpdate = message.body
    if update.expected_discharge < local_date(message.header.happened_at):
        yield "body/expectedDischarge"


NOTICE = MessageType(
    name="admissionNotice",
    title_sv="Inskrivningsmeddelande",
    title_en="Admission notice",
    body=AdmissionNotice,
    moves=CaseEvent.ADMIT,
    contract=Contract(
        process=DISCHARGE,
        senders=frozenset({SenderKind.CONVENER}),
        sender_units=WARDS,
        duty=Duty.ACKNOWLEDGE,
        deadline=hours(24),
        deadline_source="agreed default of 24 hours, no statutory number; sent within 24 hours by 2017:612, 2 kap. 3 §",
        consent=None,
        without_consent="2017:612, 2 kap. 1 §",
        carries_person=True,
        answers=("acknowledgement", "misdirectedReport"),
        retractable=True,
    ),
    rules=(
        Rule(
            Fault(
                "admission-notice.admitted-in-the-future",
                "Patienten är inte inskriven än.",
                "The patient has not been admitted yet.",
            ),
            _is_admitted,
        ),
        Rule(
            Fault(
                "admission-notice.discharge-before-admission",
                "Beräknad utskrivning ligger före inskrivningen.",
                "The expected discharge is before the admission.",
            ),
            _leaves_after_admission,
        ),
        Rule(  # 2 kap. 2 §
            Fault(
                "admission-notice.address-missing",
                "Folkbokföringsadress ska anges för den som inte har skyddade personuppgifter.",
                "The registered address must be given for a person without a protected identity.",
            ),
            _has_address,
        ),
        Rule(
            Fault(
                "admission-notice.protected-address",
                "Adress får inte lämnas ut om en person med skyddade personuppgifter.",
                "No address may be given for a person with a protected identity.",
            ),
            _protected_person_cannot_be_found,
        ),
        Rule(
            Fault(
                "admission-notice.need-twice",
                "Samma behov står två gånger.",
                "The same need is named twice.",
            ),
            _needs_differ,
        ),
    ),
)

UPDATE = MessageType(
    name="admissionUpdate",
    title_sv="Ändrad beräknad utskrivning",
    title_en="Admission update",
    body=AdmissionUpdate,
    moves=CaseEvent.EXPECT,
    contract=Contract(
        process=DISCHARGE,
        senders=frozenset({SenderKind.CONVENER}),
        sender_units=WARDS,
        duty=Duty.NOTIFY,
        deadline_source="nothing is owed for being told; sent as soon as possible by 2017:612, 2 kap. 4 §",
        consent=None,
        without_consent="2017:612, 2 kap. 4 §",
        carries_person=True,
        answers=("misdirectedReport", "acknowledgement"),
    ),
    rules=(
        Rule(
            Fault(
                "admission-update.discharge-in-the-past",
                "Den nya dagen har redan varit.",
                "The new day has already been.",
            ),
            _discharge_is_ahead,
        ),
    ),
)
