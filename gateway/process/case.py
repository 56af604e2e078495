"""A case as its messages have made it: who leads it, who takes part, the meeting, the plan, the consent in force."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from gateway.clock import STOCKHOLM
from gateway.errors import InvalidDocumentError
from gateway.identifiers import PersonId
from gateway.messages import (
    TYPES,
    CaseEvent,
    Chair,
    Identifier,
    InformationType,
    InviteeKind,
    MeetingOutcome,
    Message,
    ProtectedLevel,
    Slot,
)
from gateway.messages.binding import elements
from gateway.messages.consent import AGE_OF_MAJORITY, Consent, ConsentGiver
from gateway.process.states import CaseState, event_of


class MeetingState(StrEnum):
    """Where the latest meeting of a case stands."""

    NONE = "none"
    BOOKED = "booked"
    HELD = "held"
    CANCELLED = "cancelled"


class ParticipationState(StrEnum):
    """Where a unit that was called to the meeting stands with its reply."""

    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    """Someone at the unit has taken charge of the invitation; the reply is still owed."""
    TENTATIVE = "tentative"
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    """Prevented; a principal that was summoned has named a substitute."""
    REDIRECTED = "redirected"
    """Another unit of the same principal has been called instead."""
    MISDIRECTED = "misdirected"
    """The unit has said that it is the wrong one; the convener looks for the right one."""
    NO_REPLY = "no-reply"
    """The meeting was held, and no final reply had come: the principal is listed as absent, and its duty remains."""


OPEN = frozenset({ParticipationState.SENT, ParticipationState.ACKNOWLEDGED, ParticipationState.TENTATIVE})
"""States in which a unit that was summoned still owes its final reply."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """A unit of a party that takes part in a case."""

    party: str
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Participation:
    """A unit of another party than the one that calls, and where it stands with the meeting it is called to."""

    party: str
    unit: str
    kind: InviteeKind
    state: ParticipationState = ParticipationState.SENT
    ref: str | None = None
    """Message id of the invitation or change that the unit has to answer; ``None`` until one is on its way."""
    since: datetime | None = None
    """When the invitation or change that the unit has to answer was sent."""
    reply_by: datetime | None = None
    """When whoever calls asks for the reply; as agreed where it asks for no time."""
    instead_of: str | None = None
    """The unit that redirected its invitation here, and is owed for until this one is called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """The overall responsibility on its way: in which message, and to whom."""

    message_id: str
    to: Participant


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """Someone with the right to do so (HSA-id) has looked at a frozen case and lets it go on."""

    by: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """The inpatient stay of a discharge process."""

    expected_discharge: date
    fixed_contact_unit: str | None = None
    ready_ref: str | None = None
    """Message id of the notice of ready for discharge that holds."""
    ready_sent_at: datetime | None = None
    sip_needed: bool = False
    open_sip: str | None = None
    """Number of the SIP that was open for the person when the stay began, as far as this party knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SipCase:
    """A case as its messages have made it.

    ``participants`` are the units of other parties than the convener that have joined. The ``lead`` sends the calls,
    the plan and the closure: the convener, until a plan or a transfer names someone else; ``responsible_unit`` has the
    overall responsibility once there is a plan, and is never empty after that. ``consent_ref`` is the message id of the
    consent in force, ``opening_ref`` of what opened the case, ``booking_ref`` of the latest call to a meeting and
    ``change_ref`` of what moved it since. While a meeting is booked, ``slot`` is when it is and ``chair`` who leads it;
    ``held_by`` is the party that has noted, at home, that it was held, and ``held_outcome`` what came of it.
    ``consented_at`` is when the first consent was taken, ``followed_up_at`` when the plan was last followed up.

    ``is_placed`` is set when the person is placed elsewhere. That changes nothing about who leads the case and who is
    called, and the plan must say what the region does for health care meanwhile. ``is_frozen`` is set when the
    protection of the person's identity changes, ``protection_since`` then: nothing more leaves until someone with the
    right to do so has looked at the case. ``person`` is the number that the case began with, ``other_numbers`` those
    that the own system has told to be the same person's since.
    """

    number: str
    convener: str
    convening_unit: str
    state: CaseState
    opened_at: datetime
    person: Identifier
    participants: tuple[Participant, ...] = elements("participant")
    consent: Consent | None = None
    consent_ref: str | None = None
    consented_at: datetime | None = None
    meeting: MeetingState = MeetingState.NONE
    booking_version: int = 0
    plan_version: int = 0
    opening_ref: str | None = None
    booking_ref: str | None = None
    change_ref: str | None = None
    slot: Slot | None = None
    chair: Chair | None = None
    called: tuple[Participation, ...] = elements("called")
    responsible_unit: str | None = None
    lead: Participant | None = None
    transfer: Transfer | None = None
    held_at: datetime | None = None
    held_by: str | None = None
    held_outcome: MeetingOutcome | None = None
    follow_up_on: date | None = None
    followed_up_at: datetime | None = None
    protected_level: ProtectedLevel = ProtectedLevel.NONE
    protection_since: datetime | None = None
    is_placed: bool = False
    is_frozen: bool = False
    reviews: tuple[Review, ...] = elements("review")
    stay: Stay | None = None
    other_numbers: tuple[Identifier, ...] = elements("otherNumber")

    @property
    def leader(self) -> Participant:
        """The unit that leads the case now."""
        return self.lead or Participant(party=self.convener, unit=self.convening_unit)

    @property
    def parties(self) -> set[str]:
        """The parties that take part, as far as this side knows."""
        return {self.convener, self.leader.party, *(one.party for one in self.participants)}

    @property
    def chair_name(self) -> str | None:
        """What tells whoever leads the booked meeting from others: the name and the unit, the case of letters aside."""
        return f"{self.chair.name.casefold()}/{self.chair.unit or self.leader.unit}" if self.chair is not None else None

    @property
    def consent_ends_at(self) -> datetime | None:
        """When the consent in force runs out: the midnight, in Sweden, that ends its last day.

        What a guardian has consented to ends when the person comes of age; from then on the person decides
        (föräldrabalken 6:2 and 9:1).
        """
        if self.consent is None:
            return None
        last_days = [day for day in (self.consent.valid_until, self._last_day_of_custody) if day is not None]
        return datetime.combine(min(last_days) + timedelta(days=1), time(), STOCKHOLM) if last_days else None

    @property
    def _last_day_of_custody(self) -> date | None:
        """The day before the 18th birthday, where a guardian has consented and the number tells the birthday."""
        if self.consent is None or self.consent.given_by is not ConsentGiver.GUARDIAN:
            return None
        try:
            born = PersonId.from_oid(self.person.root, self.person.extension).birth_date
        except InvalidDocumentError:
            return None
        return _birthday(born, AGE_OF_MAJORITY) - timedelta(days=1) if born is not None else None

    @property
    def is_protected(self) -> bool:
        """Whether the person has a protected identity of any grade."""
        return self.protected_level is not ProtectedLevel.NONE

    def concerns(self, party: str) -> bool:
        """Tell whether ``party`` leads the case or has units in it; one whose last unit has left has nothing to do."""
        return party in self.parties

    def participation(self, unit: str) -> Participation | None:
        """Return how a unit that was called stands with its reply, ``None`` when it was not called."""
        return next((one for one in self.called if one.unit == unit), None)

    def shares(self, information: InformationType, *, party: str, unit: str, on: date) -> bool:
        """Tell whether the consent in force lets ``information`` reach ``unit`` of ``party`` on the day ``on``."""
        if self.consent is None:
            return False
        custody = self._last_day_of_custody
        in_force = custody is None or on <= custody
        return in_force and self.consent.covers(party=party, unit=unit, information=information, on=on)

    def may_receive(self, message: Message, *, party: str, unit: str, on: date) -> bool:
        """Tell whether ``message`` may leave for ``unit`` of ``party`` on the day ``on``: the consent gate.

        True when its type needs no consent, or when the consent in force covers that unit and that kind of information
        that day. Social services and health care alike need consent before anything is shared for a SIP. The convener,
        who took the consent, may be told by a unit what that unit may be told.
        """
        information = TYPES[message.type].contract.consent
        if isinstance(message.body, Consent):
            # A consent tells about the person, so it goes only to those it covers. A withdrawal is told at once, to
            # the convener, who may know nothing of it.
            kinds = () if event_of(message) is CaseEvent.WITHDRAW else tuple(InformationType)
        else:
            kinds = () if information is None else (information,)
        if party == self.convener:
            sender = message.header.sender
            party, unit = sender.party, sender.unit
        return not kinds or any(self.shares(kind, party=party, unit=unit, on=on) for kind in kinds)


def _birthday(born: date, age: int) -> date:
    """Return the day on which someone turns ``age``; whoever was born on 29 February does so on 1 March."""
    try:
        return born.replace(year=born.year + age)
    except ValueError:
        return date(born.year + age, 3, 1)
