"""Times as texts say them that may have been tampered with."""

from __future__ import annotations

from datetime import datetime


def time_of(text: str | None) -> datetime | None:
    """Return the time that a text says, with its offset; ``None`` where it says none."""
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
