"""The review of a frozen case: it goes on when someone with the right to do so has looked at it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from gateway.errors import CaseRuleError
from gateway.process.case import Review, SipCase
from gateway.process.faults import NOT_FROZEN


def review(case: SipCase, *, by: str, at: datetime, reason: str) -> SipCase:
    """Return ``case`` reviewed, with who did it, when and why.

    Raises:
        CaseRuleError: the case is not frozen.
    """
    if not case.is_frozen:
        raise CaseRuleError(NOT_FROZEN.at())
    return replace(case, is_frozen=False, reviews=(*case.reviews, Review(by=by, at=at, reason=reason)))
