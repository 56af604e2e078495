"""How the case systems of a gateway are: whether each answers, what last got through, and whether it is paused."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, AsyncExitStack, closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from gateway.adapter_settings import AdapterSettings
from gateway.adapters.ways import routes_of, sources_of
from gateway.app import open_store
from gateway.clock import STOCKHOLM, Clock
from gateway.config import Settings
from gateway.connections import address_of, lanes_of
from gateway.directory import Directory
from gateway.errors import DependencyDownError, Fault, Finding, GatewayError
from gateway.ports import EventSource, Lane, MessageTarget
from gateway.store import adapters as kept
from gateway.store.adapters import Pause

NOBODY_LISTENS = Fault(
    "http.nobody-listens",
    "Ingen tar emot händelser på {address}: gateway run är inte i gång där.",
    "Nobody takes events at {address}: gateway run does not run there.",
)
CONNECT_SECONDS: Final = 5.0
"""How long the gateway's own address may take to answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How one adapter is. ``is_up`` is ``None`` where nobody can be asked; ``findings`` say why it is not."""

    settings: AdapterSettings
    is_up: bool | None
    findings: tuple[Finding, ...]
    last_event: datetime | None
    last_registration: datetime | None
    pause: Pause | None

    def as_json(self) -> dict[str, Any]:
        """Return what is known, as a JSON object."""
        one, pause = self.settings, self.pause
        return {
            "name": one.name,
            "words": one.words,
            "way": one.way,
            "direction": one.direction,
            "isUp": self.is_up,
            "findings": [finding.as_json() for finding in self.findings],
            "lastEvent": _swedish(self.last_event),
            "lastRegistration": _swedish(self.last_registration),
            "paused": {"at": _swedish(pause.at), "by": pause.by, "reason": pause.reason} if pause is not None else None,
        }


async def health_of(settings: Settings, clock: Clock) -> list[Health]:
    """Return how each adapter of the settings is. Nothing is changed.

    Raises:
        ConfigurationError: a file cannot be used, or the database is not of this version.
        DependencyDownError: the database does not answer.
    """
    directory = Directory.load(settings.directory)
    adapters = settings.all_adapters()
    routes = routes_of(adapters, directory, settings.party, clock)
    sources = {source.name: source for source in sources_of(adapters, directory)}
    targets = {target.name: target for target in routes.targets}
    lanes = {lane.name: lane for lane in lanes_of(routes)}
    found = []
    async with open_store(settings, migrates=False) as store, store.reading() as tx, AsyncExitStack() as stack:
        paused = await kept.pauses(tx)
        for one in adapters:
            lane = lanes.get(one.name, Lane(name=one.name))
            last_event = await kept.last_event(tx, one.name) if one.brings else None
            last = await kept.last_registration(tx, units=lane.units, but=lane.others) if one.takes else None
            findings = await _asked(stack, sources.get(one.name), targets.get(one.name))
            found.append(
                Health(
                    settings=one,
                    is_up=None if one.way == "http" and not one.takes else not findings,
                    findings=findings,
                    last_event=last_event,
                    last_registration=last,
                    pause=paused.get(one.name),
                )
            )
    return found


async def _asked(
    stack: AsyncExitStack, source: EventSource | None, target: MessageTarget | None
) -> tuple[Finding, ...]:
    try:
        if source is not None:
            await source.ping()
        if target is not None:
            await _entered(stack, target)
            await target.ping()
    except GatewayError as error:
        return error.findings
    return ()


async def _entered(stack: AsyncExitStack, target: MessageTarget) -> None:
    if isinstance(target, AbstractAsyncContextManager):
        await stack.enter_async_context(target)


async def put_to_test(settings: Settings, name: str, clock: Clock) -> list[str]:
    """Connect to the system of an adapter, send what is no message where it can be sent, and return what was checked.

    Raises:
        ConfigurationError: a file cannot be used.
        DependencyDownError: it cannot be reached, or its answer is no receipt.
        RefusedError: it says no.
    """
    directory = Directory.load(settings.directory)
    (one,) = (adapter for adapter in settings.all_adapters() if adapter.name == name)
    done = []
    if one.brings and one.way == "http" and settings.http_listen is not None:
        await _somebody_listens(settings.http_listen)
        done.append(f"in: {settings.http_listen}")
    for source in sources_of([one], directory):
        await source.ping()
    async with AsyncExitStack() as stack:
        for target in routes_of([one], directory, settings.party, clock).targets if one.takes else ():
            await _entered(stack, target)
            await target.ping()
            if test := getattr(target, "test", None):  # a system that can tell a test from a message
                await test()
            done.append(f"out: {one.url or one.folder}")
    return done or [f"in: {one.folder}"]


async def _somebody_listens(listen: str) -> None:
    host, port = address_of(listen)
    here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 -- where one listens, not where one asks
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(here, port)
    except (OSError, TimeoutError):
        raise DependencyDownError(NOBODY_LISTENS.at(address=listen)) from None
    with closing(writer):
        pass


def _swedish(moment: datetime | None) -> str | None:
    return moment.astimezone(STOCKHOLM).isoformat(timespec="seconds") if moment is not None else None
