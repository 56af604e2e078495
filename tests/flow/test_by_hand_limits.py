"""What people may not do by hand: what no consent covers, what is of other units; and what is handed over here."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hand import (
    CONSENT,
    NEED,
    OTHER_UNIT,
    STAFF,
    THIS_UNIT,
    WHY,
    audited,
    counted,
    give_up,
    item_of,
    outcomes,
)
from sides import PRIMARY_CARE, Side, story, told

from gateway.access import AccessRefusedError, Actor, Role
from gateway.actions import MOST
from gateway.clock import ManualClock
from gateway.discarding import discard, restore
from gateway.errors import CaseRuleError, DependencyDownError, InvalidDocumentError
from gateway.items import Item, ItemKind
from gateway.messages import Message
from gateway.sending_again import resend
from gateway.store import failed, items
from gateway.store.failed import Cause
from gateway.store.failures import DATABASE_DOWN


@pytest.fixture
async def given_up(kommun: Side, clock: ManualClock) -> Side:
    return await give_up(kommun, clock)


async def test_nothing_is_sent_again_that_no_consent_covers_any_longer(kommun: Side, clock: ManualClock) -> None:
    need, consent, _, withdrawal = story("consent-withdrawn")
    for event in (need, consent):
        await kommun.hears(told(event))
    await kommun.sends()
    await kommun.hears(told(withdrawal))
    row = next(row for row in await kommun.ledger() if row.type == "sipStart")
    item = Item(ItemKind.SENT, row.id)
    cause = Cause(kind=ItemKind.SENT, code="message.consent-withdrawn", party="region")
    async with kommun.context.store.reading() as tx:
        assert await failed.is_there(tx, cause, clock.now())
    before = [await kommun.table(name) for name in ("dispatch", "history", "decision")]
    assert outcomes(await resend(kommun.context, [item], **WHY)) == [("refused", "resend.consent")]
    assert [await kommun.table(name) for name in ("dispatch", "history", "decision")] == before


async def test_units_see_and_touch_their_own_failures_alone(given_up: Side) -> None:
    item = await item_of(given_up)
    for act in (resend, discard, restore):
        refused = await act(given_up.context, [item, Item(ItemKind.SENT, 4711)], by=OTHER_UNIT, reason="Prov.")
        assert outcomes(refused) == [("refused", "access.refused")] * 2
        assert [one.message_id for one in refused] == [None, None]
        reader = Actor(name="wall", role=Role.READER)
        with pytest.raises(AccessRefusedError):
            await act(given_up.context, [item], by=reader, reason="Prov.")
    assert await counted(given_up, OTHER_UNIT.units) == {}
    assert await counted(given_up, THIS_UNIT.units) == {"message.given-up": 4}
    kept = await audited(given_up)
    assert {row[-2:] for row in kept} == {("refused", "access.refused")}
    assert [row[0] for row in kept] == ["portal", "portal", "wall"] * 3
    assert outcomes(await discard(given_up.context, [item], by=THIS_UNIT, reason="Prov.")) == [("done", None)]
    for chosen, reason in (([item], ""), ([Item(ItemKind.SENT, number) for number in range(1, MOST + 2)], "Prov.")):
        with pytest.raises(CaseRuleError):
            await discard(given_up.context, chosen, by=THIS_UNIT, reason=reason)


async def test_what_waits_for_the_case_system_is_handed_over_again_at_once(
    kommun: Side, region: Side, clock: ManualClock
) -> None:
    for event in (NEED, CONSENT):
        await kommun.hears(told(event))
    await kommun.sends()

    async def silent(message: Message, unit: str) -> None:
        raise DependencyDownError(DATABASE_DOWN.at())

    region.system.answer = silent
    await region.receives()
    await region.hands_over()
    rows = [row for row in await region.table("inbound") if row["state"] == "waiting_for_system"]
    item = Item(ItemKind.RECEIVED, rows[0]["id"])
    assert await counted(region) == {}  # it is tried by itself, and its time has not passed
    assert outcomes(await discard(region.context, [item], **WHY)) == [("refused", "discard.not-failed")]
    clock.advance(timedelta(hours=2))
    assert await counted(region) == {DATABASE_DOWN.code: len(rows)}
    del region.system.answer
    region.system.answer = _willing
    assert outcomes(await resend(region.context, [item], by=STAFF, reason="Prov.")) == [("done", None)]
    (after,) = [row for row in await region.table("inbound") if row["id"] == item.number]
    assert (after["next_attempt_at"], after["due_at"]) == (None, rows[0]["due_at"])
    await region.hands_over()
    assert outcomes(await resend(region.context, [item], by=STAFF, reason="Prov.")) == [("refused", "resend.arrived")]


async def _willing(message: Message, unit: str) -> None:
    """Say nothing against it."""


async def test_a_refused_event_is_discarded_as_it_always_was(kommun: Side) -> None:
    with pytest.raises(InvalidDocumentError):
        await kommun.hears(b"{}")
    (refused,) = await kommun.table("event")
    item = Item(ItemKind.EVENT, refused["id"])
    assert list(await counted(kommun)) == [refused["findings"][0]["code"]]
    assert await counted(kommun, THIS_UNIT.units) == {}
    assert outcomes(await discard(kommun.context, [item], by=THIS_UNIT, reason="Prov.")) == [
        ("refused", "access.refused")
    ]
    assert outcomes(await resend(kommun.context, [item], **WHY)) == [("refused", "resend.event")]
    assert outcomes(await discard(kommun.context, [item], **WHY)) == [("done", None)]
    assert await counted(kommun) == {}
    assert outcomes(await restore(kommun.context, [item], **WHY)) == [("done", None)]
    assert await kommun.table("event") == [refused]
    kept = [(row["decision"], row["by"], row["reason"]) for row in await kommun.table("event_decision")]
    assert kept == [("discarded", STAFF, "Partnern är tillbaka."), ("restored", STAFF, "Partnern är tillbaka.")]
    assert [row[1:2] + row[3:] for row in await audited(kommun)] == [
        ("event.discarded", "refused", "access.refused"),
        ("message.resent", "failed", "resend.event"),
        ("event.discarded", "done", None),
        ("event.discarded", "done", None),
    ]


async def test_a_message_is_named_by_its_id_or_the_beginning_of_it(given_up: Side) -> None:
    row = await given_up.row("sipStart")
    async with given_up.context.store.reading() as tx:
        both = await items.named(tx, row.message_id[:10])
        one = await items.named(tx, row.message_id, unit=PRIMARY_CARE)
        assert await items.named(tx, "") == []
    assert one == [Item(ItemKind.SENT, row.id)]
    assert [item.kind for item in both] == [ItemKind.SENT, ItemKind.SENT]
