"""What the database knows of each adapter: what last got through, whether its system answers, and whether it is paused.

Nobody is asked: whether a system answers is what it answered the heartbeat last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.adapter_settings import AdapterSettings
from gateway.ports import Lane
from gateway.store import Transaction, adapters
from gateway.store.adapters import Beat, Pause


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """How one adapter is, as far as the database tells; ``None`` where there is nothing to tell.

    ``last_event`` is when an event of its system was last accepted, ``last_registration`` when the system last took a
    message, and ``beat`` what it answered when ``gateway run`` asked it last.
    """

    settings: AdapterSettings
    last_event: datetime | None
    last_registration: datetime | None
    pause: Pause | None
    beat: Beat | None

    @property
    def last_success(self) -> datetime | None:
        """When something last went well with its system: an answer, an event or a message."""
        answered = self.beat.at if self.beat is not None and not self.beat.codes else None
        return max(filter(None, (answered, self.last_event, self.last_registration)), default=None)


async def signs_of(
    tx: Transaction, adapters_set: Sequence[AdapterSettings], lanes: Mapping[str, Lane], *, within: int | None = None
) -> list[Signs]:
    """Return how each adapter of the settings is, in their order.

    ``lanes`` has the lane to each system, by the name of its adapter, where there are several. What last got through is
    looked for ``within`` so many of the newest rows, ``None`` for all.
    """
    paused, beats = await adapters.pauses(tx), await adapters.beats(tx)
    found = []
    for one in adapters_set:
        lane = lanes.get(one.name, Lane(name=one.name))
        taken = None
        if one.takes:
            taken = await adapters.last_registration(tx, units=lane.units, but=lane.others, within=within)
        found.append(
            Signs(
                settings=one,
                last_event=await adapters.last_event(tx, one.name, within=within) if one.brings else None,
                last_registration=taken,
                pause=paused.get(one.name),
                beat=beats.get(one.name),
            )
        )
    return found
