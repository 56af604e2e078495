"""What a browser keeps while somebody is away to log in, and what the identity provider is given of it.

Everything that the provider sees (state, nonce, and the challenge of PKCE, RFC 7636) is derived from one secret in a
cookie, so that nothing is kept here: the browser that comes back must be the one that left, any process of the gateway
can receive it, and whoever sees the addresses can make none of it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Self

from gateway.tokens import drawn

LONGEST: Final = timedelta(minutes=10)
"""How long somebody may take to log in."""

_WRITTEN = re.compile(r"([A-Za-z0-9_-]{43})\.([0-9]{1,12})\.([A-Za-z0-9_-]*)")
_LONGEST_BACK = 1500
"""Characters of an address that is gone back to: a cookie holds 4096."""


@dataclass(frozen=True, slots=True)
class Authorization:
    """One errand to the identity provider, begun at ``begun_at``, that ends on our page ``back``."""

    secret: str
    begun_at: datetime
    back: str

    @classmethod
    def begin(cls, back: str, now: datetime, draw: Callable[[int], bytes]) -> Self:
        """Begin an errand; where the way back is too long for a cookie it ends on the first page."""
        return cls(drawn(draw), now.replace(microsecond=0), back if len(back) <= _LONGEST_BACK else "/")

    @classmethod
    def read(cls, written: str, now: datetime) -> Self | None:
        """Return the errand that :meth:`written` wrote; ``None`` for anything else, and when it took too long."""
        match = _WRITTEN.fullmatch(written)
        if match is None:
            return None
        try:
            begun = datetime.fromtimestamp(int(match[2]), UTC)
            back = urlsafe_b64decode(match[3] + "=" * (-len(match[3]) % 4)).decode("utf-8")
        except (ValueError, OverflowError, OSError):
            return None
        return cls(match[1], begun, back) if begun <= now < begun + LONGEST else None

    def written(self) -> str:
        """Return the errand as the value of a cookie."""
        return f"{self.secret}.{int(self.begun_at.timestamp())}.{_unpadded(self.back.encode())}"

    @property
    def state(self) -> str:
        """What the provider gives back, so that the answer is known to be one to this errand."""
        return self._derived(f"state {self.begun_at.isoformat()} {self.back}")

    @property
    def nonce(self) -> str:
        """What the provider writes into the ID token, so that it is known to be made for this errand."""
        return self._derived("nonce")

    @property
    def verifier(self) -> str:
        """What shows the provider that whoever brings the code is who asked for it."""
        return self._derived("verifier")

    @property
    def challenge(self) -> str:
        """What the provider is told of the verifier beforehand: its SHA-256 (``S256``)."""
        return _unpadded(hashlib.sha256(self.verifier.encode("ascii")).digest())

    def is_answered_by(self, state: str) -> bool:
        """Tell whether an answer is one to this errand; it takes as long for one that nearly is."""
        return hmac.compare_digest(state.encode("utf-8", "surrogatepass"), self.state.encode("ascii"))

    def _derived(self, what: str) -> str:
        return _unpadded(hmac.digest(self.secret.encode("ascii"), what.encode(), "sha256"))


def _unpadded(data: bytes) -> str:
    return urlsafe_b64encode(data).decode("ascii").rstrip("=")
