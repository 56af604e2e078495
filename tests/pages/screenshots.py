"""Pictures of pages for README: the same page gives the same picture, and none weighs more than 120 kB.

From ``tests/``: ``python -m pages.screenshots FOLDER NAME=URL…``. ``--enter URL`` logs in with the link that
``gateway login`` printed; ``--english`` and ``--dark`` take the pages so.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from PIL import Image
from playwright.async_api import Page
from services.installing import CHROMIUM

from gateway.clock import STOCKHOLM
from gateway.web.language import Language
from pages.browser import View, launched
from pages.visitor import enter, visiting

PICTURE = View(width=1280, height=800, still=True)
"""How a page is looked at for a picture."""

MOMENT = datetime(2026, 11, 22, 14, 3, tzinfo=STOCKHOLM)
"""What time it is for the scripts of a page that is photographed."""

MOST_BYTES = 120_000
_COLOURS = 256


async def photograph(page: Page, url: str, moment: datetime = MOMENT) -> bytes:
    """Open ``url`` on ``page``, seen as ``PICTURE``, at ``moment``, and return what is in the window, as a PNG.

    Raises:
        ValueError: the picture weighs more than ``MOST_BYTES``.
    """
    await page.clock.set_fixed_time(moment)
    await page.goto(url)
    return _smaller(await page.screenshot(animations="disabled", caret="hide"))


def _smaller(png: bytes) -> bytes:
    """Return the picture with a palette: text and plain areas have few colours, and nobody sees the difference."""
    written = io.BytesIO()
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    picture.quantize(_COLOURS, dither=Image.Dither.NONE).save(written, "PNG", optimize=True)
    small = written.getvalue()
    if len(small) > MOST_BYTES:
        raise ValueError(f"the picture weighs {len(small)} bytes, more than {MOST_BYTES}")
    return small


async def take(
    program: Path, folder: Path, pictures: dict[str, str], link: str | None = None, view: View = PICTURE
) -> None:
    """Write ``<name>.png`` in ``folder``, which is there, for each name and address of ``pictures``.

    They are of what somebody sees who has logged in with ``link``.

    Raises:
        AssertionError: something was wrong on a page; the pictures are written all the same.
        ValueError: a picture weighs too much.
    """
    with tempfile.TemporaryDirectory() as own:
        async with launched(program, Path(own)) as browser, visiting(browser) as visitor:
            page = await visitor.open(next(iter(pictures.values())), view)
            if link is not None:
                await enter(page, link)
            for name, url in pictures.items():
                (folder / f"{name}.png").write_bytes(await photograph(page, url))


def main(arguments: Sequence[str] | None = None) -> int:
    """Take the pictures that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m pages.screenshots", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("pictures", nargs="+", metavar="NAME=URL")
    parser.add_argument("--enter", metavar="URL", help="the link to log in with")
    parser.add_argument("--english", action="store_true")
    parser.add_argument("--dark", action="store_true")
    told = parser.parse_args(arguments)
    if any("=" not in one for one in told.pictures):
        parser.error("a picture is asked for as NAME=URL")
    programs = CHROMIUM.folder()
    if programs is None:
        parser.error("Chromium is not installed here")
    told.folder.mkdir(parents=True, exist_ok=True)
    pictures = dict(one.split("=", 1) for one in told.pictures)
    view = replace(PICTURE, dark=told.dark, language=Language.ENGLISH if told.english else Language.SWEDISH)
    asyncio.run(take(CHROMIUM.program(programs), told.folder, pictures, told.enter, view))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
