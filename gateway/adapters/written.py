"""What is written in an event, whatever form it is written in: nested values, and where each of them stands."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from gateway.errors import Finding
from gateway.messages.binding import UNKNOWN
from gateway.messages.hardened import read_json
from gateway.ports import where_it_is

_MEMBER = re.compile(r"[a-z][A-Za-z0-9]{0,39}")


def without_a_name(finding: Finding) -> Finding:
    """Return a finding of a member that nobody asked for at the object it is in, where its name may be a person's.

    A name that begins with a capital letter may; those of members do not.
    """
    if finding.code != UNKNOWN.code or finding.path is None:
        return finding
    around, _, name = finding.path.rpartition("/")
    return finding if _MEMBER.fullmatch(name) else replace(finding, path=around or "/")


@dataclass(frozen=True, slots=True)
class Written:
    """The ``value`` of an event, nested as JSON has it.

    ``is_text`` tells that its form has only text: no numbers, no true and false, and no list where there is one item.
    ``placed`` turns a finding whose path is a JSON pointer into ``value`` to the place in what was written.
    """

    value: Any
    is_text: bool = False
    placed: Callable[[Finding], Finding] = where_it_is


Form = Callable[[bytes], Written]
"""Reads the bytes of an event; raises :class:`~gateway.errors.InvalidDocumentError`."""


def as_json(content: bytes) -> Written:
    """Read an event that is JSON in UTF-8.

    Raises:
        InvalidDocumentError: it is none, or harmful.
    """
    return Written(read_json(content), placed=without_a_name)


def steps_of(pointer: str) -> list[str]:
    """Return the names and indices in a JSON pointer. No name in an event that can be asked for needs escaping."""
    return [step for step in pointer.split("/") if step]
