"""What the adapters of a gateway look up in its database: pauses, the keys of events, and how far they have fetched."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from gateway.clock import Clock, in_zone
from gateway.envelope import content_hash
from gateway.store import Store, adapters

KEYS_KEPT: Final = timedelta(days=30)
"""How long it is remembered which event a key was for; its own id keeps an event from being taken twice after that."""
_FORGETS_EVERY: Final = timedelta(days=1)


class AdapterBook:
    """Looks things up for the adapters of one gateway."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._forgot_at: datetime | None = None

    async def is_paused(self, name: str) -> bool:
        """Tell whether an operator has paused the adapter ``name``. Raises :class:`DependencyDownError`."""
        async with self._store.reading() as tx:
            return await adapters.is_paused(tx, name)

    async def claim(self, source: str, key: str, content: str) -> bool:
        """Keep that ``key`` is for ``content``, both as hashes; tell ``False`` when it is for other content.

        Raises:
            DependencyDownError: the database does not answer.
        """
        now = self._clock.now()
        async with self._store.writing() as tx:
            if self._forgot_at is None or now - self._forgot_at >= _FORGETS_EVERY:
                await adapters.forget_keys(tx, now - KEYS_KEPT)
                self._forgot_at = now
            return await adapters.claim_key(tx, source, key, content, now)

    def bookmark_of(self, adapter: str) -> StoredBookmark:
        """Return where it stands how far an adapter has fetched what changes in its system."""
        return StoredBookmark(self._store, adapter)

    async def ping(self) -> None:
        """Return when the database answers. Raises :class:`DependencyDownError`."""
        async with self._store.reading() as tx:
            await adapters.pauses(tx)


class StoredBookmark:
    """How far one adapter has fetched each kind of resource, and what each resource said: in the database.

    What is kept are times, versions and hashes, nothing about a person. Each raises :class:`DependencyDownError` where
    the database does not answer.
    """

    def __init__(self, store: Store, adapter: str) -> None:
        self._store = store
        self._adapter = adapter

    async def read(self, kind: str) -> tuple[datetime, dict[str, datetime]] | None:
        """Return when the last one of a ``kind`` had changed, and the versions of just before; ``None`` at first."""
        async with self._store.reading() as tx:
            found = await adapters.mark_of(tx, self._adapter, kind)
        if found is None:
            return None
        at, versions = found
        return at, {version: in_zone(datetime.fromisoformat(then)) for version, then in versions.items()}

    async def keep(self, kind: str, at: datetime, versions: Mapping[str, datetime]) -> None:
        """Keep it."""
        written = {version: then.isoformat() for version, then in versions.items()}
        async with self._store.writing() as tx:
            await adapters.keep_mark(tx, self._adapter, kind, at, written)

    async def said(self, resource: str) -> str | None:
        """Return the digest of what ``Type/id`` said the last time; ``None`` where it has said nothing."""
        async with self._store.reading() as tx:
            return await adapters.said_by(tx, self._adapter, _hash_of(resource))

    async def keep_said(self, resource: str, digest: str) -> None:
        """Keep it."""
        async with self._store.writing() as tx:
            await adapters.keep_said(tx, self._adapter, _hash_of(resource), digest)


def _hash_of(resource: str) -> str:
    return content_hash(resource.encode("utf-8", "replace"))
