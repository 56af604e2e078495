"""A small campaign for every run of the tests; the whole of it is ``make faults``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from services.postgresql import PostgreSqlServer
from services.rabbitmq import RabbitMqNode

from faults.campaign import FAULTS, SMALL, Fault, Result, is_clean, play, table_of
from faults.checker import Finding, Kind

SEED = 20261122


@pytest.mark.long
@pytest.mark.timeout(240)
@pytest.mark.parametrize("fault", SMALL, ids=[fault.name for fault in SMALL])
async def test_nothing_is_lost_doubled_unexplained_or_falsely_registered(
    tmp_path: Path, own_rabbitmq_node: Callable[..., RabbitMqNode], postgresql: PostgreSqlServer, fault: Fault
) -> None:
    async with own_rabbitmq_node() as node:
        result = await play(fault, tmp_path / "run", node, postgresql, events=fault.events, seed=SEED)
    assert (list(result.findings), result.left) == ([], {})
    assert is_clean([result])
    assert result.messages == fault.events * 6 // 5  # every fifth case goes to two units
    assert result.deaths > 0


@pytest.mark.parametrize("kind", Kind)
def test_a_campaign_with_anything_wrong_in_it_is_not_clean(kind: Kind) -> None:
    result = Result(
        fault=SMALL[0], messages=1, seconds=1.0, deaths=0, copies=0, findings=[Finding(kind, "id", "is wrong")]
    )
    assert not is_clean([result])
    assert table_of([result]).row_count == 1


def test_a_campaign_that_looked_at_nothing_is_not_clean() -> None:
    assert not is_clean([Result(fault=SMALL[0], messages=0, seconds=1.0, deaths=0, copies=0, findings=[])])


def test_every_run_has_a_name_of_its_own() -> None:
    names = [fault.name for fault in (*FAULTS, *SMALL)]
    assert len(names) == len(set(names))
