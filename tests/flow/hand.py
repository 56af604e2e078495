"""Who does something by hand in tests, what came of it, and what is kept of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sides import SOCIAL_OFFICE, Side, story, told

from gateway.access import Actor, Role
from gateway.actions import Result
from gateway.clock import ManualClock
from gateway.items import Item, ItemKind
from gateway.lifecycle import OutState
from gateway.store import failed

NEED, CONSENT, *_ = story()
STAFF = "SE2120001355-P000000000117"
WHY: dict[str, Any] = {"by": STAFF, "reason": " Partnern är tillbaka. "}
GIVEN_UP = timedelta(hours=73)
OTHER_UNIT = Actor(name="portal", role=Role.OPERATOR, units=frozenset({"SE2120001355-HSLHISINGEN"}))
THIS_UNIT = Actor(name="portal", role=Role.OPERATOR, units=frozenset({SOCIAL_OFFICE}))


async def item_of(side: Side, type_name: str = "sipStart") -> Item:
    return Item(ItemKind.SENT, (await side.row(type_name)).id)


def outcomes(results: list[Result]) -> list[tuple[str, str | None]]:
    return [(one.outcome, one.findings[0].code if one.findings else None) for one in results]


async def audited(side: Side) -> list[tuple[Any, ...]]:
    return [(row["by"], row["action"], row["unit"], row["outcome"], row["code"]) for row in await side.table("audit")]


async def counted(side: Side, units: frozenset[str] | None = None) -> dict[str, int]:
    async with side.context.store.reading() as tx:
        found = await failed.groups(tx, side.context.clock.now(), units=units)
    return {one.cause.code: one.count for one in found}


async def give_up(kommun: Side, clock: ManualClock) -> Side:
    """Return the municipality, after it has sent a need and a consent for two units and given them up."""
    for event in (NEED, CONSENT):
        await kommun.hears(told(event))
    await kommun.hands_over()
    await kommun.sends()
    clock.advance(GIVEN_UP)
    while await kommun.tracker.sweep():
        pass
    assert {row.state for row in await kommun.ledger()} == {OutState.EXPIRED}
    return kommun
