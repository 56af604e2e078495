"""A silent partner: found, told once by whichever process, told again in a digest, and told when it is back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
import structlog
from figures import figures
from sides import Side, story, told

from gateway.clock import ManualClock
from gateway.errors import DependencyDownError
from gateway.partners import SETTLING, Partners, sentences
from gateway.silence import DIGEST_EVERY, SILENT_AFTER
from gateway.tally import Tally
from gateway.transport import EXCHANGE_DOWN

MINUTE = timedelta(minutes=1)
Look = Callable[..., Awaitable[list[tuple[int, str, int]]]]


@pytest.fixture
async def sender(kommun: Side, region: Side, clock: ManualClock) -> Side:
    """Return the municipality after it has sent a need and a consent to two units of the region."""
    for event in story()[:2]:
        await kommun.hears(told(event))
    await kommun.sends()
    return kommun


@pytest.fixture
async def looks(sender: Side, clock: ManualClock) -> Look:
    """Return how to look for silent partners every minute; it returns what is told and after how many minutes."""
    partners = [Partners(sender.context, sender.transport.ping)]

    async def look(minutes: int, *, anew: bool = False) -> list[tuple[int, str, int]]:
        if anew:
            partners[0] = Partners(sender.context, sender.transport.ping)
        said = []
        for minute in range(minutes):
            await Tally(sender.context).count()
            with structlog.testing.capture_logs() as logs:
                await partners[0].sweep()
            said += [(minute, line["event"], line["waiting"]) for line in logs]
            assert all(line["partner"] == "region" for line in logs)
            clock.advance(MINUTE)
        return said

    return look


async def test_a_silent_partner_is_told_once_and_again_in_a_digest_and_when_it_is_back(
    sender: Side, region: Side, looks: Look
) -> None:
    after, again = SILENT_AFTER // MINUTE, DIGEST_EVERY // MINUTE
    assert await looks(after) == []
    assert await looks(1) == [(0, "partner.silent", 4)]
    assert [told.sv for told in await sentences(sender.context)] == [
        "Västra Götalandsregionen har inte svarat på 16 min; 4 meddelanden väntar."
    ]
    assert (await figures(sender))["gateway_partner_silent", ("region",)] == 1
    # Another process, or one that has started again, does not tell it anew.
    assert await looks(again, anew=True) == [(again - 1, "partner.still-silent", 4)]
    await region.receives()
    await region.sends()
    await sender.learns()
    assert await looks(again) == [(0, "partner.back", 0)]
    assert (await figures(sender))["gateway_partner_silent", ("region",)] == 0
    assert await sentences(sender.context) == []


async def test_two_processes_tell_it_once_between_them(sender: Side, clock: ManualClock) -> None:
    both = [Partners(sender.context, sender.transport.ping) for _ in range(2)]
    for one in both:
        await one.sweep()
    clock.advance(SILENT_AFTER)
    assert sorted([await one.sweep() for one in both]) == [0, 1]


async def test_a_gateway_that_has_just_begun_to_listen_calls_nobody_silent(
    sender: Side, clock: ManualClock, looks: Look
) -> None:
    clock.advance(timedelta(hours=2))  # it was down, and what the partner has answered waits on the exchange
    minutes = SETTLING // MINUTE
    assert await looks(minutes) == []
    assert await looks(1) == [(0, "partner.silent", 4)]


async def test_while_the_exchange_is_away_no_partner_is_to_blame(sender: Side, clock: ManualClock) -> None:
    gone = True

    async def ping() -> None:
        if gone:
            raise DependencyDownError(EXCHANGE_DOWN.at())

    partners = Partners(sender.context, ping)
    for _ in range(40):
        clock.advance(MINUTE)
        assert await partners.sweep() == 0
    gone = False
    assert await partners.sweep() == 0  # what has piled up is taken first
    clock.advance(SETTLING)
    assert await partners.sweep() == 1
