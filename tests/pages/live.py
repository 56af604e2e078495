"""Two gateways at work, whose pages are open: what somebody does on the one side is seen on the other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from gateway import sessions
from gateway.access import Actor, Role
from gateway.adapters.http_door import HttpDoor
from gateway.hops import Gateway
from gateway.replay.scenario import Scenario
from gateway.replay.stage import Places, Stage, set_up
from gateway.store import ledger

BY = {"kommun": "SE2120001355-P0001", "region": "SE2321000131-P0001"}
SYSTEM = {"kommun": "treserva", "region": "journal"}


@dataclass(slots=True)
class Live:
    """Both sides of a journey, as far as it has been told."""

    stage: Stage
    urls: dict[str, str] = field(default_factory=dict)
    _told: int = 0

    def gateway(self, party: str) -> Gateway:
        return self.stage.gateways[party]

    async def told(self, *, acknowledged: bool = True) -> None:
        """Let the next event of the journey be told, and wait until what it brought about has come as far as it can.

        The staff of the region take charge of it, unless nobody has it ``acknowledged`` but by hand.
        """
        step = self.stage_steps[self._told]
        self._told += 1
        self.stage.systems["journal"].acknowledges = acknowledged
        if acknowledged:
            await self.stage.play(step)
            return
        self.stage.clock.move_to(step.at)
        await self.stage.systems[step.system].say(step.file_name, step.content)
        await self.until(self._all_registered)

    @property
    def stage_steps(self) -> tuple[object, ...]:
        return tuple(Scenario.load("journey").steps)

    async def until(self, holds: Callable[[], Awaitable[bool]]) -> None:
        """Return when something holds; it is looked at anew whenever a message has passed a hop."""
        while not await holds():
            await self.stage.stirred.wait()
            self.stage.stirred.clear()

    async def states(self, kind: str, party: str = "kommun") -> dict[str, str]:
        """Return how far the messages of a type got, by unit."""
        async with self.gateway(party).context.store.reading() as tx:
            return {row.unit: row.state.value for row in await ledger.sent_messages(tx) if row.type == kind}

    async def _all_registered(self) -> bool:
        async with self.gateway("kommun").context.store.reading() as tx:
            rows = await ledger.sent_messages(tx)
        newest = [row for row in rows if row.message_id == rows[-1].message_id]
        return bool(rows) and all(row.registered_at is not None for row in newest)

    async def way_in(self, party: str, role: Role = Role.OPERATOR, units: Collection[str] | None = None) -> str:
        """Return the address of a link that logs somebody in."""
        context = self.gateway(party).context
        actor = Actor(name=BY[party], role=role, units=frozenset(units) if units is not None else None)
        async with context.store.writing() as tx:
            value = await sessions.make_link(tx, actor, context.clock.now())
        return f"{self.urls[party]}/login/{value}"


@asynccontextmanager
async def journey_at_work(folder: Path) -> AsyncIterator[Live]:
    """Open both gateways and their case systems for the journey, of which nothing has been told."""
    async with set_up(Scenario.load("journey"), folder, lambda _: None, Places(listen=0)) as stage:
        live = Live(stage)
        for party, gateway in stage.gateways.items():
            (door,) = (one for one in gateway.doors if isinstance(one, HttpDoor))
            await door.is_open.wait()
            host, port = door.address
            live.urls[party] = f"http://{host}:{port}"
        yield live
