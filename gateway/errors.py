"""What can be wrong, said the same way everywhere.

A :class:`Fault` is a kind of thing that can be wrong: a stable code and one plain sentence in Swedish and in English.
A :class:`Finding` is one occurrence of a fault at a place in a document. Errors that stop a piece of work carry
findings. No sentence ever repeats content of a message: placeholders are filled with element names and limits only,
so a finding can be logged, sent to a partner and shown on a screen.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, ClassVar, Self

FAULTS: dict[str, Fault] = {}
"""Every fault the gateway can report, by code. Filled as modules define them; rendered into ``docs/faults.md``."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, where it is, and what to tell staff about it.

    ``path`` is an XPath into an XML document, a JSON pointer (RFC 6901) into a JSON document, a FHIR expression into
    a resource (``Bundle.entry[1].resource.period.start``) or a column of a CSV file, by its name or else its number
    (``person.namn``, ``column 7``); ``line`` is one-based.
    """

    code: str
    sv: str
    en: str
    path: str | None = None
    line: int | None = None
    file: str | None = None

    def in_file(self, file: str) -> Finding:
        """Return the same finding placed in ``file``."""
        return replace(self, file=file)

    def as_json(self) -> dict[str, Any]:
        """Return the finding as a JSON object without empty members."""
        members = {
            "code": self.code,
            "sv": self.sv,
            "en": self.en,
            "path": self.path,
            "line": self.line,
            "file": self.file,
        }
        return {name: value for name, value in members.items() if value is not None}

    @classmethod
    def from_json(cls, members: dict[str, Any]) -> Finding:
        """Rebuild a finding from what :meth:`as_json` returned."""
        return cls(**members)

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.path) if part is not None)
        return f"{place + ': ' if place else ''}[{self.code}] {self.sv} / {self.en}"


@dataclass(frozen=True, slots=True)
class Fault:
    """A kind of thing that can be wrong: its stable code and its sentence in Swedish and English.

    Codes are ``area.what-is-wrong`` and are never renamed once released: partners build on them.
    """

    code: str
    sv: str
    en: str

    def __post_init__(self) -> None:
        """Register the fault; two faults with one code are a mistake in the program."""
        known = FAULTS.setdefault(self.code, self)
        if known != self:
            raise ValueError(f"fault code {self.code} is already taken")

    def at(self, path: str | None = None, line: int | None = None, **names: object) -> Finding:
        """Return a finding of this fault. ``names`` fill the placeholders: element names and limits, never content."""
        return Finding(self.code, self.sv.format(**names), self.en.format(**names), path, line)


class GatewayError(Exception):
    """Something the gateway cannot do, told as findings; ``exit_code`` is what the command line answers with."""

    exit_code: ClassVar[int] = 1

    def __init__(self, findings: Finding | Iterable[Finding]) -> None:
        self.findings: tuple[Finding, ...] = (findings,) if isinstance(findings, Finding) else tuple(findings)
        super().__init__("; ".join(f"[{finding.code}] {finding.en}" for finding in self.findings))

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of all findings, in order."""
        return tuple(finding.code for finding in self.findings)


class UsageError(GatewayError):
    """A command was called in a way it cannot follow."""

    exit_code = 2


class ConfigurationError(GatewayError):
    """The configuration or the directory of units cannot be used."""

    exit_code = 3


class DependencyDownError(GatewayError):
    """A database, an exchange or a case system does not answer. Worth trying again.

    ``retry_after`` is how long the other side asks to be left alone, where it says so.
    """

    exit_code = 4

    def __init__(self, findings: Finding | Iterable[Finding], *, retry_after: timedelta | None = None) -> None:
        super().__init__(findings)
        self.retry_after = retry_after


class WrittenMeanwhileError(GatewayError):
    """Someone else wrote the same at the same time. Worth beginning again at once, and only a few times."""

    exit_code = 4


class NotYetError(GatewayError):
    """Something else must happen first, and will; nothing is wrong, and others need not wait. Worth trying again."""

    exit_code = 4


class InvalidDocumentError(GatewayError):
    """A message or event is malformed, breaks its schema or breaks a rule. Trying again will not help.

    ``event_id`` and ``kind`` are those of an event that could be recognised all the same.
    """

    exit_code = 5
    event_id: str | None = None
    kind: str | None = None

    def about(self, event_id: str | None, kind: str | None) -> Self:
        """Return this error, told about the event with this id, of this kind."""
        self.event_id, self.kind = event_id, kind
        return self


class CaseRuleError(InvalidDocumentError):
    """A well-formed message that the SIP case does not allow now (the process rules)."""


class RefusedError(GatewayError):
    """The other side looked and said no, for good. Trying again will not help."""

    exit_code = 5


class ConflictError(GatewayError):
    """Something else happened first: another writer, another content under the same id."""

    exit_code = 5
