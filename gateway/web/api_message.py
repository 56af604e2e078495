"""One message over the API: what it says, the proof of how far it got, and what is done with it by hand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import Field

from gateway.access import Right
from gateway.accountability import Attempt, acting
from gateway.audit import Action
from gateway.messages import parse_xml, to_json
from gateway.proof import Proof, proof_of
from gateway.store.subjects import Content
from gateway.web.forms import Act, Asked, Told
from gateway.web.ledger_reading import message_id_of
from gateway.web.message import VERBS, one_of
from gateway.web.message_reading import ByHand
from gateway.web.refusals import NOT_FOUND, NotFoundError
from gateway.web.results import ResultsTold
from gateway.web.revealing import reading, shown_until
from gateway.web.route import Route
from gateway.web.visit import Visit

_JSON: Final = "application/json"
_XML: Final = "application/xml"
_ZIP: Final = "application/zip"


class WhyAsked(Asked):
    """Why somebody asks for it."""

    reason: Annotated[str, Field(min_length=1, max_length=500, description="Why; kept in the audit log.")]


class ContentAsked(WhyAsked):
    """Why somebody reads what a message says."""

    protected: Annotated[
        bool, Field(description="That it must be read although the person has a protected identity.")
    ] = False


class ContentTold(Told):
    """What a message says, as JSON: the members are the elements of its schema."""

    type: str
    header: dict[str, Any]
    body: dict[str, Any]


async def content(visit: Visit) -> web.StreamResponse | ContentTold:
    """Answer with what a message says, as the XML that is kept or as JSON, and keep who has read it and why."""
    asked: ContentAsked = visit.query
    number = message_id_of(visit)
    async with reading(visit, number, asked.reason, is_confirmed=asked.protected) as (_, subject):
        kept: Content = subject.contents[0]
        if _wants_xml(visit.request.headers.get("Accept", "")):
            return web.Response(body=kept.xml, content_type=_XML, charset="utf-8")
        return ContentTold(**to_json(parse_xml(kept.xml)))


async def proof(visit: Visit) -> web.Response:
    """Answer with the proof pack of a message, without what it says, and keep who has fetched it and why."""
    asked: WhyAsked = visit.query
    return _archive(visit, await _proved(visit, asked.reason, with_content=False))


async def fetch_proof(visit: Visit) -> web.Response:
    """Answer a page with a proof pack; what the message says is in it where somebody has been let see it."""
    wants = visit.form.one("content") == "yes"
    is_shown = wants and await shown_until(visit, message_id_of(visit)) is not None
    return _archive(visit, await _proved(visit, visit.form.one("reason"), with_content=is_shown))


async def _proved(visit: Visit, reason: str, *, with_content: bool) -> Proof:
    """Return a proof pack and keep that it was fetched. Raises :class:`NotFoundError`."""
    context, number = visit.window.context, message_id_of(visit)
    await one_of(visit, number)  # whoever may not see it is not told that it is there, nor is that an attempt
    action = Action.MESSAGE_PROVED_IN_FULL if with_content else Action.MESSAGE_PROVED
    attempt = Attempt(action=action, by=visit.who, reason=reason, named=number)
    async with acting(context.store, context.clock, attempt) as tx:
        found = await proof_of(tx, number, visit.units, party=context.party, with_content=with_content)
        if found is None:
            raise NotFoundError(NOT_FOUND.at())
        attempt.about(number, unit=found.unit, case_number=found.case_number)
    return found


def _archive(visit: Visit, found: Proof) -> web.Response:
    name = f"proof-{message_id_of(visit)}.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return web.Response(status=HTTPStatus.OK, body=found.content, content_type=_ZIP, headers=headers)


def _wants_xml(accept: str) -> bool:
    """Tell whether a header ``Accept`` (RFC 9110 §12.5.1) would rather have XML than JSON."""
    weights = {_JSON: 0.0, _XML: 0.0}
    for part in accept.split(","):
        media, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = next((one[2:] for one in parameters if one.startswith("q=")), "1")
        try:
            weight = float(quality)
        except ValueError:
            weight = 0.0
        media = _XML if media == "text/xml" else media
        if media in weights:
            weights[media] = max(weights[media], weight)
    return weights[_XML] > weights[_JSON]


def _acting(action: ByHand) -> Callable[[Visit], Awaitable[ResultsTold]]:
    """Return what carries out ``action`` for every recipient of a message that whoever asks sees."""

    async def act(visit: Visit) -> ResultsTold:
        asked: Act = visit.body
        shown = await one_of(visit, message_id_of(visit))
        items = [one.item for one in shown.rows]
        done = await VERBS[action](
            visit.window.context, items, by=visit.who, reason=asked.reason, dry_run=asked.dry_run
        )
        return ResultsTold.of(done)

    act.__name__ = action.value
    return act


def _post(action: ByHand, sv: str, en: str) -> Route:
    return Route.api(
        "POST",
        f"/api/v1/messages/{{id}}/{action.value}",
        _acting(action),
        sv,
        en,
        right=action.right,
        body=Act,
        returns=ResultsTold,
        refuses=(HTTPStatus.UNPROCESSABLE_ENTITY,),
    )


ROUTES = (
    Route.api(
        "GET",
        "/api/v1/messages/{id}/content",
        content,
        "Vad ett meddelande säger, som XML eller JSON. Det loggas.",
        "What a message says, as XML or JSON. It is logged.",
        right=Right.SEE_CONTENT,
        query=ContentAsked,
        returns=ContentTold,
        media=(_JSON, _XML),
        refuses=(HTTPStatus.UNPROCESSABLE_ENTITY,),
    ),
    Route.api(
        "GET",
        "/api/v1/messages/{id}/proof",
        proof,
        "Ett arkiv som visar hur långt ett meddelande har kommit, utan vad det säger. Det loggas.",
        "An archive that shows how far a message got, without what it says. It is logged.",
        query=WhyAsked,
        returns=None,
        media=(_ZIP,),
        refuses=(HTTPStatus.UNPROCESSABLE_ENTITY,),
    ),
    Route.page(
        "POST",
        "/messages/{id}/proof.zip",
        fetch_proof,
        "Beviset för hur långt ett meddelande har kommit. Det loggas.",
        "The proof of how far a message got. It is logged.",
    ),
    _post(
        ByHand.RESEND, "Skickar ett meddelande igen, till var mottagare.", "Sends a message again, to each recipient."
    ),
    _post(ByHand.DISCARD, "Skriver av ett meddelande som har gått fel.", "Discards a message that has failed."),
    _post(ByHand.RESTORE, "Återställer ett avskrivet meddelande.", "Restores a message that was discarded."),
)
