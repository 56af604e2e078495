"""The colours of what is drawn: told apart from what is behind them, in light and in dark."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import gateway.web

CSS = (Path(gateway.web.__file__).parent / "static" / "drawn.css").read_text(encoding="utf-8")
_LIGHT, _, _OTHERS = CSS.partition("@media (prefers-color-scheme: dark)")
SCHEMES = {"light": _LIGHT, "dark": _OTHERS.partition("@media")[0]}


def colours(scheme: str) -> dict[str, str]:
    return dict(re.findall(r"(--drawn-\w+): (#[0-9a-f]{6});", SCHEMES[scheme]))


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
    found = colours(scheme)
    ground = found.pop("--drawn-ground")
    assert len(found) == 6
    assert {name: ratio for name, one in found.items() if (ratio := contrast(one, ground)) < 3} == {}
    written = ("--drawn-ink", "--drawn-quiet", "--drawn-wrong")
    assert {name: ratio for name in written if (ratio := contrast(found[name], ground)) < 4.5} == {}


def test_rules_name_no_colour_but_those_of_the_schemes() -> None:
    rules = CSS[CSS.index(".drawn-scroll") :]
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b|rgb", rules) == []
    assert set(re.findall(r"var\((--[\w-]+)\)", rules)) <= {*colours("light"), "--drawn-ground"}
    assert colours("light").keys() == colours("dark").keys()
