"""Start a SIP (Starta SIP): someone has seen that a person needs measures from both principals."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from gateway.errors import Fault
from gateway.messages.case_event import CaseEvent
from gateway.messages.contract import (
    Contract,
    InformationType,
    MessageType,
    Rule,
    SenderKind,
)
from gateway.messages.header_rules import is_protected
from gateway.messages.model import Duty, Message, NeedNoticedBy


class SipVariant(StrEnum):
    """Whether a new SIP is made or an earlier one followed up."""

    NEW = "new"
    FOLLOW_UP = "follow-up"


class CareSetting(StrEnum):
    """Where the need was seen."""

    OPEN_CARE = "open-care"
    DISCHARGE = "discharge"


class PlacementKind(StrEnum):
    """The kind of home that someone is placed in by the social services."""

    HVB = "hvb"
    """Hem för vård eller boende."""
    FAMILY_HOME = "family-home"
    """Familjehem."""
    SPECIAL_HOUSING = "special-housing"
    """Särskilt boende, eller bostad med särskild service."""
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """The person is placed away from home: in which kind of home, in which municipality, and since which day.

    ``municipality`` is SCB's code of four digits; with a protected identity it is never said. The municipality that has
    placed the person keeps its duties, and so does the region the person lives in.
    """

    municipality: str | None = None
    kind: PlacementKind
    since: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SipStart:
    """Who saw the need, in which setting, and what is needed.

    ``parallel_reason`` says why the person gets one more SIP while another is open, which is else not allowed. A person
    with a ``placement`` lives elsewhere for now, and the plan must say what the region does for health care meanwhile.
    """

    initiated_by: NeedNoticedBy
    initiated_by_other: str | None = None
    variant: SipVariant = SipVariant.NEW
    setting: CareSetting = CareSetting.OPEN_CARE
    need_text: str
    requested_by_person: bool = False
    pre_meeting_date: date | None = None
    linked_admission: str | None = None
    parallel_reason: str | None = None
    placement: Placement | None = None


def _other_is_named(message: Message) -> Iterable[str]:
    start: SipStart = message.body
    if (start.initiated_by is NeedNoticedBy.OTHER) != (start.initiated_by_other is not None):
        yield "body/initiatedBy"


def _discharge_names_admission(message: Message) -> Iterable[str]:
    start: SipStart = message.body
    if start.setting is CareSetting.DISCHARGE and start.linked_admission is None:
        yield "body/setting"


def _placement_is_told_unless_protected(message: Message) -> Iterable[str]:
    placement: Placement | None = message.body.placement
    if placement is None:
        return
    if placement.municipality is None and not is_protected(message):
        yield "body/placement"
    if placement.municipality is not None and is_protected(message):
        yield "body/placement/municipality"


TYPE = MessageType(
    name="sipStart",
    title_sv="Starta SIP",
    title_en="Start of SIP",
    body=SipStart,
    moves=CaseEvent.START,
    contract=Contract(
        senders=frozenset({SenderKind.CONVENER}),
        duty=Duty.NOTIFY,
        deadline_source="nothing is owed until the invitation",
        consent=InformationType.NEED,
        carries_person=True,
        answers=("misdirectedReport", "acknowledgement"),
    ),
    rules=(
        Rule(
            Fault(
                "sip-start.other-not-named",
                "Ange vem som uppmärksammat behovet när ”annan” är valt, och bara då.",
                "Say who noticed the need when 'other' is chosen, and only then.",
            ),
            _other_is_named,
        ),
        Rule(
            Fault(
                "sip-start.admission-missing",
                "En SIP inför utskrivning måste peka ut vårdtillfället.",
                "A SIP before discharge must name the admission.",
            ),
            _discharge_names_admission,
        ),
        Rule(  # where a protected person lives is never sent, not even roughly
            Fault(
                "sip-start.placement-municipality",
                "Ange kommunen där den enskilde är placerad, men aldrig vid skyddade personuppgifter.",
                "Name the municipality in which the person is placed, but never with a protected identity.",
            ),
            _placement_is_told_unless_protected,
        ),
    ),
)
