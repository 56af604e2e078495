"""What the tests of HTTP share: a gateway that answers as a test says, certificates, and a socket to misbehave on."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from gateway.adapters.http_door import HttpDoor
from gateway.adapters.http_intake import HttpArrival, HttpIntake

ANSWER = {"accepted": True, "caseNumber": "SIP100001", "messageIds": ["m"]}

Answering = Callable[[HttpArrival], Awaitable[None]]


async def accepts(arrival: HttpArrival) -> None:
    await arrival.accept(ANSWER)


@asynccontextmanager
async def taking(intake: HttpIntake, answering: Answering = accepts) -> AsyncIterator[list[bytes]]:
    """Take the events of ``intake`` as a gateway would, and answer each; yield what has come."""
    came: list[bytes] = []

    async def take() -> None:
        async with aclosing(intake.arrivals()) as arrivals:  # type: ignore[type-var]
            async for batch in arrivals:
                for arrival in batch:
                    came.append(arrival.event.content)
                    await answering(arrival)

    task = asyncio.create_task(take())
    try:
        yield came
    finally:
        task.cancel()
        await asyncio.wait([task])


@asynccontextmanager
async def opened(
    door: HttpDoor, stop: asyncio.Event | None = None, **session: Any
) -> AsyncIterator[aiohttp.ClientSession]:
    """Open a door; yield a client that stands before it."""
    stop = stop or asyncio.Event()
    task = asyncio.create_task(door.listen(stop))
    async with AsyncExitStack() as stack:
        try:
            await door.is_open.wait()
            host, port = door.address
            scheme = "https" if door.is_encrypted else "http"
            yield await stack.enter_async_context(aiohttp.ClientSession(f"{scheme}://{host}:{port}", **session))
        finally:
            stop.set()
            await task


def certificate(folder: Path, name: str, *, ca: str | None = None) -> tuple[Path, Path]:
    """Make a key and a certificate for 127.0.0.1, signed by ``ca`` or by itself; return both files."""
    key, signed = folder / f"{name}.key", folder / f"{name}.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    command += ["-keyout", str(key), "-out", str(signed), "-days", "2", "-subj", f"/CN={name}"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1"]
    if ca is not None:
        command += ["-CA", str(folder / f"{ca}.pem"), "-CAkey", str(folder / f"{ca}.key")]
        command += ["-addext", "basicConstraints=critical,CA:FALSE"]
    subprocess.run(command, check=True, capture_output=True)
    return signed, key
