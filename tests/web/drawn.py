"""What every drawing is held to: well-formed, named, unique in its ids, free of style and script."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from gateway.web.language import Language

_SVG = "{http://www.w3.org/2000/svg}"
SHAPES = {"svg", "title", "desc", "defs", "pattern", "g", "path", "text", "tspan", "rect", "line", "polygon", "circle"}


def check(svg: str, language: Language) -> None:
    """Fail where a drawing is not what a page with a strict policy, and a screen reader, may be given."""
    root = ET.fromstring(svg)  # noqa: S314 -- our own
    every = list(root.iter())
    assert {one.tag.removeprefix(_SVG) for one in every} <= SHAPES
    names = {name for one in every for name in one.attrib}
    assert not [name for name in names if name == "style" or name.startswith("on") or "href" in name]
    ids = [one.attrib["id"] for one in every if "id" in one.attrib]
    assert len(ids) == len(set(ids))
    assert (root.attrib["role"], root.attrib["lang"]) == ("img", language.value)
    labels = root.attrib["aria-labelledby"].split()
    assert [one.tag for one in every if one.attrib.get("id") in labels] == [f"{_SVG}title", f"{_SVG}desc"]
    assert all((one.text or "").strip() for one in every if one.attrib.get("id") in labels)


def texts(svg: str) -> list[str]:
    """Return every text that is drawn."""
    root = ET.fromstring(svg)  # noqa: S314 -- our own
    return ["".join(one.itertext()) for one in root.iter(f"{_SVG}text")]
