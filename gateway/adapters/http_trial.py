"""Whether the gateway's own door takes events for an adapter: a request that is no event, and its answer."""

from __future__ import annotations

import json
import ssl
from typing import Final

from gateway.adapters.address import CONNECT_SECONDS, NOBODY_LISTENS, address_of, seen_from_here
from gateway.errors import DependencyDownError, Fault

OTHER_ANSWER = Fault(
    "http.other-answer",
    "På {address} svarar någon, men inte som en gateway som tar emot händelser för {name} (HTTP {status}).",
    "Somebody answers at {address}, but not as a gateway that takes events for {name} (HTTP {status}).",
)

_EXPECTED: Final = {401: ("http.not-authenticated",), 415: ("http.media-type", "fhir.media-type")}
"""What is answered to a request without a name, and to one in a form that no event has."""


async def door_answers(listen: str, name: str, *, encrypted: bool) -> None:
    """Return when what listens at ``listen`` takes events for the adapter ``name``. Nothing is kept of it.

    Raises:
        DependencyDownError: nobody answers, or not as a gateway that has such an adapter.
    """
    # Loaded here: a command that meets no HTTP starts without the library.
    import aiohttp  # noqa: PLC0415

    host, port = address_of(listen)
    here = seen_from_here(host)
    url = f"{'https' if encrypted else 'http'}://{f'[{here}]' if ':' in here else here}:{port}/api/v1/events/{name}"
    timeout = aiohttp.ClientTimeout(total=CONNECT_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            # Its certificate is for other names than this machine's own; nothing secret is told.
            session.post(url, data=b"", headers={"Content-Type": "text/plain"}, ssl=_unverified()) as answer,
        ):
            status, content = answer.status, await answer.content.read(64 * 1024)
    except (TimeoutError, aiohttp.ClientError, OSError):
        raise DependencyDownError(NOBODY_LISTENS.at(address=listen)) from None
    if not set(_codes_in(content)) & set(_EXPECTED.get(status, ())):
        raise DependencyDownError(OTHER_ANSWER.at(address=listen, name=name, status=status))


def _unverified() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _codes_in(content: bytes) -> list[str]:
    """Return the fault codes of problem details, or of an OperationOutcome."""
    try:
        document = json.loads(content)
        plain = [str(one["code"]) for one in document.get("errors", ())]
        return plain + [coding["code"] for one in document.get("issue", ()) for coding in one["details"]["coding"]]
    except (ValueError, KeyError, TypeError, AttributeError):
        return []
