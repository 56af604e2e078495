"""How often somebody may ask: a bucket of tokens for each, which fills at a pace and is emptied by asking."""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

MOST_KEYS: Final = 10_000
"""How many of those who ask are remembered."""


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class Buckets:
    """Lets each key ask ``burst`` times at once, and ``per_second`` times a second in the long run.

    The buckets of ``most`` keys are remembered. When there are more, the one that asked longest ago is forgotten, and
    begins anew with a full bucket: whoever has very many addresses is not stopped by this, but fills no memory either.
    ``monotonic`` tells the time in seconds.
    """

    def __init__(
        self,
        *,
        per_second: float,
        burst: int,
        most: int = MOST_KEYS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pace, self._burst, self._most, self._now = per_second, float(burst), most, monotonic
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def __len__(self) -> int:
        """Return how many keys are remembered."""
        return len(self._buckets)

    def take(self, key: str, tokens: float = 1) -> float:
        """Take tokens for whoever is known by ``key``; return 0, or the seconds after which there will be enough.

        Nothing is taken when there are too few, so that asking again too early makes nothing worse. What asks for more
        than a full bucket holds is served from a full one.
        """
        now, wanted = self._now(), min(tokens, self._burst)
        bucket = self._buckets.pop(key, None) or _Bucket(self._burst, now)
        bucket.tokens = min(self._burst, bucket.tokens + max(0.0, now - bucket.at) * self._pace)
        bucket.at = now
        self._buckets[key] = bucket  # last: it has asked most recently
        while len(self._buckets) > self._most:
            self._buckets.popitem(last=False)
        if bucket.tokens >= wanted:
            bucket.tokens -= wanted
            return 0.0
        return (wanted - bucket.tokens) / self._pace


def key_of(address: str | None) -> str:
    """Return the key of whoever asks from an address of the network: an IPv6 network is one, since it is one owner's.

    What is no address is all one key.
    """
    try:
        found = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return "?"
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)
