"""The seams: everything outside the gateway stands behind one of these protocols; each method states its promise."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from gateway.envelope import Channel, Envelope, content_hash
from gateway.errors import Finding
from gateway.messages import Identifier, Message, Person, ReserveRoutine, User
from gateway.notices import Notice

# --- the exchange ---------------------------------------------------------------------------------------------------


class PublishOutcome(StrEnum):
    """What became of one published envelope."""

    CONFIRMED = "confirmed"
    """The exchange holds it durably and routed it to a queue."""
    RETURNED = "returned"
    """No queue exists for its recipient."""
    UNCONFIRMED = "unconfirmed"
    """No answer in time; it may or may not be there, and is published again under the same id."""


class Settlement(StrEnum):
    """What the gateway tells the exchange about a delivery; never a business answer."""

    ACCEPT = "accept"
    """Stored here; the exchange may forget it."""
    REQUEUE = "requeue"
    """Not now; deliver it again."""
    REJECT = "reject"
    """Never again; move it to the dead letters."""


class Delivery(Protocol):
    """One envelope handed over by the exchange, until it is settled."""

    @property
    def envelope(self) -> Envelope:
        """What was delivered."""
        ...

    @property
    def attempt(self) -> int:
        """How many times the exchange has handed it over, this time included."""
        ...


class DeadLetter(Protocol):
    """A delivery that the exchange has given up, handed over to be kept elsewhere, until it is settled."""

    @property
    def envelope(self) -> Envelope | None:
        """What was to be delivered; ``None`` when no gateway has published it."""
        ...

    @property
    def body(self) -> bytes:
        """The bytes that came."""
        ...

    @property
    def reason(self) -> str:
        """Why it was given up: a word of the exchange."""
        ...


class Transport(Protocol):
    """An exchange of envelopes between parties: at least once, durable when confirmed."""

    async def publish(self, envelopes: Sequence[Envelope]) -> Sequence[PublishOutcome]:
        """Publish in order; return one outcome each, when every one is known.

        Confirmed means durable and routed. A failure of the exchange itself is not an outcome.

        Raises:
            DependencyDownError: the exchange does not answer; nothing is known about any of them.
        """
        ...

    def deliveries(self, channel: Channel) -> AsyncIterator[Sequence[Delivery]]:
        """Yield batches of deliveries to this party, oldest first, waiting while there are none.

        At least once: what is not settled comes again, also after a crash. After five deliveries without a settlement
        a message goes to the dead letters instead.
        """
        ...

    def buried(self) -> AsyncIterator[Sequence[DeadLetter]]:
        """Yield batches of this party's dead letters, oldest first, waiting while there are none.

        At least once: what is not accepted stays a dead letter and comes again to whoever begins anew.
        """
        ...

    async def settle(self, settlements: Sequence[tuple[Delivery | DeadLetter, Settlement]]) -> None:
        """Settle deliveries; idempotent. A delivery that has been handed over again meanwhile is left as it is."""
        ...

    async def depth(self, channel: Channel) -> int:
        """Return how many envelopes to this party are not settled, those that are handed over included.

        Raises:
            DependencyDownError: the exchange does not answer.
        """
        ...

    async def ping(self) -> None:
        """Return when the exchange answers.

        Raises:
            DependencyDownError: it does not.
        """
        ...


# --- case systems ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What a case system says, in its own form: the bytes as they came, and the name of the adapter they came by."""

    source: str
    content: bytes
    content_hash: str = field(init=False, compare=False)
    """SHA-256 of the bytes."""

    def __post_init__(self) -> None:
        """Work the hash out once; it is asked for wherever the event goes."""
        object.__setattr__(self, "content_hash", content_hash(self.content))


def where_it_is(finding: Finding) -> Finding:
    """Return a finding as it is: its place in the message is that in the event, or nobody knows better."""
    return finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A message as an adapter writes it: the body and the addresses, without the ids that the outbox gives.

    ``recipients`` are units (HSA-ids) of other parties; empty means every unit that takes part in the case.
    ``in_reply_to`` is the message id an acknowledgement or reply answers. ``reserve_routine`` tells when and how it was
    said, where it is registered after an outage.

    A system that cannot tell whether a case was opened, or what stands in it, says so. ``if_news``: the message is made
    only when its case is open here and does not say the same already. ``from_case``: attributes of the body whose
    values are those in force in the case; what stands in the body is of no account. ``placed`` turns what a rule has
    found wrong at a place in the message to the place in the event.
    """

    type: str
    body: Any
    unit: str
    user: User | None
    recipients: tuple[str, ...] = ()
    person: Person | None = None
    in_reply_to: str | None = None
    reserve_routine: ReserveRoutine | None = None
    if_news: bool = False
    from_case: tuple[str, ...] = ()
    placed: Callable[[Finding], Finding] = field(default=where_it_is, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Renumbering:
    """What a system tells of two numbers that are one person's: ``new`` is in use, ``old`` is not any more."""

    old: Identifier
    new: Identifier


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    """An event understood: its id in the system it came from, the system's own case reference, and the messages.

    An event without messages tells nothing that anyone else should know; it is accepted and kept all the same.
    What it tells of numbers that are one person's holds for the open cases that began with the old one.
    """

    event_id: str
    kind: str
    case_reference: str | None
    drafts: tuple[Draft, ...]
    renumberings: tuple[Renumbering, ...] = ()


class Arrival(Protocol):
    """An event on the gateway's doorstep: the case system still holds it until it is answered."""

    @property
    def event(self) -> Event:
        """What the system said."""
        ...

    async def accept(self, answer: dict[str, Any]) -> None:
        """Tell the system that the event is kept, with the message ids and case number. Repeatable."""
        ...

    async def refuse(self, findings: Sequence[Finding]) -> None:
        """Tell the system why the event cannot be used. The input is kept. Repeatable."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """A case system's word that it has committed a message: its record id, and when, where the system says."""

    record_id: str
    at: datetime | None = None


class EventSource(Protocol):
    """The way in from one case system, or several: understands what they say."""

    @property
    def name(self) -> str:
        """The name of the adapter, and the ``source`` of its events."""
        ...

    def arrivals(self) -> AsyncIterator[Sequence[Arrival]]:
        """Yield what the system tells by itself, in its order, in batches, waiting while there is nothing.

        At least once: what was not answered comes again, also after a crash. What has been yielded has been answered,
        or cannot be now, when the next batch is asked for.
        """
        ...

    def translate(self, event: Event) -> Translation:
        """Understand an event. Pure: the same event gives the same drafts.

        Raises:
            InvalidDocumentError: with every fault and its place in the event.
        """
        ...

    async def ping(self) -> None:
        """Return when the case system can be reached.

        Raises:
            DependencyDownError: it cannot.
        """
        ...


class MessageTarget(Protocol):
    """The way out to one case system, or several: hands over messages, and steps and notices about cases."""

    @property
    def name(self) -> str:
        """The name of the adapter."""
        ...

    async def deliver(self, message: Message, unit: str) -> Registration:
        """Hand a message to the case system, for ``unit``, and return its word that it has committed it.

        Repeatable: the same message id and unit have the same effect and give the same registration.

        Raises:
            DependencyDownError: the system has not answered; try again later.
            RefusedError: the system said no, for good.
        """
        ...

    async def note(self, message: Message) -> None:
        """Write a step of the case, own or the partner's, into the system's log of events. Repeatable per message id.

        Raises:
            DependencyDownError: the system does not answer; try again later.
            RefusedError: the system does not take it now; tried again all the same, since the step has happened.
        """
        ...

    async def notify(self, notice: Notice) -> None:
        """Tell a unit something about a case, through the system. Repeatable per notice id.

        Raises:
            DependencyDownError: the system does not answer; try again later.
            RefusedError: the system does not take it now; tried again all the same, since the unit must know.
        """
        ...

    async def ping(self) -> None:
        """Return when the case system can be reached.

        Raises:
            DependencyDownError: it cannot.
        """
        ...


class Adapter(EventSource, MessageTarget, Protocol):
    """One kind of case system: understands its events and hands it messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """The way to one of several case systems: its adapter's name, and the units whose messages go there.

    ``units`` is ``None`` for the one that takes whatever is not for the units of ``others``; it writes the steps too.
    """

    name: str
    units: frozenset[str] | None = None
    others: frozenset[str] = frozenset()


class Pauses(Protocol):
    """Knows which adapters an operator has paused."""

    async def is_paused(self, name: str) -> bool:
        """Tell whether the adapter ``name`` is to take nothing and hand over nothing.

        Raises:
            DependencyDownError: the database does not answer.
        """
        ...


@runtime_checkable
class Door(Protocol):
    """Where case systems come in by themselves; what they bring is an arrival of the adapter it stands before."""

    async def listen(self, stop: asyncio.Event) -> None:
        """Let them in until ``stop`` is set, then answer those who are inside, and return.

        Raises:
            ConfigurationError: it is not possible to listen where the settings say.
        """
        ...


# --- whoever measures the gateway -----------------------------------------------------------------------------------


Measured = Callable[[str], Awaitable[tuple[bytes, str]]]
"""Returns every metric in the format that an ``Accept`` header asks for, and the media type of that format."""
