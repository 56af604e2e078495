"""*Kvittenser*: the answers that are awaited, each with its level, deadline and owner, and those nobody expected."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Final
from urllib.parse import urlencode

from aiohttp import web
from pydantic import Field

from gateway.access import Right
from gateway.discarding import discard, restore
from gateway.envelope import ACKNOWLEDGEMENT
from gateway.errors import FAULTS, CaseRuleError
from gateway.items import Item
from gateway.messages import TYPES
from gateway.store import odd_answers, strays
from gateway.web import cursor
from gateway.web.acknowledgement_reading import AnswersAsked, Awaits, answers_of
from gateway.web.messages import title_of_type
from gateway.web.page import page, to
from gateway.web.route import Route
from gateway.web.state_words import LEVEL_WORDS, OWNER_WORDS
from gateway.web.visit import Visit

ROWS: Final = 40
STRAYS: Final = 10
"""Rows of a page, and unexpected and odd ones below them: with long names of units it is less than 60 kB."""

_UNDONE: Final = "Ångrat på sidan Kvittenser."
"""Why something is restored, where nobody says more."""

_AWAITS: Final = {
    Awaits.SENT: ("Skickat", "Sent"),
    Awaits.RECEIVED: ("Mottaget", "Received"),
    Awaits.REGISTERED: ("Registrerat", "Registered"),
    Awaits.ACKNOWLEDGED: ("Kvitterat", "Acknowledged"),
    Awaits.CONSENT: ("Samtycke", "Consent"),
    Awaits.LETTER: ("Brev att skicka", "Letter to send"),
    Awaits.DECISION: ("Beslut", "Decision"),
}
"""What is awaited, in Swedish and in English."""

_MATCHES: Final = {
    "named": ("det meddelande som kvittensen nämner", "the message that the acknowledgement names"),
    "other-recipient": (
        "det meddelande som kvittensen nämner, men skickat till en annan enhet",
        "the message that the acknowledgement names, but sent to another unit",
    ),
    "same-case": ("samma typ och enhet i samma ärende", "the same type and unit in the same case"),
    "close-in-time": ("samma typ och enhet, skickat strax före", "the same type and unit, sent shortly before"),
}
"""Why a message is suggested, in Swedish and in English."""


class AcknowledgementsAsked(AnswersAsked):
    """Which awaited answers are looked for, and from where those that nobody expected are shown."""

    stray: Annotated[str | None, Field(max_length=100)] = None
    undo: Annotated[str | None, Field(max_length=1000)] = None

    def address(self, **changed: str | None) -> str:
        """Return where this is asked, with some of it ``changed``, from the beginning unless a ``cursor`` is given."""
        left_out = {"cursor", "stray", "undo", "overdue"}
        asked = self.model_dump(mode="json", by_alias=True, exclude_none=True, exclude=left_out)
        asked |= {"overdue": "yes" if self.overdue else None} | changed
        pairs = {name: value for name, value in asked.items() if value is not None}
        return "/acknowledgements" + ("?" + urlencode(pairs) if pairs else "")


async def acknowledgements(visit: Visit) -> web.Response:
    """Answer with a page of awaited answers, and of unexpected ones below it."""
    asked: AcknowledgementsAsked = visit.query
    return await _page(visit, asked, HTTPStatus.OK)


async def _page(visit: Visit, asked: AcknowledgementsAsked, status: HTTPStatus, **shown: object) -> web.Response:
    context = visit.window.context
    async with context.store.reading() as tx:
        found = await answers_of(tx, context, asked.sought(visit.units, visit.now), visit.now, ROWS)
        before = cursor.place_of(asked.stray)
        unexpected = await strays.page(tx, STRAYS, units=visit.units, before=before)
        odd = await odd_answers.odd_answers(tx, visit.units, STRAYS)
    following = cursor.written(unexpected.next)
    return page(
        visit,
        "acknowledgements.html",
        status,
        **{"findings": (), "results": (), "chosen": (), "reason": ""} | shown,
        asked=asked,
        rows=found.rows,
        next=asked.address(cursor=found.next) if found.next is not None else None,
        first=asked.address(),
        strays=unexpected.rows,
        next_strays=asked.address(cursor=asked.cursor, stray=following) + "#unexpected" if following else None,
        odd=odd,
        awaits=_AWAITS,
        levels=LEVEL_WORDS,
        owners=OWNER_WORDS,
        matches=_MATCHES,
        faults=FAULTS,
        undo=asked.undo.split() if asked.undo is not None else [],
        types=[(name, kind) for name, kind in TYPES.items() if name != ACKNOWLEDGEMENT],
        parties=[
            (name, party.title) for name, party in context.directory.parties.items() if name != visit.window.party
        ],
        title_of_type=lambda name: title_of_type(visit, name),
        may_discard=visit.who.may(Right.DISCARD) and visit.session is not None,
    )


async def put_aside(visit: Visit) -> web.Response:
    """Discard unexpected acknowledgements; or only show what that would come to, where that is asked for."""
    reason = visit.form.one("reason")
    dry_run = visit.form.one("do") != "discard"
    named = visit.form.all("item")
    try:
        chosen = [Item.parse(one) for one in named]
        results = await discard(visit.window.context, chosen, by=visit.who, reason=reason, dry_run=dry_run)
    except CaseRuleError as error:
        told = {"findings": error.findings, "chosen": named, "reason": reason}
        return await _page(visit, AcknowledgementsAsked(), HTTPStatus.UNPROCESSABLE_ENTITY, **told)
    if dry_run or any(one.is_refused for one in results):
        status = HTTPStatus.OK if dry_run else HTTPStatus.CONFLICT
        told = {"results": results, "chosen": named, "reason": reason}
        return await _page(visit, AcknowledgementsAsked(), status, **told)
    done = " ".join(str(one.item) for one in results)
    return to("/acknowledgements?" + urlencode({"undo": done}) if done else "/acknowledgements")


async def put_back(visit: Visit) -> web.Response:
    """Let what was discarded be shown again."""
    chosen = [Item.parse(one) for one in visit.form.all("item")]
    results = await restore(visit.window.context, chosen, by=visit.who, reason=visit.form.one("reason") or _UNDONE)
    if any(one.is_refused for one in results):
        return await _page(visit, AcknowledgementsAsked(), HTTPStatus.CONFLICT, results=results)
    return to("/acknowledgements#unexpected")


ROUTES = (
    Route.page(
        "GET",
        "/acknowledgements",
        acknowledgements,
        "Kvittenser: vilka svar som väntas, av vem och till när, och vilka som kom oväntat.",
        "Acknowledgements: which answers are awaited, from whom and by when, and which were not expected.",
        query=AcknowledgementsAsked,
    ),
    Route.page(
        "POST",
        "/acknowledgements/discard",
        put_aside,
        "Avskriver oväntade kvittenser, eller visar vad det skulle innebära.",
        "Discards unexpected acknowledgements, or shows what that would mean.",
        right=Right.DISCARD,
    ),
    Route.page(
        "POST",
        "/acknowledgements/restore",
        put_back,
        "Återställer oväntade kvittenser som har avskrivits.",
        "Restores unexpected acknowledgements that were discarded.",
        right=Right.DISCARD,
    ),
)
