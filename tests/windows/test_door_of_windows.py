"""The windows as they stand on the door: the provider's login, what browsers must not do, and how often one may ask."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from build import CLINIC, NOON, OFFICE
from services.lifetime import Run
from services.ports import free_port
from windows.identity_provider import AUDIENCE, CLIENT, SECRET, IdentityProvider
from windows.site import Site, site_of

from gateway.access import Role
from gateway.clock import ManualClock

PERSON = {"employeeHsaId": "SE2120001355-P000000000117", "healthCareUnitHsaId": OFFICE, "roles": ["sip-enhet"]}


@asynccontextmanager
async def with_provider(journey: Path, folder: Path, run: Run, **more: Any) -> AsyncIterator[tuple[Site, Any]]:
    """Open the windows of a gateway that has an identity provider."""
    port, clock = free_port(run.folder / "ports"), ManualClock(NOON)
    provider = IdentityProvider(clock, dict(PERSON))
    await provider.server.start_server()
    (folder / "secret").write_text(SECRET, encoding="utf-8")
    settings = {
        "http_listen": f"127.0.0.1:{port}",
        "public_url": f"http://127.0.0.1:{port}",
        "oidc_issuer": provider.url,
        "oidc_client_id": CLIENT,
        "oidc_client_secret_file": folder / "secret",
        "oidc_audience": AUDIENCE,
        "oidc_roles": {"sip-enhet": "operator"},
    }
    try:
        async with site_of(journey, folder, clock=clock, **(settings | more)) as site:
            yield site, provider
    finally:
        await provider.server.close()


async def test_a_person_logs_in_with_the_provider_and_sees_their_unit(journey: Path, tmp_path: Path, run: Run) -> None:
    async with with_provider(journey, tmp_path, run) as (site, _):
        async with site.client.get("/login?next=/inbox") as answer:
            assert "/login/oidc?next=%2Finbox" in await answer.text()
        async with site.client.get("/login/oidc?next=/inbox") as answer:
            assert (answer.status, answer.url.path) == (200, "/inbox")
            assert PERSON["employeeHsaId"] in await answer.text()
        async with site.client.get("/adapters") as answer:
            assert answer.status in (403, 404)  # is the whole party's


async def test_a_program_shows_a_token_of_the_provider(journey: Path, tmp_path: Path, run: Run) -> None:
    async with with_provider(journey, tmp_path, run) as (site, provider):
        token = provider.signed(provider.access_claims(healthCareUnitHsaId=CLINIC, roles=["sip-enhet"]))
        status, told = await site.get("/api/v1/messages", {"Authorization": f"Bearer {token}"})
        assert status in (200, 401), told
        token = provider.signed(provider.access_claims(**PERSON))
        status, told = await site.get("/api/v1/messages", {"Authorization": f"Bearer {token}"})
        assert status == 200
        assert {one["senderUnit"] for one in told["messages"]} <= {OFFICE}
        status, _ = await site.get("/api/v1/messages", {"Authorization": f"Bearer {token}x"})
        assert status == 401


@pytest.mark.parametrize(
    "path", ["/login", "/nowhere", "/api/v1/messages", "/api/v1/nothing", "/livez", "/openapi.json"]
)
async def test_every_answer_holds_a_browser_back(site: Site, path: str) -> None:
    async with site.client.get(path, headers={"Accept": "text/html"}) as answer:
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Server"] == "sip-gateway"


async def test_who_asks_too_often_is_told_to_wait(site: Site) -> None:
    async def ask() -> tuple[int, str | None]:
        async with site.client.get("/login") as answer:
            return answer.status, answer.headers.get("Retry-After")

    answers = await asyncio.gather(*(ask() for _ in range(260)))
    refused = [wait for status, wait in answers if status == 429]
    assert refused
    assert {status for status, _ in answers} == {200, 429}
    assert all(wait is not None and int(wait) >= 1 for wait in refused)
    status, _ = await site.get("/api/v1/messages", await site.bearer(Role.READER))
    assert status == 200  # who is known is counted by themselves


async def test_where_others_can_come_nothing_is_shown_that_is_not_asked_for(
    journey: Path, tmp_path: Path, run: Run
) -> None:
    port = free_port(run.folder / "ports")
    async with (
        site_of(journey, tmp_path, http_listen=f"0.0.0.0:{port}") as site,
        site.client.get(f"http://127.0.0.1:{port}/login") as answer,
    ):
        assert answer.status == 404


async def test_where_others_can_come_the_gateway_answers_under_its_own_name_alone(
    journey: Path, tmp_path: Path, run: Run
) -> None:
    port = free_port(run.folder / "ports")
    url = "https://gateway.example"
    async with site_of(journey, tmp_path, http_listen=f"0.0.0.0:{port}", public_url=url) as site:
        for host, status in (("gateway.example", 200), ("127.0.0.1", 400), ("rebound.example", 400)):
            async with site.client.get(f"http://127.0.0.1:{port}/login", headers={"Host": host}) as answer:
                assert answer.status == status, host
        async with site.client.get(f"http://127.0.0.1:{port}/login", headers={"Host": "gateway.example"}) as answer:
            assert "gateway login" not in await answer.text()
            assert answer.headers["Strict-Transport-Security"].startswith("max-age=")
