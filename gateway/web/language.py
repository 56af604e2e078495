"""Swedish and English: each sentence is written in both, side by side, where it is used."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from aiohttp import web


class Language(StrEnum):
    """A language that the pages are written in."""

    SWEDISH = "sv"
    ENGLISH = "en"

    def say(self, sv: str, en: str, **names: Any) -> str:
        """Return the sentence in this language, with ``names`` in its places."""
        text = sv if self is Language.SWEDISH else en
        return text.format(**names) if names else text


COOKIE = "language"


def language_of(request: web.Request) -> Language:
    """Return the language somebody has chosen; Swedish where they have not."""
    try:
        return Language(request.cookies.get(COOKIE, Language.SWEDISH))
    except ValueError:
        return Language.SWEDISH
