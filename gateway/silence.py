"""When a partner is silent, and how often that is told: once when it begins, once when it ends, and a digest between.

Pure. A partner is silent when it owes receipts and nothing at all has come from it for a while, or when messages cannot
be sent to it. It is back when it is heard: that our messages go out again says nothing about who reads them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

SILENT_AFTER: Final = timedelta(minutes=15)
"""How long a partner that owes receipts may say nothing."""
DIGEST_EVERY: Final = timedelta(minutes=30)
"""How often it is told that a partner is still silent."""


class Cause(StrEnum):
    """Why a partner counts as silent."""

    NO_RECEIPT = "no-receipt"
    """It owes receipts, and has said nothing."""
    CIRCUIT = "circuit"
    """Messages cannot be sent to it."""


class News(StrEnum):
    """What there is to tell about a partner, as the log calls it."""

    SILENT = "partner.silent"
    STILL_SILENT = "partner.still-silent"
    BACK = "partner.back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Partner:
    """What is known of a partner now.

    ``waiting`` messages are not known to be with it. ``owing_since`` is when the one that has waited longest for a
    receipt last left, ``cut_since`` since when its circuit is open, and ``heard_at`` when anything last came from it.
    """

    party: str
    waiting: int = 0
    owing_since: datetime | None = None
    cut_since: datetime | None = None
    heard_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Silence:
    """That a partner has been silent ``since`` then, why, and when that was last told."""

    party: str
    since: datetime
    cause: Cause
    told_at: datetime


class Judged(NamedTuple):
    """What is to be remembered of a partner's silence, ``None`` for nothing, and what there is to tell, if anything."""

    silence: Silence | None
    news: News | None


def judge(seen: Partner, before: Silence | None, now: datetime) -> Judged:
    """Return whether a partner is silent, and what is new about that."""
    if before is None:
        begun = _begun(seen, now)
        return Judged(begun, News.SILENT if begun is not None else None)
    if _is_back(seen, before):
        return Judged(None, News.BACK)
    if seen.waiting and now - before.told_at >= DIGEST_EVERY:
        return Judged(replace(before, told_at=now), News.STILL_SILENT)
    return Judged(before, None)


def _begun(seen: Partner, now: datetime) -> Silence | None:
    if seen.cut_since is not None:
        return Silence(seen.party, seen.cut_since, Cause.CIRCUIT, now)
    if seen.owing_since is None:
        return None
    since = max(seen.owing_since, seen.heard_at or seen.owing_since)
    return Silence(seen.party, since, Cause.NO_RECEIPT, now) if now - since >= SILENT_AFTER else None


def _is_back(seen: Partner, before: Silence) -> bool:
    if seen.cut_since is not None:
        return False
    if seen.heard_at is not None and seen.heard_at > before.since:
        return True
    return before.cause is Cause.CIRCUIT and seen.owing_since is None  # what went out owes no receipt


class Sentence(NamedTuple):
    """A sentence for staff, in Swedish and in English."""

    sv: str
    en: str


def sentence(title: str, silence: Silence, waiting: int | None, now: datetime) -> Sentence:
    """Return what staff are told about a silent partner, called ``title``, while ``waiting`` messages wait for it.

    How many wait is not told where that is ``None``.
    """
    sv, en = _length(max(now - silence.since, timedelta()))
    if waiting is None:
        return Sentence(f"{title} har inte svarat på {sv}.", f"{title} has not answered for {en}.")
    return Sentence(
        f"{title} har inte svarat på {sv}; {_counted(waiting, 'meddelande väntar', 'meddelanden väntar', 'inga')}.",
        f"{title} has not answered for {en}; {_counted(waiting, 'message waits', 'messages wait', 'no')}.",
    )


def _counted(number: int, one: str, several: str, none: str) -> str:
    return f"{none} {several}" if not number else f"{number} {one if number == 1 else several}"


def _length(long: timedelta) -> tuple[str, str]:
    minutes = int(long.total_seconds() // 60)
    if minutes < 120:
        return f"{minutes} min", f"{minutes} min"
    hours = minutes // 60
    return (f"{hours} tim", f"{hours} h") if hours < 48 else (f"{hours // 24} dygn", f"{hours // 24} days")
