"""What the adapters of a gateway look up in its database: pauses, and the keys of events."""

from __future__ import annotations

from gateway.clock import Clock
from gateway.store import Store, adapters


class AdapterBook:
    """Looks things up for the adapters of one gateway."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def is_paused(self, name: str) -> bool:
        """Tell whether an operator has paused the adapter ``name``. Raises :class:`DependencyDownError`."""
        async with self._store.reading() as tx:
            return await adapters.is_paused(tx, name)

    async def claim(self, source: str, key: str, content: str) -> bool:
        """Keep that ``key`` is for ``content``, both as hashes; tell ``False`` when it is for other content.

        Raises:
            DependencyDownError: the database does not answer.
        """
        async with self._store.writing() as tx:
            return await adapters.claim_key(tx, source, key, content, self._clock.now())

    async def ping(self) -> None:
        """Return when the database answers. Raises :class:`DependencyDownError`."""
        async with self._store.reading() as tx:
            await adapters.pauses(tx)
