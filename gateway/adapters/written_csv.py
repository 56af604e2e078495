"""Events written in CSV with semicolons: a header that names the members, and an event on each line (RFC 4180).

A column is named as its member is, with a point before what is inside: ``handlaggare.namn``, ``mottagare.1``, where
items of a list are numbered from 1. An empty cell is a member that is not there. An event alone is the header and its
line, so that it can be understood later, and is the same wherever in a file it stood.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

from gateway.adapters.written import Written, steps_of
from gateway.adapters.written_text import encoding_of, text_of
from gateway.errors import Fault, Finding, InvalidDocumentError
from gateway.messages.binding import UNKNOWN
from gateway.messages.hardened import MAX_BYTES, TOO_LARGE

MALFORMED: Final = Fault(
    "csv.malformed",
    "Citattecknen går inte ihop: en cell som börjar med ett citattecken slutar inte med ett, eller är för lång.",
    "The quotes do not match: a cell that begins with a quote does not end with one, or is too long.",
)
COLUMN_NAME: Final = Fault(
    "csv.column-name",
    "Första raden ska namnge fälten; kolumnens namn har inte formen av ett fältnamn.",
    "The first line must name the members; the name of the column does not have the form of one.",
)
DUPLICATE: Final = Fault("csv.duplicate-column", "Två kolumner har samma namn.", "Two columns have the same name.")
CONFLICT: Final = Fault(
    "csv.column-conflict",
    "Kolumnen är både ett fält och något som har fält eller delar i sig.",
    "The column is both a member and something that has members or items in it.",
)
NO_LINES: Final = Fault(
    "csv.no-lines", "Efter raden med kolumnernas namn finns inga rader.", "No lines follow the names of the columns."
)
ONE_LINE: Final = Fault(
    "csv.one-line", "En händelse är en enda rad efter kolumnernas namn.", "An event is one line after the column names."
)
TOO_FEW: Final = Fault(
    "csv.too-few-cells", "Raden har färre celler än {columns}.", "The line has fewer cells than {columns}."
)
TOO_MANY: Final = Fault(
    "csv.too-many-cells",
    "Raden har fler celler än de {columns} som har namn.",
    "The line has more cells than the {columns} that have names.",
)
TOO_MANY_LINES: Final = Fault(
    "csv.too-many-lines", "Filen har fler än {limit} rader.", "The file has more than {limit} lines."
)
TOO_MANY_COLUMNS: Final = Fault(
    "csv.too-many-columns", "Filen har fler än {limit} kolumner.", "The file has more than {limit} columns."
)

MAX_LINES: Final = 10_000
MAX_COLUMNS: Final = 1_000
MAX_CELLS: Final = 250_000
"""Most lines, times columns: each may be wrong, and every fault is told and kept."""

NAME = r"[A-Za-zÅÄÖåäö][A-Za-z0-9_ÅÄÖåäö]{0,39}"
"""The form of the name of a member, the system's own too. No number has it, and no part of a path."""
_COLUMN = re.compile(rf"{NAME}(\.({NAME}|[1-9][0-9]{{0,2}})){{0,9}}")
_SPREADSHEET = re.compile(r'"?sep=;"?', re.IGNORECASE)
"""The first line by which a spreadsheet is told the separator."""

Steps = tuple[str | int, ...]
"""The name of a column, taken apart."""


@dataclass(frozen=True, slots=True)
class Line:
    """An event of a file: its ``text`` as it stands there, its cells, and the number of its first line, from 1."""

    number: int
    text: str
    cells: list[str]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file taken apart: its header as it stands there, the columns that have names, and the lines that say anything.

    ``encoding`` is what it was written in.
    """

    encoding: str
    header: str
    columns: tuple[Steps, ...]
    lines: tuple[Line, ...]

    def alone(self, line: Line) -> bytes:
        """Return the event of one line, in UTF-8."""
        return f"{self.header}\n{line.text}\n".encode()

    def only(self, lines: list[Line]) -> bytes:
        """Return a file with some of the lines, in the encoding of this one."""
        return "\r\n".join([self.header, *(line.text for line in lines), ""]).encode(self.encoding)


def taken_apart(content: bytes) -> Sheet:
    """Return header and lines of a CSV file.

    Raises:
        InvalidDocumentError: it cannot be told where its lines or columns begin and end.
    """
    if len(content) > MAX_BYTES:
        raise InvalidDocumentError(TOO_LARGE.at(limit=MAX_BYTES))
    encoding = encoding_of(content)
    records = _records(text_of(content, encoding))
    header = next(records, None)
    if header is not None and _SPREADSHEET.fullmatch(header.text.strip()):
        header = next(records, None)
    if header is None:
        raise InvalidDocumentError(NO_LINES.at())
    columns = _columns(header)
    lines = []
    limit = min(MAX_LINES, MAX_CELLS // len(columns))
    for line in records:
        lines.append(line)
        if len(lines) > limit:
            raise InvalidDocumentError(TOO_MANY_LINES.at(line=line.number, limit=limit))
    if not lines:
        raise InvalidDocumentError(NO_LINES.at(line=header.number))
    return Sheet(encoding, header.text, columns, tuple(lines))


def as_csv(content: bytes) -> Written:
    """Read an event that is a header and one line.

    Raises:
        InvalidDocumentError: it is not, or the line does not have the columns of the header.
    """
    sheet = taken_apart(content)
    line, *others = sheet.lines
    if others:
        raise InvalidDocumentError(ONE_LINE.at(line=others[0].number))
    columns, cells = sheet.columns, line.cells
    if len(cells) < len(columns):
        raise InvalidDocumentError(TOO_FEW.at(line=line.number, columns=len(columns)))
    if not all(_is_blank(cell) for cell in cells[len(columns) :]):
        raise InvalidDocumentError(TOO_MANY.at(line=line.number, columns=len(columns)))
    tree: dict[Any, Any] = {}
    for steps, cell in zip(columns, cells, strict=False):
        if not _is_blank(cell):
            inner = tree
            for step in steps[:-1]:
                inner = inner.setdefault(step, {})
            inner[steps[-1]] = cell

    def placed(finding: Finding) -> Finding:
        if finding.path is None:
            return replace(finding, line=line.number)
        steps = _steps_to(tree, finding.path)
        name = ".".join(map(str, steps))
        if finding.code == UNKNOWN.code:  # a name that nobody asked for may be a person's: its column has a number
            name = _by_number(columns, steps)
        return replace(finding, path=name or None, line=line.number)

    return Written(_nested(tree), is_text=True, placed=placed)


def _records(text: str) -> Iterator[Line]:
    """Yield what stands in the file, but for lines that are empty, or have nothing in any cell."""
    taken: list[str] = []

    def lines() -> Iterator[str]:
        for line in io.StringIO(text, newline=""):  # CR, LF and CRLF end a line, and stay as they are
            taken.append(line)
            yield line

    reader = csv.reader(lines(), delimiter=";", strict=True)
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            raise InvalidDocumentError(MALFORMED.at(line=number)) from None
        if not all(_is_blank(cell) for cell in cells):
            yield Line(number, "".join(taken).rstrip("\r\n"), cells)
        taken.clear()


def _is_blank(cell: str) -> bool:
    return not cell or cell.isspace()


def _columns(header: Line) -> tuple[Steps, ...]:
    """Return what the header names; columns after the last that has a name are none."""
    names = [cell.strip() for cell in header.cells]
    while names and not names[-1]:
        names.pop()
    if len(names) > MAX_COLUMNS:
        raise InvalidDocumentError(TOO_MANY_COLUMNS.at(line=header.number, limit=MAX_COLUMNS))
    findings = []
    known: set[str] = set()
    holds: dict[str, set[bool]] = {}  # by the name of what has something in it: whether that is the item of a list
    for name in names:
        for point in re.finditer(r"\.", name):
            holds.setdefault(name[: point.start()], set()).add(name[point.end() :][:1].isdigit())
    for number, name in enumerate(names, start=1):
        if not _COLUMN.fullmatch(name):
            findings.append(COLUMN_NAME.at(f"column {number}", header.number))
        elif name in known:
            findings.append(DUPLICATE.at(f"column {number}", header.number))
        elif name in holds or any(len(holds[name[: point.start()]]) > 1 for point in re.finditer(r"\.", name)):
            findings.append(CONFLICT.at(f"column {number}", header.number))
        known.add(name)
    if findings:
        raise InvalidDocumentError(findings)
    return tuple(tuple(int(step) if step.isdigit() else step for step in name.split(".")) for name in names)


def _nested(tree: dict[Any, Any]) -> Any:
    """Return what stands in the cells of a line: items in the order of their numbers, whichever of them are there."""
    values = {step: _nested(inner) if isinstance(inner, dict) else inner for step, inner in tree.items()}
    if values and all(isinstance(step, int) for step in values):
        return [values[step] for step in sorted(values)]
    return values


def _steps_to(tree: dict[Any, Any], pointer: str) -> Steps:
    """Return the name, taken apart, of the column that a JSON pointer into the nested value is about."""
    found: list[str | int] = []
    here: Any = tree
    for step in steps_of(pointer):
        inner = here if isinstance(here, dict) else {}
        if not step.isdigit():
            found.append(step)
            here = inner.get(step)
            continue
        numbers = sorted(known for known in inner if isinstance(known, int))
        if int(step) < len(numbers):  # else it is the one item of a list that has no number in the header
            found.append(numbers[int(step)])
            here = inner[numbers[int(step)]]
    return tuple(found)


def _by_number(columns: tuple[Steps, ...], steps: Steps) -> str:
    number = _numbered(columns).get(steps)
    return f"column {number}" if number is not None else ""


@lru_cache(maxsize=8)
def _numbered(columns: tuple[Steps, ...]) -> dict[Steps, int]:
    """Return by each name the first column that has it, or something in what has that name, by its number from 1."""
    numbers: dict[Steps, int] = {}
    for number, column in enumerate(columns, start=1):
        for length in range(1, len(column) + 1):
            numbers.setdefault(column[:length], number)
    return numbers
