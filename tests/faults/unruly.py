"""An exchange that delivers more than once and in another order: copies of what was published, shuffled among it."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.envelope import Envelope
from gateway.ports import PublishOutcome
from gateway.transport.rabbitmq import RabbitMqTransport

REMEMBERED = 300
"""How many envelopes back a copy may come from."""


@dataclass(slots=True)
class Disorder:
    """Whether envelopes are shuffled, and how many copies of earlier ones go out for each that is published."""

    chance: random.Random
    copies: float = 0.5
    earlier: deque[Envelope] = field(default_factory=lambda: deque(maxlen=REMEMBERED))

    def of(self, envelopes: Sequence[Envelope]) -> list[Envelope]:
        """Return the envelopes in another order, with copies of them and of earlier ones in between."""
        self.earlier.extend(envelopes)
        number = sum(self.chance.random() < self.copies for _ in envelopes)
        mixed = [*envelopes, *self.chance.choices(self.earlier, k=number)]
        self.chance.shuffle(mixed)
        return mixed


class UnrulyTransport(RabbitMqTransport):
    """A party's place on RabbitMQ whose publisher is in disorder."""

    def __init__(self, url: str, party: str, *, disorder: Disorder, **options: Any) -> None:
        super().__init__(url, party, **options)
        self._disorder = disorder

    async def publish(self, envelopes: Sequence[Envelope]) -> Sequence[PublishOutcome]:
        """Publish in disorder, and return the worst that is known of each envelope."""
        mixed = self._disorder.of(envelopes)
        known: dict[tuple[str, str], PublishOutcome] = {}
        for envelope, outcome in zip(mixed, await super().publish(mixed), strict=True):
            key = (envelope.message_id, envelope.unit)
            if known.get(key, PublishOutcome.CONFIRMED) is PublishOutcome.CONFIRMED:
                known[key] = outcome
        return [known[envelope.message_id, envelope.unit] for envelope in envelopes]
