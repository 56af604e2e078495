"""What the adapters of a gateway look up in its database: pauses, the keys of events, and how far they have fetched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from gateway.clock import Clock
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

    What is kept are times, hashes, message ids and case numbers, nothing about a person. Each raises
    :class:`DependencyDownError` where the database does not answer.
    """

    def __init__(self, store: Store, adapter: str) -> None:
        self._store = store
        self._adapter = adapter

    async def read(self, kind: str) -> datetime | None:
        """Return up to when a ``kind`` has been fetched; ``None`` at first."""
        async with self._store.reading() as tx:
            return await adapters.mark_of(tx, self._adapter, kind)

    async def keep(self, kind: str, at: datetime) -> None:
        """Keep it."""
        async with self._store.writing() as tx:
            await adapters.keep_mark(tx, self._adapter, kind, at)

    async def unfetched(self, versions: Mapping[str, str]) -> set[str]:
        """Return which resources (``Type/id``) have another version than the one that was fetched last."""
        said = await self._said(versions)
        return {name for name, version in versions.items() if name not in said or said[name].version != _hash(version)}

    async def fetched(self, name: str, version: str) -> None:
        """Keep that a version of the resource ``Type/id`` has been fetched."""
        async with self._store.writing() as tx:
            await adapters.keep_version(tx, self._adapter, _hash(name), _hash(version))

    async def is_said(self, name: str, digest: str) -> bool:
        """Tell whether what the resource ``Type/id`` says is what it said the last time."""
        said = await self._said([name])
        return name in said and said[name].digest == digest

    async def answer_to(self, says: Mapping[str, str]) -> Mapping[str, Any] | None:
        """Return what was answered when these resources were fetched and said the same; ``None`` unless all were.

        ``says`` has the digest of each by ``Type/id``.
        """
        said = await self._said(says)
        answers = [said[name].answer if name in said and said[name].digest == says[name] else None for name in says]
        told = [one for one in answers if one is not None]
        if not told or len(told) < len(answers):
            return None
        ids = dict.fromkeys(message_id for one in told for message_id in one.get("messageIds") or ())
        return {**told[0], "messageIds": list(ids)}

    async def keep_said(self, says: Mapping[str, str], answer: Mapping[str, Any] | None = None) -> None:
        """Keep what resources have said, and what the event was answered by which it was fetched."""
        async with self._store.writing() as tx:
            for name, digest in says.items():
                await adapters.keep_said(tx, self._adapter, _hash(name), digest, answer)

    async def _said(self, names: Iterable[str]) -> dict[str, adapters.Said]:
        hashes = {name: _hash(name) for name in names}
        async with self._store.reading() as tx:
            found = await adapters.said_by(tx, self._adapter, hashes.values())
        return {name: found[hashed] for name, hashed in hashes.items() if hashed in found}


def _hash(text: str) -> str:
    return content_hash(text.encode("utf-8", "replace"))
