"""How a point in time is kept: as text that sorts as it reads, alike in every database."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import String, TypeDecorator
from sqlalchemy.engine import Dialect


@lru_cache(maxsize=1024)  # the rows of a batch share most of their times
def _as_text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


class Moment(TypeDecorator[datetime]):
    """A point in time, kept as text in UTC so that comparing texts compares times."""

    impl = String(32)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        """Write a time with a zone as UTC text."""
        return None if value is None else _as_text(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Read the text back as a time in UTC."""
        return None if value is None else datetime.fromisoformat(value)
