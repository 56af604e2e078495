"""``gateway login``: a link for this machine alone, which is told on standard output and nowhere else."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from build import CLINIC, OFFICE
from command import in_folder
from service_process import DIRECTORY

from gateway.access import AccessRefusedError, Role
from gateway.clock import SystemClock
from gateway.sessions import redeem, session_of
from gateway.store import Store, audit
from gateway.store.audit import Wanted

STAFF = "SE2120001355-P000000000117"
HERE = "127.0.0.1:8480"
WHO = ("--by", STAFF, "--role", "operator")


@pytest.fixture
async def kept(tmp_path: Path) -> AsyncIterator[Store]:
    async with Store(f"sqlite+aiosqlite:///{tmp_path / 'gateway.sqlite'}") as store:
        yield store


def login(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    where = {"party": "kommun", "directory": str(DIRECTORY)}
    return in_folder(folder, "login", *arguments, **where | settings)


async def test_the_link_that_is_printed_logs_in_once_with_the_role_and_units_that_were_said(
    kept: Store, tmp_path: Path
) -> None:
    done = login(tmp_path, *WHO, "--unit", OFFICE, http_listen=HERE)
    assert done.returncode == 0, done.stderr
    (link,) = done.stdout.splitlines()
    place, _, value = link.rpartition("/login/")
    assert (place, value in done.stderr) == (f"http://{HERE}", False)
    assert "login.link-made" in done.stderr
    now = SystemClock().now()
    session = await session_of(kept, await redeem(kept, value, now), now)
    actor = session.actor
    assert (actor.name, actor.role, actor.units) == (STAFF, Role.OPERATOR, frozenset({OFFICE}))
    with pytest.raises(AccessRefusedError):
        await redeem(kept, value, now)
    async with kept.reading() as tx:
        made, *_ = await audit.find(tx, Wanted(), limit=10)
    assert (made.said["action"], made.said["by"], made.said["unit"]) == ("login.link-made", STAFF, OFFICE)


async def test_no_link_is_given_to_nobody_to_other_units_or_to_pages_that_others_reach(
    kept: Store, tmp_path: Path
) -> None:
    for arguments, settings, code, exit_code in (
        (WHO, {}, "login.no-pages", 3),
        (WHO, {"http_listen": "0.0.0.0:8480"}, "login.not-this-machine", 3),
        (WHO, {"http_listen": "192.0.2.1:8480"}, "oidc_issuer", 3),
        ((*WHO, "--unit", CLINIC), {"http_listen": HERE}, "token.unit-of-other-party", 5),
        ((*WHO, "--unit", OFFICE + "X"), {"http_listen": HERE}, "unit.unknown-near", 5),
        (("--by", "850912-9808", "--role", "reader"), {"http_listen": HERE}, "hsa-id.form", 5),
        (("--by", STAFF), {"http_listen": HERE}, "--role", 2),
    ):
        done = login(tmp_path, *arguments, **settings)
        assert (done.returncode, code in done.stderr, done.stdout) == (exit_code, True, ""), (arguments, done.stderr)
        assert "850912" not in done.stderr.replace("--by", "")
    async with kept.reading() as tx:
        assert await audit.find(tx, Wanted(), limit=10) == []


async def test_the_link_says_how_the_pages_are_reached(kept: Store, tmp_path: Path) -> None:
    for listen, certificate, scheme in (("[::1]:8480", "", "http"), ("localhost:8480", "page.pem", "https")):
        done = login(tmp_path, *WHO, http_listen=listen, http_certificate_file=certificate)
        parts = urlsplit(done.stdout.strip())
        assert (parts.scheme, parts.netloc) == (scheme, listen)
