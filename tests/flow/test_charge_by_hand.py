"""Taking charge by hand: a person in a unit acknowledges what came, and the sender's ledger turns."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from build import CLINIC, HOME_CARE, NOON, OFFICE, WARD, booking, consent, need, plan, transfer
from build_discharge import expectation, notice
from talk import Party, settle, talking

from gateway.access import Actor, Role
from gateway.actions import Result
from gateway.charge import acknowledge
from gateway.clock import ManualClock
from gateway.items import Item, ItemKind
from gateway.lifecycle import OutState
from gateway.messages import parse_xml
from gateway.store import audit, decisions, worklist
from gateway.store.audit import Wanted
from gateway.store.tables import metadata

STAFF = "SE2120001355-P000000000117"
WHO = Actor(name=STAFF, role=Role.OPERATOR, units=frozenset({OFFICE}), assignment="Bistånd")
WHY: dict[str, Any] = {"by": WHO, "reason": "Vi tar emot."}


@pytest.fixture
async def both(tmp_path: Path) -> AsyncIterator[tuple[Party, Party]]:
    """Return the municipality and the region; the region has told the office that a patient was admitted."""
    async with talking(tmp_path, ManualClock(NOON)) as parties:
        kommun, region = parties["kommun"], parties["region"]
        await region.says(notice(), OFFICE, unit=WARD)
        await settle(kommun, region)
        yield kommun, region


async def item_of(party: Party, type_name: str, unit: str = OFFICE) -> Item:
    (row,) = await party.came(type_name, unit)
    return Item(ItemKind.RECEIVED, row.id)


async def stored(party: Party) -> dict[str, list[Any]]:
    async with party.context.store.reading() as tx:
        return {name: list((await tx.execute(table.select())).all()) for name, table in metadata.tables.items()}


def codes(results: list[Result]) -> list[str]:
    return [one.findings[0].code if one.findings else one.outcome for one in results]


async def test_who_takes_charge_by_hand_turns_the_ledger_of_the_sender(both: tuple[Party, Party]) -> None:
    kommun, region = both
    item, before = await item_of(kommun, "admissionNotice"), await stored(kommun)
    async with kommun.context.store.reading() as tx:
        (waiting,) = await worklist.owed(tx, worklist.Wanted(units=WHO.units), None, 10)
        assert await worklist.owed(tx, worklist.Wanted(units=frozenset({HOME_CARE})), None, 10) == []
        assert await worklist.count_owed(tx, {OFFICE}) == 1
    assert (waiting.id, waiting.duty, waiting.sender_unit) == (item.number, "acknowledge", WARD)
    (would,) = await acknowledge(kommun.context, [item], **WHY, dry_run=True)
    assert (would.outcome, would.message_id) == ("would-be-done", waiting.message_id)
    assert await stored(kommun) == before
    assert codes(await acknowledge(kommun.context, [item], name="Karin Övningsson", **WHY)) == ["done"]
    await settle(kommun, region)
    (sent,) = await region.sent("admissionNotice")
    assert (sent.state, sent.acknowledged_at, sent.due_at) == (OutState.ACKNOWLEDGED, NOON, None)
    async with kommun.context.store.reading() as tx:
        (row,) = await audit.find(tx, Wanted(), limit=10)
        (decided,) = await decisions.about(tx, item)
        (given,) = [one for one in (await stored(kommun))["message"] if b">acknowledged<" in one.xml]
    by = parse_xml(given.xml).body.acknowledged_by
    assert (by.name, by.hsa_id) == ("Karin Övningsson", STAFF)
    assert (decided.decision, decided.by, decided.reason) == ("acknowledged", STAFF, "Vi tar emot.")
    assert [row.said[name] for name in ("by", "unit", "action", "target", "outcome")] == [
        STAFF,
        OFFICE,
        "message.acknowledged",
        waiting.message_id,
        "done",
    ]
    assert codes(await acknowledge(kommun.context, [item], **WHY)) == ["acknowledge.already"]


async def test_what_is_for_information_may_be_taken_charge_of_too(both: tuple[Party, Party]) -> None:
    kommun, region = both
    await region.says(expectation(), OFFICE, unit=WARD)
    await settle(kommun, region)
    update = await item_of(kommun, "admissionUpdate")
    (done,) = await acknowledge(kommun.context, [update], by=STAFF, reason="Prov.")
    assert done.outcome == "done"
    await settle(kommun, region)
    assert [row.state for row in await region.sent("admissionUpdate")] == [OutState.ACKNOWLEDGED]


async def test_what_is_not_to_be_acknowledged_says_what_to_do_instead(both: tuple[Party, Party]) -> None:
    kommun, region = both
    await region.says(expectation(), OFFICE, unit=WARD)
    await kommun.says(need(), CLINIC)
    await kommun.says(consent())
    await kommun.says(booking(CLINIC), CLINIC)
    await settle(kommun, region)
    told = {"by": STAFF, "reason": "Prov."}
    call = await item_of(region, "meetingBooking", CLINIC)
    assert codes(await acknowledge(region.context, [call], **told)) == ["acknowledge.reply-owed"]  # type: ignore[arg-type]
    mine = Item(ItemKind.SENT, 1)
    assert codes(await acknowledge(region.context, [mine], **told)) == ["acknowledge.not-received"]  # type: ignore[arg-type]
    item = await item_of(kommun, "admissionNotice")
    for name, code in (("850912-9808", "by-hand.person-number"), ("x" * 201, "acknowledge.name")):
        assert codes(await acknowledge(kommun.context, [item], name=name, **WHY)) == [code]
    elsewhere = Actor(name=STAFF, role=Role.OPERATOR, units=frozenset({HOME_CARE}))
    assert codes(await acknowledge(kommun.context, [item], by=elsewhere, reason="Prov.")) == ["access.refused"]
    (sent,) = await region.sent("admissionNotice")
    assert sent.state is OutState.REGISTERED


async def test_who_takes_charge_of_a_case_by_hand_leads_it_and_a_program_goes_by_its_name(
    both: tuple[Party, Party],
) -> None:
    kommun, region = both
    await kommun.says(need(), CLINIC)
    await kommun.says(consent())
    await kommun.says(booking(CLINIC), CLINIC)
    await kommun.says(plan())
    await settle(kommun, region)
    await kommun.says(transfer(CLINIC))
    await settle(kommun, region)
    item = await item_of(region, "responsibilityTransfer", CLINIC)
    portal = Actor(name="portal", role=Role.OPERATOR)
    assert codes(await acknowledge(region.context, [item], by=portal, reason="Prov.")) == ["done"]
    await settle(kommun, region)
    assert [(await party.standing()).leader.unit for party in both] == [CLINIC, CLINIC]
    (given,) = [one for one in (await stored(region))["message"] if b">acknowledged<" in one.xml]
    by = parse_xml(given.xml).body.acknowledged_by
    assert (by.name, by.hsa_id) == ("portal", None)
