"""Every scenario, played between two gateways: what it ends in is exactly what its file says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from gateway.process import TERMINAL, MeetingState
from gateway.replay.scenario import ExpectedCase, ExpectedMessage, Scenario, scenario_names
from gateway.replay.stage import CAST, Places, Stage, set_up
from gateway.store import cases, ledger
from gateway.store.tables import sip_case


async def messages_of(stage: Stage) -> tuple[ExpectedMessage, ...]:
    """Return every message to every unit in the order they were made, whoever made them."""
    made = []
    for party in CAST.values():
        async with stage.gateways[party].context.store.reading() as tx:
            made += [(party, row) for row in await ledger.sent_messages(tx)]
    made.sort(key=lambda one: one[1].created_at)
    return tuple(ExpectedMessage(party=party, type=row.type, unit=row.unit, state=row.state) for party, row in made)


async def cases_of(stage: Stage) -> tuple[ExpectedCase, ...]:
    """Return where every case stands, by party and number."""
    found = []
    for party in CAST.values():
        async with stage.gateways[party].context.store.reading() as tx:
            query = select(sip_case.c.case_number, sip_case.c.state).order_by(sip_case.c.case_number)
            rows = (await tx.execute(query)).all()
        found += [ExpectedCase(party=party, case=number, state=state) for number, state in rows]
    return tuple(found)


async def meetings_of_ended_cases(stage: Stage) -> set[MeetingState]:
    """Return how the meetings of cases that have ended stand."""
    found = set()
    for party in CAST.values():
        async with stage.gateways[party].context.store.reading() as tx:
            numbers = (await tx.execute(select(sip_case.c.case_number))).scalars().all()
            stored = (await cases.load_all(tx, numbers)).values()
        found |= {one.case.meeting for one in stored if one.case is not None and one.case.state in TERMINAL}
    return found


async def set_aside(stage: Stage) -> list[dict[str, Any]]:
    """Return what was refused, parked or unexpected anywhere."""
    found = []
    for party in CAST.values():
        async with stage.gateways[party].context.store.reading() as tx:
            found += await ledger.set_aside(tx)
    return found


@pytest.mark.long
@pytest.mark.parametrize("name", scenario_names())
async def test_a_scenario_ends_in_what_it_says(name: str, tmp_path: Path) -> None:
    scenario = Scenario.load(name)
    async with set_up(scenario, tmp_path, lambda _: None, Places()) as stage:
        for step in scenario.steps:
            await stage.play(step)
        assert await set_aside(stage) == []
        assert await messages_of(stage) == scenario.messages
        assert await cases_of(stage) == scenario.cases
        assert MeetingState.BOOKED not in await meetings_of_ended_cases(stage)
    assert scenario.messages
    assert scenario.cases
