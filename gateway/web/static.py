"""What pages are dressed in: a style sheet, the script that refreshes, a picture for the tab."""

from __future__ import annotations

import hashlib
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Final

from aiohttp import web

from gateway.web.refusals import NOT_FOUND, NotFoundError
from gateway.web.route import Kind, Route, Scope
from gateway.web.visit import Visit

FOLDER: Final = Path(__file__).parent / "static"

_MEDIA: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_A_YEAR: Final = "public, max-age=31536000, immutable"


@cache
def _files() -> dict[str, tuple[bytes, str, str]]:
    """Return content, media type and short hash of every file, by name."""
    found = {}
    for file in sorted(FOLDER.iterdir()):
        if file.suffix in _MEDIA:
            content = file.read_bytes()
            found[file.name] = (content, _MEDIA[file.suffix], hashlib.sha256(content).hexdigest()[:12])
    return found


@cache
def address_of(name: str) -> str:
    """Return where a file is found; the address changes with its content, so that it can be kept for ever."""
    return f"/static/{_files()[name][2]}/{name}"


async def file(visit: Visit) -> web.Response:
    """Answer with a file."""
    found = _files().get(visit.named("name"))
    if found is None or visit.named("hash") != found[2]:
        raise NotFoundError(NOT_FOUND.at())
    content, media, _ = found
    headers = {"Cache-Control": _A_YEAR}
    return web.Response(status=HTTPStatus.OK, body=content, content_type=media, charset="utf-8", headers=headers)


ROUTES = (
    Route(
        method="GET",
        path="/static/{hash}/{name}",
        answer=file,
        kind=Kind.FILE,
        scope=Scope.OPEN,
        right=None,
        sv="En fil som sidorna använder.",
        en="A file that the pages use.",
    ),
)
