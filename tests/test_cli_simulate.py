"""``gateway simulate`` as a process of its own, which is told on its standard input how to behave."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from build import CLINIC, message, plan, telling
from service_process import ROOT, clean_environment

from gateway.adapters.adapter import FolderAdapter
from gateway.adapters.behaviour import Behaviour
from gateway.adapters.http_delivery import HttpDelivery
from gateway.adapters.signing import Secrets
from gateway.adapters.simulation import Connection, Way, simulated_system
from gateway.adapters.table import VOCABULARIES
from gateway.clock import SystemClock
from gateway.directory import Directory
from gateway.errors import ConfigurationError, RefusedError
from gateway.resources import demo_directory

SECRET = "a secret of more than 24 bytes"  # noqa: S105 -- of these tests
NEED = ROOT / "fixtures" / "events" / "treserva" / "valid_behov.json"


class Program:
    """A running ``gateway simulate``."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def ready(self) -> str:
        """Return the address it is ready at, without its name."""
        assert self.process.stderr is not None
        return (await self.process.stderr.readline()).decode().partition(": ")[2].strip()

    def say(self, *lines: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("".join(f"{line}\n" for line in lines).encode())

    async def printed(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        document: dict[str, Any] = json.loads(await self.process.stdout.readline())
        return document


@asynccontextmanager
async def simulating(folder: Path, *arguments: str | Path) -> AsyncIterator[Program]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "simulate", *map(str, arguments)),
        cwd=folder,
        env=clean_environment() | {"PYTHONPATH": str(ROOT)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(60):
            yield Program(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_a_system_is_turned_while_it_runs_and_ends_when_it_is_told_to(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET, encoding="ascii")
    async with simulating(tmp_path, "journal", "--way", "http", "--secret-file", "secret", "--twice") as program:
        address = await program.ready()
        secrets, sent = Secrets((SECRET.encode(),)), message(plan(), CLINIC)
        async with HttpDelivery(VOCABULARIES["journal"], address, secrets, SystemClock(), name="journal") as way:
            registration = await way.deliver(sent, CLINIC)
            program.say("well", "refuse", "nonsense", "status")
            told = await program.printed()
            with pytest.raises(RefusedError):
                await way.deliver(message(telling(), CLINIC), CLINIC)
            assert await way.deliver(sent, CLINIC) == registration
        assert told["behaviour"] == {"slow": 0, "down": False, "refuse": True, "twice": False, "garbage": False}
        assert (told["asked"], told["records"]) == (1, 1)
        program.say("quit")
        assert await program.process.wait() == 0
        assert program.process.stderr is not None
        assert b"[simulate.word-unknown]" in await program.process.stderr.read()


async def test_a_system_tells_events_prints_the_answers_and_stops_at_a_signal(tmp_path: Path) -> None:
    directory = Directory.load(demo_directory())
    async with simulating(tmp_path, "treserva", "--folder", "system", "--say", NEED) as program:
        assert await program.ready() == "system"
        adapter = FolderAdapter.over(VOCABULARIES["treserva"], tmp_path / "system", directory, interval=0.01)
        async with aclosing(adapter.arrivals()) as arrivals:  # type: ignore[type-var]
            (arrival,) = await anext(arrivals)
            assert arrival.event.content == NEED.read_bytes()
            await arrival.accept({"accepted": True, "messageIds": ["m"]})
        assert await program.printed() == {
            "said": "valid_behov.json",
            "answer": {"accepted": True, "messageIds": ["m"]},
        }
        program.process.stdin.close()  # type: ignore[union-attr] -- its end ends nothing
        registration = await adapter.deliver(message(plan(), CLINIC), CLINIC)
        assert registration.record_id.startswith("TRE-")
        program.process.send_signal(signal.SIGTERM)
        assert await program.process.wait() == 0


@pytest.mark.parametrize(
    ("kind", "options", "code"),
    [
        ("abacus", {"way": Way.FOLDER}, "simulate.system-unknown"),
        ("treserva", {"way": Way.REST}, "simulate.way-not-spoken"),
        ("journal", {"way": Way.HTTP}, "simulate.option-missing"),
        ("journal", {"way": Way.REST, "token_file": Path("token")}, "simulate.option-missing"),
        ("journal", {"way": Way.REST, "secret_file": Path("secret")}, "simulate.option-unused"),
        ("journal", {"way": Way.FOLDER, "listen": ("127.0.0.1", 1)}, "simulate.option-unused"),
        ("journal", {"way": Way.REST, "gateway": "localhost:8480"}, "simulate.gateway-url"),
        ("journal", {"way": Way.HTTP, "secret_file": Path("none")}, "http.secret-unusable"),
    ],
)
def test_what_cannot_be_simulated_is_refused_by_name(kind: str, options: dict[str, Any], code: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        simulated_system(kind, Connection(folder=Path("x"), **options), SystemClock(), Behaviour())
    assert caught.value.codes == (code,)
