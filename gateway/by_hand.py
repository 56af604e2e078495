"""What a person does by hand is done by someone, for a reason: both are kept with what was done."""

from __future__ import annotations

from gateway.errors import CaseRuleError, Fault
from gateway.identifiers import HsaId

REASON = Fault(
    "by-hand.reason",
    "Ange ett skäl på högst {limit} tecken.",
    "Give a reason of at most {limit} characters.",
)

LONGEST_REASON = 500
"""Characters in a reason."""


def check_actor(by: str, reason: str) -> None:
    """Refuse what is done by nobody, or for no reason.

    Raises:
        CaseRuleError: the reason is missing or too long.
        InvalidDocumentError: ``by`` is no HSA-id.
    """
    HsaId.parse(by)
    if not reason.strip() or len(reason) > LONGEST_REASON or "\0" in reason:
        raise CaseRuleError(REASON.at(limit=LONGEST_REASON))
