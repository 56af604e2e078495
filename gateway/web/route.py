"""A way in: an address, who may come there, what may be asked, and what answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Self

from aiohttp import web
from pydantic import BaseModel

from gateway.access import Right

if TYPE_CHECKING:
    from gateway.web.visit import Visit


STREAM: Final = "text/event-stream"
"""The form of an answer that goes on (server-sent events)."""
LAST_EVENT_ID: Final = "Last-Event-ID"
"""The header that tells where such an answer is to go on."""


class Kind(StrEnum):
    """For whom an answer is meant; what is wrong is told accordingly."""

    PAGE = "page"
    """For people: HTML. Whoever is not let in is shown where that is done."""
    API = "api"
    """For programs: JSON. What is wrong is told as problem details (RFC 9457)."""
    FILE = "file"
    """A file that pages are made with."""


class Scope(StrEnum):
    """What of the party's is shown or touched there."""

    OPEN = "open"
    """Nothing of anybody's: a style sheet, the page where people are let in."""
    UNITS = "units"
    """What is of the units that the actor sees; what is of other units is as if it were not there."""
    PARTY = "party"
    """What is no single unit's: for those who see all units of the party."""


Answer = Callable[["Visit"], Awaitable[web.StreamResponse | BaseModel]]
"""Answers a visit: a model is written as JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One address and method.

    ``right`` is what whoever comes must have; ``None`` lets everybody in, also those who are not known. ``query`` and
    ``body`` are the forms of what is asked, and ``returns`` that of the answer, where they are JSON. ``sv`` and ``en``
    say what one finds there.
    """

    method: str
    path: str
    answer: Answer
    kind: Kind
    scope: Scope
    right: Right | None
    sv: str
    en: str
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    returns: type[BaseModel] | None = None
    repeatable: bool = False
    """Whether a POST takes an ``Idempotency-Key``, and is carried out once however often it comes."""
    media: tuple[str, ...] = ("application/json",)
    """In which forms the API answers; ``returns`` is for JSON."""
    refuses: tuple[HTTPStatus, ...] = ()
    """With what it may say no, beside what every route of its kind may."""

    @property
    def name(self) -> str:
        """Return what the route is known by: its answer's module and name."""
        return f"{self.answer.__module__.rpartition('.')[2]}.{self.answer.__name__}"

    @classmethod
    def open(
        cls, method: str, path: str, answer: Answer, sv: str, en: str, query: type[BaseModel] | None = None
    ) -> Self:
        """Return a page that everybody may come to, and that shows nothing of anybody's."""
        kind, scope = Kind.PAGE, Scope.OPEN
        return cls(
            method=method, path=path, answer=answer, kind=kind, scope=scope, right=None, query=query, sv=sv, en=en
        )

    @classmethod
    def page(
        cls,
        method: str,
        path: str,
        answer: Answer,
        sv: str,
        en: str,
        *,
        right: Right = Right.SEE_LEDGER,
        scope: Scope = Scope.UNITS,
        query: type[BaseModel] | None = None,
    ) -> Self:
        """Return a page, or what a form on a page is sent to."""
        return cls(
            method=method,
            path=path,
            answer=answer,
            kind=Kind.PAGE,
            scope=scope,
            right=right,
            query=query,
            sv=sv,
            en=en,
        )

    @classmethod
    def api(
        cls,
        method: str,
        path: str,
        answer: Answer,
        sv: str,
        en: str,
        *,
        returns: type[BaseModel] | None,
        right: Right = Right.SEE_LEDGER,
        scope: Scope = Scope.UNITS,
        query: type[BaseModel] | None = None,
        body: type[BaseModel] | None = None,
        media: tuple[str, ...] = ("application/json",),
        refuses: tuple[HTTPStatus, ...] = (),
    ) -> Self:
        """Return a part of the API. What is posted there is carried out once, however often it comes with one key."""
        return cls(
            method=method,
            path=path,
            answer=answer,
            kind=Kind.API,
            scope=scope,
            right=right,
            query=query,
            body=body,
            returns=returns,
            repeatable=method == "POST",
            media=media,
            refuses=refuses,
            sv=sv,
            en=en,
        )
