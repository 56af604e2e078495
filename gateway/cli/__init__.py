"""The ``gateway`` command. Data goes to standard output, talk to standard error; exit codes say how it went.

0 ok · 1 unexpected · 2 usage · 3 configuration · 4 a dependency is down · 5 validation failed · 7 a check is broken ·
8 partly done.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from gateway import __version__
from gateway.cli import (
    adapters,
    audit,
    cases,
    configuration,
    database,
    duties,
    events,
    exchange,
    failures,
    inbox,
    letters,
    messages,
    notices,
    schema,
    tokens,
)
from gateway.cli.console import out, talk, tell
from gateway.cli.demo import demo
from gateway.cli.login import login
from gateway.cli.report import report
from gateway.cli.run import run
from gateway.cli.simulate import simulate
from gateway.errors import Fault, GatewayError
from gateway.reference import PAGES

app = typer.Typer(
    help="SIP Gateway: exchanges messages about coordinated individual plans between case systems and journals.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(demo)
app.command()(run)
app.command()(simulate)
app.command()(login)
app.command()(report)
app.command("deadlines")(duties.list_deadlines)
app.add_typer(configuration.app, name="config")
app.add_typer(database.app, name="db")
app.add_typer(exchange.app, name="exchange")
app.add_typer(adapters.app, name="adapters")
app.add_typer(schema.app, name="schema")
app.add_typer(events.app, name="events")
app.add_typer(messages.app, name="messages")
app.add_typer(inbox.app, name="inbox")
app.add_typer(failures.app, name="failures")
app.add_typer(duties.app, name="acknowledgements")
app.add_typer(cases.app, name="cases")
app.add_typer(notices.app, name="notices")
app.add_typer(letters.app, name="letters")
app.add_typer(tokens.app, name="tokens")
app.add_typer(audit.app, name="audit")

UNFORESEEN = Fault(
    "command.unforeseen", "Något oväntat gick fel ({kind}).", "Something unforeseen went wrong ({kind})."
)


@app.command()
def version() -> None:
    """Print the version."""
    out.print(__version__, highlight=False)


@app.command()
def docs(folder: Annotated[Path, typer.Argument(help="Where to write them.")] = Path("docs")) -> None:
    """Write the reference pages: message types, states, fault codes and scenarios."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, render in PAGES.items():
        (folder / name).write_text(render(), encoding="utf-8")
        talk.print(str(folder / name), highlight=False)


def main() -> None:
    """Run the command; a known error ends with its findings and exit code, never with a traceback."""
    try:
        app()
    except GatewayError as error:
        tell(error.findings)
        sys.exit(error.exit_code)
    except Exception as error:  # the last resort: a sentence instead of a traceback
        tell([UNFORESEEN.at(kind=type(error).__name__)])
        sys.exit(GatewayError.exit_code)
