"""Dead letters: deliveries that the exchange gave up are kept in our database and tried again, one at a time.

The exchange counts every hand-over, also of what was in hand when a process died for another's sake. So most dead
letters are innocent, and are taken at the first try here; the one that does the harm stays behind, and is shown.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from gateway.context import Context, trace_of
from gateway.envelope import Channel, Envelope
from gateway.errors import ConfigurationError, DependencyDownError
from gateway.lifecycle import retry_wait
from gateway.ports import DeadLetter, Delivery
from gateway.store import dead_letters

TRIES = 5
"""How often a dead letter is tried here before only a person can do something about it."""

Take = Callable[[Sequence[Delivery]], Awaitable[None]]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Again:
    """A dead letter as a delivery, for the hop that takes what came on its channel."""

    envelope: Envelope
    attempt: int


class DeadLetters:
    """Keeps the dead letters of one gateway; ``takers`` are the hops that take deliveries, by channel."""

    def __init__(self, context: Context, takers: Mapping[Channel, Take]) -> None:
        self._context = context
        self._takers = takers

    async def keep(self, letters: Sequence[DeadLetter]) -> None:
        """Keep dead letters, in one transaction. Settle them with the exchange after it, not before.

        Raises:
            DependencyDownError: the database does not answer; nothing is kept.
        """
        now = self._context.clock.now()
        first_try = now + retry_wait(1, self._context.chance())
        async with self._context.store.writing() as tx:
            kept = [(letter.envelope, letter.body, letter.reason) for letter in letters]
            await dead_letters.keep(tx, kept, now, first_try)
        for letter in letters:
            message_id = letter.envelope.message_id if letter.envelope is not None else None
            log.error("dead-letter.kept", party=self._context.party, message_id=message_id, reason=letter.reason)

    async def retry(self) -> int:
        """Try the dead letter that is due, and return how many were tried: one, or none.

        The try is on record before it is made: a letter that ends the process has used one up.

        Raises:
            DependencyDownError: the database does not answer.
        """
        now = self._context.clock.now()
        async with self._context.store.writing() as tx:
            letter = await dead_letters.next_due(tx, now)
            if letter is None:
                return 0
            attempts = letter.attempts + 1
            again_at = now + retry_wait(attempts, self._context.chance()) if attempts < TRIES else None
            await dead_letters.tried(tx, letter, again_at)
        try:
            await self._takers[letter.envelope.channel]([_Again(letter.envelope, attempts)])
        except (DependencyDownError, ConfigurationError):
            raise
        except Exception as error:  # whatever made it a dead letter
            log.error("dead-letter.failed", message_id=letter.envelope.message_id, **trace_of(error))
            return 1
        async with self._context.store.writing() as tx:
            await dead_letters.settle(tx, letter, self._context.clock.now())
        log.info("dead-letter.taken", party=self._context.party, message_id=letter.envelope.message_id)
        return 1
