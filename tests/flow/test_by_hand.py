"""What people do by hand to messages: send again, discard and restore; each kept with who and why, or refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from answers import acknowledgement
from sides import PRIMARY_CARE, SOCIAL_OFFICE, Side, story, told
from sqlalchemy import update

from gateway.access import AccessRefusedError, Actor, Role
from gateway.actions import MOST, Result
from gateway.clock import ManualClock
from gateway.discarding import discard, restore
from gateway.errors import CaseRuleError, DependencyDownError, InvalidDocumentError
from gateway.items import Item, ItemKind
from gateway.lifecycle import Level, Outcome, OutState, Owner
from gateway.messages import Message
from gateway.sending_again import MOST_RESENDS, resend
from gateway.store import dead_letters, failed, items
from gateway.store.failed import Cause
from gateway.store.failures import DATABASE_DOWN
from gateway.store.tables import dead_letter

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


@pytest.fixture
async def given_up(kommun: Side, clock: ManualClock) -> Side:
    """Return the municipality, which has sent a need and a consent for two units and given them up."""
    for event in (NEED, CONSENT):
        await kommun.hears(told(event))
    await kommun.hands_over()
    await kommun.sends()
    clock.advance(GIVEN_UP)
    while await kommun.tracker.sweep():
        pass
    assert {row.state for row in await kommun.ledger()} == {OutState.EXPIRED}
    return kommun


async def test_what_was_given_up_is_sent_again_as_it_was_and_arrives(
    given_up: Side, region: Side, clock: ManualClock
) -> None:
    before, item, first = await given_up.everything(), await item_of(given_up), await given_up.row("sipStart")
    published = list(given_up.transport.published)
    (would,) = await resend(given_up.context, [item], **WHY, dry_run=True)
    assert await given_up.everything() == before
    assert (would.outcome, would.message_id) == ("would-be-done", first.message_id)
    assert would.said is not None
    assert "1 av 3" in would.said.sv
    assert outcomes(await resend(given_up.context, [item, item], **WHY)) == [("done", None)]
    row = await given_up.row("sipStart")
    assert (row.state, row.queued_at, row.failed_at) == (OutState.RETRYING, clock.now(), None)
    assert row.due_at == clock.now() + timedelta(hours=72)
    await given_up.sends()
    (again,) = given_up.transport.published[len(published) :]
    assert again in published  # the same id and the same bytes
    await region.receives()
    await region.hands_over()
    await region.sends()
    await given_up.learns()
    assert (await given_up.row("sipStart")).state is OutState.REGISTERED
    assert ("resend", "retrying", STAFF) in await given_up.life(first.message_id)
    assert await audited(given_up) == [(STAFF, "message.resent", SOCIAL_OFFICE, "done", None)]
    assert outcomes(await resend(given_up.context, [item], **WHY)) == [("refused", "resend.arrived")]


async def test_one_message_is_sent_again_by_hand_three_times_at_most(given_up: Side, clock: ManualClock) -> None:
    item, other = await item_of(given_up), await item_of(given_up, "consent")
    for _ in range(MOST_RESENDS):
        assert outcomes(await resend(given_up.context, [item], **WHY)) == [("done", None)]
        clock.advance(GIVEN_UP)
    # One that is refused undoes no other, and what is tried already is only hurried.
    results = await resend(given_up.context, [item, other, Item(ItemKind.SENT, 4711)], **WHY)
    assert outcomes(results) == [("refused", "resend.cap"), ("done", None), ("refused", "by-hand.unknown")]
    assert [row[-2:] for row in await audited(given_up)][-3:] == [
        ("failed", "resend.cap"),
        ("done", None),
        ("failed", "by-hand.unknown"),
    ]


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


async def test_what_is_discarded_has_no_deadline_until_it_is_restored_and_a_late_answer_counts(
    given_up: Side, clock: ManualClock
) -> None:
    item, first = await item_of(given_up), await given_up.row("sipStart")
    before = await given_up.everything()
    (would,) = await discard(given_up.context, [item], **WHY, dry_run=True)
    assert would.said is not None
    assert "Ett svar som kommer ändå gäller" in would.said.sv
    assert await given_up.everything() == before
    assert (first.due_at, first.owner) == (clock.now() + timedelta(hours=24), Owner.OPERATIONS)
    assert outcomes(await discard(given_up.context, [item], **WHY)) == [("done", None)]
    gone = await given_up.row("sipStart")
    assert (gone.state, gone.due_at, gone.owner, gone.discarded_at) == (OutState.EXPIRED, None, None, clock.now())
    assert await counted(given_up) == {"message.given-up": 3}
    assert outcomes(await discard(given_up.context, [item], **WHY)) == [("refused", "discard.already")]
    assert outcomes(await resend(given_up.context, [item], **WHY)) == [("refused", "resend.discarded")]
    clock.advance(timedelta(hours=1))
    assert outcomes(await restore(given_up.context, [item], **WHY)) == [("done", None)]
    assert await given_up.row("sipStart") == first
    assert outcomes(await restore(given_up.context, [item], **WHY)) == [("refused", "restore.not-discarded")]
    assert await counted(given_up) == {"message.given-up": 4}
    await discard(given_up.context, [item], **WHY)
    await given_up.is_told(acknowledgement(first, Level.RECEIVED, Outcome.REJECTED, at=clock.now()))
    assert (await given_up.row("sipStart")).discarded_at is None
    assert await counted(given_up) == {"message.given-up": 3, "partner.reason": 1}
    assert [row["decision"] for row in await given_up.table("decision")] == ["discarded", "restored", "discarded"]


async def counted(side: Side, units: frozenset[str] | None = None) -> dict[str, int]:
    async with side.context.store.reading() as tx:
        found = await failed.groups(tx, side.context.clock.now(), units=units)
    return {one.cause.code: one.count for one in found}


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


async def test_what_stands_beside_the_ledger_is_discarded_restored_and_tried_anew(
    given_up: Side, clock: ManualClock
) -> None:
    context, row = given_up.context, await given_up.row("sipStart")
    stray = acknowledgement(row._replace(unit="SE2321000131-E000000000303"), Level.RECEIVED, at=clock.now())
    await given_up.is_told(stray)
    async with context.store.writing() as tx:
        await dead_letters.keep(
            tx, [(stray, stray.body, "spent"), (None, b"?", "unreadable")], clock.now(), clock.now()
        )
        await tx.execute(update(dead_letter).values(next_attempt_at=None))
    unexpected, dead, broken = (Item.parse(one) for one in ("unexpected:1", "dead-letter:1", "dead-letter:2"))
    assert await counted(given_up, THIS_UNIT.units) == {
        "message.given-up": 4,
        "acknowledgement.orphan": 1,
        "spent": 1,
    }
    before = {name: await given_up.table(name) for name in ("unexpected", "dead_letter")}
    results = await discard(context, [unexpected, dead, broken], **WHY)
    assert outcomes(results) == [("done", None)] * 3
    assert await counted(given_up) == {"message.given-up": 4}
    assert {one["due_at"] for one in await given_up.table("dead_letter")} == {None}
    assert outcomes(await restore(context, [unexpected, dead, broken], **WHY)) == [("done", None)] * 3
    assert {name: await given_up.table(name) for name in ("unexpected", "dead_letter")} == before
    assert outcomes(await resend(context, [unexpected, dead, broken], **WHY)) == [
        ("refused", "resend.refused-here"),
        ("done", None),
        ("refused", "resend.unreadable"),
    ]
    assert [one["next_attempt_at"] for one in await given_up.table("dead_letter")] == [clock.now(), None]


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
