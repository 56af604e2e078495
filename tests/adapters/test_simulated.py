"""The simulated case systems: they survive being killed at any point, and never say two things about one message."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from case_events import MakeAdapter, MakeMessage, message_to

from gateway.adapters import disk
from gateway.adapters.simulated import SimulatedCaseSystem
from gateway.adapters.table import VOCABULARIES
from gateway.clock import ManualClock

NOW = datetime(2026, 11, 4, 10, 0, tzinfo=UTC)


def simulated(path: Path, kind: str, clock: ManualClock | None = None, **switches: bool) -> SimulatedCaseSystem:
    return SimulatedCaseSystem(path / kind, kind, clock or ManualClock(NOW), interval=0.01, **switches)


async def told(path: Path) -> Path:
    """Return the one event the system has written, when it has."""
    for _ in range(500):
        if files := list((path / "to_gateway").glob("*.json")):
            (file,) = files
            return file
        await asyncio.sleep(0.01)
    raise AssertionError("the system has said nothing")


@pytest.fixture
async def delivered(kind: str, tmp_path: Path, make_adapter: MakeAdapter, make_message: MakeMessage) -> str:
    """Return the record id of a message that a system has taken and not yet taken charge of."""
    message = message_to(kind, make_message)
    async with simulated(tmp_path, kind, acknowledges=False):
        return (await make_adapter(kind).deliver(message, message.header.recipients[0].unit)).record_id


@pytest.mark.parametrize(("system", "record_id"), [("treserva", "TRE-2026-000001"), ("journal", "JRN-000001")])
async def test_records_are_numbered_as_the_system_does(
    system: str, record_id: str, tmp_path: Path, make_adapter: MakeAdapter, make_message: MakeMessage
) -> None:
    message = message_to(system, make_message)
    async with simulated(tmp_path, system):
        registration = await make_adapter(system).deliver(message, message.header.recipients[0].unit)
        assert registration.record_id == record_id


async def test_a_system_that_lost_its_receipt_gives_the_same_one_again(
    kind: str, tmp_path: Path, delivered: str
) -> None:
    (receipt,) = (tmp_path / kind / "from_gateway").glob("*.ok")
    receipt.rename(tmp_path / "lost")
    async with simulated(tmp_path, kind) as system:
        await told(tmp_path / kind)
        assert len(await system.records()) == 1

    assert json.loads(receipt.read_bytes()) == {"recordId": delivered, "registeredAt": NOW.isoformat()}


async def test_staff_catch_up_after_a_restart(kind: str, tmp_path: Path, delivered: str) -> None:
    assert not list((tmp_path / kind / "to_gateway").iterdir())

    async with simulated(tmp_path, kind):
        assert await told(tmp_path / kind)


async def test_an_event_that_was_written_and_not_marked_is_written_in_the_same_bytes(
    kind: str, tmp_path: Path, delivered: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = ManualClock(NOW)
    said: list[bytes] = []

    def die(path: Path, content: bytes) -> None:
        said.append(content)
        raise InterruptedError

    with monkeypatch.context() as patched:
        patched.setattr(disk, "write", die)
        with pytest.raises(InterruptedError):
            async with simulated(tmp_path, kind, clock):
                await asyncio.sleep(0.1)
    clock.advance(timedelta(hours=3))
    async with simulated(tmp_path, kind, clock):
        file = await told(tmp_path / kind)

    assert [file.read_bytes()] == said


@pytest.mark.parametrize("shelf", ["archive", "quarantine"])
async def test_an_event_that_was_answered_before_it_was_marked_is_not_said_again(
    kind: str, shelf: str, tmp_path: Path, delivered: str, make_message: MakeMessage
) -> None:
    message = message_to(kind, make_message)
    unit = message.header.recipients[0].unit
    file_name = f"acknowledgement-message-{message.header.message_id}-{unit}.json"
    (tmp_path / kind / shelf / file_name).write_bytes(b"{}")
    async with simulated(tmp_path, kind):
        await asyncio.sleep(0.1)

    assert not list((tmp_path / kind / "to_gateway").iterdir())


async def test_what_was_said_is_not_said_again_when_the_archive_is_emptied(
    kind: str, tmp_path: Path, delivered: str
) -> None:
    async with simulated(tmp_path, kind):
        file = await told(tmp_path / kind)
    file.rename(tmp_path / "emptied")
    async with simulated(tmp_path, kind):
        await asyncio.sleep(0.1)

    assert not list((tmp_path / kind / "to_gateway").iterdir())


async def test_notes_are_kept_apart_and_nobody_takes_charge_of_them(
    tmp_path: Path, make_adapter: MakeAdapter, make_message: MakeMessage
) -> None:
    message = message_to("treserva", make_message)
    async with simulated(tmp_path, "treserva") as system:
        await make_adapter("treserva").note(message)
        await asyncio.sleep(0.05)

        assert await system.records() == []
        (entry,) = await system.haendelser()
    expected = VOCABULARIES["treserva"].note(message)
    assert expected is not None
    assert entry == {"recordId": "TRE-2026-000001", **expected}
    assert not list((tmp_path / "treserva" / "to_gateway").iterdir())


async def test_a_system_hands_over_events_of_its_own(tmp_path: Path, make_adapter: MakeAdapter) -> None:
    async with simulated(tmp_path, "treserva") as system:
        await system.say("01-behov.json", b"{}")
        (arrival,) = await asyncio.wait_for(anext(make_adapter("treserva").arrivals()), 5)

    assert arrival.event.content == b"{}"
