"""A visit: somebody, known or not, who asks for a page or calls the API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any

from aiohttp import web
from pydantic import BaseModel

from gateway.access import Actor
from gateway.errors import ConflictError
from gateway.sessions import Session
from gateway.silence import Sentence
from gateway.store import Transaction, answers
from gateway.store.answers import Claim
from gateway.web.asked import Form
from gateway.web.forms import told_as_json
from gateway.web.language import Language
from gateway.web.refusals import TAKEN_OVER
from gateway.web.route import Route
from gateway.web.window import Window


@dataclass(slots=True, kw_only=True)
class Visit:
    """One request, and what has been made out about it before it is answered.

    ``actor`` is who asks; nobody comes without one where the route asks for a right. ``session`` is theirs where they
    are a person at the pages. ``query`` and ``body`` are what is asked, in the form that the route has for them, and
    ``form`` what a page has sent, once it is known to be one of ours. ``claim`` is that on a request which may come
    again, and ``is_kept`` whether its answer has been kept. ``owed`` is how many messages the units that somebody sees
    must acknowledge or reply to, for the pages to show wherever one is; it is not counted far.
    ``silent`` is what the pages tell of silent partners.
    """

    request: web.Request
    window: Window
    route: Route
    language: Language
    now: datetime
    actor: Actor | None = None
    session: Session | None = None
    query: Any = None
    body: Any = None
    form: Form = field(default_factory=lambda: Form({}))
    claim: Claim | None = None
    is_kept: bool = False
    owed: int = 0
    silent: Sequence[Sentence] = ()

    @property
    def who(self) -> Actor:
        """Return who asks, where the route asks for a right."""
        assert self.actor is not None  # a route with a right is answered for those alone who have it
        return self.actor

    @property
    def units(self) -> frozenset[str] | None:
        """Return the units (HSA-ids) whose messages may be shown; ``None`` for all."""
        return self.who.units

    async def keep(self, tx: Transaction, told: BaseModel) -> None:
        """Keep what is told in the transaction that does it, where the request may come again.

        Raises:
            ConflictError: the same request has begun again meanwhile; what was done must come to nothing.
        """
        if self.claim is None:
            return
        if not await answers.keep(tx, self.claim, HTTPStatus.OK, told_as_json(told)):
            raise ConflictError(TAKEN_OVER.at())
        self.is_kept = True

    def units_of(self, chosen: str | None) -> frozenset[str] | None:
        """Return whose messages may be shown to somebody who has ``chosen`` a unit: none, if it is not theirs."""
        if chosen is None:
            return self.units
        return frozenset({chosen}) if self.who.sees(chosen) else frozenset()

    def named(self, name: str) -> str:
        """Return what stands in the address under ``name``."""
        return self.request.match_info[name]

    def say(self, sv: str, en: str, **names: Any) -> str:
        """Return a sentence in the language of whoever asks."""
        return self.language.say(sv, en, **names)
