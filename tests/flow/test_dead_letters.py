"""What the exchange gave up: kept, tried again one by one, and shown when it stays."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from answers import acknowledgement
from command import in_folder
from service_process import ROOT
from sides import Side, story, told

from gateway.circuit import Circuit, Pace
from gateway.clock import STOCKHOLM, ManualClock
from gateway.dead_letters import TRIES, DeadLetters
from gateway.envelope import LENGTHS, Channel, Envelope
from gateway.errors import DependencyDownError
from gateway.lifecycle import Level, OutState
from gateway.ports import Delivery
from gateway.store import circuits, ledger
from gateway.store.failures import DATABASE_DOWN
from gateway.store.tables import dead_letter, parked, unexpected

NEED, CONSENT, *_ = story()
MINUTE = timedelta(minutes=1)
SPENT = "not settled in 5 deliveries"


@dataclass(frozen=True)
class Letter:
    """A dead letter that no exchange has buried."""

    envelope: Envelope | None
    body: bytes
    reason: str = SPENT


def letters_of(side: Side, **takers: Any) -> DeadLetters:
    """Return the dead letters of a side; ``messages`` stands in for its inbox where a test gives one."""
    messages = takers.get("messages", side.inbox.take)
    return DeadLetters(side.context, {Channel.MESSAGES: messages, Channel.ACKNOWLEDGEMENTS: side.tracker.take})


async def buried(side: Side, *envelopes: Envelope) -> None:
    await letters_of(side).keep([Letter(one, one.body) for one in envelopes])


async def published(kommun: Side) -> list[Envelope]:
    """Return what the municipality has sent about a need and a consent for two units."""
    for event in (NEED, CONSENT):
        await kommun.hears(told(event))
    await kommun.sends()
    return kommun.transport.published


async def aside(side: Side) -> list[dict[str, Any]]:
    async with side.context.store.reading() as tx:
        return await ledger.set_aside(tx)


async def test_an_innocent_is_taken_at_the_first_try_and_forgotten(
    kommun: Side, region: Side, clock: ManualClock
) -> None:
    sent = await published(kommun)
    await buried(region, *sent)
    letters = letters_of(region)
    assert await letters.retry() == 0
    clock.advance(MINUTE)
    for _ in sent:
        assert await letters.retry() == 1
    assert await letters.retry() == 0
    assert [row["state"] for row in await region.table("inbound")] == ["validated"] * len(sent)
    assert {row["attempts"] for row in await region.table("dead_letter")} == {1}
    assert await aside(region) == []


async def test_a_letter_that_comes_again_is_kept_once(kommun: Side, region: Side) -> None:
    sent = await published(kommun)
    await buried(region, *sent)
    await buried(region, *sent)
    assert len(await region.table("dead_letter")) == len(sent)


async def test_poison_is_tried_five_times_between_the_others_and_then_lies_there_listed_with_its_reason(
    kommun: Side, region: Side, clock: ManualClock
) -> None:
    poison, *others = await published(kommun)
    await buried(region, poison, *others)

    async def take(deliveries: Sequence[Delivery]) -> None:
        if deliveries[0].envelope == poison:
            raise RuntimeError
        await region.inbox.take(deliveries)

    letters = letters_of(region, messages=take)
    clock.advance(MINUTE)
    while await letters.retry():
        pass
    [left] = [row for row in await region.table("dead_letter") if row["settled_at"] is None]
    assert (left["message_id"], left["attempts"]) == (poison.message_id, 1)
    for tries, wait in enumerate((1, 5, 15, 60), start=2):
        clock.advance(wait * MINUTE - timedelta(seconds=1))
        assert await letters.retry() == 0
        clock.advance(timedelta(seconds=1))
        assert await letters.retry() == 1
        [left] = [row for row in await region.table("dead_letter") if row["settled_at"] is None]
        assert left["attempts"] == tries
    assert tries == TRIES
    clock.advance(timedelta(days=30))
    assert await letters.retry() == 0
    [shown] = await aside(region)
    assert (shown["kind"], shown["id"], shown["from"], shown["code"]) == (
        "dead-letter",
        poison.message_id,
        "kommun",
        SPENT,
    )
    assert (left["owner"], left["body"]) == ("operations", poison.body)


async def test_a_process_that_dies_at_a_try_has_used_one_up(kommun: Side, region: Side, clock: ManualClock) -> None:
    sent, *_ = await published(kommun)
    await buried(region, sent)

    class KilledError(BaseException):
        """What ends a process without a word."""

    async def die(deliveries: Sequence[Delivery]) -> None:
        raise KilledError

    for tries in range(1, TRIES + 1):
        clock.advance(timedelta(hours=2))
        with pytest.raises(KilledError):
            await letters_of(region, messages=die).retry()
        [row] = await region.table("dead_letter")
        assert row["attempts"] == tries
    clock.advance(timedelta(hours=2))
    assert await letters_of(region, messages=die).retry() == 0


async def test_a_letter_whose_try_meets_a_database_that_is_away_is_tried_again(
    kommun: Side, region: Side, clock: ManualClock
) -> None:
    sent, *_ = await published(kommun)
    await buried(region, sent)

    async def away(deliveries: Sequence[Delivery]) -> None:
        raise DependencyDownError(DATABASE_DOWN.at())

    clock.advance(MINUTE)
    with pytest.raises(DependencyDownError):
        await letters_of(region, messages=away).retry()
    clock.advance(MINUTE)
    assert await letters_of(region).retry() == 1
    assert await aside(region) == []


async def test_an_acknowledgement_that_was_given_up_still_settles_its_message(
    kommun: Side, region: Side, clock: ManualClock
) -> None:
    await published(kommun)
    row = await kommun.row("sipStart")
    await buried(kommun, acknowledgement(row, Level.RECEIVED, at=clock.now()))
    assert (await kommun.row("sipStart")).state is OutState.SENT
    clock.advance(MINUTE)
    assert await letters_of(kommun).retry() == 1
    assert (await kommun.row("sipStart")).state is OutState.RECEIVED
    assert await aside(kommun) == []


async def test_what_no_gateway_has_published_is_never_tried_and_only_listed(region: Side, clock: ManualClock) -> None:
    await letters_of(region).keep([Letter(None, b"\0\xff", "rejected")])
    clock.advance(timedelta(days=1))
    assert await letters_of(region).retry() == 0
    [shown] = await aside(region)
    assert (shown["kind"], shown["id"], shown["code"]) == ("dead-letter", "", "rejected")


# --- what no partner should send --------------------------------------------------------------------------------------


def _wild(sent: Envelope) -> Envelope:
    """Return an envelope in which nothing fits its column."""
    too_long = {name: "\0Å" * 300 for name in LENGTHS if name != "type"}
    return replace(sent, **too_long, sequence=2**40, correlation_id="\0" * 100, version=2**40)


WILD: dict[str, Callable[[Envelope], Envelope]] = {
    "everything too long": _wild,
    "a longer type": lambda sent: replace(sent, type="sipStart" * 40),
    "a longer id": lambda sent: replace(sent, message_id=f"{sent.message_id}-{sent.message_id}"),
    "an id with a NUL": lambda sent: replace(sent, message_id=f"{sent.message_id}\0"),
    "a unit with a NUL": lambda sent: replace(sent, unit="\0"),
    "a sender with a NUL": lambda sent: replace(sent, sender="reg\0ion"),
    "a longer case number": lambda sent: replace(sent, case_ref="SIP100001" * 40),
    "an enormous sequence": lambda sent: replace(sent, sequence=2**31),
    "a sequence below the first": lambda sent: replace(sent, sequence=-(2**31) - 1),
    "bytes of its own": lambda sent: replace(sent, body=b"\0\xff", message_id="\0" * 50),
}


@pytest.mark.parametrize("change", [pytest.param(change, id=name) for name, change in WILD.items()])
async def test_a_delivery_with_what_no_column_holds_stops_no_other_and_is_kept(
    kommun: Side, region: Side, clock: ManualClock, change: Callable[[Envelope], Envelope]
) -> None:
    first, *others = await published(kommun)
    wild = change(first)
    await region.gets(wild, *others)
    await region.gets(wild)
    bodies = [row["body"] for row in await region.table("parked")]
    if replace(wild, sequence=None) == replace(first, sequence=None):  # without its number it is a message still
        assert bodies == []
        assert len(await region.table("inbound")) == 1 + len(others)
    else:
        assert bodies == [wild.body]
        assert len(await region.table("inbound")) == len(others)
    await buried(region, wild)
    [kept] = await region.table("dead_letter")
    assert kept["body"] == wild.body
    clock.advance(MINUTE)
    assert await letters_of(region).retry() == 1
    assert "dead-letter" not in {one["kind"] for one in await aside(region)}
    for table in (parked, dead_letter):
        for row in await region.table(table.name):
            for column in table.columns:
                if (length := getattr(column.type, "length", None)) and isinstance(row[column.name], str):
                    assert len(row[column.name]) <= length


async def test_a_dead_letter_keeps_its_whole_envelope(kommun: Side, region: Side) -> None:
    wild = _wild((await published(kommun))[0])
    await buried(region, wild)
    [kept] = await region.table("dead_letter")
    assert kept["envelope"]["message_id"] == wild.message_id
    assert (kept["envelope"]["sequence"], kept["envelope"]["unit"]) == (wild.sequence, wild.unit)


async def test_two_that_differ_only_where_they_are_cut_are_two(kommun: Side, region: Side) -> None:
    sent, *_ = await published(kommun)
    await region.gets(*(replace(sent, message_id=f"{sent.message_id}-{number}", body=b"<x/>") for number in (1, 2)))
    assert len(await region.table("parked")) == 2


@pytest.mark.parametrize(
    "changes",
    [{"message_id": "x" * 100}, {"message_id": "\0"}, {"sender": "region" * 20}, {"sender": "re\0gion"}],
    ids=["a longer id", "NUL", "a longer sender", "a sender with a NUL"],
)
async def test_an_acknowledgement_with_what_no_column_holds_is_parked_and_stops_no_other(
    kommun: Side, clock: ManualClock, region: Side, changes: dict[str, Any]
) -> None:
    await published(kommun)
    good = acknowledgement(await kommun.row("sipStart"), Level.RECEIVED, at=clock.now())
    await kommun.is_told(replace(good, **changes), good)
    assert (await kommun.row("sipStart")).state is OutState.RECEIVED
    [row] = await kommun.table("unexpected")
    assert (row["code"], row["xml"]) == ("envelope.mismatch", good.body)
    assert len(row["party"]) <= 31
    assert unexpected.c.party.type.length == LENGTHS["sender"]


def test_what_an_envelope_may_say_fits_the_columns() -> None:
    names = {"message_id": "message_id", "type": "type", "sender": "party", "unit": "unit", "case_ref": "case_number"}
    for name, column in names.items():
        assert LENGTHS[name] == parked.c[column].type.length
        if column in dead_letter.c:
            assert LENGTHS[name] == dead_letter.c[column].type.length
    assert LENGTHS["message_id"] == unexpected.c.acknowledgement_id.type.length


# --- the command ------------------------------------------------------------------------------------------------------


async def listed(side: Side, *flags: str) -> str:
    """Return what the real command prints about a side."""
    url = side.context.store._engine.url.render_as_string(hide_password=False)
    done = await asyncio.to_thread(in_folder, ROOT, "messages", "list", "--store", url, *flags)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


async def test_the_command_lists_poison_and_who_is_out_of_reach(kommun: Side, region: Side, clock: ManualClock) -> None:
    poison, *_ = await published(kommun)
    await buried(region, replace(poison, sender="kom\x1b[31mmun"))

    async def stumble(deliveries: Sequence[Delivery]) -> None:
        raise RuntimeError

    for _ in range(TRIES):
        clock.advance(timedelta(hours=2))
        await letters_of(region, messages=stumble).retry()
    assert "Nås inte" not in await listed(region)
    circuit = Circuit(party="kommun")
    for _ in range(Pace().failures):
        circuit = circuit.failed(clock.now(), Pace())
    async with region.context.store.writing() as tx:
        await circuits.save(tx, [circuit])
    text = await listed(region)
    since = clock.now().astimezone(STOCKHOLM).isoformat(" ", "seconds")
    for word in ("dead-letter", poison.message_id, SPENT, "kom·[31mmun", "Nås inte / Out of reach", since):
        assert word in text
    assert "\x1b" not in text
    document = json.loads(await listed(region, "--json"))
    [one] = document["setAside"]
    assert (one["kind"], one["id"], one["code"]) == ("dead-letter", poison.message_id, SPENT)
    [shown] = document["circuits"]
    assert (shown["party"], datetime.fromisoformat(shown["openSince"])) == ("kommun", clock.now())
