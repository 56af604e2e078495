"""What people do by hand to messages: send again, discard and restore; each kept with who and why, or refused."""

from __future__ import annotations

from datetime import timedelta

import pytest
from answers import acknowledgement
from hand import (
    GIVEN_UP,
    STAFF,
    THIS_UNIT,
    WHY,
    audited,
    counted,
    give_up,
    item_of,
    outcomes,
)
from sides import SOCIAL_OFFICE, Side
from sqlalchemy import update

from gateway.clock import ManualClock
from gateway.discarding import discard, restore
from gateway.items import Item, ItemKind
from gateway.lifecycle import Level, Outcome, OutState, Owner
from gateway.sending_again import MOST_RESENDS, resend
from gateway.store import dead_letters
from gateway.store.tables import dead_letter


@pytest.fixture
async def given_up(kommun: Side, clock: ManualClock) -> Side:
    return await give_up(kommun, clock)


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
