"""``gateway schema``: the message types, and whether files are valid messages."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from gateway.cli.console import PLAIN, Json, out, print_json
from gateway.errors import Fault, Finding, InvalidDocumentError
from gateway.messages import TYPES, read_file

app = typer.Typer(help="Message types and their schemas.", no_args_is_help=True)

UNREADABLE = Fault("file.unreadable", "Filen kan inte läsas.", "The file cannot be read.")


@app.command("list")
def schema_list(as_json: Json = False) -> None:
    """List the message types with their contracts."""
    if as_json:
        print_json({"types": [_type_json(name) for name in TYPES]})
        return
    table = Table("Type", "Titel / Title", "Att göra / Duty", "Deadline", "Samtycke / Consent")
    for name, kind in TYPES.items():
        contract = kind.contract
        deadline = contract.deadline.length if contract.deadline else "–"
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
        "deadline": contract.deadline.length if contract.deadline else None,
        "deadlineSource": contract.deadline_source,
        "consent": contract.consent.value if contract.consent else None,
        "senders": sorted(sender.value for sender in contract.senders),
        "answers": list(contract.answers),
    }


@app.command("validate")
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
        print_json(
            {
                "files": [
                    {"file": str(file), "valid": not faults, "type": kind, "findings": [f.as_json() for f in faults]}
                    for file, kind, faults in verdicts
                ]
            }
        )
    else:
        for file, kind, faults in verdicts:
            out.print(f"{file}: {'ogiltig / invalid' if faults else f'giltig / valid ({kind})'}", **PLAIN)
            for finding in faults:
                place = ":".join(str(part) for part in (finding.line, finding.path) if part is not None)
                out.print(f"  {place or '–'} [{finding.code}]\n    {finding.sv}\n    {finding.en}", **PLAIN)
    if any(faults for _, _, faults in verdicts):
        raise typer.Exit(InvalidDocumentError.exit_code)
