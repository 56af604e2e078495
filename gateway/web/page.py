"""Pages: a template filled with what it shows, in the language of whoever asks.

A template says each text in both languages, ``{{ say("Inkorg", "Inbox") }}``, and everything it is given is escaped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from gateway.access import Right
from gateway.errors import Finding
from gateway.store.worklist import COUNTED
from gateway.web import moments
from gateway.web.static import address_of
from gateway.web.visit import Visit

CSRF: Final = "csrf"
"""The field in which every form repeats what its page was given."""
TEMPLATES: Final = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class Place:
    """A page that can be gone to from every page, by whoever has the right."""

    path: str
    sv: str
    en: str
    right: Right
    whole_party: bool = False
    """Whether it is for those alone who see all units."""


PLACES: Final = (
    Place("/", "Översikt", "Overview", Right.SEE_LEDGER),
    Place("/inbox", "Inkorg", "Inbox", Right.SEE_LEDGER),
    Place("/acknowledgements", "Kvittenser", "Acknowledgements", Right.SEE_LEDGER),
    Place("/messages", "Meddelanden", "Messages", Right.SEE_LEDGER),
    Place("/failures", "Fel", "Failures", Right.SEE_LEDGER),
    Place("/adapters", "Kopplingar", "Connections", Right.SEE_LEDGER, whole_party=True),
    Place("/reports", "Rapporter", "Reports", Right.SEE_LEDGER, whole_party=True),
    Place("/audit", "Logg", "Audit log", Right.READ_AUDIT, whole_party=True),
)


@cache
def _environment() -> Environment:
    found = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.globals["static"] = address_of
    return found


def page(visit: Visit, template: str, status: HTTPStatus = HTTPStatus.OK, **shown: Any) -> web.Response:
    """Return the page that ``template`` makes of ``shown``.

    Every template has ``say``, ``visit``, the ``places`` that the actor may go to, ``csrf``, which every form has in
    it, ``moment`` and ``age``, which write a time as people read it, and how long ago it was, and ``counted``, which
    writes a number that was not counted to its end.
    """
    actor = visit.actor
    places = [one for one in PLACES if actor is not None and actor.may(one.right)]
    if actor is not None and actor.units is not None:
        places = [one for one in places if not one.whole_party]
    text = (
        _environment()
        .get_template(template)
        .render(
            say=visit.say,
            visit=visit,
            window=visit.window,
            actor=actor,
            csrf=_repeated(visit),
            places=places,
            lang=visit.language.value,
            moment=moments.written,
            machine=moments.machine,
            age=lambda at: moments.age(at, visit.now, visit.language),
            here=visit.request.path,
            back=visit.request.path_qs,
            title_of=visit.window.title_of,
            counted=counted,
            **shown,
        )
    )
    return web.Response(status=status, text=text, content_type="text/html")


def counted(number: int) -> str:
    """Return a number of messages that wait, counted no further than :data:`~gateway.store.worklist.COUNTED`."""
    return str(number) if number <= COUNTED else f"{COUNTED}+"


def _repeated(visit: Visit) -> Markup:
    """Return the field that shows that a form is one of ours; empty where nobody is logged in."""
    if visit.session is None:
        return Markup()
    return Markup('<input type="hidden" name="{}" value="{}">').format(CSRF, visit.session.csrf)


def no_page(visit: Visit, status: HTTPStatus, findings: Sequence[Finding]) -> web.Response:
    """Return the page that says why there is none."""
    return page(visit, "refused.html", status, code=status.value, findings=findings)


def to(path: str) -> web.Response:
    """Send a browser that has sent a form to a page of ours, which it gets (RFC 9110 §15.4.4)."""
    return web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": path})


def own_path(given: str) -> str:
    """Return an address that was handed to us if it is one of ours, else the overview: nobody is led elsewhere."""
    is_own = given.startswith("/") and not given.startswith(("//", "/\\")) and given.isprintable()
    return given if is_own and given.isascii() else "/"


def to_login(visit: Visit) -> web.Response:
    """Send whoever is not known to where people are let in, and back when they are."""
    back = visit.request.path_qs if visit.request.method == "GET" else "/"
    return to("/login?" + urlencode({"next": back}))
