"""``gateway demo``: a scenario played live, and the ledger it ends in."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.console import CHECK_BROKEN, Json, out, print_json, talk
from gateway.directory import Directory
from gateway.logs import logging_to
from gateway.progress import Hop
from gateway.replay.demo import Outcome, ledger_table, play
from gateway.replay.scenario import Scenario, scenario_names
from gateway.replay.stage import Places, Stage, claim
from gateway.resources import demo_directory
from gateway.service import run_loop


def demo(
    scenario: Annotated[str, typer.Option(help="Which scenario to play; see --list.")] = "journey",
    data: Annotated[
        Path | None, typer.Option(help="Keep the databases and folders here. A play that was stopped goes on.")
    ] = None,
    as_json: Json = False,
    list_all: Annotated[bool, typer.Option("--list", help="List the scenarios and end.")] = False,
    kill_at: Annotated[
        Hop | None, typer.Option(help="Kill the process, as kill -9 would, when a message passes this hop.")
    ] = None,
    nth: Annotated[int, typer.Option(help="Which passage of that hop to kill at.", min=1)] = 1,
    serve: Annotated[
        int | None,
        typer.Option(
            help="Leave the pages open afterwards, on this port of this machine and the next, until Ctrl-C.",
            min=1024,
            max=65534,
        ),
    ] = None,
    store: Annotated[
        str | None, typer.Option(help="The databases, an SQLAlchemy URL with {party} where a party's name goes.")
    ] = None,
    exchange: Annotated[
        str | None, typer.Option(help="The exchange, a URL; {party} in it becomes the party's name.")
    ] = None,
    store_password_file: Annotated[
        Path | None, typer.Option(help="The file with the password of the databases; may have {party} in its name.")
    ] = None,
    exchange_password_file: Annotated[
        Path | None, typer.Option(help="The file with the password of the exchange; may have {party} in its name.")
    ] = None,
) -> None:
    """Play a SIP journey between a municipality and a region, live, and show the ledger it ends in."""
    if list_all:
        for name in scenario_names():
            out.print(f"{name}: {Scenario.load(name).title_en}", highlight=False)
        return
    chosen = Scenario.load(scenario)
    places = Places(
        store=store,
        exchange=exchange,
        store_password_file=store_password_file,
        exchange_password_file=exchange_password_file,
        listen=serve,
    )

    async def stay(stage: Stage, outcome: Outcome) -> None:
        from gateway.replay.left_open import links, stay_open  # noqa: PLC0415 -- only this loads the library of HTTP

        _show(outcome)
        talk.print("Öppna, en gång inom en timme; Ctrl-C avslutar / Open, once within an hour; Ctrl-C ends:")
        async for link in links(stage):
            talk.print(f"  {link.party}: {link.url}", highlight=False, soft_wrap=True)
        await stay_open()

    with ExitStack() as stack:
        folder = data or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sip-gateway-")))
        claim(folder, chosen, places)
        log = stack.enter_context((folder / "gateway.log").open("a", encoding="utf-8"))
        stack.enter_context(logging_to(log, level="debug"))
        outcome = run_loop(
            play(chosen, folder.resolve(), talk, places=places, kill_at=kill_at, nth=nth, stay=stay if serve else None)
        )
    if as_json:
        print_json(outcome.as_json())
    else:
        if serve is None:
            _show(outcome)
        if data is not None and store is None:
            talk.print(f"Look further: gateway messages list --store {data / 'kommun.sqlite'}", highlight=False)
    if outcome.counts["lost"] or outcome.counts["refused"]:
        raise typer.Exit(CHECK_BROKEN)


def _show(outcome: Outcome) -> None:
    units = Directory.load(demo_directory()).units
    out.print(ledger_table(outcome, lambda unit: units[unit].title if unit in units else unit))
    out.print(" · ".join(f"{name} {count}" for name, count in outcome.counts.items()), highlight=False)
