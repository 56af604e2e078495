"""What staff are told about failures: what each kind is called, and what a cause means, in Swedish and in English."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from gateway.errors import FAULTS
from gateway.items import ItemKind
from gateway.store.failed import Cause
from gateway.web.state_words import IN_WORDS, OUT_WORDS

KIND_WORDS: Final[Mapping[ItemKind, tuple[str, str]]] = {
    ItemKind.SENT: ("Skickat", "Sent"),
    ItemKind.RECEIVED: ("Mottaget", "Received"),
    ItemKind.PARKED: ("Blev inget meddelande", "Became no message"),
    ItemKind.UNEXPECTED: ("Oväntad kvittens", "Unexpected acknowledgement"),
    ItemKind.DEAD_LETTER: ("Uppgivet av meddelandeväxeln", "Given up by the exchange"),
    ItemKind.NOTE: ("Steg till verksamhetssystemet", "Step for the case system"),
    ItemKind.EVENT: ("Avvisad händelse", "Refused event"),
}
"""What each kind of item is called."""

_WAYS_TO_DIE: Final[Mapping[str, tuple[str, str]]] = {
    "rejected": ("Det gick inte att ta emot.", "It could not be taken."),
    "delivery_limit": ("Det har lämnats över för många gånger.", "It was handed over too often."),
    "spent": ("Det har lämnats över för många gånger.", "It was handed over too often."),
    "expired": ("Det låg för länge i kön.", "It lay in the queue for too long."),
    "maxlen": ("Kön var full.", "The queue was full."),
}
"""Why the exchange gives a delivery up, by what it calls that."""

_STATES: Final[Mapping[str, tuple[str, str]]] = {
    state.value: (f"{word.sv}.", f"{word.en}.") for state, word in (*IN_WORDS.items(), *OUT_WORDS.items())
}
"""What a failure is told by that has no other reason than its state."""
_UNKNOWN: Final = (
    "Motpartens eget skäl; här finns ingen beskrivning av koden.",
    "The partner's own reason; the code is not described here.",
)
_PLACEHOLDER: Final = re.compile(r"\{\w+\}")


def cause_words(cause: Cause) -> tuple[str, str]:
    """Return what a cause means, as the fault of its code says it; names that are filled in elsewhere are left out."""
    known = FAULTS.get(cause.code)
    if known is not None:
        return _PLACEHOLDER.sub("…", known.sv), _PLACEHOLDER.sub("…", known.en)
    if cause.kind is ItemKind.DEAD_LETTER:
        return _WAYS_TO_DIE.get(cause.code, _UNKNOWN)
    return _STATES.get(cause.code, _UNKNOWN)


def code_shown(code: str) -> str:
    """Return a code that a partner may have written as it can be shown: with nothing that cannot be seen."""
    return "".join(sign if sign.isprintable() else "·" for sign in code)
