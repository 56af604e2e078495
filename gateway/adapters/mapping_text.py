"""The mapping of an adapter as TOML: what holds, in the form that the settings take, with what it means beside it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from gateway.adapters.words import MappingTable

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def mapping_text(table: MappingTable) -> str:
    """Return a ``table`` in TOML. Its tables ``codes`` and ``fields`` stand in ``[[adapters]]`` as they are."""
    return "\n".join(_lines(table)) + "\n"


def _lines(table: MappingTable) -> Iterator[str]:
    notes = dict(table.notes)
    for name, words in table.codes.items():
        yield f"[codes.{_key(name)}]"
        if note := notes.pop(f"codes.{name}", None):
            yield f"# {note}"
        for own, ours in words.items():
            meaning = table.meanings.get(name, {}).get(own, ours)
            yield f"{_text(own)} = {_text(ours)}{f'  # {meaning}' if meaning != ours else ''}"
        yield ""
    for name in [name for name in notes if name.startswith("codes.")]:
        yield f"# [codes.{_key(name.removeprefix('codes.'))}]: {notes.pop(name)}"
    if table.fields or notes:
        yield ""
        yield "[fields]"
    for name, own in table.fields.items():
        yield f"{_key(name)} = {_text(own)}"
    for name, note in notes.items():
        yield f"# {_key(name.removeprefix('fields.'))}: {note}"


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _text(name)


def _text(value: str) -> str:
    # A basic string of TOML is one of JSON, but for the one control character that JSON leaves as it is.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
