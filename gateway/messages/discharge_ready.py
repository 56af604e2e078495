"""Ready for discharge and its recall (Utskrivningsklar, Avbrott i utskrivningsklar).

*Utskrivningsklar* starts the clocks of the law: the SIP call within three days, and the payment responsibility of the
municipality after three days, or four when the notice came after noon (lag 2017:612, 3-5 kap.).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gateway.errors import Fault
from gateway.messages.case_event import CaseEvent
from gateway.messages.contract import DISCHARGE, WARDS, Contract, MessageType, Rule, SenderKind
from gateway.messages.deadline import hours
from gateway.messages.header_rules import is_protected
from gateway.messages.model import Duty, Message, User


class OpenCareAvailable(StrEnum):
    """Whether the region's open care has its measures in place; if not, the municipality does not pay (5 kap. 5 §)."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class RecallReason(StrEnum):
    """Why a patient is not ready after all."""

    DETERIORATED = "deteriorated"
    ERROR = "error"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class DischargeReady:
    """When the physician judged that inpatient care is no longer needed, and what is needed now (3 kap. 1 §).

    ``sip_needed`` says that measures of both principals are needed, so that a SIP is to be made (4 kap. 1 §).
    """

    ready_at: datetime
    physician: User | None = None
    sip_needed: bool
    open_care_available: OpenCareAvailable
    home_wish: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DischargeReadyRecall:
    """Which notice (its message id) no longer holds, since when, and why. Its clocks stop."""

    ready_message_id: str
    recalled_at: datetime
    reason: RecallReason
    text: str | None = None


def _is_judged(message: Message) -> Iterable[str]:
    ready: DischargeReady = message.body
    if ready.ready_at > message.header.happened_at:
        yield "body/readyAt"


def _protected_person_tells_of_no_home(message: Message) -> Iterable[str]:
    ready: DischargeReady = message.body
    if ready.home_wish is not None and is_protected(message):
        yield "body/homeWish"


def _is_recalled(message: Message) -> Iterable[str]:
    recall: DischargeReadyRecall = message.body
    if recall.recalled_at > message.header.happened_at:
        yield "body/recalledAt"


def _recall_is_explained(message: Message) -> Iterable[str]:
    recall: DischargeReadyRecall = message.body
    if recall.reason is RecallReason.OTHER and recall.text is None:
        yield "body/reason"


READY = MessageType(
    name="dischargeReady",
    title_sv="Utskrivningsklar",
    title_en="Ready for discharge",
    body=DischargeReady,
    moves=CaseEvent.READY,
    contract=Contract(
        process=DISCHARGE,
        senders=frozenset({SenderKind.CONVENER}),
        sender_units=WARDS,
        duty=Duty.ACKNOWLEDGE,
        deadline=hours(24),
        deadline_source="agreed default of 24 hours; the clocks of 2017:612, 4 kap. 3 § and 5 kap. 4 § begin with it",
        consent=None,
        without_consent="2017:612, 3 kap. 1 §",
        carries_person=True,
        answers=("acknowledgement", "misdirectedReport"),
    ),
    rules=(
        Rule(
            Fault(
                "discharge-ready.judged-in-the-future",
                "Bedömningen är inte gjord än.",
                "The judgement has not been made yet.",
            ),
            _is_judged,
        ),
        Rule(
            Fault(
                "discharge-ready.protected-home",
                "Var en person med skyddade personuppgifter vill bo får inte lämnas ut.",
                "Where a person with a protected identity wishes to live may not be told.",
            ),
            _protected_person_tells_of_no_home,
        ),
    ),
)

RECALL = MessageType(
    name="dischargeReadyRecall",
    title_sv="Avbrott i utskrivningsklar",
    title_en="Recall of ready for discharge",
    body=DischargeReadyRecall,
    moves=CaseEvent.RECALL,
    contract=Contract(
        process=DISCHARGE,
        senders=frozenset({SenderKind.CONVENER}),
        sender_units=WARDS,
        duty=Duty.NOTIFY,
        deadline_source="nothing is owed: the clocks of the notice stop",
        consent=None,
        without_consent="2017:612, 3 kap. 1 §",
        carries_person=True,
        answers=("misdirectedReport", "acknowledgement"),
    ),
    rules=(
        Rule(
            Fault(
                "discharge-ready-recall.in-the-future",
                "Avbrottet har inte inträffat än.",
                "The recall has not happened yet.",
            ),
            _is_recalled,
        ),
        Rule(
            Fault(
                "discharge-ready-recall.other-not-explained",
                "Ange skälet med ord när ”annat” är valt.",
                "Put the reason in words when 'other' is chosen.",
            ),
            _recall_is_explained,
        ),
    ),
)
