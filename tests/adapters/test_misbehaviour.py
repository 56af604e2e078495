"""Simulated systems that misbehave, each against what the gateway really hands its messages over with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from build import CLINIC, message, plan, telling

from gateway.adapters.adapter import FolderAdapter
from gateway.adapters.behaviour import Behaviour
from gateway.adapters.fhir_delivery import FhirOutbound
from gateway.adapters.fhir_server import FhirServer
from gateway.adapters.http_delivery import HttpDelivery
from gateway.adapters.signing import Secrets
from gateway.adapters.simulated import SimulatedCaseSystem
from gateway.adapters.simulated_fhir import SimulatedFhirJournal
from gateway.adapters.simulated_http import SimulatedHttpSystem
from gateway.adapters.table import VOCABULARIES
from gateway.clock import ManualClock
from gateway.directory import Directory
from gateway.errors import DependencyDownError, InvalidDocumentError, RefusedError
from gateway.messages import Message
from gateway.ports import Registration

NOW = datetime(2026, 11, 4, 10, 0, tzinfo=UTC)
SECRETS = Secrets((b"a secret of more than 24 bytes",))
PLAN, WORDS = message(plan(), CLINIC), message(telling(), CLINIC)

System = SimulatedCaseSystem | SimulatedHttpSystem | SimulatedFhirJournal


@dataclass
class Side:
    """A simulated system, and the gateway's way to it, which waits for an answer for ``patience`` seconds."""

    system: System
    way: Callable[[float], Any]

    async def deliver(self, one: Message = PLAN, *, patience: float = 5.0) -> Registration:
        async with self.way(patience) as way:
            registration: Registration = await way.deliver(one, CLINIC)
            return registration

    async def held(self, count: int) -> list[str]:
        """Return the record ids of what it has committed, when it has committed so much."""
        for _ in range(500):
            records = await self.system.records()
            if len(records) >= count:
                break
            await asyncio.sleep(0.01)
        return [one.get("recordId") or f"DocumentReference/{one['id']}" for one in records]


@asynccontextmanager
async def over_folder(path: Path, directory: Directory) -> AsyncIterator[Side]:
    @asynccontextmanager
    async def way(patience: float) -> AsyncIterator[FolderAdapter]:
        yield FolderAdapter.over(VOCABULARIES["journal"], path, directory, interval=0.01, timeout=patience)

    system = SimulatedCaseSystem(path, "journal", ManualClock(NOW), interval=0.01, acknowledges=False)
    async with system:
        yield Side(system, way)


@asynccontextmanager
async def over_http(path: Path, _: Directory) -> AsyncIterator[Side]:
    clock = ManualClock(NOW)

    def way(patience: float) -> HttpDelivery:
        words = VOCABULARIES["journal"]
        return HttpDelivery(words, system.address, SECRETS, clock, name="journal", timeout=patience)

    system = SimulatedHttpSystem(path, "journal", clock, SECRETS)
    async with system:
        yield Side(system, way)


@asynccontextmanager
async def over_rest(path: Path, _: Directory) -> AsyncIterator[Side]:
    @asynccontextmanager
    async def way(patience: float) -> AsyncIterator[FhirOutbound]:
        async with FhirOutbound(FhirServer(system.address, timeout=patience)) as outbound:
            yield outbound

    system = SimulatedFhirJournal(path, ManualClock(NOW), acknowledges=False)
    async with system:
        yield Side(system, way)


@pytest.fixture(params=[over_folder, over_http, over_rest], ids=["folder", "http", "rest"])
async def side(request: pytest.FixtureRequest, tmp_path: Path, directory: Directory) -> AsyncIterator[Side]:
    async with request.param(tmp_path / "system", directory) as made:
        yield made


async def fails(delivery: Awaitable[Registration]) -> tuple[str, ...]:
    with pytest.raises(DependencyDownError) as caught:
        await delivery
    return caught.value.codes


async def test_a_system_that_is_well_registers_a_message_once(side: Side) -> None:
    first = await side.deliver()
    assert first == await side.deliver()
    other = await side.deliver(WORDS)
    assert await side.held(2) == [first.record_id, other.record_id]
    assert first.at == NOW


async def test_a_slow_system_has_committed_before_it_answers(side: Side) -> None:
    side.system.behaviour = Behaviour(slow=60)
    (code,) = await fails(side.deliver(patience=0.2))
    assert code in {"system.no-receipt", "system.no-answer", "fhir-server.silent"}
    (committed,) = await side.held(1)

    side.system.behaviour = side.system.behaviour.turned("well")
    assert (await side.deliver()).record_id == committed
    assert await side.held(1) == [committed]


async def test_a_slow_system_answers_whoever_is_patient(side: Side) -> None:
    side.system.behaviour = Behaviour(slow=0.3)
    began = asyncio.get_running_loop().time()
    await side.deliver()
    assert asyncio.get_running_loop().time() - began >= 0.3


async def test_a_system_that_is_down_takes_nothing_and_is_found_again(side: Side) -> None:
    side.system.behaviour = Behaviour(down=True)
    assert set(await fails(side.deliver(patience=0.2))) <= {
        "system.no-receipt",
        "system.unreachable",
        "fhir-server.unreachable",
    }
    assert await side.system.records() == []

    side.system.behaviour = Behaviour()
    registration = await side.deliver()
    assert await side.held(1) == [registration.record_id]


async def test_a_system_that_refuses_says_no_for_good_but_not_to_what_it_has_committed(side: Side) -> None:
    earlier = await side.deliver(WORDS)
    side.system.behaviour = Behaviour(refuse=True)
    with pytest.raises(RefusedError) as caught:
        await side.deliver()
    (code,) = caught.value.codes
    assert code in {"system.refused", "fhir-server.refused"}
    assert await side.deliver(WORDS) == earlier
    assert await side.held(1) == [earlier.record_id]


async def test_a_system_that_answers_twice_registers_each_message_once(side: Side) -> None:
    side.system.behaviour = Behaviour(twice=True)
    first = await side.deliver()
    async with side.way(5.0) as way:  # on one connection, if it keeps any
        again = await way.deliver(PLAN, CLINIC)
        await asyncio.sleep(0.05)  # the answer comes once more
        other = await way.deliver(WORDS, CLINIC)
    assert again == first
    assert await side.held(2) == [first.record_id, other.record_id]


async def test_garbage_is_no_receipt_and_the_message_is_registered_once_all_the_same(side: Side) -> None:
    side.system.behaviour = Behaviour(garbage=True)
    assert set(await fails(side.deliver(patience=0.2))) <= {
        "system.receipt-unreadable",
        "system.answer-unreadable",
        "fhir-server.answer-unreadable",
    }
    (committed,) = await side.held(1)

    side.system.behaviour = Behaviour()
    assert (await side.deliver()).record_id == committed
    assert await side.held(1) == [committed]


async def test_a_receipt_that_was_garbage_is_mended_after_a_restart(tmp_path: Path, directory: Directory) -> None:
    async with over_folder(tmp_path, directory) as side:
        side.system.behaviour = Behaviour(garbage=True)
        await fails(side.deliver(patience=0.1))
    async with over_folder(tmp_path, directory) as side:
        registration = await side.deliver()
        assert await side.held(1) == [registration.record_id]


async def test_staff_over_a_folder_take_charge_twice_in_the_same_bytes(tmp_path: Path, directory: Directory) -> None:
    async with over_folder(tmp_path, directory) as side:
        await side.deliver()
        assert isinstance(side.system, SimulatedCaseSystem)
        side.system.behaviour = Behaviour(twice=True)
        side.system.acknowledges = True
        came: list[bytes] = []
        async with side.way(5.0) as way, aclosing(way.arrivals()) as arrivals, asyncio.timeout(5):
            while len(came) < 2:
                came += [arrival.event.content for arrival in await anext(arrivals)]
    assert came[0] == came[1]


async def test_an_event_over_a_folder_is_answered_by_its_receipt(tmp_path: Path, directory: Directory) -> None:
    async with over_folder(tmp_path, directory) as side:
        assert isinstance(side.system, SimulatedCaseSystem)
        told = asyncio.create_task(side.system.tell("01-need", b"{}"))
        async with side.way(5.0) as way, aclosing(way.arrivals()) as arrivals, asyncio.timeout(5):
            (arrival,) = await anext(arrivals)
            await arrival.accept({"accepted": True})
            assert await told == {"accepted": True}


@pytest.mark.parametrize("line", ["", "slow", "slow soon", "slow -1", "slow nan", "slow 3601", "down 3", "weird"])
def test_a_word_that_is_not_known_turns_nothing(line: str) -> None:
    with pytest.raises(InvalidDocumentError):
        Behaviour().turned(line)


def test_words_add_up_until_all_is_well() -> None:
    behaviour = Behaviour()
    for line in ("slow 3", "down", "refuse", "twice", "garbage"):
        behaviour = behaviour.turned(line)
    assert behaviour == Behaviour(slow=3, down=True, refuse=True, twice=True, garbage=True)
    assert behaviour.turned("well") == Behaviour()
