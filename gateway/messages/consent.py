"""Consent (Samtycke): the person's permission to make a SIP and to share information for it.

It names parties, kinds of information and what is left out, so that it is no blanket waiver of secrecy. The gate reads
:meth:`Consent.covers` before anything of the case leaves the party, and a withdrawal counts from the moment it is sent.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from gateway.clock import local_date
from gateway.errors import Fault, InvalidDocumentError
from gateway.messages.binding import element, elements
from gateway.messages.case_event import CaseEvent
from gateway.messages.contract import (
    Contract,
    InformationType,
    MessageType,
    Rule,
    SenderKind,
)
from gateway.messages.model import Duty, Message, User

AGE_OF_MAJORITY = 18
"""Years of age from which nobody else has custody (föräldrabalken 6:2)."""


class ConsentDecision(StrEnum):
    """What was decided."""

    GIVEN = "given"
    DECLINED = "declined"
    PARTIAL = "partial"
    """Given, except for the units left out or the exclusions stated."""
    WITHDRAWN = "withdrawn"


class ConsentForm(StrEnum):
    """How the consent was expressed; an oral one is as good, and is noted by whoever took it."""

    ORAL = "oral"
    WRITTEN = "written"


class ConsentGiver(StrEnum):
    """Who decided."""

    PERSON = "person"
    GUARDIAN = "guardian"
    """A holder of custody (vårdnadshavare), for a person under 18."""
    REPRESENTATIVE = "representative"
    """Someone with a mandate, such as a power of attorney; the relation says which."""


class GuardianWaiver(StrEnum):
    """Why the consent of one guardian is enough."""

    HINDERED = "hindered"
    """The other is hindered and the matter cannot wait (föräldrabalken 6:13, second paragraph)."""
    SOCIAL_WELFARE_BOARD = "social-welfare-board"
    """The board has decided so, for care and support the child needs (föräldrabalken 6:13 a)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardianConsent:
    """What one guardian has decided. Guardians decide together (föräldrabalken 6:13), unless there is a ``waiver``."""

    name: str
    consents: bool
    waiver: GuardianWaiver | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentScope:
    """Whom a consent covers and for what. No ``units`` means every unit of ``parties``."""

    parties: tuple[str, ...] = element("party")
    units: tuple[str, ...] = elements("unit")
    information_types: tuple[InformationType, ...] = element("informationType")
    exclusions: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """A decision about consent: what, by whom, how informed, for whom it holds, until which day, and who took it.

    ``valid_until`` is the last day on which it holds. ``child_attitude`` is what the child thinks, given weight by age
    and maturity. ``document_ref`` points to the signed form, where there is one.
    """

    decision: ConsentDecision
    form: ConsentForm
    given_by: ConsentGiver
    giver_name: str | None = None
    relation: str | None = None
    scope: ConsentScope | None = None
    valid_until: date | None = None
    informed_how: str
    child_attitude: str | None = None
    guardians: tuple[GuardianConsent, ...] = elements("guardian")
    document_ref: str | None = None
    reason: str | None = None
    taken_by: User
    taken_at: datetime

    @property
    def permits(self) -> bool:
        """Whether the decision lets anything be shared at all."""
        return self.decision in (ConsentDecision.GIVEN, ConsentDecision.PARTIAL)

    def covers(self, *, party: str, unit: str, information: InformationType, on: date) -> bool:
        """Tell whether ``information`` may be sent to ``unit`` of ``party`` on the day ``on``.

        ``exclusions`` are words for people and are not weighed here: whoever writes a message must heed them.
        """
        if not self.permits or self.scope is None or (self.valid_until is not None and on > self.valid_until):
            return False
        return (
            party in self.scope.parties
            and (not self.scope.units or unit in self.scope.units)
            and information in self.scope.information_types
        )


def _has_scope(message: Message) -> Iterable[str]:
    consent: Consent = message.body
    if consent.permits and consent.scope is None:
        yield "body/decision"


def _no_scope(message: Message) -> Iterable[str]:
    consent: Consent = message.body
    if not consent.permits and consent.scope is not None:
        yield "body/scope"


def _partial_is_limited(message: Message) -> Iterable[str]:
    consent: Consent = message.body
    if consent.decision is not ConsentDecision.PARTIAL or consent.scope is None:
        return
    if not consent.scope.units and consent.scope.exclusions is None:
        yield "body/scope"


def _taken_before_sent(message: Message) -> Iterable[str]:
    consent: Consent = message.body
    if consent.taken_at > message.header.happened_at:
        yield "body/takenAt"


def _valid_from_taken(message: Message) -> Iterable[str]:
    consent: Consent = message.body
    if consent.valid_until is not None and consent.valid_until < local_date(consent.taken_at):
        yield "body/validUntil"


def _guardian_of_a_child(message: Message) -> Iterable[str]:
    consent: Consent = message.body
    age = _age_of_person(message, local_date(consent.taken_at))
    if consent.given_by is ConsentGiver.GUARDIAN and age is not None and age >= AGE_OF_MAJORITY:
        yield "body/givenBy"


def _age_of_person(message: Message, day: date) -> int | None:
    """Return the person's age on ``day``; ``None`` where the number tells none, or is wrong (the header rules say)."""
    if message.header.person is None:
        return None
    try:
        return message.header.person.person_id.age_on(day)
    except InvalidDocumentError:
        return None


def _representative_has_mandate(message: Message) -> Iterable[str]:
    consent: Consent = message.body
    if consent.given_by is ConsentGiver.REPRESENTATIVE and consent.relation is None:
        yield "body/givenBy"


def _child_is_heard(message: Message) -> Iterable[str]:
    consent: Consent = message.body
    if consent.permits and consent.given_by is ConsentGiver.GUARDIAN and consent.child_attitude is None:
        yield "body/givenBy"


def _attitude_is_a_childs(message: Message) -> Iterable[str]:
    consent: Consent = message.body
    if consent.given_by is not ConsentGiver.GUARDIAN and consent.child_attitude is not None:
        yield "body/childAttitude"


def _guardians_of_a_child(message: Message) -> Iterable[str]:
    consent: Consent = message.body
    if consent.guardians and consent.given_by is not ConsentGiver.GUARDIAN:
        yield "body/guardian[1]"


def _guardians_agree(message: Message) -> Iterable[str]:
    consent: Consent = message.body
    if not consent.permits:
        return
    for n, guardian in enumerate(consent.guardians, 1):
        if not guardian.consents and guardian.waiver is None:
            yield f"body/guardian[{n}]/consents"
    if consent.guardians and not any(guardian.consents for guardian in consent.guardians):
        yield "body/decision"


def _event_of(body: Consent) -> CaseEvent:
    match body.decision:
        case ConsentDecision.GIVEN | ConsentDecision.PARTIAL:
            return CaseEvent.CONSENT
        case ConsentDecision.DECLINED:
            return CaseEvent.DECLINE
        case ConsentDecision.WITHDRAWN:
            return CaseEvent.WITHDRAW


TYPE = MessageType(
    name="consent",
    title_sv="Samtycke",
    title_en="Consent",
    body=Consent,
    moves=_event_of,
    contract=Contract(
        senders=frozenset({SenderKind.CONVENER, SenderKind.PARTICIPANT}),
        duty=Duty.NOTIFY,
        deadline_source="nothing is owed for being told; a withdrawal takes effect at once",
        consent=None,
        without_consent="it is the consent: the gate sends it only to those it covers, or has covered",
        carries_person=True,
        may_stay_home=True,
        answers=("misdirectedReport", "acknowledgement"),
    ),
    rules=(
        Rule(
            Fault(
                "consent.scope-missing",
                "Ett lämnat samtycke måste ange vilka parter och uppgifter det omfattar.",
                "A consent that is given must say which parties and what information it covers.",
            ),
            _has_scope,
        ),
        Rule(
            Fault(
                "consent.scope-not-allowed",
                "Ett nekat eller återkallat samtycke omfattar inget.",
                "A consent that is declined or withdrawn covers nothing.",
            ),
            _no_scope,
        ),
        Rule(
            Fault(
                "consent.partial-without-limit",
                "Ett delvis samtycke måste ange enheter eller undantag.",
                "A partial consent must name units or exclusions.",
            ),
            _partial_is_limited,
        ),
        Rule(
            Fault(
                "consent.taken-after-sent",
                "Samtycket kan inte ha lämnats efter att meddelandet skapades.",
                "The consent cannot have been taken after the message was created.",
            ),
            _taken_before_sent,
        ),
        Rule(
            Fault(
                "consent.expired-when-taken",
                "Sista giltighetsdag ligger före dagen då samtycket lämnades.",
                "The last day of validity is before the day the consent was taken.",
            ),
            _valid_from_taken,
        ),
        Rule(  # föräldrabalken 6:2 and 6:11
            Fault(
                "consent.guardian-of-adult",
                "En vårdnadshavare kan bara samtycka för den som inte har fyllt 18 år.",
                "A guardian can consent only for a person who has not turned 18.",
            ),
            _guardian_of_a_child,
        ),
        Rule(  # a god man or förvaltare cannot consent alone to what is personal (föräldrabalken 11 kap.)
            Fault(
                "consent.mandate-missing",
                "Ange med vilken behörighet en företrädare samtycker.",
                "Say by which mandate a representative consents.",
            ),
            _representative_has_mandate,
        ),
        Rule(  # föräldrabalken 6:11: a withdrawal is let through without, because it must take effect at once
            Fault(
                "consent.child-not-heard",
                "När en vårdnadshavare samtycker ska barnets inställning anges.",
                "When a guardian consents, the attitude of the child must be stated.",
            ),
            _child_is_heard,
        ),
        Rule(
            Fault(
                "consent.child-attitude-not-applicable",
                "Barnets inställning anges bara när en vårdnadshavare bestämmer.",
                "The attitude of the child is stated only when a guardian decides.",
            ),
            _attitude_is_a_childs,
        ),
        Rule(
            Fault(
                "consent.guardians-not-applicable",
                "Vårdnadshavares beslut anges bara när en vårdnadshavare bestämmer.",
                "The decisions of guardians are stated only when a guardian decides.",
            ),
            _guardians_of_a_child,
        ),
        Rule(  # föräldrabalken 6:13 and 6:13 a
            Fault(
                "consent.guardians-disagree",
                "Alla vårdnadshavare måste samtycka, om inte ett skäl till undantag anges för den som inte gör det. "
                "Registrera annars att samtycket är nekat eller återkallat.",
                "All guardians must consent, unless a ground for an exception is stated for the one who does not. "
                "Otherwise register that the consent is declined or withdrawn.",
            ),
            _guardians_agree,
        ),
    ),
)
