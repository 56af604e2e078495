"""The servers of the tests: found, shared, durable, and gone when the run is over, however it ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from services.installing import POSTGRESQL, Product, install
from services.lifetime import MARK, Run
from services.ports import free_port
from services.postgresql import PostgreSqlServer

TESTS = Path(__file__).parent

ASKS = """
def test_asks(postgresql_url):
    assert postgresql_url
"""

WAITS = """
import pathlib
import subprocess
import sys

def test_waits(postgresql, run):
    sleeper = [sys.executable, "-c", "import time; time.sleep(600)"]
    with subprocess.Popen(sleeper, start_new_session=True) as process:
        told = f"{run.folder} {(postgresql.folder / 'data' / 'postmaster.pid').read_text().split()[0]} {process.pid}"
        place = pathlib.Path(__file__).parent
        (place / "telling").write_text(told)
        (place / "telling").rename(place / "told")
"""


@pytest.fixture
def inner(tmp_path: Path) -> Path:
    """Return a folder for tests that are run by a process of their own, with the fixtures of this one."""
    (tmp_path / "conftest.py").write_text((TESTS / "conftest.py").read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "pytest.ini").write_text(f"[pytest]\npythonpath = {TESTS}\n", encoding="utf-8")
    return tmp_path


def command(folder: Path, *options: str) -> list[str]:
    """Return the command that runs the tests in ``folder``."""
    return [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", str(folder), *options, str(folder)]


def environment(**changes: str) -> dict[str, str]:
    """Return an environment for a run of its own, outside any CI."""
    left_out = (MARK, "CI", "PYTEST_XDIST_WORKER", "PYTEST_XDIST_TESTRUNUID")
    return {name: value for name, value in os.environ.items() if name not in left_out} | changes


def ran(folder: Path, *options: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run the tests in ``folder``."""
    return subprocess.run(
        command(folder, *options), env=environment(**changes), capture_output=True, text=True, check=False
    )


# --- finding and installing -----------------------------------------------------------------------------------------


def test_the_newest_of_several_installations_is_found(tmp_path: Path) -> None:
    for version in ("9", "15", "14"):
        place = tmp_path / version / "bin"
        place.mkdir(parents=True)
        if version != "14":
            (place / "server").touch()
    found = Product("Server", "server", (f"{tmp_path}/*/bin",), ("server",)).folder()
    assert found == tmp_path / "15" / "bin"
    assert Product("Server", "server", (f"{tmp_path}/*/bin",), ("server", "client")).folder() is None


def test_a_browser_is_found_under_any_of_its_names(tmp_path: Path) -> None:
    browser = Product("Browser", "browser", (f"{tmp_path}/*",), ("no-browser", "no-other-browser"), needed=any)
    assert browser.folder() is None
    for name in ("no-other-browser", "no-browser"):
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin" / name).touch()
        assert browser.folder() == tmp_path / "bin"
        assert browser.program(tmp_path / "bin") == tmp_path / "bin" / name


@pytest.mark.parametrize("stands", [False, True])
def test_installing_starts_no_service_and_leaves_the_policy_of_the_machine_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stands: bool
) -> None:
    policy, said = tmp_path / "policy-rc.d", tmp_path / "said"
    if stands:
        policy.write_text("own\n", encoding="ascii")
    (tmp_path / "apt-get").write_text(
        f'#!/bin/sh\necho "$DEBIAN_FRONTEND $*" >> {said}\ncat {policy} >> {said}\n', encoding="ascii"
    )
    (tmp_path / "apt-get").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    install([POSTGRESQL], policy)
    told = said.read_text(encoding="ascii").splitlines()
    assert told[0] == "noninteractive update -qq"
    assert "noninteractive install -qq --yes --no-install-recommends postgresql" in told
    assert ("exit 101" in told) is not stands
    assert policy.exists() is stands
    assert not stands or policy.read_text(encoding="ascii") == "own\n"


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_without_a_server_its_tests_are_skipped_and_one_loud_line_says_so(
    inner: Path, workers: tuple[str, ...]
) -> None:
    (inner / "test_inner.py").write_text(ASKS + ASKS.replace("asks", "asks_again"), encoding="utf-8")
    without(inner)
    done = ran(inner, *workers)
    assert done.returncode == 0, done.stdout
    [loud] = [line for line in done.stdout.splitlines() if line.startswith("NOT TESTED")]
    assert loud.startswith("NOT TESTED: 2 tests. PostgreSQL is not installed here;")


def test_without_a_server_its_tests_fail_where_everything_must_be_tested(inner: Path) -> None:
    (inner / "test_inner.py").write_text(ASKS, encoding="utf-8")
    without(inner)
    done = ran(inner, CI="true")
    assert done.returncode == 1, done.stdout
    assert "PostgreSQL is not installed here" in done.stdout


def without(inner: Path) -> None:
    """Let the inner run find no server."""
    with (inner / "conftest.py").open("a", encoding="utf-8") as file:
        file.write("\nPOSTGRESQL = Product('PostgreSQL', 'postgresql', (), ('no-such-program',))\n")


# --- ports ----------------------------------------------------------------------------------------------------------


def test_a_port_is_given_out_once_and_lies_below_those_the_system_gives_out(tmp_path: Path) -> None:
    ports = [free_port(tmp_path) for _ in range(50)]
    assert len(set(ports)) == len(ports)
    assert max(ports) < 32_768


# --- the lifetime ---------------------------------------------------------------------------------------------------


def test_what_is_done_once_is_done_again_only_when_it_failed(tmp_path: Path) -> None:
    run = Run(tmp_path)
    with suppress(ZeroDivisionError), run.once("server") as first:
        assert first
        raise ZeroDivisionError
    for expected in (True, False, False):
        with run.once("server") as first:
            assert first is expected


@pytest.mark.long
@pytest.mark.usefixtures("postgresql")
@pytest.mark.parametrize(
    ("number", "workers"),
    [
        (signal.SIGINT, ()),
        (signal.SIGTERM, ()),
        (signal.SIGINT, ("-n", "1")),
        (signal.SIGKILL, ("-n", "1")),
    ],
)
def test_nothing_is_left_of_a_run_that_is_interrupted(
    inner: Path, number: signal.Signals, workers: tuple[str, ...]
) -> None:
    (inner / "test_inner.py").write_text(WAITS, encoding="utf-8")
    with subprocess.Popen(
        command(inner, *workers),
        env=environment(),
        stdout=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=_hears_interrupts,  # noqa: PLW1509 -- nothing but a system call, in a process of one thread
    ) as outer:
        until((inner / "told").exists)
        folder, *pids = (inner / "told").read_text(encoding="utf-8").split()
        assert all(lives(int(pid)) for pid in pids)
        outer.send_signal(number)
    until(lambda: not Path(folder).exists())
    assert not any(lives(int(pid)) for pid in pids)


def _hears_interrupts() -> None:
    """Let a process be interrupted, though a shell that runs things in the background has them ignore that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def until(happened: Callable[[], bool]) -> None:
    """Return when something another process does has happened."""
    deadline = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < deadline, "it has not happened"
        time.sleep(0.02)


# --- PostgreSQL -----------------------------------------------------------------------------------------------------


def test_a_killed_database_server_comes_back_with_everything_at_the_same_place(
    own_postgresql: PostgreSqlServer,
) -> None:
    url = own_postgresql.create_database()
    name = url.rpartition("/")[2]
    own_postgresql.query("CREATE TABLE kept (number integer)", name)
    for number, end in enumerate((own_postgresql.kill, own_postgresql.stop)):
        own_postgresql.query(f"INSERT INTO kept VALUES ({number})", name)  # noqa: S608 -- a number of ours
        end()
        own_postgresql.start()
        assert own_postgresql.query("SELECT number FROM kept ORDER BY 1", name) == [[str(n)] for n in range(number + 1)]
    assert own_postgresql.url(name) == url


def test_a_database_server_is_private_and_writes_to_the_disk(postgresql: PostgreSqlServer) -> None:
    names = ("fsync", "listen_addresses", "unix_socket_directories")
    [values] = postgresql.query("SELECT " + ", ".join(f"current_setting('{name}')" for name in names))
    assert values == ["on", "127.0.0.1", ""]
    assert postgresql.port < 32_768
