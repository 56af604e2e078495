"""``GET /metrics`` and what the door says of health, on a real socket: who is told what, in which form."""

from __future__ import annotations

import hashlib
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from http_side import opened

from gateway.adapters.http_door import HttpDoor
from gateway.adapters.http_events import HttpEvents
from gateway.adapters.http_figures import HttpFigures
from gateway.adapters.http_trust import Tokens
from gateway.errors import DependencyDownError, Fault

TOKEN = "0123456789abcdef" * 2
DOWN = Fault("figures-test.down", "Borta.", "Away.")
EVERYWHERE = "0.0.0.0"  # noqa: S104 -- what it is about


async def measured(accept: str) -> tuple[bytes, str]:
    return f"asked for {accept}\n".encode(), "text/plain; version=0.0.4; charset=utf-8"


def door(figures: HttpFigures | None, **options: Any) -> HttpDoor:
    return HttpDoor(HttpEvents([]), figures=figures, **options)


@pytest.fixture
def tokens(tmp_path: Path) -> Tokens:
    file = tmp_path / "metrics.sha256"
    file.write_text(hashlib.sha256(TOKEN.encode()).hexdigest() + "\n")
    return Tokens.read(file)


async def test_on_this_machine_whoever_asks_is_told_in_the_form_that_is_asked_for() -> None:
    async with opened(door(HttpFigures(measured))) as client:
        response = await client.get("/metrics", headers={"Accept": "application/openmetrics-text"})
        assert response.status == HTTPStatus.OK
        assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert response.headers["Cache-Control"] == "no-store"
        assert await response.text() == "asked for application/openmetrics-text\n"


async def test_where_other_machines_come_nothing_is_told_to_who_is_not_known() -> None:
    async with opened(door(HttpFigures(measured), host=EVERYWHERE)) as client:
        assert (await client.get("/metrics")).status == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize("host", ["127.0.0.1", EVERYWHERE])
async def test_where_there_are_tokens_one_has_to_be_shown(tokens: Tokens, host: str) -> None:
    async with opened(door(HttpFigures(measured, tokens), host=host)) as client:
        for shown in ({}, {"Authorization": f"Bearer {TOKEN[::-1]}"}, {"Authorization": f"Basic {TOKEN}"}):
            response = await client.get("/metrics", headers=shown)
            assert response.status == HTTPStatus.UNAUTHORIZED
            assert response.headers["WWW-Authenticate"] == "Bearer"
            assert (await response.json(content_type=None))["errors"][0]["code"] == "http.not-authenticated"
        response = await client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        assert response.status == HTTPStatus.OK


async def test_a_gateway_that_is_not_measured_has_no_such_place() -> None:
    async with opened(door(None)) as client:
        assert (await client.get("/metrics")).status == HTTPStatus.NOT_FOUND


async def test_health_is_told_in_full_to_who_asks_for_it() -> None:
    async def is_away() -> None:
        raise DependencyDownError(DOWN.at())

    async def answers() -> None:
        return

    async with opened(door(None, probes={"database": answers, "migrations": is_away})) as client:
        brief = await (await client.get("/readyz")).json()
        assert brief == {"status": "down", "checks": {"database": "up", "migrations": "down"}}
        response = await client.get("/readyz?verbose")
        assert response.status == HTTPStatus.SERVICE_UNAVAILABLE
        told = await response.json()
        assert {name: told[name] for name in brief} == brief
        assert [(one["check"], one["status"], one["codes"]) for one in told["details"]] == [
            ("database", "up", []),
            ("migrations", "down", ["figures-test.down"]),
        ]
        assert all(0 <= one["seconds"] < 2 for one in told["details"])
        assert told["closing"] is False
