"""The colours of what is drawn: told apart from what is behind them, in light and in dark."""

from __future__ import annotations

import re

import pytest

from gateway.web.static import FOLDER

PAGES = (FOLDER / "style.css").read_text(encoding="utf-8")
DRAWN = (FOLDER / "drawn.css").read_text(encoding="utf-8")
_LIGHT, _, _OTHERS = PAGES.partition("@media (prefers-color-scheme: dark)")
SCHEMES = {"light": _LIGHT, "dark": _OTHERS.partition("* {")[0]}
RULES, _, FORCED = DRAWN.partition("@media (forced-colors: active)")
USED = set(re.findall(r"var\(--([\w-]+)\)", RULES)) - {"paper"}


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour (WCAG 2.2)."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_colour_stands_out_and_words_do_so_more(scheme: str) -> None:
    found = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", SCHEMES[scheme]))
    ratios = {name: contrast(found[name], found["paper"]) for name in USED}
    assert len(ratios) == 6
    assert {name: ratio for name, ratio in ratios.items() if ratio < 3} == {}
    assert {name: ratio for name, ratio in ratios.items() if name in ("ink", "quiet", "bad") and ratio < 4.5} == {}


def test_what_is_drawn_has_no_colours_of_its_own_and_takes_those_that_are_forced_on_a_page() -> None:
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b|rgb", DRAWN) == []
    assert set(re.findall(r"--([\w-]+): CanvasText", FORCED)) == USED
