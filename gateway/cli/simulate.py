"""``gateway simulate``: a case system to test a gateway against before go-live, which can be told to misbehave."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.adapters.address import address_of
from gateway.adapters.behaviour import LONGEST_SLOW, Behaviour
from gateway.adapters.simulated_mllp import tell_over_mllp
from gateway.adapters.simulation import OPTION_MISSING, Connection, Simulated, Way, simulated_system
from gateway.cli.adapters import FILE_UNREADABLE
from gateway.cli.console import PLAIN, talk, tell
from gateway.clock import SystemClock
from gateway.errors import ConfigurationError, Fault, InvalidDocumentError
from gateway.logs import logging_to
from gateway.service import run_loop, told_to_stop

NO_ADDRESS = Fault(
    "simulate.address",
    "{option} ska vara värd:port, till exempel 127.0.0.1:8481.",
    "{option} should be host:port, such as 127.0.0.1:8481.",
)

AGAIN_AFTER = 1.0
"""Seconds after which a message is sent again over MLLP when nobody was there."""

_ADDRESS = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^:\s]+):[0-9]{1,5}")


def simulate(
    system: Annotated[str, typer.Argument(help="The kind of case system.")],
    way: Annotated[Way, typer.Option(help="How it is connected: files, signed messages, or a FHIR server.")] = (
        Way.FOLDER
    ),
    folder: Annotated[
        Path | None, typer.Option(help="Where its records are; with --way folder, what it shares with the gateway.")
    ] = None,
    listen: Annotated[str | None, typer.Option(help="HOST:PORT where it takes what the gateway sends.")] = None,
    secret_file: Annotated[Path | None, typer.Option(help="What both ends sign with.")] = None,
    token_file: Annotated[Path | None, typer.Option(help="The token that it shows the gateway.")] = None,
    gateway: Annotated[str | None, typer.Option(help="URL where the gateway takes its events or notifications.")] = (
        None
    ),
    mllp: Annotated[str | None, typer.Option(help="HOST:PORT where the gateway takes HL7 v2.")] = None,
    say: Annotated[
        list[Path] | None, typer.Option(help="An event to tell the gateway, or a folder of them; may be repeated.")
    ] = None,
    slow: Annotated[float, typer.Option(help="Answer so many seconds late.", min=0, max=LONGEST_SLOW)] = 0,
    down: Annotated[bool, typer.Option("--down", help="Take nothing and answer nothing.")] = False,
    refuse: Annotated[bool, typer.Option("--refuse", help="Say no to everything new.")] = False,
    twice: Annotated[bool, typer.Option("--twice", help="Answer twice, and take charge twice.")] = False,
    garbage: Annotated[bool, typer.Option("--garbage", help="Answer what is no receipt.")] = False,
) -> None:
    """Be a case system until interrupted: take messages, take charge of them, tell events, and misbehave as told.

    Lines on standard input turn it while it runs: slow N, down, refuse, twice, garbage, well, status, quit.
    """
    connection = Connection(
        way=way,
        folder=folder or Path("case-system" if way is Way.FOLDER else f"simulated-{system}"),
        listen=_address("--listen", listen),
        secret_file=secret_file,
        token_file=token_file,
        gateway=gateway,
    )
    behaviour = Behaviour(slow=slow, down=down, refuse=refuse, twice=twice, garbage=garbage)
    simulated = simulated_system(system, connection, SystemClock(), behaviour)
    engine = _address("--mllp", mllp)
    files = _files_in(say or [])
    if any(_is_hl7(file) for file in files) and engine is None:
        raise ConfigurationError(OPTION_MISSING.at(way=way.value, option="--mllp"))
    if way is Way.HTTP and gateway is None and not all(_is_hl7(file) for file in files):
        raise ConfigurationError(OPTION_MISSING.at(way=way.value, option="--gateway"))
    with logging_to(sys.stderr, "auto", "warning"):
        run_loop(_simulate(system, simulated, files, engine))


async def _simulate(name: str, system: Simulated, files: Sequence[Path], engine: tuple[str, int] | None) -> None:
    stop = asyncio.Event()
    with told_to_stop(stop.set):
        async with system, asyncio.TaskGroup() as group:
            talk.print(f"{name}: {system.address}", **PLAIN)
            at_work = [group.create_task(_obey(system, stop)), group.create_task(_say(system, files, engine))]
            await stop.wait()
            for task in at_work:
                task.cancel()


# --- what it is told ------------------------------------------------------------------------------------------------


async def _obey(system: Simulated, stop: asyncio.Event) -> None:
    """Do what each line of standard input says. Its end ends nothing: a service has none."""
    lines: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    # In the background of a shell, reading would stop the process: let it be an error instead.
    signal.signal(signal.SIGTTIN, signal.SIG_IGN)
    # A thread, since an event loop cannot wait for every kind of file; it ends with the process.
    arguments = (lambda line: loop.call_soon_threadsafe(lines.put_nowait, line),)
    threading.Thread(target=_read_lines, args=arguments, name="standard input", daemon=True).start()
    while True:
        line = (await lines.get()).strip()
        if line == "quit":
            stop.set()
        elif line == "status":
            _print({"behaviour": system.behaviour.as_json(), **await system.counts()})
        elif line:
            try:
                system.behaviour = system.behaviour.turned(line)
            except InvalidDocumentError as error:
                tell(error.findings)


def _read_lines(take: Callable[[str], Any]) -> None:
    wait, held = threading.Event(), b""
    while True:
        try:
            data = os.read(0, 4096)
        except OSError:  # a shell has put the process in the background; it may come back
            wait.wait(1)
            continue
        if not data:
            return
        *lines, held = (held + data).split(b"\n")
        try:
            for line in lines:
                take(line.decode("utf-8", "replace"))
        except RuntimeError:  # the event loop has ended
            return


# --- what it tells --------------------------------------------------------------------------------------------------


async def _say(system: Simulated, files: Sequence[Path], engine: tuple[str, int] | None) -> None:
    """Tell the gateway each file when the one before is answered, and print the answers."""
    for file in files:
        try:
            content = await asyncio.to_thread(file.read_bytes)
            if engine is not None and _is_hl7(file):
                answer = {"msa": await _tell_over_mllp(*engine, content)}
            else:
                answer = await system.tell(file.stem, content)
        except OSError:
            tell([FILE_UNREADABLE.at(file=file)])
        except InvalidDocumentError as error:
            tell(error.findings)
        else:
            _print({"said": file.name, "answer": answer})


async def _tell_over_mllp(host: str, port: int, content: bytes) -> list[str]:
    while True:
        try:
            return await tell_over_mllp(host, port, content)
        except OSError:
            await asyncio.sleep(AGAIN_AFTER)


def _files_in(named: Sequence[Path]) -> list[Path]:
    files: list[Path] = []
    for path in named:
        files += sorted(one for one in path.iterdir() if one.suffix in (".json", ".hl7")) if path.is_dir() else [path]
    missing = [FILE_UNREADABLE.at(file=file) for file in files if not file.is_file()]
    if missing:
        raise InvalidDocumentError(missing)
    return files


def _is_hl7(file: Path) -> bool:
    return file.suffix == ".hl7"


def _address(option: str, text: str | None) -> tuple[str, int] | None:
    if text is None:
        return None
    if not _ADDRESS.fullmatch(text) or address_of(text)[1] > 65535:
        raise ConfigurationError(NO_ADDRESS.at(option=option))
    return address_of(text)


def _print(document: dict[str, Any]) -> None:
    """Print one JSON document on a line of standard output, at once."""
    print(json.dumps(document, ensure_ascii=False), flush=True)  # noqa: T201 -- data goes to standard output
