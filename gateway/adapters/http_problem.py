"""Answers over HTTP that say no: problem details (RFC 9457) with every fault, in both languages, and its place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web

from gateway.adapters.disk import json_bytes
from gateway.errors import Fault, Finding

NO_SUCH_PLACE = Fault("http.no-such-place", "Adressen finns inte.", "There is no such address.")
NO_SUCH_ADAPTER = Fault(
    "http.no-such-adapter",
    "Det finns ingen adapter med det namnet som tar emot händelser över HTTP.",
    "There is no adapter of that name that takes events over HTTP.",
)
METHOD = Fault(
    "http.method", "Adressen tar inte emot den metoden; {allowed}.", "The address does not take that method; {allowed}."
)
NOTHING_TO_FETCH = Fault(
    "http.nothing-to-fetch",
    "Adaptern hämtar inget som har ändrats: den har ingen url.",
    "The adapter fetches nothing that has changed: it has no url.",
)
NOT_UNDERSTOOD = Fault("http.not-understood", "Anropet går inte att tolka.", "The request cannot be understood.")
NOT_AUTHENTICATED = Fault(
    "http.not-authenticated",
    "Avsändaren har inte visat vem den är, eller signaturen, tiden eller nyckeln stämmer inte.",
    "The sender has not shown who it is, or the signature, the time or the token is not right.",
)
NOT_ALLOWED = Fault(
    "http.not-allowed",
    "Avsändaren är känd, men får inte skicka till den här adaptern.",
    "The sender is known, and may not send to this adapter.",
)
KEY_UNUSABLE = Fault(
    "http.idempotency-key",
    "Idempotency-Key ska vara 1–255 synliga ASCII-tecken.",
    "Idempotency-Key should be 1 to 255 visible ASCII characters.",
)
KEY_TAKEN = Fault(
    "http.idempotency-key-taken",
    "Samma Idempotency-Key (eller webhook-id) har redan använts för annat innehåll; det som är rättat får en ny.",
    "The same Idempotency-Key (or webhook-id) has been used for other content; what has been mended gets a new one.",
)
MEDIA_TYPE = Fault(
    "http.media-type",
    "Innehållet ska vara application/json i UTF-8, utan komprimering.",
    "The content should be application/json in UTF-8, and not compressed.",
)
TOO_SLOW = Fault(
    "http.too-slow",
    "Hela innehållet kom inte inom {seconds} sekunder.",
    "The whole content did not come within {seconds} seconds.",
)
BROKEN_OFF = Fault("http.broken-off", "Innehållet kom inte fram i sin helhet.", "The content did not come in full.")
UNFORESEEN = Fault(
    "http.unforeseen",
    "Något oväntat gick fel hos mottagaren.",
    "Something unforeseen went wrong at the receiver.",
)

RETRY_AFTER: Final = timedelta(seconds=5)
"""When whoever could not be served may come again."""

MEDIA: Final = "application/problem+json"


def problem(status: HTTPStatus, findings: Iterable[Finding], headers: Mapping[str, str] | None = None) -> web.Response:
    """Return the answer with ``status`` that tells ``findings``, at least one."""
    errors = [_told(finding) for finding in findings]
    document = {
        "type": f"urn:sip-gateway:problem:{errors[0]['code']}",
        "title": status.phrase,
        "status": status.value,
        "detail": errors[0]["en"],
        "errors": errors,
    }
    return web.Response(
        status=status,
        body=json_bytes(document),
        content_type=MEDIA,
        headers={**retry_after(status), **(headers or {})},
    )


def retry_after(status: HTTPStatus) -> dict[str, str]:
    """Return the header that tells when to come again, where ``status`` says that one should."""
    is_busy = status is HTTPStatus.SERVICE_UNAVAILABLE
    return {"Retry-After": str(int(RETRY_AFTER.total_seconds()))} if is_busy else {}


def _told(finding: Finding) -> dict[str, Any]:
    """Write a finding: a place in the event is a JSON pointer, one in the message it became an XPath."""
    members = finding.as_json()
    if (finding.path or "").startswith("/"):
        members["pointer"] = members.pop("path")
    return members
