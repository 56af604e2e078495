"""Items: what people look at and decide about by hand, one row of the database each. Pure.

An item is known by its kind and its own number, ``sent:17``, which no partner has chosen and which names nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gateway.errors import CaseRuleError, Fault

ITEM_FORM = Fault(
    "item.form",
    "Ange det som slag och nummer, till exempel sent:17; slagen är {kinds}.",
    "Name it by kind and number, such as sent:17; the kinds are {kinds}.",
)

_LARGEST = 2**31 - 1
"""No row has a larger number, whatever the database."""


class ItemKind(StrEnum):
    """What an item is."""

    SENT = "sent"
    """An outgoing message, to one recipient."""
    RECEIVED = "received"
    """An incoming message, for one unit."""
    PARKED = "parked"
    """A delivery that could not become a message here."""
    UNEXPECTED = "unexpected"
    """An acknowledgement that settles nothing."""
    DEAD_LETTER = "dead-letter"
    """A delivery that the exchange gave up."""
    NOTE = "note"
    """A step of a case, or a notice, that the own case system has not taken."""
    EVENT = "event"
    """What a case system said, and that was refused."""


class Decision(StrEnum):
    """What somebody can decide about an item."""

    RESENT = "resent"
    DISCARDED = "discarded"
    RESTORED = "restored"
    ACKNOWLEDGED = "acknowledged"


@dataclass(frozen=True, slots=True, order=True)
class Item:
    """One item, by its kind and its number among those."""

    kind: ItemKind
    number: int

    @classmethod
    def parse(cls, text: str) -> Item:
        """Read ``kind:number``. Raises :class:`CaseRuleError`."""
        kind, _, number = text.partition(":")
        if kind in set(ItemKind) and number.isascii() and number.isdecimal() and _is_row(number):
            return cls(ItemKind(kind), int(number))
        raise CaseRuleError(ITEM_FORM.at(kinds=", ".join(ItemKind)))

    def __str__(self) -> str:
        return f"{self.kind}:{self.number}"


def _is_row(digits: str) -> bool:
    """Tell whether a row may have a number; of one with more digits than any has, no number is made."""
    return len(digits) <= len(str(_LARGEST)) and 0 < int(digits) <= _LARGEST
