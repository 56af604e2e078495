"""The numbers people call cases by, as SAMSA writes them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gateway.errors import Fault, InvalidDocumentError

CASE_NUMBER_FORM: Final = Fault(
    "case-number.form",
    "Ärendenumret ska vara SIP och sex siffror, eller M och högst nio siffror, räknat från 1.",
    "A case number is SIP and six digits, or M and at most nine digits, counted from 1.",
)


class InvalidCaseNumberError(InvalidDocumentError):
    """A text or sequence number is not a case number. Carries one finding, ``case-number.*``."""


class CaseKind(StrEnum):
    """What a case number counts."""

    SIP = "sip"
    DISCHARGE = "discharge"


_CASE_NUMBER = re.compile(r"SIP(?P<sip>[0-9]{6})|M(?P<discharge>[1-9][0-9]{0,8})")
_LARGEST_SEQUENCE = {CaseKind.SIP: 999_999, CaseKind.DISCHARGE: 999_999_999}


@dataclass(frozen=True, slots=True)
class CaseNumber:
    """The number people call a case by, as SAMSA writes it: ``SIP`` and six digits, or ``M`` and digits."""

    kind: CaseKind
    sequence: int

    def __post_init__(self) -> None:
        """Refuse a sequence number that cannot be written. Raises :class:`InvalidCaseNumberError`."""
        if not 1 <= self.sequence <= _LARGEST_SEQUENCE[self.kind]:
            raise InvalidCaseNumberError(CASE_NUMBER_FORM.at())

    @classmethod
    def parse(cls, text: str) -> CaseNumber:
        """Read a case number, with or without spaces around it. Raises :class:`InvalidCaseNumberError`."""
        match = _CASE_NUMBER.fullmatch(text.strip())
        if match is None or match.lastgroup is None:
            raise InvalidCaseNumberError(CASE_NUMBER_FORM.at())
        return cls(CaseKind(match.lastgroup), int(match[match.lastgroup]))

    @property
    def value(self) -> str:
        """The number as it is written."""
        return f"SIP{self.sequence:06}" if self.kind is CaseKind.SIP else f"M{self.sequence}"

    def __str__(self) -> str:
        return self.value
