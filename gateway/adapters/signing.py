"""Signatures over what goes by HTTP, after Standard Webhooks (https://www.standardwebhooks.com, 1.0.0).

Both ways: what a system sends the gateway, and what the gateway sends a system. Three headers: ``webhook-id`` names
what is sent and is the same each time it is sent again; ``webhook-timestamp`` is when this try was made, in seconds
since 1970; ``webhook-signature`` is ``v1,`` and the Base64 of HMAC-SHA256 over ``<id>.<timestamp>.<body>``. It may hold
several signatures with a space between, so that a secret can be changed while both are in use.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Self

from gateway.errors import ConfigurationError, Fault

ID: Final = "webhook-id"
TIMESTAMP: Final = "webhook-timestamp"
SIGNATURE: Final = "webhook-signature"

TOLERANCE: Final = timedelta(minutes=5)
"""How far the time of a signature may be from now, before or after."""

FEWEST_BYTES: Final = 24
"""The shortest secret: 192 bits."""

SECRET_UNUSABLE = Fault(
    "http.secret-unusable",
    "Filen {file} har ingen hemlighet som kan användas: minst {least} byte på en rad.",
    "The file {file} has no secret that can be used: at least {least} bytes on a line.",
)

_PREFIX = "whsec_"
_VERSION = "v1,"
_MOST_SIGNATURES = 10


@dataclass(frozen=True, slots=True)
class Secrets:
    """What both ends know. All of them sign, and any of them vouches for a signature."""

    keys: tuple[bytes, ...]

    def __repr__(self) -> str:
        return f"Secrets({len(self.keys)})"

    @classmethod
    def read(cls, file: Path) -> Self:
        """Read a file with one secret on each line, in plain text or as ``whsec_`` and Base64.

        Raises:
            ConfigurationError: it cannot be read, is empty, or has a secret that is too short.
        """
        try:
            keys = [_key(line.strip()) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
        except (OSError, ValueError):
            keys = []
        if not keys or any(len(key) < FEWEST_BYTES for key in keys):
            raise ConfigurationError(SECRET_UNUSABLE.at(file=file, least=FEWEST_BYTES))
        return cls(tuple(keys))

    def sign(self, sent_id: str, at: datetime, body: bytes) -> dict[str, str]:
        """Return the headers that say what ``body`` is, that it is sent at ``at``, and that we have sent it."""
        timestamp = str(int(at.timestamp()))
        signatures = [_signature(key, sent_id, timestamp, body) for key in self.keys]
        return {ID: sent_id, TIMESTAMP: timestamp, SIGNATURE: " ".join(signatures)}

    def vouch_for(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Tell whether one who knows a secret has signed ``body``; the time this takes does not tell how nearly."""
        sent_id, timestamp, given = (headers.get(name, "") for name in (ID, TIMESTAMP, SIGNATURE))
        right = False
        for key in self.keys:
            expected = _signature(key, sent_id, timestamp, body).encode()
            for one in given.split(" ", _MOST_SIGNATURES)[:_MOST_SIGNATURES]:
                right |= hmac.compare_digest(expected, one.encode("utf-8", "replace"))
        return right


def is_timely(timestamp: str, now: datetime, tolerance: timedelta = TOLERANCE) -> bool:
    """Tell whether the time in a header is near enough to ``now``."""
    # int() also reads blanks, underscores and the digits of other scripts: only plain digits are a timestamp.
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        return False
    return abs(now.timestamp() - int(timestamp)) <= tolerance.total_seconds()


def _signature(key: bytes, sent_id: str, timestamp: str, body: bytes) -> str:
    content = b"%b.%b.%b" % (sent_id.encode("utf-8", "replace"), timestamp.encode("utf-8", "replace"), body)
    return _VERSION + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()


def _key(line: str) -> bytes:
    if not line.startswith(_PREFIX):
        return line.encode()
    try:
        return base64.b64decode(line.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        return b""
