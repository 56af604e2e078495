"""The ``gateway`` command. Data goes to standard output, talk to standard error; exit codes say how it went.

0 ok · 1 unexpected · 2 usage · 3 configuration · 4 a dependency is down · 5 validation failed · 7 a check is broken.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Any

import structlog
import typer
from rich.console import Console
from rich.table import Table

from gateway import __version__
from gateway.clock import STOCKHOLM
from gateway.config import Settings
from gateway.directory import Directory
from gateway.errors import ConfigurationError, Fault, Finding, GatewayError, InvalidDocumentError
from gateway.ledger import Dispatch
from gateway.messages import TYPES, read_file
from gateway.progress import Hop
from gateway.reference import PAGES
from gateway.replay.demo import ledger_table, play
from gateway.replay.scenario import Scenario, scenario_names
from gateway.resources import demo_directory
from gateway.store import Store, ledger

app = typer.Typer(
    help="SIP Gateway: exchanges messages about coordinated individual plans between case systems and journals.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
schema = typer.Typer(help="Message types and their schemas.", no_args_is_help=True)
messages = typer.Typer(help="The ledger: what was sent and received, and how far it got.", no_args_is_help=True)
app.add_typer(schema, name="schema")
app.add_typer(messages, name="messages")

out = Console(width=None if sys.stdout.isatty() else 140)
talk = Console(stderr=True, width=None if sys.stderr.isatty() else 140)

CHECK_BROKEN = 7
UNREADABLE = Fault("file.unreadable", "Filen kan inte läsas.", "The file cannot be read.")
NO_SUCH_MESSAGE = Fault(
    "message.not-found", "Det finns inget meddelande med det id:t.", "There is no message with that id."
)
OTHER_SCENARIO = Fault(
    "demo.other-scenario",
    "I {folder} spelas redan ett annat scenario; välj en annan mapp.",
    "Another scenario is played in {folder}; choose another folder.",
)
NO_FOLDER = Fault("demo.folder", "Mappen {folder} kan inte användas.", "The folder {folder} cannot be used.")
UNFORESEEN = Fault(
    "command.unforeseen", "Något oväntat gick fel ({kind}).", "Something unforeseen went wrong ({kind})."
)
NO_STORE = Fault("store.missing", "Databasen {store} finns inte.", "There is no database at {store}.")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of a table.")]
StoreOption = Annotated[
    str | None, typer.Option("--store", help="The gateway's database: an SQLAlchemy URL or the path of a SQLite file.")
]
ConfigOption = Annotated[Path | None, typer.Option("--config", help="The settings file; ./gateway.toml by default.")]


@app.command()
def version() -> None:
    """Print the version."""
    out.print(__version__, highlight=False)


@app.command()
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
) -> None:
    """Play a SIP journey between a municipality and a region, live, and show the ledger it ends in."""
    if list_all:
        for name in scenario_names():
            out.print(f"{name}: {Scenario.load(name).title_en}", highlight=False)
        return
    chosen = Scenario.load(scenario)
    with ExitStack() as stack:
        folder = data or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sip-gateway-")))
        _claim(folder, scenario)
        stack.enter_context(_log_to(folder / "gateway.log"))
        outcome = asyncio.run(play(chosen, folder.resolve(), talk, kill_at, nth))
    if as_json:
        _print_json(outcome.as_json())
    else:
        units = Directory.load(demo_directory()).units
        out.print(ledger_table(outcome, lambda unit: units[unit].title if unit in units else unit))
        out.print(" · ".join(f"{name} {count}" for name, count in outcome.counts.items()), highlight=False)
        if data is not None:
            talk.print(f"Look further: gateway messages list --store {data / 'kommun.sqlite'}", highlight=False)
    if outcome.counts["lost"] or outcome.counts["refused"]:
        raise typer.Exit(CHECK_BROKEN)


def _claim(folder: Path, scenario: str) -> None:
    """Make ``folder`` the place where ``scenario`` is played; it holds personal data, so only its owner may look in."""
    marker = folder / "scenario"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if marker.exists() and marker.read_text(encoding="utf-8") != scenario:
            raise ConfigurationError(OTHER_SCENARIO.at(folder=folder))
        marker.write_text(scenario, encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError(NO_FOLDER.at(folder=folder)) from None


@app.command()
def docs(folder: Annotated[Path, typer.Argument(help="Where to write them.")] = Path("docs")) -> None:
    """Write the reference pages: message types, states, fault codes and scenarios."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, render in PAGES.items():
        (folder / name).write_text(render(), encoding="utf-8")
        talk.print(str(folder / name), highlight=False)


@schema.command("list")
def schema_list(as_json: Json = False) -> None:
    """List the message types with their contracts."""
    if as_json:
        _print_json({"types": [_type_json(name) for name in TYPES]})
        return
    table = Table("Type", "Titel / Title", "Att göra / Duty", "Deadline", "Samtycke / Consent")
    for name, kind in TYPES.items():
        contract = kind.contract
        deadline = str(contract.deadline) if contract.deadline else "–"
        table.add_row(name, f"{kind.title_sv} / {kind.title_en}", contract.duty, deadline, contract.consent or "–")
    out.print(table)


def _type_json(name: str) -> dict[str, Any]:
    kind = TYPES[name]
    contract = kind.contract
    return {
        "type": name,
        "titleSv": kind.title_sv,
        "titleEn": kind.title_en,
        "duty": contract.duty.value,
        "deadlineSeconds": contract.deadline.total_seconds() if contract.deadline else None,
        "consent": contract.consent.value if contract.consent else None,
        "senders": sorted(sender.value for sender in contract.senders),
        "answers": list(contract.answers),
    }


@schema.command("validate")
def schema_validate(
    files: Annotated[list[Path], typer.Argument(help="Message files: XML, or JSON when the name ends in .json.")],
    as_json: Json = False,
) -> None:
    """Say of each file whether it is a valid message, and if not, everything that is wrong with it."""
    verdicts: list[tuple[Path, str | None, tuple[Finding, ...]]] = []
    for file in files:
        try:
            verdicts.append((file, read_file(file).type, ()))
        except InvalidDocumentError as error:
            verdicts.append((file, None, error.findings))
        except OSError:
            verdicts.append((file, None, (UNREADABLE.at().in_file(str(file)),)))
    if as_json:
        _print_json(
            {
                "files": [
                    {"file": str(file), "valid": not faults, "type": kind, "findings": [f.as_json() for f in faults]}
                    for file, kind, faults in verdicts
                ]
            }
        )
    else:
        for file, kind, faults in verdicts:
            out.print(f"{file}: {'ogiltig / invalid' if faults else f'giltig / valid ({kind})'}", **_PLAIN)
            for finding in faults:
                place = ":".join(str(part) for part in (finding.line, finding.path) if part is not None)
                out.print(f"  {place or '–'} [{finding.code}]\n    {finding.sv}\n    {finding.en}", **_PLAIN)
    if any(faults for _, _, faults in verdicts):
        raise typer.Exit(InvalidDocumentError.exit_code)


@messages.command("list")
def messages_list(
    store: StoreOption = None, config: ConfigOption = None, state: str | None = None, as_json: Json = False
) -> None:
    """List what this gateway sent, to whom, and how far it got; what it received; and what it had to set aside."""
    sent, received, aside = asyncio.run(_read_ledger(_store_url(store, config), state))
    if as_json:
        listed = {"sent": [_sent_json(row) for row in sent], "received": [_plain(row) for row in received]}
        _print_json({**listed, "setAside": [_plain(one) for one in aside]})
        return
    table = Table(
        "Skickat / Sent", "Typ / Type", "Ärende / Case", "Enhet / Unit", "Läge / State", "Post-id / Record id"
    )
    for row in sent:
        table.add_row(row.message_id, row.type, row.case_number, row.unit, row.state.value, row.record_id or "–")
    out.print(table)
    table = Table(
        "Mottaget / Received", "Typ / Type", "Ärende / Case", "Enhet / Unit", "Läge / State", "Post-id / Record id"
    )
    for one in received:
        table.add_row(
            *(str(one[name] or "–") for name in ("message_id", "type", "case_number", "unit", "state", "record_id"))
        )
    out.print(table)


@messages.command("show")
def messages_show(
    message_id: Annotated[str, typer.Argument(help="The message id, or as much of its beginning as is its alone.")],
    store: StoreOption = None,
    config: ConfigOption = None,
    as_json: Json = False,
) -> None:
    """Show the life of one message: every attempt and every change of state, with its time."""
    life = asyncio.run(_read_life(_store_url(store, config), message_id))
    if not life:
        raise InvalidDocumentError(NO_SUCH_MESSAGE.at())
    if as_json:
        _print_json({"id": message_id, "events": life})
        return
    table = Table(
        "Tid / Time", "Riktning / Direction", "Enhet / Unit", "Händelse / Event", "Läge / State", "Kod / Code"
    )
    for line in life:
        table.add_row(*(str(line[name] or "–") for name in ("at", "direction", "unit", "event", "state", "code")))
    out.print(table)


async def _read_ledger(
    url: str, state: str | None
) -> tuple[list[Dispatch], list[dict[str, Any]], list[dict[str, Any]]]:
    async with Store(url, migrates=False) as store, store.reading() as tx:
        sent = await ledger.sent_messages(tx, state=state)
        received = await ledger.received_messages(tx, state=state)
        aside = await ledger.set_aside(tx)
    return sent, [dict(row) for row in received], aside


async def _read_life(url: str, message_id: str) -> list[dict[str, Any]]:
    async with Store(url, migrates=False) as store, store.reading() as tx:
        return [_plain(dict(row)) for row in await ledger.life_of(tx, message_id)]


def _store_url(store: str | None, config: Path | None) -> str:
    """Return the database to read, which must exist: looking must not make one."""
    url = store or Settings.load(config).store
    if "://" not in url:
        url = f"sqlite+aiosqlite:///{Path(url).resolve()}"
    if url.startswith("sqlite") and not Path(url.partition(":///")[2]).is_file():
        raise ConfigurationError(NO_STORE.at(store=url))
    return url


def _sent_json(row: Dispatch) -> dict[str, Any]:
    return _plain(
        {
            "id": row.message_id,
            "type": row.type,
            "case": row.case_number,
            "recipient": row.unit,
            "state": row.state.value,
            "outcome": row.outcome,
            "recordId": row.record_id,
            "sentAt": row.sent_at,
            "receivedAt": row.received_at,
            "registeredAt": row.registered_at,
            "acknowledgedAt": row.acknowledged_at,
            "dueAt": row.due_at,
            "owner": row.owner,
        }
    )


def _plain(members: dict[str, Any]) -> dict[str, Any]:
    """Return members with times as RFC 3339 in Swedish time."""
    return {
        name: value.astimezone(STOCKHOLM).isoformat() if hasattr(value, "astimezone") else value
        for name, value in members.items()
    }


_PLAIN: dict[str, Any] = {"highlight": False, "markup": False, "soft_wrap": True}


def _print_json(document: Any) -> None:
    print(json.dumps(document, ensure_ascii=False, indent=2))  # noqa: T201 -- data goes to standard output


@contextmanager
def _log_to(file: Path) -> Iterator[None]:
    """Write the log as JSON lines to ``file`` while the block runs."""
    with file.open("a", encoding="utf-8") as stream:
        structlog.configure(
            processors=[
                structlog.contextvars.merge_contextvars,
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso"),
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
            wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
            logger_factory=structlog.WriteLoggerFactory(stream),
        )
        try:
            yield
        finally:
            structlog.reset_defaults()


def main() -> None:
    """Run the command; a known error ends with its findings and exit code, never with a traceback."""
    try:
        app()
    except GatewayError as error:
        for finding in error.findings:
            talk.print(f"[{finding.code}] {finding.sv}\n  {finding.en}", **_PLAIN)
        sys.exit(error.exit_code)
    except Exception as error:  # the last resort: a sentence instead of a traceback
        finding = UNFORESEEN.at(kind=type(error).__name__)
        talk.print(f"[{finding.code}] {finding.sv}\n  {finding.en}", **_PLAIN)
        sys.exit(GatewayError.exit_code)
