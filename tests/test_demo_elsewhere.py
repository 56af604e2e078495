"""The demo on servers: RabbitMQ between the parties, PostgreSQL beneath them, and the same ledger as on files."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from command import in_folder
from service_process import ROOT
from services.postgresql import PostgreSqlServer
from services.rabbitmq import RabbitMqNode

pytestmark = pytest.mark.long


def demo(*options: str | Path) -> subprocess.CompletedProcess[str]:
    return in_folder(ROOT, "demo", *options)


def ledger_of(done: subprocess.CompletedProcess[str]) -> tuple[list[tuple[Any, ...]], dict[str, int]]:
    """Return what a play ended in, without the times."""
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout)
    fixed = ("id", "type", "recipient", "state", "level", "outcome")
    return sorted(tuple(row[name] for name in fixed) for row in outcome["messages"]), outcome["counts"]


@dataclass(frozen=True)
class Elsewhere:
    """The options that name servers, and the folder of their passwords."""

    options: tuple[str | Path, ...]


@pytest.fixture
def elsewhere(postgresql: PostgreSqlServer, rabbitmq_node: RabbitMqNode, tmp_path: Path) -> Iterator[Elsewhere]:
    names = {party: f"demo_{tmp_path.name.replace('-', '_')}_{party}".lower() for party in ("kommun", "region")}
    for name in names.values():
        postgresql.query(f"CREATE DATABASE {name}")
    exchange = asyncio.run(rabbitmq_node.vhost())
    address, _, place = exchange.rpartition("@")
    scheme, _, login = address.partition("://")
    user, _, password = login.partition(":")
    store_secret, exchange_secret = tmp_path / "store-secret", tmp_path / "exchange-secret"
    store_secret.write_text(postgresql.password, encoding="utf-8")
    exchange_secret.write_text(password, encoding="utf-8")
    store = postgresql.url(names["kommun"]).replace(names["kommun"], names["kommun"].removesuffix("kommun") + "{party}")
    yield Elsewhere(
        (
            *("--store", store.replace(f":{postgresql.password}@", "@"), "--store-password-file", store_secret),
            *("--exchange", f"{scheme}://{user}@{place}", "--exchange-password-file", exchange_secret),
        )
    )
    for name in names.values():
        postgresql.query(f"DROP DATABASE {name} WITH (FORCE)")


def test_the_journey_on_servers_ends_in_the_same_ledger_as_on_files(elsewhere: Elsewhere, tmp_path: Path) -> None:
    on_files = ledger_of(demo("--json"))
    on_servers = ledger_of(demo("--json", "--data", tmp_path / "play", *elsewhere.options))
    assert on_servers == on_files
    # Once more on the same folder: it goes on where it was, which is the end.
    assert ledger_of(demo("--json", "--data", tmp_path / "play", *elsewhere.options)) == on_files
    # And in another folder: the databases hold a play that this folder knows nothing of.
    stranger = demo("--json", "--data", tmp_path / "other", *elsewhere.options)
    assert (stranger.returncode, stranger.stdout) == (3, "")
    assert "[demo.store-in-use]" in stranger.stderr
    # The folder of the play with databases of its own would be a play that nobody has told.
    moved = demo("--json", "--data", tmp_path / "play")
    assert moved.returncode == 3
    assert "[demo.other-places]" in moved.stderr


def test_a_play_on_servers_that_is_killed_goes_on(elsewhere: Elsewhere, tmp_path: Path) -> None:
    options = ("--json", "--scenario", "consent-withdrawn", "--data", tmp_path / "play", *elsewhere.options)
    assert demo(*options, "--kill-at", "published").returncode == -9
    _, counts = ledger_of(demo(*options))
    assert {counts[level] for level in ("sent", "received", "registered", "acknowledged")} == {4}
    assert counts["lost"] == 0


def test_one_database_for_both_parties_is_refused() -> None:
    done = demo("--store", "postgresql+asyncpg://user@127.0.0.1/one")
    assert done.returncode == 3
    assert "[demo.one-store]" in done.stderr
    assert "{party}" in done.stderr


def test_servers_that_are_down_are_exit_code_4() -> None:
    done = demo("--exchange", "amqp://user@127.0.0.1:1/sip")
    assert done.returncode == 4
    assert "[exchange.down]" in done.stderr
