"""A stage left open after the play: whoever is at the machine may look at both gateways, until told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final, NamedTuple

from gateway import sessions
from gateway.access import Actor, Role
from gateway.adapters.http_door import HttpDoor
from gateway.replay.stage import Stage
from gateway.service import told_to_stop

MINUTES: Final = 60
"""How long the links that are printed hold; each logs in once."""

LOOKS: Final = {"kommun": "SE2120001355-DEMO", "region": "SE2321000131-DEMO"}
"""Whom the links log in with each party: somebody invented, who may operate it and sees all its units."""


class Link(NamedTuple):
    """Where a party is looked at, by whoever opens it first."""

    party: str
    url: str


async def links(stage: Stage) -> AsyncIterator[Link]:
    """Yield a link to each gateway of a stage that listens, once it does."""
    for party, gateway in stage.gateways.items():
        for door in gateway.doors:
            if isinstance(door, HttpDoor):
                await door.is_open.wait()
                context = gateway.context
                actor = Actor(name=LOOKS[party], role=Role.OPERATOR)
                async with context.store.writing() as tx:
                    value = await sessions.make_link(tx, actor, context.clock.now(), minutes=MINUTES)
                host, port = door.address
                yield Link(party, f"http://{host}:{port}/login/{value}")


async def stay_open() -> None:
    """Return when somebody tells the process to stop."""
    stop = asyncio.Event()
    with told_to_stop(stop.set):
        await stop.wait()
