"""A visit: somebody, known or not, who asks for a page or calls the API."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aiohttp import web

from gateway.access import Actor
from gateway.sessions import Session
from gateway.web.asked import Form
from gateway.web.language import Language
from gateway.web.route import Route
from gateway.web.window import Window


@dataclass(slots=True, kw_only=True)
class Visit:
    """One request, and what has been made out about it before it is answered.

    ``actor`` is who asks; nobody comes without one where the route asks for a right. ``session`` is theirs where they
    are a person at the pages. ``query`` and ``body`` are what is asked, in the form that the route has for them, and
    ``form`` what a page has sent, once it is known to be one of ours.
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

    @property
    def who(self) -> Actor:
        """Return who asks, where the route asks for a right."""
        assert self.actor is not None  # a route with a right is answered for those alone who have it
        return self.actor

    @property
    def units(self) -> frozenset[str] | None:
        """Return the units (HSA-ids) whose messages may be shown; ``None`` for all."""
        return self.who.units

    def named(self, name: str) -> str:
        """Return what stands in the address under ``name``."""
        return self.request.match_info[name]

    def say(self, sv: str, en: str, **names: Any) -> str:
        """Return a sentence in the language of whoever asks."""
        return self.language.say(sv, en, **names)
