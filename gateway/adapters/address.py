"""Where a gateway listens: on this machine alone, or for others too; and whether somebody does."""

from __future__ import annotations

import asyncio
import ipaddress
from contextlib import closing
from typing import Final

from gateway.errors import DependencyDownError, Fault

OPEN_TO_ALL = Fault(
    "http.open-to-all",
    "Adaptern {name} tar emot händelser från andra datorer och vet inte från vilka: ange secret_file, tokens_file "
    "eller certificates_file, eller lyssna på 127.0.0.1.",
    "The adapter {name} takes events from other machines and does not know from which: give secret_file, tokens_file "
    "or certificates_file, or listen on 127.0.0.1.",
)
NOBODY_LISTENS = Fault(
    "adapter.nobody-listens",
    "Ingen tar emot händelser på {address}: gateway run är inte i gång där.",
    "Nobody takes events at {address}: gateway run does not run there.",
)

CONNECT_SECONDS: Final = 5.0
"""How long the gateway's own address may take to answer."""


def address_of(listen: str) -> tuple[str, int]:
    """Return host and port of an address as settings have it: ``host:port``, ``[::1]:port``."""
    host, _, port = listen.rpartition(":")
    return host.strip("[]"), int(port)


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach ``host``."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def seen_from_here(host: str) -> str:
    """Return where one on this machine asks for what listens on ``host``, which may stand for every address of it."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 -- where one listens, not where one asks


async def somebody_listens(host: str, port: int) -> None:
    """Return when somebody listens on ``host`` and ``port`` of this machine. Raises :class:`DependencyDownError`."""
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(seen_from_here(host), port)
    except (OSError, TimeoutError):
        raise DependencyDownError(NOBODY_LISTENS.at(address=f"{host}:{port}")) from None
    with closing(writer):
        pass
