"""Whether the gateway's door takes events for an adapter: what is sent to find out, and is no event, and its answer."""

from __future__ import annotations

import json
import ssl
from typing import Final

from gateway.adapters.address import CONNECT_SECONDS, NOBODY_LISTENS, address_of, seen_from_here
from gateway.adapters.signing import Secrets
from gateway.clock import Clock
from gateway.errors import DependencyDownError, Fault

OTHER_ANSWER = Fault(
    "http.other-answer",
    "På {address} svarar någon, men inte som en gateway som tar emot händelser för {name} (HTTP {status}).",
    "Somebody answers at {address}, but not as a gateway that takes events for {name} (HTTP {status}).",
)

TRIAL: Final = b'{"type": "test"}'
"""What a system sends to find out whether it would be let in; any JSON that is equal to it will do."""
_LONGEST_TRIAL: Final = 100


def is_trial(content: bytes) -> bool:
    """Tell whether something that was sent is a trial, and no event."""
    if len(content) > _LONGEST_TRIAL:
        return False
    try:
        return bool(json.loads(content) == {"type": "test"})
    except (ValueError, RecursionError):
        return False


async def door_answers(
    listen: str, name: str, clock: Clock, *, encrypted: bool, secrets: Secrets | None = None, is_open: bool = True
) -> None:
    """Return when what listens at ``listen`` takes a trial for the adapter ``name``. Nothing is kept of it.

    It is signed with ``secrets``. Where there are none, and the adapter is not ``is_open`` to all of this machine, only
    that it asks for a name can be seen: tokens and certificates are the system's own.

    Raises:
        DependencyDownError: nobody answers, or not as a gateway that has such an adapter.
    """
    # Loaded here: a command that meets no HTTP starts without the library.
    import aiohttp  # noqa: PLC0415

    host, port = address_of(listen)
    here = seen_from_here(host)
    url = f"{'https' if encrypted else 'http'}://{f'[{here}]' if ':' in here else here}:{port}/api/v1/events/{name}"
    signature = secrets.sign("gateway-adapters-test", clock.now(), TRIAL) if secrets is not None else {}
    headers = {"Content-Type": "application/json", **signature}
    timeout = aiohttp.ClientTimeout(total=CONNECT_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            # Its certificate is for other names than this machine's own; nothing secret is told.
            session.post(url, data=TRIAL, headers=headers, ssl=_unverified()) as answer,
        ):
            status, content = answer.status, await answer.content.read(64 * 1024)
    except (TimeoutError, aiohttp.ClientError, OSError):
        raise DependencyDownError(NOBODY_LISTENS.at(address=listen)) from None
    is_taken = status in (200, 202)
    asks_for_a_name = status == 401 and "http.not-authenticated" in _codes_in(content)
    if not (is_taken if secrets is not None or is_open else asks_for_a_name):
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
