"""A gateway process reduced to its place on the embedded exchange, for tests that kill it. Speaks by lines.

``publish URL`` publishes batches to ``region`` without end, and writes the ids of each once it is confirmed.
``consume URL`` writes id and attempt of every delivery to ``region`` and settles none.
``open URL`` becomes eight processes that open the exchange at the same moment, each for a party of its own, and write
what became of an envelope to themselves.
"""

from __future__ import annotations

import asyncio
import os
import sys

from envelopes import envelope

from gateway.clock import SystemClock
from gateway.envelope import Channel
from gateway.ports import PublishOutcome
from gateway.transport.embedded import EmbeddedTransport


def say(*words: object) -> None:
    print(*words, flush=True)  # noqa: T201 - how it speaks


async def publish(url: str) -> None:
    async with EmbeddedTransport(url, "kommun", SystemClock()) as kommun:
        while True:
            batch = [envelope() for _ in range(5)]
            assert set(await kommun.publish(batch)) == {PublishOutcome.CONFIRMED}
            say(*(sent.message_id for sent in batch))


async def consume(url: str) -> None:
    async with EmbeddedTransport(url, "region", SystemClock()) as region:
        async for batch in region.deliveries(Channel.MESSAGES):
            for delivery in batch:
                say(delivery.envelope.message_id, delivery.attempt)


async def open_and_publish(url: str) -> None:
    party = f"party-{os.getpid()}"
    async with EmbeddedTransport(url, party, SystemClock()) as transport:
        say(*await transport.publish([envelope(party)]))


def open_at_once(url: str) -> None:
    starting_line, signal = os.pipe()
    for _ in range(8):
        if os.fork() == 0:
            os.close(signal)
            os.read(starting_line, 1)  # returns in all of them when the parent closes its end
            asyncio.run(open_and_publish(url))
            os._exit(0)
    os.close(signal)
    for _ in range(8):
        os.wait()


match sys.argv[1:]:
    case ["publish", url]:
        asyncio.run(publish(url))
    case ["consume", url]:
        asyncio.run(consume(url))
    case ["open", url]:
        open_at_once(url)
