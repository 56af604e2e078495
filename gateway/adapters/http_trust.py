"""Who may tell the gateway something over HTTP: whoever signs, shows a token, or shows a certificate.

What an adapter trusts stands in its settings, and its secrets in files. A token is kept as its SHA-256 alone; so short
a hash is enough because a token is long and drawn by chance, which is why a short one is refused whatever its hash.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final, Protocol, Self

from gateway.adapters.signing import ID, SIGNATURE, TIMESTAMP, TOLERANCE, Secrets, is_timely
from gateway.clock import Clock
from gateway.errors import ConfigurationError, Fault

HASHES_UNUSABLE = Fault(
    "http.hashes-unusable",
    "Filen {file} ska ha en SHA-256 (64 hexadecimala siffror) på varje rad, och minst en.",
    "The file {file} should have a SHA-256 (64 hexadecimal digits) on each line, and at least one.",
)

SHORTEST_TOKEN: Final = 32
"""Characters of a token, at least; 32 random bytes in hexadecimal are 64."""

_LONGEST_TOKEN = 512
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request shows about who sends it. ``certificate`` (DER) has been verified by TLS, where it is shown."""

    headers: Mapping[str, str]
    body: bytes
    certificate: bytes | None = None


class Trust(Protocol):
    """One way to know who sends."""

    @property
    def scheme(self) -> str:
        """What the sender should use, as a challenge says it (RFC 9110 §11.6.1)."""
        ...

    def may_go_on(self, asked: Asked) -> bool:
        """Tell from all but the body, which has not been read, whether it is worth reading."""
        ...

    def vouches(self, asked: Asked) -> bool:
        """Tell whether the sender is one who may send."""
        ...


@dataclass(frozen=True, slots=True)
class Signed:
    """Whoever knows a secret signs what is sent; see :mod:`gateway.adapters.signing`."""

    secrets: Secrets
    clock: Clock
    tolerance: timedelta = TOLERANCE
    scheme: str = "Webhook-Signature"

    def may_go_on(self, asked: Asked) -> bool:
        """Tell whether there is a signature, made at about this time."""
        is_there = bool(asked.headers.get(ID)) and bool(asked.headers.get(SIGNATURE))
        return is_there and is_timely(asked.headers.get(TIMESTAMP, ""), self.clock.now(), self.tolerance)

    def vouches(self, asked: Asked) -> bool:
        """Tell whether the signature is right, and was made at about this time."""
        return self.may_go_on(asked) and self.secrets.vouch_for(asked.headers, asked.body)


@dataclass(frozen=True, slots=True)
class Tokens:
    """Whoever has a token shows it (RFC 6750). Known by their hashes."""

    hashes: frozenset[str]
    scheme: str = "Bearer"

    @classmethod
    def read(cls, file: Path) -> Self:
        """Read a file of hashes, one on each line; raises :class:`ConfigurationError`."""
        return cls(_hashes_in(file))

    def may_go_on(self, asked: Asked) -> bool:
        """Tell whether the token is one of those that are known."""
        kind, _, token = asked.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not SHORTEST_TOKEN <= len(token) <= _LONGEST_TOKEN:
            return False
        shown = hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
        return _is_among(shown, self.hashes)

    def vouches(self, asked: Asked) -> bool:
        """Tell whether the token is one of those that are known."""
        return self.may_go_on(asked)


@dataclass(frozen=True, slots=True)
class Certificates:
    """Whoever has a certificate shows it (TLS client authentication). Known by the hashes of their DER form."""

    hashes: frozenset[str]
    scheme: str = "Certificate"

    @classmethod
    def read(cls, file: Path) -> Self:
        """Read a file of fingerprints, one on each line, with or without colons; raises :class:`ConfigurationError`."""
        return cls(_hashes_in(file))

    def may_go_on(self, asked: Asked) -> bool:
        """Tell whether the certificate is one of those that are known."""
        return asked.certificate is not None and _is_among(hashlib.sha256(asked.certificate).hexdigest(), self.hashes)

    def vouches(self, asked: Asked) -> bool:
        """Tell whether the certificate is one of those that are known."""
        return self.may_go_on(asked)


def _is_among(shown: str, known: frozenset[str]) -> bool:
    found = False
    for one in known:  # each is compared, so that the time says nothing
        found |= hmac.compare_digest(one, shown)
    return found


def _hashes_in(file: Path) -> frozenset[str]:
    try:
        lines = [line.partition("#")[0].strip() for line in file.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError):
        lines = []
    hashes = frozenset(line.replace(":", "").lower() for line in lines if line)
    if not hashes or not all(_HASH.fullmatch(one) for one in hashes):
        raise ConfigurationError(HASHES_UNUSABLE.at(file=file))
    return hashes
