"""What a gateway is connected to, as it is looked at: its case systems, the exchange, its partners, and its database.

The database tells most of it. The exchange and the database are asked whether they answer, and no longer than a moment.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gateway import partners
from gateway.adapter_signs import Signs, signs_of
from gateway.adapters.http_door import Probed, probed
from gateway.circuit import TO_SYSTEM, Circuit
from gateway.envelope import Channel
from gateway.errors import GatewayError
from gateway.silence import Partner, Silence
from gateway.store import circuits, open_rows, silences
from gateway.web.window import Window

WITHIN: Final = 20_000
"""Among how many of the newest rows it is looked for when something last got through."""
COUNT_SECONDS: Final = 1.0
"""How long the exchange may take to count what waits there."""
EXCHANGE: Final = "exchange"


@dataclass(frozen=True, slots=True)
class System:
    """A case system: its adapter as the database tells, and the way to it, where that is not as it should be."""

    signs: Signs
    circuit: Circuit | None

    @property
    def name(self) -> str:
        """What its adapter is called."""
        return self.signs.settings.name


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another party: what is known of it, since when it is silent, and the way to it where that is not well."""

    title: str
    seen: Partner
    silence: Silence | None
    circuit: Circuit | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """All that a gateway is connected to.

    ``probes`` tell what came of asking the exchange, the database and the like, by name, and ``depths`` how much waits
    for this party at the exchange: ``None`` where it could not be counted. ``dead_letters`` are the deliveries that
    the exchange has given up and nobody has settled.
    """

    systems: Sequence[System]
    partners: Sequence[Neighbour]
    probes: Mapping[str, Probed]
    depths: Mapping[Channel, int | None]
    dead_letters: int

    @property
    def exchange(self) -> Probed | None:
        """What came of asking the exchange; ``None`` where it is not known how."""
        return self.probes.get(EXCHANGE)


async def connected(window: Window) -> Connected:
    """Return what a gateway is connected to.

    Raises:
        DependencyDownError: the database does not answer.
    """
    context, adapters = window.context, window.settings.all_adapters()
    async with context.store.reading() as tx:
        signs = await signs_of(tx, adapters, window.lanes, within=WITHIN)
        ways = {one.party: one for one in await circuits.unhealthy(tx)}
        silent, seen = await silences.load(tx), await partners.observed(tx, context.party)
        letters = await open_rows.dead_letters(tx)
    known = context.directory.parties
    probes, depths = await asyncio.gather(_probes(window), _depths(window))
    return Connected(
        # The way to a system that is alone is called what the party is.
        systems=[System(one, ways.get(f"{TO_SYSTEM}{one.settings.name}", _alone(one, ways, window))) for one in signs],
        partners=[
            Neighbour(
                title=known[party].title if party in known else party,
                seen=seen.get(party, Partner(party=party)),
                silence=silent.get(party),
                circuit=ways.get(party),
            )
            for party in sorted({*known, *seen, *silent} - {context.party})
        ],
        probes=probes,
        depths=depths,
        dead_letters=letters,
    )


def _alone(signs: Signs, ways: Mapping[str, Circuit], window: Window) -> Circuit | None:
    return ways.get(window.party) if signs.settings.takes and not window.lanes else None


async def _probes(window: Window) -> dict[str, Probed]:
    answers = await asyncio.gather(*(probed(probe) for probe in window.probes.values()))
    return dict(zip(window.probes, answers, strict=True))


async def _depths(window: Window) -> dict[Channel, int | None]:
    if window.depth is None:
        return {}
    try:
        async with asyncio.timeout(COUNT_SECONDS):
            return {channel: await window.depth(channel) for channel in Channel}
    except (GatewayError, TimeoutError):
        return dict.fromkeys(Channel)
