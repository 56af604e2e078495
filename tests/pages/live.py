"""Two gateways at work, whose pages are open: what somebody does on the one side is seen on the other."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from gateway import sessions
from gateway.access import Actor, Role
from gateway.adapters.http_door import HttpDoor
from gateway.context import Context
from gateway.hops import Gateway
from gateway.lifecycle import OutState
from gateway.replay.scenario import Scenario
from gateway.replay.stage import Places, Stage, set_up
from gateway.store import ledger

CLINIC = "SE2321000131-E000000000101"
"""The unit that the responsibility for the plan is handed over to."""
STAFF = {"kommun": "SE2120001355-P0001", "region": "SE2321000131-P0001"}
"""Who logs in at each party."""
_EVENTS = Path(__file__).parents[2] / "fixtures" / "events" / "treserva"
_PATIENCE = 20.0
"""Seconds, on the wall, for what has been said to come as far as it can."""


@dataclass(slots=True)
class Live:
    """Both sides of a journey, of which ``told`` events have been told, and where their pages are, by party."""

    stage: Stage
    urls: dict[str, str]
    told: int = 0

    def gateway(self, party: str) -> Gateway:
        """Return the gateway of a party."""
        return self.stage.gateways[party]

    async def tell(self, count: int = 1) -> None:
        """Let the next events of the journey be told, and all that they bring about happen."""
        for step in Scenario.load("journey").steps[self.told : self.told + count]:
            await self.stage.play(step)
            self.told += 1

    async def hand_over(self) -> None:
        """Let the municipality hand over the responsibility for the plan, which nobody has noticed yet."""
        await self.tell(4 - self.told)
        self.stage.systems["journal"].acknowledges = False
        plan = json.loads(Scenario.load("journey").steps[3].content)
        event = json.loads((_EVENTS / "valid_ansvar.json").read_bytes())
        said = {name: plan[name] for name in ("arendeId", "enhet", "handlaggare", "person")}
        said["tidpunkt"] = f"{self.stage.clock.now():%Y-%m-%dT%H:%M:%S}"
        await self.stage.systems["treserva"].say("04b-ansvar.json", json.dumps(event | said).encode())
        await self.handed_over(OutState.REGISTERED)

    async def handed_over(self, state: OutState) -> None:
        """Return when that has come as far as ``state``, as its sender knows."""

        async def has_come() -> bool:
            async with self.gateway("kommun").context.store.reading() as tx:
                found = {
                    row.unit: row for row in await ledger.sent_messages(tx) if row.type == "responsibilityTransfer"
                }
            all_registered = all(row.registered_at is not None for row in found.values())
            return CLINIC in found and all_registered and found[CLINIC].state is state

        await self.until(has_come)

    async def until(self, holds: Callable[[], Awaitable[bool]]) -> None:
        """Return when something holds; it is looked at anew whenever a message has passed a hop."""
        async with asyncio.timeout(_PATIENCE):
            while not await holds():
                await self.stage.stirred.wait()
                self.stage.stirred.clear()

    async def way_in(self, party: str, role: Role = Role.OPERATOR, units: Collection[str] | None = None) -> str:
        """Return the address of a link that logs somebody in."""
        context: Context = self.gateway(party).context
        actor = Actor(name=STAFF[party], role=role, units=frozenset(units) if units is not None else None)
        async with context.store.writing() as tx:
            value = await sessions.make_link(tx, actor, context.clock.now())
        return f"{self.urls[party]}/login/{value}"


@asynccontextmanager
async def journey_at_work(folder: Path) -> AsyncIterator[Live]:
    """Open both gateways and their case systems for the journey, of which nothing has been told."""
    async with set_up(Scenario.load("journey"), folder, lambda _: None, Places(listen=0)) as stage:
        live = Live(stage, {})
        for party, gateway in stage.gateways.items():
            (door,) = (one for one in gateway.doors if isinstance(one, HttpDoor))
            await door.is_open.wait()
            host, port = door.address
            live.urls[party] = f"http://{host}:{port}"
        yield live
