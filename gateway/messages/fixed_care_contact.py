"""Fixed care contact (Fast vårdkontakt): who in the region's open care follows the patient after the discharge.

The contact is appointed before the patient is discharged, and calls the SIP meeting (lag 2017:612, 2 kap. 5 § and
4 kap. 3 §).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from gateway.errors import Fault
from gateway.messages.case_event import CaseEvent
from gateway.messages.contract import DISCHARGE, Contract, MessageType, Rule, SenderKind
from gateway.messages.model import Duty, Message, User


class FixedContactKind(StrEnum):
    """Of which kind a fixed contact is."""

    CARE = "care"
    """Fast vårdkontakt."""
    SOCIAL_CARE = "social-care"
    """Fast omsorgskontakt."""
    PHYSICIAN = "physician"
    """Fast läkarkontakt."""
    NURSE = "nurse"
    """Kontaktsjuksköterska."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedCareContact:
    """Who is the contact, of which kind, at which unit (HSA-id), and for how long."""

    kind: FixedContactKind
    practitioner: User
    unit: str
    valid_from: date
    valid_until: date | None = None


def _lasts(message: Message) -> Iterable[str]:
    contact: FixedCareContact = message.body
    if contact.valid_until is not None and contact.valid_until < contact.valid_from:
        yield "body/validUntil"


TYPE = MessageType(
    name="fixedCareContact",
    title_sv="Fast vårdkontakt utsedd",
    title_en="Fixed care contact",
    body=FixedCareContact,
    moves=CaseEvent.APPOINT_CONTACT,
    contract=Contract(
        process=DISCHARGE,
        senders=frozenset({SenderKind.CONVENER, SenderKind.PARTICIPANT}),
        duty=Duty.NOTIFY,
        deadline_source="nothing is owed for being told; appointed before the discharge by 2017:612, 2 kap. 5 §",
        consent=None,
        without_consent="2017:612, 2 kap. 5 §",
        carries_person=True,
        answers=("misdirectedReport", "acknowledgement"),
    ),
    rules=(
        Rule(
            Fault(
                "fixed-care-contact.ends-before-it-begins",
                "Kontakten upphör innan den börjar gälla.",
                "The contact ends before it begins.",
            ),
            _lasts,
        ),
    ),
)
