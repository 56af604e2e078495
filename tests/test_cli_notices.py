"""``gateway notices``: what units have been told, and what the case system has not taken; nobody is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from build import CLINIC, NOON, OFFICE, PERSON, need
from command import over_store
from scripted import Convener, open_convener

from gateway.clock import ManualClock
from gateway.delivery import CaseSystemDelivery
from gateway.watch import Watch

MANAGER = "SE2120001355-VARDSAMVERKAN"


async def undecided(kommun: Convener) -> None:
    """Let a person who was asked for a consent take longer than is agreed to decide."""
    await kommun.says(need(), CLINIC)
    kommun.waits(days=4)
    await Watch(kommun.context).sweep()


@pytest.mark.parametrize("taken", [False, True])
async def test_what_a_unit_is_told_is_listed_until_and_after_it_is_taken(tmp_path: Path, taken: bool) -> None:
    async with open_convener(tmp_path, ManualClock(NOON)) as kommun:
        await undecided(kommun)
        if taken:
            await CaseSystemDelivery(kommun.context, kommun.adapter).deliver()
    (told,) = json.loads(over_store(tmp_path, "notices", "list", "--json").stdout)["notices"]
    assert (told["kind"], told["unit"], told["case"]) == ("overdue", MANAGER, "SIP100001")
    assert (told["awaited"], told["owedBy"], told["takenAt"] is not None) == ("consent", OFFICE, taken)
    untold = json.loads(over_store(tmp_path, "notices", "list", "--untold", "--json").stdout)["notices"]
    assert untold == ([] if taken else [told])


async def test_the_list_is_of_one_unit_where_it_is_named_and_of_no_person(tmp_path: Path) -> None:
    async with open_convener(tmp_path, ManualClock(NOON)) as kommun:
        await undecided(kommun)
        kommun.waits(days=1)
        await Watch(kommun.context).sweep()
    shown = over_store(tmp_path, "notices", "list", "--unit", MANAGER)
    assert (shown.returncode, "SIP100001" in shown.stdout, "Försenat / Overdue" in shown.stdout) == (0, True, True)
    assert [word for word in (PERSON.name, PERSON.identifiers[0].extension) if word in shown.stdout] == []
    nothing = over_store(tmp_path, "notices", "list", "--unit", CLINIC, "--json")
    assert json.loads(nothing.stdout) == {"notices": []}
