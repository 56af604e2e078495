"""Closure (Avslut): the SIP no longer applies.

Every party is told, and each principal documents it in its own system ("Göteborgs Stads rutin för SIP"). After a
withdrawn consent the recipients learn that the SIP is closed and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from gateway.clock import local_date
from gateway.errors import Fault
from gateway.messages.binding import elements
from gateway.messages.case_event import CaseEvent
from gateway.messages.contract import Contract, MessageType, Rule, SenderKind
from gateway.messages.model import Duty, Message, Principal


class ClosureReason(StrEnum):
    """Why a SIP is closed."""

    GOALS_MET = "goals-met"
    NO_COORDINATION_NEED = "no-coordination-need"
    """Measures may go on, but need no coordination."""
    CONSENT_WITHDRAWN = "consent-withdrawn"
    DIED = "died"
    MOVED = "moved"
    DUPLICATE = "duplicate"
    """Another case for the same person was opened first and goes on."""
    SUPERSEDED = "superseded"
    """A new SIP takes over, because the long-term goal has changed much."""
    COMPULSORY_CARE_PLAN = "compulsory-care-plan"
    """A coordinated care plan under the acts LPT or LRV takes over."""
    REFUSED = "refused"
    """The unit refuses a request for a SIP; an exception, whose reason is documented ("Göteborgs Stads rutin")."""
    OTHER = "other"


PUT_IN_WORDS = frozenset({ClosureReason.OTHER, ClosureReason.REFUSED})
"""Reasons that are told in words too."""

REPLACED = frozenset({ClosureReason.DUPLICATE, ClosureReason.SUPERSEDED})
"""Reasons that point to another case."""

NOBODY_TO_TELL = frozenset({ClosureReason.CONSENT_WITHDRAWN, ClosureReason.DIED})
"""Reasons after which the message does not say where to turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalDocumentation:
    """Whether a principal has documented the closure in its own system, and on which day."""

    principal: Principal
    documented: bool
    on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Closure:
    """Why and when the SIP was closed, how the person was told, and where to turn if the need comes back."""

    reason: ClosureReason
    other_text: str | None = None
    closed_on: date
    person_informed_how: str | None = None
    where_to_turn: str | None = None
    superseded_by: str | None = None
    documented: tuple[LocalDocumentation, ...] = elements("documented")


def _other_is_named(message: Message) -> Iterable[str]:
    closure: Closure = message.body
    if (closure.reason in PUT_IN_WORDS) != (closure.other_text is not None):
        yield "body/reason"


def _says_where_to_turn(message: Message) -> Iterable[str]:
    closure: Closure = message.body
    if closure.reason not in NOBODY_TO_TELL and closure.where_to_turn is None:
        yield "body/reason"


def _withdrawal_is_silent(message: Message) -> Iterable[str]:
    closure: Closure = message.body
    if closure.reason is not ClosureReason.CONSENT_WITHDRAWN:
        return
    texts = {
        "otherText": closure.other_text,
        "personInformedHow": closure.person_informed_how,
        "whereToTurn": closure.where_to_turn,
    }
    yield from (f"body/{name}" for name, text in texts.items() if text is not None)


def _successor_is_named(message: Message) -> Iterable[str]:
    closure: Closure = message.body
    if (closure.reason in REPLACED) != (closure.superseded_by is not None):
        yield "body/reason"


def _successor_is_another(message: Message) -> Iterable[str]:
    closure: Closure = message.body
    if closure.superseded_by == message.header.case_number:
        yield "body/supersededBy"


def _closed_already(message: Message) -> Iterable[str]:
    closure: Closure = message.body
    if closure.closed_on > local_date(message.header.happened_at):
        yield "body/closedOn"


def _documented_on_a_day(message: Message) -> Iterable[str]:
    closure: Closure = message.body
    for n, entry in enumerate(closure.documented, 1):
        if entry.documented != (entry.on is not None):
            yield f"body/documented[{n}]"


def _each_principal_once(message: Message) -> Iterable[str]:
    closure: Closure = message.body
    seen: set[Principal] = set()
    for n, entry in enumerate(closure.documented, 1):
        if entry.principal in seen:
            yield f"body/documented[{n}]/principal"
        seen.add(entry.principal)


def _event_of(body: Closure) -> CaseEvent:
    match body.reason:
        case ClosureReason.CONSENT_WITHDRAWN:
            return CaseEvent.WITHDRAW  # how the convener tells the others
        case ClosureReason.REFUSED:
            return CaseEvent.REFUSE
    return CaseEvent.CLOSE


TYPE = MessageType(
    name="closure",
    title_sv="Avslut",
    title_en="Closure",
    body=Closure,
    moves=_event_of,
    contract=Contract(
        senders=frozenset({SenderKind.CONVENER, SenderKind.PARTICIPANT}),
        duty=Duty.NOTIFY,
        deadline_source="nothing is owed to the sender; each principal documents the closure by its own rules",
        consent=None,
        without_consent="it must reach everyone after a withdrawal too, and names no person",
        carries_person=False,
        may_stay_home=True,
        answers=("acknowledgement",),
    ),
    rules=(
        Rule(
            Fault(
                "closure.other-not-named",
                "Ange orsaken med ord när ”annan” är vald eller begäran avslås, och bara då.",
                "Put the reason in words when 'other' is chosen or the request is refused, and only then.",
            ),
            _other_is_named,
        ),
        Rule(  # "Riktlinje för SIP i Västra Götaland": all are told where to turn later
            Fault(
                "closure.where-to-turn-missing",
                "Ange vart den enskilde kan vända sig om behovet återkommer.",
                "Say where the person can turn if the need comes back.",
            ),
            _says_where_to_turn,
        ),
        Rule(
            Fault(
                "closure.text-after-withdrawal",
                "Ett avslut efter återkallat samtycke får inte innehålla fri text.",
                "A closure after a withdrawn consent must carry no free text.",
            ),
            _withdrawal_is_silent,
        ),
        Rule(
            Fault(
                "closure.successor",
                "Ange vilket ärende som gäller i stället vid dubblett eller ny SIP, och bara då.",
                "Name the case that applies instead when this one is a duplicate or superseded, and only then.",
            ),
            _successor_is_named,
        ),
        Rule(
            Fault(
                "closure.succeeds-itself",
                "Ett ärende kan inte ersättas av sig självt.",
                "A case cannot be superseded by itself.",
            ),
            _successor_is_another,
        ),
        Rule(
            Fault(
                "closure.closed-in-the-future",
                "Avslutsdagen ligger efter den dag då meddelandet skapades.",
                "The day of closure is after the day the message was created.",
            ),
            _closed_already,
        ),
        Rule(
            Fault(
                "closure.documented-day",
                "Ange dag när avslutet är dokumenterat, och bara då.",
                "State the day when the closure is documented, and only then.",
            ),
            _documented_on_a_day,
        ),
        Rule(
            Fault(
                "closure.principal-twice",
                "Samma huvudman står två gånger.",
                "The same principal is named twice.",
            ),
            _each_principal_once,
        ),
    ),
)
