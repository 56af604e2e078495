"""Tables as files that a spreadsheet opens: CSV with semicolons and a byte order mark, as Swedish ones expect them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from io import StringIO

from aiohttp import web


def spreadsheet(name: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> web.Response:
    """Return a file called ``name``; ``None`` in a row is an empty cell."""
    text = StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return web.Response(
        body=text.getvalue().encode("utf-8-sig"),
        content_type="text/csv",
        charset="utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
