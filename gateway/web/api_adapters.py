"""What a gateway is connected to, over the API; and letting a case system rest."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gateway import pausing
from gateway.access import Right
from gateway.adapters.http_door import Probed
from gateway.circuit import Circuit
from gateway.web.adapter_words import word_of_way
from gateway.web.adapters import Verb, decide
from gateway.web.adapters_reading import Connected, Neighbour, System, connected
from gateway.web.forms import Asked, Moment, Told
from gateway.web.route import Route, Scope
from gateway.web.visit import Visit


class PauseTold(Told):
    """That an adapter is paused: since when, by whom, and why."""

    at: Moment
    by: str
    reason: str


class HeartbeatTold(Told):
    """What a system answered when it was asked last, and since when that is so; no codes where it is up."""

    at: Moment
    since: Moment
    is_up: bool
    codes: list[str]


class WayTold(Told):
    """How the way to a partner or a system is: failed tries in a row, and since when nothing but a probe goes there."""

    state: Annotated[str, Field(description="In English, as the pages have it.")]
    failures: int
    opened_at: Moment | None


class AdapterTold(Told):
    """One adapter: what it speaks and which way, and how its system is."""

    name: str
    words: str
    way: str
    direction: str
    last_success: Moment | None
    last_event: Moment | None
    last_registration: Moment | None
    heartbeat: HeartbeatTold | None
    paused: PauseTold | None
    circuit: WayTold


class ProbeTold(Told):
    """Whether something that the gateway stands on answers; the codes say why not."""

    name: str
    is_up: bool
    codes: list[str]


class ExchangeTold(Told):
    """How much waits for this party at the exchange; null where it could not be counted."""

    messages: int | None
    acknowledgements: int | None
    dead_letters: Annotated[int, Field(description="Deliveries that it has given up and nobody has settled.")]


class PartnerTold(Told):
    """One partner: how much is not known to be with it, when it was last heard, and since when it is silent."""

    party: str
    title: str
    waiting: int
    owing_since: Annotated[Moment | None, Field(description="When what has waited longest for a receipt last left.")]
    heard_at: Moment | None
    silent_since: Moment | None
    cause: Annotated[str | None, Field(description="Why it counts as silent: `no-receipt` or `circuit`.")]
    circuit: WayTold


class AdaptersTold(Told):
    """All that the gateway is connected to."""

    adapters: list[AdapterTold]
    exchange: ExchangeTold
    partners: list[PartnerTold]
    probes: list[ProbeTold]


class PauseAsked(Asked):
    """Why an adapter is paused or resumed."""

    reason: Annotated[str, Field(min_length=1, max_length=500, description="Why; kept in the audit log.")]


class PausedTold(Told):
    """What an adapter is now, and whether that was changed."""

    name: str
    is_paused: bool
    changed: bool


async def adapters(visit: Visit) -> AdaptersTold:
    """Answer with how everything is that the gateway is connected to."""
    return _told(await connected(visit.window))


async def pause(visit: Visit) -> PausedTold:
    """Let an adapter rest."""
    return await _decided(visit, pausing.pause, is_paused=True)


async def resume(visit: Visit) -> PausedTold:
    """Let an adapter work again."""
    return await _decided(visit, pausing.resume, is_paused=False)


async def _decided(visit: Visit, verb: Verb, *, is_paused: bool) -> PausedTold:
    asked: PauseAsked = visit.body
    changed = await decide(visit, verb, asked.reason)
    return PausedTold(name=visit.named("adapter"), is_paused=is_paused, changed=changed)


def _told(shown: Connected) -> AdaptersTold:
    depths = {channel.value: depth for channel, depth in shown.depths.items()}
    return AdaptersTold(
        adapters=[_system(one) for one in shown.systems],
        exchange=ExchangeTold(
            messages=depths.get("messages"),
            acknowledgements=depths.get("acknowledgements"),
            dead_letters=shown.dead_letters,
        ),
        partners=[_partner(one) for one in shown.partners],
        probes=[_probe(name, one) for name, one in shown.probes.items()],
    )


def _system(one: System) -> AdapterTold:
    signs, settings, beat, paused = one.signs, one.signs.settings, one.signs.beat, one.signs.pause
    heartbeat = None
    if beat is not None:
        heartbeat = HeartbeatTold(at=beat.at, since=beat.since, is_up=not beat.codes, codes=list(beat.codes))
    return AdapterTold(
        name=settings.name,
        words=settings.words,
        way=settings.way,
        direction=settings.direction,
        last_success=signs.last_success,
        last_event=signs.last_event,
        last_registration=signs.last_registration,
        heartbeat=heartbeat,
        paused=PauseTold(at=paused.at, by=paused.by, reason=paused.reason) if paused is not None else None,
        circuit=_way(one.circuit),
    )


def _partner(one: Neighbour) -> PartnerTold:
    silence = one.silence
    return PartnerTold(
        party=one.seen.party,
        title=one.title,
        waiting=one.seen.waiting,
        owing_since=one.seen.owing_since,
        heard_at=one.seen.heard_at,
        silent_since=silence.since if silence is not None else None,
        cause=silence.cause.value if silence is not None else None,
        circuit=_way(one.circuit),
    )


def _way(circuit: Circuit | None) -> WayTold:
    failures, opened_at = (circuit.failures, circuit.opened_at) if circuit is not None else (0, None)
    return WayTold(state=word_of_way(circuit).en, failures=failures, opened_at=opened_at)


def _probe(name: str, one: Probed) -> ProbeTold:
    return ProbeTold(name=name, is_up=not one.codes, codes=list(one.codes))


ROUTES = (
    Route.api(
        "GET",
        "/api/v1/adapters",
        adapters,
        "Kopplingar: verksamhetssystem, växel, motparter och databas.",
        "Connections: case systems, the exchange, partners and the database.",
        scope=Scope.PARTY,
        returns=AdaptersTold,
    ),
    Route.api(
        "POST",
        "/api/v1/adapters/{adapter}/pause",
        pause,
        "Pausar en koppling: det som kommer väntar.",
        "Pauses a connection: what comes waits.",
        right=Right.PAUSE,
        scope=Scope.PARTY,
        body=PauseAsked,
        returns=PausedTold,
    ),
    Route.api(
        "POST",
        "/api/v1/adapters/{adapter}/resume",
        resume,
        "Återupptar en koppling: det som har väntat går.",
        "Resumes a connection: what has waited goes.",
        right=Right.PAUSE,
        scope=Scope.PARTY,
        body=PauseAsked,
        returns=PausedTold,
    ),
)
