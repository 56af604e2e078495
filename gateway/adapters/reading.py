"""Reading a case system's event: typed values out of parsed JSON, and every fault at once.

A :class:`Reader` stands at one JSON object and knows its pointer (RFC 6901). Where a member is missing or wrong, a
finding is noted and reading goes on with a stand-in, so that the next fault is found too; :meth:`Reader.finish` raises
before anyone uses what was read. Findings name places, limits and code lists, never the value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final, NoReturn, TypeVar

from gateway.directory import Directory
from gateway.errors import Fault, Finding, InvalidDocumentError
from gateway.messages.binding import BAD_CHARACTER, MISSING, UNKNOWN, WRONG_TYPE, can_be_xml

T = TypeVar("T")

EMPTY_TEXT: Final = Fault("event.empty-text", "Texten är tom.", "The text is empty.")
EMPTY_LIST: Final = Fault("event.empty-list", "Listan är tom.", "The list is empty.")

_MEMBER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{0,39}")


_TRUE_OR_FALSE: Final = {
    **dict.fromkeys(("true", "ja", "sant", "1"), True),
    **dict.fromkeys(("false", "nej", "falskt", "0"), False),
}
"""How true and false are written in a form that has only text, in capitals or not."""
_WHOLE_NUMBER = re.compile(r"0|[1-9][0-9]{0,8}")


def _meant(found: Any, kind: type[T]) -> T | None:
    """Return what is meant, where a ``kind`` is to be, by what was found in a form that has only text."""
    meant: Any = None
    if kind is list and found is not None:
        meant = [found]
    elif kind is bool and type(found) is str:
        meant = _TRUE_OR_FALSE.get(found.lower())
    elif kind is int and type(found) is str and _WHOLE_NUMBER.fullmatch(found):
        meant = int(found)
    return meant  # type: ignore[no-any-return]


@dataclass(slots=True)
class Reading:
    """What all readers of one event share. ``today`` is the day the event happened, so that reading needs no clock.

    ``is_text`` tells that the event is in a form that has only text, and no list where there is one item.
    """

    directory: Directory
    is_text: bool = False
    root: Reader | None = None
    today: date = date.max
    findings: dict[Finding, None] = field(default_factory=dict)  # a member read twice is wrong once


_NOTHING: Final[Mapping[str, Any]] = {}


class Reader:
    """Stands at one object of an event, which it found in member ``name`` of the one ``above``.

    ``members`` are what stands in the object, and ``read`` the names that were asked for. Whoever takes a value from
    ``members`` sees to it that the value is right, and adds its name to ``read``.
    """

    __slots__ = ("_above", "_inner", "_missing", "_name", "_reading", "members", "read")

    def __init__(self, value: Any, reading: Reading, above: Reader | None = None, name: str = "") -> None:
        self._reading = reading
        self._above = above
        self._name = name
        self.read: set[str] = set()
        self._inner: dict[str, Reader] = {}
        self.members: Mapping[str, Any] = value if type(value) is dict else _NOTHING
        # The object itself is absent: said once, not once more for each of its members.
        self._missing = value is None

    @classmethod
    def of(cls, value: Any, directory: Directory, *, is_text: bool = False) -> Reader:
        """Return the reader of a whole event, in a form that has only text where ``is_text`` says so.

        Raises:
            InvalidDocumentError: the event is no JSON object.
        """
        if not isinstance(value, dict):
            raise InvalidDocumentError(WRONG_TYPE.at("/", expected="objekt/object"))
        reading = Reading(directory, is_text)
        reading.root = cls(value, reading)
        return reading.root

    @property
    def root(self) -> Reader:
        """The reader of the whole event."""
        return self._reading.root or self

    @property
    def directory(self) -> Directory:
        """The units and parties that the event may name."""
        return self._reading.directory

    @property
    def today(self) -> date:
        """The day on which the event happened."""
        return self._reading.today

    def happened_on(self, day: date) -> None:
        """Set the day on which the event happened."""
        self._reading.today = day

    @property
    def _pointer(self) -> str:
        return self._above.place(self._name) if self._above is not None else ""

    def place(self, name: str) -> str:
        """Return the JSON pointer of member ``name``."""
        return f"{self._pointer}/{name}"

    def note(self, finding: Finding) -> None:
        """Keep a finding about the event."""
        self._reading.findings[finding] = None

    def place_of(self, error: InvalidDocumentError, name: str) -> None:
        """Keep the findings of ``error``, which are about member ``name``."""
        for finding in error.findings:
            self.note(replace(finding, path=self.place(name)))

    def has(self, name: str) -> bool:
        """Tell whether member ``name`` is there and is not null."""
        self.read.add(name)
        return self.members.get(name) is not None

    def value(self, name: str, kind: type[T], *, expected: str) -> T | None:
        """Return member ``name``, which must be there and of the type ``kind`` (exactly); ``None`` after a fault."""
        self.read.add(name)
        found = self.members.get(name)
        if type(found) is kind:  # exactly: True is an int to isinstance
            return found
        meant = _meant(found, kind) if self._reading.is_text else None
        if meant is not None:
            return meant
        if found is not None:
            self.note(WRONG_TYPE.at(self.place(name), expected=expected))
        elif not self._missing:
            self.note(MISSING.at(self.place(name), name=name))
        return None

    def text(self, name: str) -> str | None:
        """Return member ``name`` as a text that XML can hold and that is not blank; ``None`` after a fault."""
        found = self.value(name, str, expected="text")
        if found is None:
            return None
        if not can_be_xml(found):
            self.note(BAD_CHARACTER.at(self.place(name)))
            return None
        if not found or found.isspace():
            self.note(EMPTY_TEXT.at(self.place(name)))
            return None
        return found

    def inside(self, name: str) -> Reader:
        """Return the reader of the object that member ``name`` must be; the same one each time."""
        inner = self._inner.get(name)
        if inner is None:
            found = self.value(name, dict, expected="objekt/object")
            inner = self._inner[name] = self._reader_of(found, name)
        return inner

    def array(self, name: str, *, least: int) -> tuple[Reader, tuple[str, ...]]:
        """Return a reader of the array that member ``name`` must be, whose members are called by their indices."""
        inner = self._inner.get(name)
        if inner is None:
            found = self.value(name, list, expected="lista/array")
            if found is not None and len(found) < least:
                self.note(EMPTY_LIST.at(self.place(name)))
            items = found or ()
            inner = self._inner[name] = self._reader_of(items, name)
        return inner, tuple(inner.members)

    def _reader_of(self, found: Any, name: str) -> Reader:
        """Return the reader of what was found in member ``name``; the members of an array are its items by index."""
        members = found
        if type(found) is list or type(found) is tuple:
            members = dict(zip(map(str, range(len(found))), found, strict=True))
        return Reader(members, self._reading, self, name)

    def finish(self) -> None:
        """Note every member that nobody read, and raise when anything was found wrong. Nothing can be read after it.

        Raises:
            InvalidDocumentError: with every finding.
        """
        if not self._is_read():
            for finding in self._unread():
                self.note(finding)
        if self._reading.findings:
            self.stop()
        self._reading.root = None
        self._let_go()

    def stop_if_wrong(self) -> None:
        """Raise when anything was found wrong, where not everything that stands there is to be read.

        Raises:
            InvalidDocumentError: with every finding.
        """
        if self._reading.findings:
            self.stop()

    def stop(self) -> NoReturn:
        """Raise what was found so far, when reading on has no meaning.

        Raises:
            InvalidDocumentError: always.
        """
        raise InvalidDocumentError(self._reading.findings)

    def _let_go(self) -> None:
        """Forget the readers inside this one, which know it too: what is in no circle goes without being looked for."""
        for inner in self._inner.values():
            inner._let_go()
        self._inner.clear()

    def _is_read(self) -> bool:
        return self.members.keys() <= self.read and all(inner._is_read() for inner in self._inner.values())

    def _unread(self) -> Iterator[Finding]:
        for name in self.members:
            if name not in self.read:
                # What does not look like a name may be content: the finding then points at the object around it.
                yield UNKNOWN.at(self.place(name) if _MEMBER_NAME.fullmatch(name) else self._pointer or "/")
        for inner in self._inner.values():
            yield from inner._unread()
