"""The heartbeat: whether each system is there is asked, kept, and told when it turns."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import structlog

from gateway.clock import ManualClock
from gateway.errors import DependencyDownError, Fault
from gateway.heartbeat import Heartbeat
from gateway.store import Store, adapters

NOON = datetime(2026, 11, 4, 12, tzinfo=UTC)
AWAY = Fault("heartbeat-test.away", "Borta.", "Away.")
MINUTE = timedelta(minutes=1)


class System:
    """A system that is there, or is away, or does not answer."""

    def __init__(self) -> None:
        self.is_away = False
        self.is_silent = False

    async def ping(self) -> None:
        if self.is_silent:
            await asyncio.Event().wait()
        if self.is_away:
            raise DependencyDownError(AWAY.at())


async def kept(store: Store) -> dict[str, adapters.Beat]:
    async with store.reading() as tx:
        return await adapters.beats(tx)


async def test_what_a_system_answers_is_kept_with_since_when_and_told_when_it_turns(store: Store) -> None:
    system, other, clock = System(), System(), ManualClock(NOON)
    heart = Heartbeat(store, clock, {"fhir": [System(), system], "folder": [other]})
    with structlog.testing.capture_logs() as logs:
        for is_away in (False, True, True, False):
            system.is_away = is_away
            assert await heart.beat() == 0
            if is_away:
                beat = (await kept(store))["fhir"]
                assert (beat.codes, beat.since, beat.at) == (("heartbeat-test.away",), NOON + MINUTE, clock.now())
            clock.advance(MINUTE)
    told = [(one["event"], one["adapter"], one["codes"]) for one in logs]
    assert told == [("adapter.down", "fhir", ["heartbeat-test.away"]), ("adapter.up", "fhir", [])]
    beats = await kept(store)
    assert beats["fhir"] == adapters.Beat("fhir", NOON + 3 * MINUTE, NOON + 3 * MINUTE, ())
    assert beats["folder"] == adapters.Beat("folder", NOON + 3 * MINUTE, NOON, ())


async def test_a_system_that_is_away_from_the_beginning_is_told(store: Store) -> None:
    system = System()
    system.is_away = True
    with structlog.testing.capture_logs() as logs:
        await Heartbeat(store, ManualClock(NOON), {"fhir": [system]}).beat()
    assert [one["event"] for one in logs] == ["adapter.down"]


async def test_a_system_that_does_not_answer_keeps_no_other_waiting(store: Store) -> None:
    system = System()
    system.is_silent = True
    await Heartbeat(store, ManualClock(NOON), {"fhir": [system], "folder": [System()]}, patience=0.01).beat()
    beats = await kept(store)
    assert (beats["fhir"].codes, beats["folder"].codes) == (("adapter.too-slow",), ())
