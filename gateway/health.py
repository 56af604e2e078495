"""How the case systems of a gateway are: whether each answers, what last got through, and whether it is paused."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.adapter_settings import AdapterSettings
from gateway.adapter_signs import signs_of
from gateway.adapters.http_trial import door_answers
from gateway.adapters.signing import Secrets
from gateway.adapters.ways import WAYS, Surroundings, can_be_asked, routes_of, sources_of
from gateway.app import open_store
from gateway.clock import STOCKHOLM, Clock
from gateway.config import Settings
from gateway.connections import lanes_of
from gateway.directory import Directory
from gateway.errors import Finding
from gateway.heartbeat import answer_of
from gateway.ports import EventSource, MessageTarget
from gateway.store.adapters import Beat, Pause


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How one adapter is. ``is_up`` is ``None`` where nobody can be asked; ``findings`` say why it is not.

    ``beat`` is what it answered when ``gateway run`` asked it last.
    """

    settings: AdapterSettings
    is_up: bool | None
    findings: tuple[Finding, ...]
    last_event: datetime | None
    last_registration: datetime | None
    pause: Pause | None
    beat: Beat | None

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
            "heartbeat": self._heartbeat(),
            "paused": {"at": _swedish(pause.at), "by": pause.by, "reason": pause.reason} if pause is not None else None,
        }

    def _heartbeat(self) -> dict[str, Any] | None:
        beat = self.beat
        if beat is None:
            return None
        told = {"at": _swedish(beat.at), "isUp": not beat.codes, "since": _swedish(beat.since)}
        return {**told, "codes": list(beat.codes)}


async def health_of(settings: Settings, clock: Clock) -> list[Health]:
    """Return how each adapter of the settings is. Nothing is changed.

    Raises:
        ConfigurationError: a file cannot be used, or the database is not of this version.
        DependencyDownError: the database does not answer.
    """
    directory = Directory.load(settings.directory)
    adapters = settings.all_adapters()
    around = Surroundings(directory, clock)
    routes = routes_of(adapters, around, settings.party)
    sources = {source.name: source for source in sources_of(adapters, around)}
    targets = {target.name: target for target in routes.targets}
    lanes = {lane.name: lane for lane in lanes_of(routes)}
    async with open_store(settings, migrates=False) as store, store.reading() as tx:
        signs = await signs_of(tx, adapters, lanes)
    async with AsyncExitStack() as stack:  # nobody's silence keeps the database, or the others, waiting
        answers = await asyncio.gather(
            *(_asked(stack, sources.get(one.name), targets.get(one.name)) for one in adapters)
        )
    return [
        Health(
            settings=one.settings,
            is_up=not findings if can_be_asked(one.settings) else None,
            findings=findings,
            last_event=one.last_event,
            last_registration=one.last_registration,
            pause=one.pause,
            beat=one.beat,
        )
        for one, findings in zip(signs, answers, strict=True)
    ]


async def _asked(stack: AsyncExitStack, *ends: EventSource | MessageTarget | None) -> tuple[Finding, ...]:
    there = [end for end in ends if end is not None]
    for end in there:
        await _entered(stack, end)
    return await answer_of(there)


async def _entered(stack: AsyncExitStack, one: EventSource | MessageTarget) -> None:
    if isinstance(one, AbstractAsyncContextManager):
        await stack.enter_async_context(one)


async def put_to_test(settings: Settings, name: str, clock: Clock) -> list[str]:
    """Connect to the system of an adapter, send what is no message where it can be sent, and return what was checked.

    Raises:
        ConfigurationError: a file cannot be used.
        DependencyDownError: it cannot be reached, or its answer is no receipt.
        RefusedError: it says no.
    """
    (one,) = (adapter for adapter in settings.all_adapters() if adapter.name == name)
    around = Surroundings(Directory.load(settings.directory), clock)
    done = []
    async with AsyncExitStack() as stack:
        if one.brings and WAYS[one.way].answers is not None and settings.http_listen is not None:
            secrets = Secrets.read(one.secret_file) if one.secret_file is not None else None
            is_open = one.secret_file is None and one.tokens_file is None and one.certificates_file is None
            encrypted = settings.http_certificate_file is not None
            await door_answers(settings.http_listen, name, clock, encrypted=encrypted, secrets=secrets, is_open=is_open)
            done.append(f"in: {settings.http_listen}")
        for source in sources_of([one], around):
            done += await _tried(stack, source, f"in: {one.listen or one.url or one.folder}", said=can_be_asked(one))
        for target in routes_of([one], around, settings.party).targets if one.takes else ():
            done += await _tried(stack, target, f"out: {one.url or one.folder}", said=True)
    return done


async def _tried(stack: AsyncExitStack, one: EventSource | MessageTarget, what: str, *, said: bool) -> list[str]:
    await _entered(stack, one)
    await one.ping()
    if test := getattr(one, "test", None):  # a system that can tell a test from a message
        await test()
    return [what] if said else []


def _swedish(moment: datetime | None) -> str | None:
    return moment.astimezone(STOCKHOLM).isoformat(timespec="seconds") if moment is not None else None
