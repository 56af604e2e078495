"""The log of a gateway as it would be written, for tests that wait for a line in it or read what it does not say."""

from __future__ import annotations

import asyncio
import io
from collections.abc import MutableMapping
from typing import Any


class Log(io.StringIO):
    """The log as it would be written, and the events in it as they come."""

    def __init__(self) -> None:
        super().__init__()
        self.came: dict[str, asyncio.Event] = {}

    def __call__(self, logger: Any, method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        self.event(line["event"]).set()
        return line

    def event(self, name: str) -> asyncio.Event:
        """Return what is set when the line ``name`` has been written."""
        return self.came.setdefault(name, asyncio.Event())
