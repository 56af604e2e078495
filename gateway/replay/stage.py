"""The stage a scenario is played on: two gateways, each with its own store and simulated case system, one exchange.

Everything lives in one folder, unless databases or an exchange elsewhere are named. A play that was killed goes on
where it was when it is started on the same folder: what the case systems have said stays said, and the gateways take up
what was left half-done.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gateway.adapters.simulated import SimulatedCaseSystem
from gateway.app import log_passage, open_gateway, running
from gateway.config import Settings, masked
from gateway.envelope import Channel
from gateway.errors import ConfigurationError, Fault, GatewayError
from gateway.hops import Gateway
from gateway.progress import Observer, Passage
from gateway.replay.scenario import Scenario, Step
from gateway.resources import demo_directory
from gateway.store import ledger

CAST = {"treserva": "kommun", "journal": "region"}
"""Which party each case system works for."""

PARTY = "{party}"
"""Stands for the name of a party in an address."""

PATIENCE = timedelta(seconds=60)
"""How long, on the wall, one step may take to settle."""

UNSETTLED = Fault(
    "replay.unsettled",
    "Steget {step} blev inte klart inom {seconds} sekunder.",
    "Step {step} did not settle within {seconds} seconds.",
)


OTHER_SCENARIO = Fault(
    "demo.other-scenario",
    "I {folder} spelas redan ett annat scenario; välj en annan mapp.",
    "Another scenario is played in {folder}; choose another folder.",
)
OTHER_PLACES = Fault(
    "demo.other-places",
    "Spelet i {folder} har börjat med andra databaser eller en annan växel; ange samma, eller välj en annan mapp.",
    "The play in {folder} has begun with other databases or another exchange; name the same, or choose another folder.",
)
NO_FOLDER = Fault("demo.folder", "Mappen {folder} kan inte användas.", "The folder {folder} cannot be used.")
ONE_STORE = Fault(
    "demo.one-store",
    "De två parterna behöver var sin databas: skriv {{party}} i adressen där partens namn ska stå.",
    "The two parties need a database each: write {{party}} in the address where the name of the party goes.",
)
STORE_IN_USE = Fault(
    "demo.store-in-use",
    "Databasen för {party} har redan innehåll. Ange --data med mappen för spelet det hör till, eller en tom databas.",
    "The database of {party} is not empty. Give --data with the folder of the play it belongs to, or an empty one.",
)
EXCHANGE_IN_USE = Fault(
    "demo.exchange-in-use",
    "I växeln väntar redan meddelanden till {party}. Ange --data med mappen för det spel de hör till, eller töm kön.",
    "Messages to {party} wait on the exchange. Give --data with the folder of the play they belong to, or empty it.",
)


class UnsettledError(GatewayError):
    """A step of a scenario did not come to its end in time."""

    exit_code = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Databases and an exchange outside the folder of a play, with ``{party}`` where the name of a party goes.

    ``listen`` is the port, on this machine alone, at which the first party can be looked at; the next has the one after
    it. 0 lets the system choose. ``traces_url`` is where both tell their traces.
    """

    store: str | None = None
    exchange: str | None = None
    store_password_file: Path | None = None
    exchange_password_file: Path | None = None
    listen: int | None = None
    traces_url: str | None = None

    def __post_init__(self) -> None:
        """Refuse one database for both parties."""
        if self.store is not None and PARTY not in self.store:
            raise ConfigurationError(ONE_STORE.at())

    def settings(self, folder: Path, system: str, party: str) -> Settings:
        """Return the settings of one party's gateway."""

        def named(text: str | Path | None) -> str | None:
            return None if text is None else str(text).replace(PARTY, party)

        listen = None
        if self.listen is not None:
            listen = f"127.0.0.1:{self.listen and self.listen + list(CAST).index(system)}"
        return Settings.model_validate(
            {
                "party": party,
                "store": named(self.store) or database_url(folder / f"{party}.sqlite"),
                "store_password_file": named(self.store_password_file),
                "exchange": named(self.exchange) or database_url(folder / "exchange.sqlite"),
                "exchange_password_file": named(self.exchange_password_file),
                "directory": demo_directory(),
                "adapter": system,
                "folder": folder / system,
                "http_listen": listen,
                "traces_url": self.traces_url,
            }
        )

    def described(self) -> str:
        """Return what tells these places from others; no password is in it."""
        return "\n".join(masked(place) if place else "-" for place in (self.store, self.exchange))


class StoryClock:
    """A clock that runs like any other, and is moved forward to where the next step of the story is told."""

    def __init__(self, start: datetime) -> None:
        self._ahead = start.timestamp() - time.time()

    def now(self) -> datetime:
        """Return the story's time in UTC."""
        return datetime.fromtimestamp(time.time() + self._ahead, UTC)

    def move_to(self, moment: datetime) -> None:
        """Move forward to ``moment``; a moment that has passed changes nothing."""
        self._ahead += max(0.0, (moment - self.now()).total_seconds())


@dataclass(frozen=True, slots=True)
class Stage:
    """Two gateways at work, with their case systems."""

    folder: Path
    clock: StoryClock
    gateways: dict[str, Gateway]
    systems: dict[str, SimulatedCaseSystem]
    stirred: asyncio.Event
    """Set whenever a message has passed a hop."""

    async def play(self, step: Step) -> None:
        """Let a case system tell its event, unless it already has, and wait until everything it caused has settled.

        Raises:
            UnsettledError: that took too long.
        """
        self.clock.move_to(step.at)
        if not _was_told(self.folder, step):
            await self.systems[step.system].say(step.file_name, step.content)
        try:
            async with asyncio.timeout(PATIENCE.total_seconds()):
                while not await self._is_settled():
                    await self.stirred.wait()
                    self.stirred.clear()
        except TimeoutError:
            seconds = int(PATIENCE.total_seconds())
            raise UnsettledError(UNSETTLED.at(step=step.file_name, seconds=seconds)) from None

    async def _is_settled(self) -> bool:
        """Tell whether every event is answered and every message has come as far as it can."""
        for system, party in CAST.items():
            unanswered = any((self.folder / system / "to_gateway").glob("*.json"))
            if unanswered:
                return False
            async with self.gateways[party].context.store.reading() as tx:
                if await ledger.unsettled(tx):
                    return False
        return True


@asynccontextmanager
async def set_up(scenario: Scenario, folder: Path, observe: Observer, places: Places) -> AsyncIterator[Stage]:
    """Open the stage for ``scenario`` in ``folder`` and let the gateways work while the block runs.

    Raises:
        ConfigurationError: a play begins, and a database or the exchange still holds something of an earlier one.
        DependencyDownError: a database or the exchange does not answer.
    """
    told = [step for step in scenario.steps if _was_told(folder, step)]
    clock = StoryClock((told or scenario.steps)[-1 if told else 0].at)
    stirred = asyncio.Event()

    def watch(passage: Passage) -> None:
        log_passage(passage)
        observe(passage)
        stirred.set()

    async with AsyncExitStack() as stack:
        gateways, systems = {}, {}
        for system, party in CAST.items():
            settings = places.settings(folder, system, party)
            gateway = await stack.enter_async_context(open_gateway(settings, clock, watch))
            if not told:
                await _see_that_nothing_is_there(gateway)
            gateways[party] = gateway
            systems[system] = await stack.enter_async_context(SimulatedCaseSystem(folder / system, system, clock))
        await stack.enter_async_context(running(*gateways.values()))
        yield Stage(folder, clock, gateways, systems, stirred)


async def _see_that_nothing_is_there(gateway: Gateway) -> None:
    """Refuse to begin a play among what another has left: the same events would be known, and cases have numbers."""
    async with gateway.context.store.reading() as tx:
        found = await ledger.sent_messages(tx, limit=1) or await ledger.received_messages(tx, limit=1)
        if found or await ledger.set_aside(tx):
            raise ConfigurationError(STORE_IN_USE.at(party=gateway.context.party))
    for channel in Channel:
        if await gateway.transport.depth(channel):
            raise ConfigurationError(EXCHANGE_IN_USE.at(party=gateway.context.party))


def claim(folder: Path, scenario: Scenario, places: Places) -> None:
    """Make ``folder`` the place where ``scenario`` is played; it holds personal data, so only its owner may look in.

    Raises:
        ConfigurationError: it cannot be used, or another play has begun in it.
    """
    title, elsewhere = folder / "scenario", folder / "places"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if title.exists() and title.read_text(encoding="utf-8") != scenario.name:
            raise ConfigurationError(OTHER_SCENARIO.at(folder=folder))
        begun = any(_was_told(folder, step) for step in scenario.steps)
        known = elsewhere.read_text(encoding="utf-8") if elsewhere.exists() else Places().described()
        if begun and known != places.described():
            raise ConfigurationError(OTHER_PLACES.at(folder=folder))
        title.write_text(scenario.name, encoding="utf-8")
        elsewhere.write_text(places.described(), encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError(NO_FOLDER.at(folder=folder)) from None


def database_url(path: Path) -> str:
    """Return the URL of a SQLite file."""
    return f"sqlite+aiosqlite:///{path}"


def _was_told(folder: Path, step: Step) -> bool:
    system = folder / step.system
    return any((system / place / step.file_name).exists() for place in ("to_gateway", "archive", "quarantine"))
