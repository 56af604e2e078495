"""What every exchange promises, as tests. A transport's own test module inherits them and gives them an ``exchange``.

    class TestMyTransport(TransportConformance):
        @pytest.fixture
        async def exchange(self): ...

Nothing here waits a fixed time: that something does *not* come is shown by what comes next instead.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Protocol
from uuid import uuid4

import pytest
from envelopes import envelope
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.envelope import ACKNOWLEDGEMENT, Channel, Envelope
from gateway.ports import DeadLetter, Delivery, PublishOutcome, Settlement, Transport

CONFIRMED, RETURNED = PublishOutcome.CONFIRMED, PublishOutcome.RETURNED
ACCEPT, REQUEUE, REJECT = Settlement.ACCEPT, Settlement.REQUEUE, Settlement.REJECT

PATIENCE = 20
"""Seconds until a test that waits for something gives up; none takes this long."""


class Exchange(Protocol):
    """One exchange under test, empty at first."""

    async def open(self, party: str) -> Transport:
        """Open a transport for a party, which is known on the exchange from then on."""
        ...

    async def close(self, transport: Transport) -> None:
        """Close a transport as an orderly shutdown does."""
        ...

    async def crash(self, transport: Transport) -> None:
        """Let a transport end as ``kill -9`` does: without a word to the exchange."""
        ...

    async def dead_letters(self, party: str, number: int) -> Sequence[Envelope]:
        """Return the dead letters of a party as soon as there are ``number`` of them."""
        ...


class Consumer:
    """Takes deliveries one by one or by number from a transport, whatever batches they come in.

    A test that settles keeps its consumer: with it the iteration ends, and what it held may come again.
    """

    def __init__(self, transport: Transport, channel: Channel = Channel.MESSAGES) -> None:
        self._batches: AsyncIterator[Sequence[Delivery]] = transport.deliveries(channel)
        self._left: deque[Delivery] = deque()

    async def one(self) -> Delivery:
        async with asyncio.timeout(PATIENCE):
            while not self._left:
                self._left.extend(await anext(self._batches))
        return self._left.popleft()

    async def take(self, number: int) -> list[Delivery]:
        return [await self.one() for _ in range(number)]


class Gravedigger:
    """Takes dead letters by number from a transport; a test that settles keeps it, as with a :class:`Consumer`."""

    def __init__(self, transport: Transport) -> None:
        self._batches: AsyncIterator[Sequence[DeadLetter]] = transport.buried()
        self._left: deque[DeadLetter] = deque()

    async def take(self, number: int) -> list[DeadLetter]:
        async with asyncio.timeout(PATIENCE):
            while len(self._left) < number:
                self._left.extend(await anext(self._batches))
        return [self._left.popleft() for _ in range(number)]


def envelopes(deliveries: Sequence[Delivery]) -> list[Envelope]:
    return [delivery.envelope for delivery in deliveries]


class TransportConformance:
    """The promises of ``ports.Transport``."""

    @pytest.fixture
    async def kommun(self, exchange: Exchange) -> Transport:
        return await exchange.open("kommun")

    @pytest.fixture
    async def region(self, exchange: Exchange) -> Transport:
        return await exchange.open("region")

    async def test_an_envelope_arrives_as_it_was_sent(self, kommun: Transport, region: Transport) -> None:
        full = Envelope(
            message_id=str(uuid4()),
            type="sipStart",
            version=2,
            sender="kommun",
            recipient="region",
            unit="SE2321000016-ÅÄÖ",
            sender_unit="SE2120001355-SOCHISINGEN",
            case_ref="V12345678",
            created_at=datetime(2026, 3, 29, 1, 30, 0, 123000, tzinfo=UTC),
            correlation_id=str(uuid4()),
            sequence=7,
            body='<sipStart namn="Åsa"/>\r\n\0'.encode(),
        )
        assert await kommun.publish([full]) == [CONFIRMED]
        delivery = await Consumer(region).one()
        assert delivery.envelope == full
        assert delivery.attempt == 1

    async def test_an_acknowledgement_has_no_sequence(self, kommun: Transport, region: Transport) -> None:
        sent = envelope(type=ACKNOWLEDGEMENT)
        await kommun.publish([sent])
        assert (await Consumer(region, Channel.ACKNOWLEDGEMENTS).one()).envelope == sent

    @settings(
        max_examples=8,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
    )
    @given(bodies=st.lists(st.binary(min_size=1), min_size=1, max_size=8))
    async def test_a_body_is_any_bytes(self, kommun: Transport, region: Transport, bodies: list[bytes]) -> None:
        await kommun.publish([envelope(body=body) for body in bodies])
        consumer = Consumer(region)
        taken = await consumer.take(len(bodies))
        await region.settle([(delivery, ACCEPT) for delivery in taken])
        assert [delivery.envelope.body for delivery in taken] == bodies

    async def test_publishing_nothing_does_nothing(self, kommun: Transport) -> None:
        assert list(await kommun.publish([])) == []

    async def test_settling_nothing_does_nothing(self, region: Transport) -> None:
        await region.settle([])

    async def test_an_exchange_that_works_answers_a_ping(self, kommun: Transport) -> None:
        await kommun.ping()

    # --- routing ------------------------------------------------------------------------------------------------------

    async def test_what_has_no_queue_is_returned_and_the_rest_confirmed(
        self, kommun: Transport, region: Transport
    ) -> None:
        batch = [envelope(), envelope("nobody"), envelope(), envelope("nobody", type=ACKNOWLEDGEMENT)]
        assert list(await kommun.publish(batch)) == [CONFIRMED, RETURNED, CONFIRMED, RETURNED]
        assert envelopes(await Consumer(region).take(2)) == [batch[0], batch[2]]

    async def test_a_returned_envelope_is_not_kept_for_later(self, exchange: Exchange, kommun: Transport) -> None:
        assert list(await kommun.publish([envelope()])) == [RETURNED]
        region = await exchange.open("region")
        later = envelope()
        assert list(await kommun.publish([later])) == [CONFIRMED]
        assert (await Consumer(region).one()).envelope == later

    async def test_a_party_known_before_can_be_sent_to_while_it_is_closed(
        self, exchange: Exchange, kommun: Transport, region: Transport
    ) -> None:
        await exchange.close(region)
        sent = envelope()
        assert list(await kommun.publish([sent])) == [CONFIRMED]
        assert (await Consumer(await exchange.open("region")).one()).envelope == sent

    async def test_a_party_gets_only_its_own(self, exchange: Exchange, kommun: Transport, region: Transport) -> None:
        other = await exchange.open("grannkommun")
        to_region, to_other, to_itself = envelope(), envelope("grannkommun"), envelope("kommun")
        await kommun.publish([to_region, to_other, to_itself])
        for transport, expected in ((region, to_region), (other, to_other), (kommun, to_itself)):
            assert (await Consumer(transport).one()).envelope == expected

    async def test_acknowledgements_do_not_wait_behind_messages(self, kommun: Transport, region: Transport) -> None:
        messages, acknowledgement = [envelope() for _ in range(100)], envelope(type=ACKNOWLEDGEMENT)
        await kommun.publish([*messages, acknowledgement])
        assert (await Consumer(region, Channel.ACKNOWLEDGEMENTS).one()).envelope == acknowledgement
        assert envelopes(await Consumer(region).take(100)) == messages

    # --- at least once, in order --------------------------------------------------------------------------------------

    async def test_what_is_published_is_delivered_in_order(self, kommun: Transport, region: Transport) -> None:
        sent = [envelope() for _ in range(200)]
        for start in range(0, 200, 40):
            await kommun.publish(sent[start : start + 40])
        assert envelopes(await Consumer(region).take(200)) == sent

    async def test_a_thousand_from_two_publishers_each_keep_their_order(
        self, exchange: Exchange, kommun: Transport, region: Transport
    ) -> None:
        senders = {"kommun": kommun, "grannkommun": await exchange.open("grannkommun")}
        sent = {sender: [envelope(sender=sender) for _ in range(500)] for sender in senders}

        async def publish(sender: str) -> None:
            for start in range(0, 500, 20):
                assert set(await senders[sender].publish(sent[sender][start : start + 20])) == {CONFIRMED}

        arrived: dict[str, list[Envelope]] = {sender: [] for sender in senders}

        async def consume() -> None:
            consumer = Consumer(region)
            for _ in range(1000):
                delivery = await consumer.one()
                arrived[delivery.envelope.sender].append(delivery.envelope)

        async with asyncio.TaskGroup() as group:
            group.create_task(consume())
            for sender in senders:
                group.create_task(publish(sender))
        assert arrived == sent

    async def test_a_waiting_consumer_gets_what_is_published(self, kommun: Transport, region: Transport) -> None:
        consumer = Consumer(region)
        first, second = envelope(), envelope()
        waiting = asyncio.create_task(consumer.one())
        await kommun.publish([first])
        assert (await waiting).envelope == first
        waiting = asyncio.create_task(consumer.one())
        await kommun.publish([second])
        assert (await waiting).envelope == second

    async def test_what_is_published_twice_is_delivered_twice(self, kommun: Transport, region: Transport) -> None:
        sent = envelope()
        await kommun.publish([sent])
        await kommun.publish([sent])
        assert envelopes(await Consumer(region).take(2)) == [sent, sent]

    async def test_two_consumers_never_hold_the_same_delivery(self, kommun: Transport, region: Transport) -> None:
        sent = [envelope() for _ in range(300)]
        await kommun.publish(sent)
        held: list[Delivery] = []

        async def consume() -> None:
            # What one batch leaves over stays with its consumer, unsettled, while the other goes on taking.
            async for batch in region.deliveries(Channel.MESSAGES):
                held.extend(batch)
                if len(held) >= len(sent):
                    done.set()

        done = asyncio.Event()
        tasks = [asyncio.create_task(consume()) for _ in range(2)]
        async with asyncio.timeout(PATIENCE):
            await done.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert sorted(delivery.envelope.message_id for delivery in held) == sorted(one.message_id for one in sent)

    # --- settling -----------------------------------------------------------------------------------------------------

    async def test_what_is_accepted_does_not_come_again(
        self, exchange: Exchange, kommun: Transport, region: Transport
    ) -> None:
        await kommun.publish([envelope(), envelope()])
        consumer = Consumer(region)
        await region.settle([(delivery, ACCEPT) for delivery in await consumer.take(2)])
        await exchange.close(region)
        marker = envelope()
        await kommun.publish([marker])
        assert (await Consumer(await exchange.open("region")).one()).envelope == marker

    async def test_what_is_requeued_comes_again_and_counts(self, kommun: Transport, region: Transport) -> None:
        sent = envelope()
        await kommun.publish([sent])
        consumer = Consumer(region)
        for attempt in (1, 2, 3):
            delivery = await consumer.one()
            assert (delivery.envelope, delivery.attempt) == (sent, attempt)
            await region.settle([(delivery, REQUEUE)])

    async def test_what_is_rejected_is_a_dead_letter(
        self, exchange: Exchange, kommun: Transport, region: Transport
    ) -> None:
        bad, marker = envelope(), envelope()
        await kommun.publish([bad])
        consumer = Consumer(region)
        await region.settle([(await consumer.one(), REJECT)])
        await kommun.publish([marker])
        assert (await consumer.one()).envelope == marker
        assert list(await exchange.dead_letters("region", 1)) == [bad]

    async def test_what_five_deliveries_leave_unsettled_is_a_dead_letter(
        self, exchange: Exchange, kommun: Transport, region: Transport
    ) -> None:
        poison, marker = envelope(), envelope()
        await kommun.publish([poison])
        consumer = Consumer(region)
        for attempt in (1, 2, 3, 4, 5):
            delivery = await consumer.one()
            assert (delivery.envelope, delivery.attempt) == (poison, attempt)
            await region.settle([(delivery, REQUEUE)])
        await kommun.publish([marker])
        assert (await consumer.one()).envelope == marker
        assert list(await exchange.dead_letters("region", 1)) == [poison]

    async def test_each_of_a_batch_is_settled_by_itself(
        self, exchange: Exchange, kommun: Transport, region: Transport
    ) -> None:
        _, later, bad, _ = sent = [envelope() for _ in range(4)]
        await kommun.publish(sent)
        consumer = Consumer(region)
        taken = await consumer.take(4)
        await region.settle(list(zip(taken, (ACCEPT, REQUEUE, REJECT, ACCEPT), strict=True)))
        again = await consumer.one()
        assert (again.envelope, again.attempt) == (later, 2)
        assert list(await exchange.dead_letters("region", 1)) == [bad]

    @pytest.mark.parametrize("second", Settlement)
    @pytest.mark.parametrize("first", Settlement)
    async def test_settling_twice_is_settling_once(
        self, exchange: Exchange, kommun: Transport, region: Transport, first: Settlement, second: Settlement
    ) -> None:
        sent, marker = envelope(), envelope()
        await kommun.publish([sent])
        consumer = Consumer(region)
        delivery = await consumer.one()
        await region.settle([(delivery, first)])
        await kommun.publish([marker])
        await region.settle([(delivery, second)])
        expected = {marker.message_id: 1} | ({sent.message_id: 2} if first is REQUEUE else {})
        taken = await consumer.take(len(expected))
        # In any order: what is settled and what is published need not reach the exchange by the same way.
        assert {one.envelope.message_id: one.attempt for one in taken} == expected
        dead = [sent] if first is REJECT else []
        assert list(await exchange.dead_letters("region", len(dead))) == dead

    # --- dead letters -------------------------------------------------------------------------------------------------

    async def test_what_is_rejected_or_spent_is_handed_over_as_a_dead_letter_with_its_reason(
        self, kommun: Transport, region: Transport
    ) -> None:
        rejected, spent = sent = [envelope(), envelope()]
        await kommun.publish(sent)
        consumer = Consumer(region)
        bad, poison = await consumer.take(2)
        await region.settle([(bad, REJECT), (poison, REQUEUE)])
        for _ in range(4):
            await region.settle([(await consumer.one(), REQUEUE)])
        await kommun.publish([envelope()])
        await consumer.one()  # by now the other has been given up
        letters = await Gravedigger(region).take(2)
        assert [letter.envelope for letter in letters] == [rejected, spent]
        assert [letter.body for letter in letters] == [one.body for one in sent]
        assert len({letter.reason for letter in letters}) == 2
        assert all(letter.reason for letter in letters)

    async def test_a_waiting_gravedigger_gets_what_is_rejected(self, kommun: Transport, region: Transport) -> None:
        gravedigger, sent = Gravedigger(region), envelope()
        waiting = asyncio.create_task(gravedigger.take(1))
        await kommun.publish([sent])
        consumer = Consumer(region)
        await region.settle([(await consumer.one(), REJECT)])
        assert (await waiting)[0].envelope == sent

    async def test_a_dead_acknowledgement_is_handed_over_too(self, kommun: Transport, region: Transport) -> None:
        sent = envelope(type=ACKNOWLEDGEMENT)
        await kommun.publish([sent])
        consumer = Consumer(region, Channel.ACKNOWLEDGEMENTS)
        await region.settle([(await consumer.one(), REJECT)])
        assert (await Gravedigger(region).take(1))[0].envelope == sent

    @pytest.mark.parametrize("how", [None, REQUEUE, REJECT], ids=["not settled", "requeued", "rejected"])
    async def test_a_dead_letter_that_is_not_accepted_comes_again_to_whoever_begins_anew_and_one_that_is_does_not(
        self, exchange: Exchange, kommun: Transport, region: Transport, how: Settlement | None
    ) -> None:
        kept, left = sent = [envelope(), envelope()]
        await kommun.publish(sent)
        consumer = Consumer(region)
        await region.settle([(delivery, REJECT) for delivery in await consumer.take(2)])
        gravedigger = Gravedigger(region)
        letters = {letter.envelope: letter for letter in await gravedigger.take(2)}
        assert letters.keys() == {kept, left}
        settled = [(letters[kept], ACCEPT)] if how is None else [(letters[kept], ACCEPT), (letters[left], how)]
        await region.settle(settled)
        await exchange.close(region)
        again = await exchange.open("region")
        gravedigger = Gravedigger(again)
        [once_more] = await gravedigger.take(1)
        assert once_more.envelope == left
        await again.settle([(once_more, ACCEPT)])
        last = envelope()
        await kommun.publish([last])
        consumer = Consumer(again)
        await again.settle([(await consumer.one(), REJECT)])
        assert (await gravedigger.take(1))[0].envelope == last  # the one that was accepted is gone

    async def test_a_dead_letter_comes_again_after_a_crash(
        self, exchange: Exchange, kommun: Transport, region: Transport
    ) -> None:
        sent = envelope()
        await kommun.publish([sent])
        consumer = Consumer(region)
        await region.settle([(await consumer.one(), REJECT)])
        gravedigger = Gravedigger(region)
        assert (await gravedigger.take(1))[0].envelope == sent
        await exchange.crash(region)
        assert (await Gravedigger(await exchange.open("region")).take(1))[0].envelope == sent

    async def test_a_party_gets_only_its_own_dead_letters(
        self, exchange: Exchange, kommun: Transport, region: Transport
    ) -> None:
        other = await exchange.open("grannkommun")
        mine, theirs = envelope(), envelope("grannkommun")
        await kommun.publish([mine, theirs])
        for transport in (other, region):
            consumer = Consumer(transport)
            await transport.settle([(await consumer.one(), REJECT)])
        assert (await Gravedigger(region).take(1))[0].envelope == mine
        assert (await Gravedigger(other).take(1))[0].envelope == theirs

    # --- shutdown and crash -------------------------------------------------------------------------------------------

    @pytest.mark.parametrize("way", ["close", "crash"])
    async def test_what_is_unsettled_comes_again_after_a_restart(
        self, exchange: Exchange, kommun: Transport, region: Transport, way: str
    ) -> None:
        settled, unsettled, waiting = sent = [envelope() for _ in range(3)]
        await kommun.publish(sent[:2])
        consumer = Consumer(region)
        taken = await consumer.take(2)
        await region.settle([(taken[0], ACCEPT)])
        await (exchange.close if way == "close" else exchange.crash)(region)
        await kommun.publish([waiting])
        again = await Consumer(await exchange.open("region")).take(2)
        assert [(one.envelope, one.attempt) for one in again] == [(unsettled, 2), (waiting, 1)]
        assert settled not in envelopes(again)

    async def test_what_is_confirmed_survives_the_crash_of_everyone(
        self, exchange: Exchange, kommun: Transport, region: Transport
    ) -> None:
        sent = [envelope() for _ in range(10)]
        assert set(await kommun.publish(sent)) == {CONFIRMED}
        await exchange.crash(kommun)
        await exchange.crash(region)
        assert envelopes(await Consumer(await exchange.open("region")).take(10)) == sent
