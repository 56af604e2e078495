"""What may be seen by whoever runs the gateway and the exchange: ids and codes, and nothing about people."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from content import found_in, names_of, numbers_of, phones_of, words_of
from demo_process import outcome_of, run
from sides import Side, story
from sqlalchemy.exc import IntegrityError

from gateway.clock import SystemClock
from gateway.lifecycle import Level, OutState
from gateway.replay.stage import database_url
from gateway.store import cases
from gateway.transport.embedded import EmbeddedTransport

EVENTS = story("journey")
WORDS = words_of(EVENTS)
COUNTS = {"sent", "received", "registered", "acknowledged", "rejected", "held", "stopped", "lost"}
CLOCKS = ("sentAt", "receivedAt", "registeredAt", "acknowledgedAt")

TAP = """
CREATE TABLE tap AS SELECT * FROM delivery;
CREATE TRIGGER tap AFTER INSERT ON delivery BEGIN INSERT INTO tap SELECT * FROM delivery WHERE id = NEW.id; END;
"""


class Journey:
    """The whole journey as it was played, and all that was written about it on the way."""

    def __init__(self, folder: Path) -> None:
        played = run(folder)
        self.outcome = outcome_of(played)
        self.stdout, self.stderr = played.stdout, played.stderr
        self.log = (folder / "gateway.log").read_text(encoding="utf-8")
        with closing(sqlite3.connect(folder / "exchange.sqlite")) as exchange:
            exchange.row_factory = sqlite3.Row
            self.exchanged = [dict(row) for row in exchange.execute("SELECT * FROM tap ORDER BY id")]

    @property
    def message_ids(self) -> set[str]:
        return {message["id"] for message in self.outcome["messages"]}


@pytest.fixture(scope="module")
def journey(tmp_path_factory: pytest.TempPathFactory) -> Journey:
    folder = tmp_path_factory.mktemp("journey")
    asyncio.run(_make_exchange(folder))
    with closing(sqlite3.connect(folder / "exchange.sqlite")) as exchange:
        exchange.executescript(TAP)
    return Journey(folder)


async def _make_exchange(folder: Path) -> None:
    async with EmbeddedTransport(database_url(folder / "exchange.sqlite"), "region", SystemClock()):
        pass


def test_the_words_looked_for_are_those_of_the_fixtures() -> None:
    assert {"19850912-9808", "198509129808", "850912-9808", "8509129808"} <= WORDS
    assert {"Mira Solvind", "Solvind", "Lova", "Amira Granlid", "070-174 06 15", EVENTS[0]["behov"]} <= WORDS
    assert all(told(EVENTS[3]) for told in (numbers_of, names_of, phones_of))


@pytest.mark.parametrize("place", ["log", "stdout", "stderr"])
def test_what_is_written_tells_which_message_and_never_whose(journey: Journey, place: str) -> None:
    written: str = getattr(journey, place)
    assert written
    assert found_in(written.encode(), WORDS) == []


def test_the_log_follows_every_message_through_every_hop(journey: Journey) -> None:
    lines = [json.loads(line) for line in journey.log.splitlines()]
    hops = {(line["event"], line["party"], line["message_id"]) for line in lines if "party" in line}
    for message_id in journey.message_ids:
        assert {
            ("event-stored", "kommun", message_id),
            ("sent", "kommun", message_id),
            ("received", "region", message_id),
            ("registered", "region", message_id),
            ("acknowledged", "region", message_id),
            ("verdict", "kommun", message_id),
        } <= hops
    assert {line["level"] for line in lines} == {"debug"}


def test_the_exchange_sees_ids_addresses_and_times_beside_the_body_and_nothing_else(journey: Journey) -> None:
    bodies = b"".join(row["body"] for row in journey.exchanged)
    assert found_in(bodies, {"198509129808", "Mira Solvind", EVENTS[0]["behov"]})
    headers = [{name: value for name, value in row.items() if name != "body"} for row in journey.exchanged]
    assert {row["message_id"] for row in headers if row["type"] != "acknowledgement"} == journey.message_ids
    assert {row["case_ref"] for row in headers} == {"SIP100001"}
    assert found_in(json.dumps(headers, ensure_ascii=False).encode(), WORDS) == []


async def test_a_statement_that_the_database_refuses_is_told_without_what_was_in_it(kommun: Side) -> None:
    with pytest.raises(IntegrityError) as caught:
        async with kommun.context.store.writing() as tx:
            await cases.refer(tx, [("treserva", "Mira Solvind", "SIP109999")])
    assert "Mira" not in str(caught.value)


def test_the_outcome_is_one_json_document_with_every_message_and_the_counts(journey: Journey) -> None:
    assert set(journey.outcome) == {"scenario", "messages", "counts"}
    assert set(journey.outcome["counts"]) >= COUNTS
    for message in journey.outcome["messages"]:
        assert set(message) == {"id", "type", "recipient", "state", "level", "outcome", "recordId", *CLOCKS}
        assert (message["state"], message["level"], message["outcome"]) == (
            OutState.ACKNOWLEDGED,
            Level.ACKNOWLEDGED,
            "accepted",
        )
        assert message["recordId"]
        assert all(datetime.fromisoformat(message[clock]).utcoffset() for clock in CLOCKS)


def test_levels_are_reached_in_their_order(journey: Journey) -> None:
    for message in journey.outcome["messages"]:
        sent, received, registered, acknowledged = (_moment(message, clock) for clock in CLOCKS)
        assert sent <= registered
        assert received <= registered
        assert received <= acknowledged


def _moment(message: dict[str, Any], clock: str) -> datetime:
    return datetime.fromisoformat(message[clock])
