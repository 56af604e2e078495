"""Events as another system would write them: in XML, and as lines of a CSV file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape


def as_text(value: Any) -> str:
    """Return a value as a form that has only text writes it."""
    return {True: "true", False: "false", None: ""}[value] if isinstance(value, bool | None) else str(value)


def xml_of(event: Any, root: str = "handelse") -> str:
    """Return an event in XML, an element for each member and one for each item of a list."""
    return f"<{root}>{_inside(event)}</{root}>"


def _inside(value: Any) -> str:
    if isinstance(value, dict):
        return "".join(_elements(name, inner) for name, inner in value.items())
    return escape(as_text(value), {"\r": "&#13;"})


def _elements(name: str, value: Any) -> str:
    items = value if isinstance(value, list) else [value]
    return "".join(f"<{name}>{_inside(item)}</{name}>" for item in items)


def cells_of(event: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield the columns of an event and what stands in them."""
    if isinstance(event, dict):
        inner = event.items()
    elif isinstance(event, list):
        inner = ((str(number), item) for number, item in enumerate(event, start=1))
    else:
        yield name, as_text(event)
        return
    for step, value in inner:
        yield from cells_of(value, f"{name}.{step}" if name else step)


def csv_of(events: Sequence[Mapping[str, Any]], end: str = "\r\n") -> str:
    """Return a CSV file with a line for each event, and the columns of all of them."""
    lines = [dict(cells_of(event)) for event in events]
    columns = list(dict.fromkeys(column for line in lines for column in line))
    file = io.StringIO()
    writer = csv.DictWriter(
        file, columns, restval="", delimiter=";", lineterminator=end, quoting=csv.QUOTE_ALL if end == "\r" else 0
    )
    writer.writeheader()
    writer.writerows(lines)
    return file.getvalue()
