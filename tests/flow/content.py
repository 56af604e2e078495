"""What in an event tells about people, so that tests can look for it where it must not be."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from sides import DIRECTORY

_SHARED = {"handelseId", "tidpunkt", "arendeId", "enhet", "hsaId", "typ"}
"""Members that hold ids, codes and times of the case."""

_PROSE = 20
"""A text with a space and this many characters is somebody's words."""


def forms_of(number: str) -> set[str]:
    """Return a person number in every form it is written in: with and without its century and hyphen."""
    digits = re.sub(r"\D", "", number)
    assert len(digits) == 12
    return {f"{whole[:-4]}{mark}{whole[-4:]}" for whole in (digits, digits[2:]) for mark in ("", "-", "+", " ")}


def numbers_of(event: Any) -> set[str]:
    """Return every person number of an event, in every form."""
    return set().union(*(forms_of(number) for number in _values(event, {"personnummer"})))


def names_of(event: Any) -> set[str]:
    """Return the names of the people in an event, and each part of them."""
    names = {name for name in _values(event, {"namn", "lamnatAvNamn"}) if name not in _titles()}
    return names | {part for name in names for part in re.findall(r"[A-ZÅÄÖ]\w{3,}", name)}


def phones_of(event: Any) -> set[str]:
    """Return the phone numbers in an event, with and without spaces."""
    phones = {text for text in _texts(event) if re.fullmatch(r"0[\d -]{7,}", text)}
    return phones | {re.sub(r"\D", "", phone) for phone in phones}


def prose_of(event: Any) -> set[str]:
    """Return the free text of an event, each piece whole and its beginning; the title of a unit is no secret."""
    prose = {text for text in _texts(event) if len(text) >= _PROSE and " " in text}
    prose |= {text[:_PROSE] for text in prose}
    return {words for words in prose if not any(words in title for title in _titles())}


def words_of(events: Iterable[Any]) -> set[str]:
    """Return everything in events that tells about people."""
    return {word for event in events for told in (numbers_of, names_of, phones_of, prose_of) for word in told(event)}


def found_in(content: bytes, words: Iterable[str]) -> list[str]:
    """Return the words that stand in ``content``, as they are or as JSON escapes them."""
    return sorted(word for word in words if word.encode() in content or json.dumps(word).strip('"').encode() in content)


def found_in_files(paths: Iterable[Path], words: Iterable[str]) -> dict[str, list[str]]:
    """Return the words that stand in files, by the name of the file."""
    words = set(words)
    return {path.name: found for path in paths if (found := found_in(path.read_bytes(), words))}


def _titles() -> set[str]:
    return {unit.title for unit in DIRECTORY.units.values()}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, member in value.items():
            if name not in _SHARED:
                yield from _texts(member)
    elif isinstance(value, list):
        for member in value:
            yield from _texts(member)
    elif isinstance(value, str):
        yield value


def _values(value: Any, names: set[str]) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (member for name, member in value.items() if name in names and isinstance(member, str))
        value = list(value.values())
    if isinstance(value, list):
        for member in value:
            yield from _values(member, names)
