"""``python -m faults``: play the campaign on servers of its own, and end in a table that must be all zeroes."""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from services.installing import POSTGRESQL, SERVERS, missing
from services.lifetime import Keeper
from services.postgresql import PostgreSqlServer
from services.rabbitmq import RabbitMqNode

from faults.campaign import FAULTS, SMALL, Fault, Result, is_clean, play, table_of, tell_findings
from faults.disk import may_mount


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="faults", description=__doc__)
    parser.add_argument("--small", action="store_true", help="play the two small runs of the test suite")
    parser.add_argument("--only", action="append", metavar="NAME", help="play only runs whose name begins so")
    parser.add_argument("--events", type=int, help="how many events each run tells, instead of its own number")
    parser.add_argument("--seed", type=int, default=20261122, help="what random moments are drawn from")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep stores and logs of every run here")
    parser.add_argument("--list", action="store_true", help="name the runs and end")
    return parser.parse_args()


def chosen(told: argparse.Namespace) -> list[Fault]:
    """Return the runs the command line asks for."""
    runs = SMALL if told.small else FAULTS
    return [run for run in runs if not told.only or any(run.name.startswith(name) for name in told.only)]


async def campaign(runs: Sequence[Fault], told: argparse.Namespace, folder: Path, console: Console) -> list[Result]:
    """Play runs one after the other."""
    binaries = POSTGRESQL.folder()
    assert binaries is not None
    server = PostgreSqlServer(folder / "postgresql", binaries, folder / "ports")
    await asyncio.to_thread(server.start)
    results: list[Result] = []
    try:
        async with RabbitMqNode(folder / "rabbitmq") as node:
            for fault in runs:
                if fault.layout.disk is not None and not may_mount():
                    console.print(f"[bold red]NOT PLAYED: {fault.name}. A disk of its own needs root and mount.[/]")
                    continue
                place = (told.keep or folder / "runs") / fault.name
                result = await play(fault, place, node, server, events=told.events or fault.events, seed=told.seed)
                results.append(result)
                verdict = "as it should be" if is_clean([result]) else "[bold red]WRONG[/]"
                console.print(f"{fault.name}: {result.messages} messages, {result.seconds:.0f} s, {verdict}")
                tell_findings(console, result)
    finally:
        await asyncio.to_thread(server.destroy)
    return results


def main() -> int:
    """Play what is asked for; 0 when nothing at all is wrong."""
    told = arguments()
    console = Console(width=None if sys.stdout.isatty() else 120)
    if told.list:
        for fault in (*FAULTS, *SMALL):
            console.print(f"{fault.name}: {fault.events} events", highlight=False)
        return 0
    if lacking := missing(SERVERS):
        console.print(f"[bold red]NOT PLAYED: {' and '.join(one.name for one in lacking)} not installed here.[/]")
        return 1 if os.environ.get("CI") == "true" else 0
    if told.keep is not None:
        shutil.rmtree(told.keep, ignore_errors=True)
        told.keep.mkdir(parents=True)
        told.keep = told.keep.resolve()
    keeper = Keeper()
    try:
        results = asyncio.run(campaign(chosen(told), told, keeper.folder, console))
    finally:
        keeper.end()
    console.print(table_of(results))
    return 0 if results and is_clean(results) else 1


if __name__ == "__main__":
    sys.exit(main())
