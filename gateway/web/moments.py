"""Times as people read them: Swedish time to the minute, and how long ago or how soon."""

from __future__ import annotations

from datetime import datetime, timedelta

from gateway.clock import STOCKHOLM
from gateway.web.language import Language

_STEPS = (
    (timedelta(days=1), timedelta(days=2), "{count} dygn", "{count} days", "1 dygn", "1 day"),
    (timedelta(hours=1), timedelta(hours=2), "{count} h", "{count} h", "1 h", "1 h"),
    (timedelta(minutes=1), timedelta(minutes=1), "{count} min", "{count} min", "1 min", "1 min"),
)


def written(at: datetime | None) -> str:
    """Return a time as ``2026-11-22 14:03``, in Sweden; a dash where there is none."""
    return at.astimezone(STOCKHOLM).strftime("%Y-%m-%d %H:%M") if at is not None else "–"


def machine(at: datetime) -> str:
    """Return a time for programs: RFC 3339 with its offset."""
    return at.astimezone(STOCKHOLM).isoformat(timespec="seconds")


def length(span: timedelta, language: Language) -> str:
    """Return how long something is, in its largest unit; a day and a half is 36 hours."""
    for unit, at_least, sv, en, one_sv, one_en in _STEPS:
        if span >= at_least:
            count = span // unit
            return language.say(one_sv, one_en) if count == 1 else language.say(sv, en, count=count)
    return language.say("under 1 min", "less than 1 min")


def age(at: datetime, now: datetime, language: Language) -> str:
    """Return how long ago something was, or how soon it will be."""
    if at > now:
        return language.say("om {span}", "in {span}", span=length(at - now, language))
    return language.say("för {span} sedan", "{span} ago", span=length(now - at, language))
