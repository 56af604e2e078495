"""What a journal asks of the gateway over HTTP, as FHIR: to take a Bundle or a resource, and to fetch what has changed.

Two handlers for whoever runs the HTTP server. Both answer an OperationOutcome, and only when the event is stored.
"""

from __future__ import annotations

import hmac
from typing import Any, Final

import structlog
from aiohttp import web

from gateway.adapters.fhir_adapter import NAME
from gateway.adapters.fhir_changes import Changes, Submit
from gateway.adapters.fhir_outcome import accepted, outcome
from gateway.adapters.fhir_server import MEDIA_TYPE
from gateway.adapters.fhir_written import as_bytes
from gateway.context import trace_of
from gateway.errors import Fault, GatewayError, InvalidDocumentError
from gateway.messages.hardened import MAX_BYTES, TOO_LARGE
from gateway.ports import Event

NOT_AUTHORISED: Final = Fault(
    "fhir.not-authorised",
    "Anropet saknar rätt hemlighet i Authorization.",
    "The request does not have the right secret in Authorization.",
)
WRONG_MEDIA_TYPE: Final = Fault(
    "fhir.media-type",
    "Innehållet ska vara application/fhir+json.",
    "The content must be application/fhir+json.",
)
NOT_KEPT: Final = Fault(
    "fhir.not-kept",
    "Händelsen kunde inte sparas på grund av ett fel i gatewayen; skicka den igen.",
    "The event could not be kept because of an error in the gateway; send it again.",
)
TAKEN_TYPES: Final = (MEDIA_TYPE, "application/json")
COME_AGAIN_AFTER: Final = 5
"""Seconds after which a journal is asked to send again what could not be kept."""

# Faults of the document as such, before anything in it has been looked at.
_NOT_READ: Final = ("document.", "json.malformed", "json.duplicate-member")

log = structlog.get_logger(__name__)


async def take_posted(request: web.Request, submit: Submit, *, secret: str) -> web.Response:
    """Take a Bundle or a resource, keep it, and answer: 201 with its message ids, or 200 where it became no message.

    The header ``Authorization`` must be ``Bearer`` and the ``secret``. Answers 400 or 422 to what is wrong, which is
    kept with its reasons; 409 to another event under a known id; 401, 413 and 415 without keeping anything; and 503
    where nothing could be kept now.
    """
    refused = _unauthorised(request, secret)
    if refused is not None:
        return refused
    if request.content_type not in TAKEN_TYPES:
        return _answer(415, outcome([WRONG_MEDIA_TYPE.at()]))
    content = await _body(request)
    if content is None:
        return _answer(413, outcome([TOO_LARGE.at(limit=MAX_BYTES)]))
    try:
        kept = await submit(Event(source=NAME, content=content))
    except InvalidDocumentError as error:
        return _answer(_status_of(error), outcome(error.findings))
    except Exception as error:
        return _come_again(error)
    answer = kept.as_json()
    return _answer(201 if answer.get("messageIds") else 200, accepted(answer))


async def take_notification(request: web.Request, changes: Changes, submit: Submit, *, secret: str) -> web.Response:
    """Take the notification of a Subscription: fetch what has changed, keep it, and answer 200.

    The Subscription's ``channel.header`` holds ``Authorization: Bearer`` and the ``secret``. A payload is not read: the
    server is asked. Answers 401 without asking, and 503 where not everything could be fetched and kept.
    """
    refused = _unauthorised(request, secret)
    if refused is not None:
        return refused
    try:
        fetched = await changes.take(submit)
    except Exception as error:
        return _come_again(error)
    log.info("fhir.changes_taken", kept=fetched.kept, refused=fetched.refused)
    return _answer(200, accepted({}))


def _unauthorised(request: web.Request, secret: str) -> web.Response | None:
    given = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
    # An empty secret would let everyone in.
    if secret and hmac.compare_digest(given, f"Bearer {secret}".encode()):
        return None
    response = _answer(401, outcome([NOT_AUTHORISED.at()]))
    response.headers["WWW-Authenticate"] = "Bearer"
    return response


async def _body(request: web.Request) -> bytes | None:
    """Return the body, ``None`` where it is larger than a document may be."""
    parts: list[bytes] = []
    length = 0
    async for part in request.content.iter_any():
        length += len(part)
        if length > MAX_BYTES:
            return None
        parts.append(part)
    return b"".join(parts)


def _status_of(error: InvalidDocumentError) -> int:
    if "event.id-conflict" in error.codes:
        return 409
    return 400 if any(code.startswith(_NOT_READ) for code in error.codes) else 422


def _come_again(error: Exception) -> web.Response:
    """Return the answer where nothing could be kept; what nobody foresaw is logged without what it was about."""
    findings = error.findings if isinstance(error, GatewayError) else ()
    if not findings:
        log.error("fhir.take_failed", **trace_of(error))
    response = _answer(503, outcome(findings or [NOT_KEPT.at()]))
    response.headers["Retry-After"] = str(COME_AGAIN_AFTER)
    return response


def _answer(status: int, resource: dict[str, Any]) -> web.Response:
    return web.Response(status=status, body=as_bytes(resource), content_type=MEDIA_TYPE, charset="utf-8")
