"""What a person does by hand is done by someone, for a reason: both are kept with what was done."""

from __future__ import annotations

import re

from gateway.errors import CaseRuleError, Fault
from gateway.identifiers import HsaId, InvalidPersonIdError, PersonId

REASON = Fault(
    "by-hand.reason",
    "Ange ett skäl på högst {limit} tecken.",
    "Give a reason of at most {limit} characters.",
)
PERSON_NUMBER = Fault(
    "by-hand.person-number",
    "Skriv inga personnummer där: det som skrivs sparas i loggen.",
    "Write no person numbers there: what is written is kept in the log.",
)

LONGEST_REASON = 500
"""Characters in a reason."""

_DIGITS = re.compile(r"(?<![0-9])([0-9]{6}|[0-9]{8})\s?([-+\u2010-\u2015\u2212]?)\s?([0-9]{4})(?![0-9])")
"""Digits with any dash or a space before the last four, as people write them."""


def check_actor(by: str, reason: str) -> None:
    """Refuse what is done by nobody, or for no reason.

    Raises:
        CaseRuleError: the reason is missing or too long, or holds a person number.
        InvalidDocumentError: ``by`` is no HSA-id.
    """
    HsaId.parse(by)
    check_reason(reason)


def check_reason(reason: str) -> None:
    """Refuse what is done for no reason, or for one that names a person by number.

    Raises:
        CaseRuleError: it is missing or too long, or holds a person number.
    """
    if not reason.strip() or len(reason) > LONGEST_REASON or "\0" in reason:
        raise CaseRuleError(REASON.at(limit=LONGEST_REASON))
    if holds_person_number(reason):
        raise CaseRuleError(PERSON_NUMBER.at())


def holds_person_number(text: str) -> bool:
    """Tell whether digits in ``text`` are those of a person number, with or without century, separator and space."""
    return any(
        _is_person_number(f"{day}{'+' if mark == '+' else '-' if mark else ''}{last}")
        for day, mark, last in _DIGITS.findall(text)
    )


def _is_person_number(digits: str) -> bool:
    try:
        PersonId.parse(digits)
    except InvalidPersonIdError:
        return False
    return True
