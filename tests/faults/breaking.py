"""How things are broken: what happens beside two gateways at work, by one name for each fault.

A body breaks something whenever so much of the events has been told, and mends it again. When it returns all is well,
and what is left to be done gets done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta

from faults import disk
from faults.clocks import set_wrong
from faults.stage import PARTIES, RECEIVER, SENDER, Stage
from gateway.progress import Hop

Body = Callable[[Stage], Awaitable[None]]

Deaths = dict[str, tuple[tuple[Hop, int], ...]]

HOPS_OF_SENDER = (Hop.EVENT_STORED, Hop.EVENT_ANSWERED, Hop.PUBLISHED, Hop.SENT, Hop.VERDICT, Hop.NOTED)
HOPS_OF_RECEIVER = (
    Hop.TAKEN,
    Hop.RECEIVED,
    Hop.SETTLED,
    Hop.HANDED_OVER,
    Hop.REGISTERED,
    Hop.ACKNOWLEDGED,
    Hop.PUBLISHED,
    Hop.NOTED,
)

DEATHS_AT_HOPS: Deaths = {
    SENDER: tuple((hop, 7 + 5 * index) for index, hop in enumerate(HOPS_OF_SENDER)),
    RECEIVER: tuple((hop, 5 + 3 * index) for index, hop in enumerate(HOPS_OF_RECEIVER)),
}
"""Each process dies at one hop after the other."""

DEATHS_BETWEEN: Deaths = {SENDER: ((Hop.PUBLISHED, 20),) * 6, RECEIVER: ((Hop.RECEIVED, 20),) * 6}
"""Between publish and mark, and between store and settle, again and again."""


def shares(times: int) -> Iterator[float]:
    """Yield moments, evenly spread over the telling, as shares of the events."""
    return ((index + 0.5) / times for index in range(times))


async def nothing(stage: Stage) -> None:
    """Break nothing from outside."""


def killing(*parties: str, times: int = 6) -> Body:
    """Return a body that kills one process of each of some parties with SIGKILL, again and again at random moments."""

    async def body(stage: Stage) -> None:
        for share in shares(times):
            await stage.told(share)
            for party in parties:
                await stage.a_moment(0.7)
                stage.kill(party)

    return body


# --- the broker -----------------------------------------------------------------------------------------------------


async def broker_stops(stage: Stage) -> None:
    """Stop the broker in order and start it, five times."""
    for share in shares(5):
        await stage.told(share)
        await stage.node.stop()
        await stage.a_moment(3)
        await stage.node.start()


async def broker_is_killed(stage: Stage) -> None:
    """Kill the broker and start it, five times."""
    for share in shares(5):
        await stage.told(share)
        await stage.node.kill()
        await stage.a_moment(3)
        await stage.node.start()


async def broker_stands_still(stage: Stage) -> None:
    """Let the broker stand still for longer than a confirm may take, five times."""
    for share in shares(5):
        await stage.told(share)
        stage.node.pause()
        await asyncio.sleep(6.5)
        stage.node.resume()


# --- the network ----------------------------------------------------------------------------------------------------


async def network_is_cut(stage: Stage) -> None:
    """Cut every connection to the broker in the middle of what it carries, ten times."""
    for share in shares(10):
        await stage.told(share)
        for proxy in stage.proxies.values():
            await stage.a_moment(0.5)
            proxy.cut()


async def network_is_slow(stage: Stage) -> None:
    """Hold back every piece for a while, and then squeeze the line."""
    await stage.told(0.2)
    for proxy in stage.proxies.values():
        proxy.delay = 0.2
    await stage.told(0.5)
    for proxy in stage.proxies.values():
        proxy.delay, proxy.per_second = 0.0, 30_000
    await stage.told(0.8)
    for proxy in stage.proxies.values():
        proxy.per_second = None


async def network_is_silent(stage: Stage) -> None:
    """Let connections stay open and carry nothing: of one party, of both, and for longer than any heartbeat."""
    for share, parties, seconds in ((0.1, [SENDER], 7), (0.3, [RECEIVER], 7), (0.5, PARTIES, 8), (0.7, PARTIES, 25)):
        await stage.told(share)
        for party in parties:
            stage.proxies[party].silent = True
        await asyncio.sleep(seconds)
        for party in parties:
            stage.proxies[party].silent = False


# --- the database, its disk, the clock ------------------------------------------------------------------------------


async def database_restarts(stage: Stage) -> None:
    """Restart the database server in order, and let it stand still, three times each."""
    for share in shares(3):
        await stage.told(share)
        await asyncio.to_thread(stage.server.restart)
        await stage.a_moment(2)
        stage.server.pause()
        await asyncio.sleep(3)
        stage.server.resume()


async def database_is_killed(stage: Stage) -> None:
    """Kill every process of the database server, and start it after a while, five times."""
    for share in shares(5):
        await stage.told(share)
        await asyncio.to_thread(stage.server.kill)
        await stage.a_moment(3)
        await asyncio.to_thread(stage.server.start)


async def disk_is_full(stage: Stage) -> None:
    """Let the disk below each store be full for a while: of one party, of the other, and of both."""
    for share, parties in ((0.2, [SENDER]), (0.4, [RECEIVER]), (0.6, PARTIES)):
        await stage.told(share)
        for party in parties:
            await asyncio.to_thread(disk.fill, stage.disks[party])
        await asyncio.sleep(6)
        for party in parties:
            await asyncio.to_thread(disk.free, stage.disks[party])


async def clocks_jump(stage: Stage) -> None:
    """Set the clocks of the parties hours wrong, forwards and backwards, and right again; die in between."""
    jumps = ((0.1, 3, 0), (0.25, -2, 5), (0.4, 5, -1), (0.55, -4, -4), (0.7, 6, 2))
    for share, sender, receiver in jumps:
        await stage.told(share)
        set_wrong(stage.clock_of(SENDER), timedelta(hours=sender))
        await stage.a_moment(1)
        set_wrong(stage.clock_of(RECEIVER), timedelta(hours=receiver))
        stage.kill(stage.chance.choice(PARTIES))
    await stage.told(0.85)
    for party in PARTIES:
        set_wrong(stage.clock_of(party), timedelta(0))


async def clocks_jump_while_broker_is_away(stage: Stage) -> None:
    """Set the clocks back while what piled up during an outage of the broker drains."""
    for share in (0.3, 0.6):
        await stage.told(share)
        for party in PARTIES:
            set_wrong(stage.clock_of(party), timedelta(hours=5))
        await stage.node.stop()
        await asyncio.sleep(7)
        await stage.node.start()
        await stage.a_moment(2)
        for party in PARTIES:
            set_wrong(stage.clock_of(party), timedelta(hours=1))
    for party in PARTIES:
        set_wrong(stage.clock_of(party), timedelta(0))


# --- everything -----------------------------------------------------------------------------------------------------


async def everything(stage: Stage) -> None:
    """Break everything, one after the other and two at a time, in an order drawn by chance."""

    async def broker() -> None:
        await stage.node.kill()
        await stage.a_moment(2)
        await stage.node.start()

    async def database() -> None:
        await asyncio.to_thread(stage.server.kill)
        await stage.a_moment(1)
        await asyncio.to_thread(stage.server.start)

    async def silence() -> None:
        proxy = stage.proxies[stage.chance.choice(PARTIES)]
        proxy.silent = True
        await asyncio.sleep(6)
        proxy.silent = False

    async def cut() -> None:
        for proxy in stage.proxies.values():
            proxy.cut()

    async def death() -> None:
        for party in PARTIES:
            await stage.a_moment(1)
            stage.kill(party)

    ways = [broker, database, silence, cut, death]
    deck = stage.chance.sample([*ways, *ways], k=2 * len(ways))
    for index, share in enumerate(shares(len(deck))):
        await stage.told(share)
        await asyncio.gather(deck[index](), death())


async def a_little_of_each(stage: Stage) -> None:
    """Kill both parties and the broker, and cut the network, once each."""
    await stage.told(0.2)
    stage.kill(SENDER)
    await stage.told(0.4)
    stage.kill(RECEIVER)
    await stage.node.kill()
    await stage.node.start()
    await stage.told(0.7)
    for proxy in stage.proxies.values():
        proxy.cut()
