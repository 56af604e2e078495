"""What a gateway is measured by after real work: counts of every hop and answer, and what is open."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from answers import acknowledgement
from figures import figures
from sides import PRIMARY_CARE, PSYCHIATRY, Side, story, told

from gateway import metrics
from gateway.clock import ManualClock
from gateway.envelope import Envelope
from gateway.hour import Hour, last_hours, step_of
from gateway.ledger import Dispatch
from gateway.lifecycle import Level, Outcome
from gateway.store import hours as hours_of_ledger
from gateway.tally import Tally

MINUTE = timedelta(minutes=1)


@pytest.fixture
async def sender(kommun: Side, region: Side, clock: ManualClock) -> Side:
    """Return the municipality after it has sent a need and a consent to two units of the region."""
    for event in story()[:2]:
        await kommun.hears(told(event))
    await kommun.sends()
    return kommun


async def test_every_hop_is_counted_on_both_sides(sender: Side, region: Side, clock: ManualClock) -> None:
    before = await figures(sender)
    assert before["gateway_events_total", ("treserva", "accepted")] == 2
    assert before["gateway_messages_published_total", ("region", "sipStart")] == 2
    assert before["gateway_acknowledgements_awaiting", ("region", "received")] == 4
    assert before["gateway_acknowledgements_awaiting", ("region", "acknowledged")] == 0
    await region.receives()
    waiting = await figures(region)
    assert waiting["gateway_messages_received_total", ("kommun", "consent")] == 2
    assert waiting["gateway_outbox_messages", ("kommun",)] == 4
    assert waiting["gateway_inbox_messages", ("validated",)] == 4
    clock.advance(3 * MINUTE)
    assert (await figures(region))["gateway_outbox_oldest_age_seconds", ("kommun",)] == 180
    await region.hands_over()
    await region.sends()
    await sender.learns()
    after = await figures(sender)
    for level in ("received", "registered"):
        assert after["gateway_acknowledgements_total", ("region", level, "accepted")] == 4
        wait = "gateway_acknowledgement_wait_seconds"
        assert after[f"{wait}_bucket", ("region", level, "60.0")] == 0
        assert after[f"{wait}_bucket", ("region", level, "300.0")] == 4
        assert after[f"{wait}_count", ("region", level)] == 4
        assert after[f"{wait}_sum", ("region", level)] == 4 * 180
        assert after["gateway_acknowledgements_awaiting", ("region", level)] == 0
    assert after["gateway_partner_last_heard_timestamp_seconds", ("region",)] == clock.now().timestamp()
    hours = {side.context.party: await last_hour(side) for side in (sender, region)}
    assert (hours["kommun"].sent, hours["kommun"].received, hours["kommun"].acknowledged) == (4, 0, 0)
    assert hours["kommun"].waits == {level: {step_of(3 * MINUTE): 4} for level in (Level.RECEIVED, Level.REGISTERED)}
    assert (hours["region"].sent, hours["region"].received, hours["region"].waits) == (0, 4, {})
    done = await figures(region)
    assert done["gateway_deliveries_total", ("sipStart", "registered")] == 2
    assert done["gateway_messages_published_total", ("kommun", "acknowledgement")] == 8
    assert done["gateway_outbox_messages", ("kommun",)] == 0


async def last_hour(side: Side) -> Hour:
    """Return the hour that is going on."""
    await Tally(side.context).count()
    async with side.context.store.reading() as tx:
        (found,) = await hours_of_ledger.read(tx, last_hours(side.context.clock.now(), 1), None)
    return found


async def test_counts_go_on_where_they_were_when_a_gateway_starts_anew(sender: Side) -> None:
    before = await figures(sender)
    assert await figures(sender) == before
    await Tally(replace(sender.context)).count()
    assert await figures(sender, counts=False) == before


async def test_every_kind_of_answer_is_counted_as_what_it_is(sender: Side, clock: ManualClock) -> None:
    def answer(level: Level, outcome: Outcome = Outcome.ACCEPTED) -> Envelope:
        return acknowledgement(need, level, outcome, at=clock.now())

    need = await sender.row("sipStart")
    other = await sender.row("sipStart", PSYCHIATRY)
    yes = answer(Level.RECEIVED)
    await sender.is_told(yes)
    await sender.is_told(yes)
    await sender.is_told(answer(Level.RECEIVED, Outcome.REJECTED))
    await sender.is_told(replace(yes, body=b"<"))
    await sender.is_told(acknowledgement(nobodys(need), Level.RECEIVED, at=clock.now()))
    await sender.is_told(acknowledgement(other, Level.RECEIVED, Outcome.RETRY, at=clock.now()))
    clock.advance(timedelta(days=1))
    await sender.is_told(acknowledgement(other, Level.REGISTERED, Outcome.REJECTED, at=clock.now()))
    clock.advance(timedelta(days=1))
    await sender.is_told(answer(Level.REGISTERED))
    found = await figures(sender)
    counted = {labels[1:]: value for (name, labels), value in found.items() if name == metrics.OUTCOMES.name}
    assert counted == {
        ("received", "accepted"): 1,
        ("unknown", "duplicate"): 1,
        ("unknown", "contradicted"): 1,
        ("unknown", "unreadable"): 1,
        ("unknown", "orphan"): 1,
        ("unknown", "retry"): 1,
        ("registered", "rejected"): 1,
        ("registered", "accepted"): 1,
        ("registered", "late"): 1,
    }
    assert found["gateway_acknowledgement_wait_seconds_bucket", ("region", "registered", "+Inf")] == 2


def nobodys(row: Dispatch) -> Dispatch:
    """Return a ledger row of a message that nobody has sent."""
    return row._replace(message_id="00000000-0000-4000-8000-000000000000")


async def test_what_comes_again_and_what_is_unreadable_is_counted_apart(sender: Side, region: Side) -> None:
    first = next(one for one in sender.transport.published if (one.type, one.unit) == ("sipStart", PRIMARY_CARE))
    await region.gets(first)
    await region.gets(first)
    await region.gets(replace(first, message_id="other", body=b"<"))
    found = await figures(region)
    assert found["gateway_messages_received_total", ("kommun", "sipStart")] == 1
    assert found["gateway_messages_duplicate_total", ("kommun", "sipStart")] == 1
    assert found["gateway_messages_invalid_total", ("kommun", "sipStart")] == 1
