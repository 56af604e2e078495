"""Servers for tests that need a real one: one of each kind for the whole run, started by the first test that asks.

The browser is found here too; who opens pages with it stands in ``pages/conftest.py``.

What is not installed is not tested, and the last lines of the run say so; under ``CI=true`` it is a failure instead.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from blank import blank_store, bring_up
from hypothesis import settings
from services.installing import CHROMIUM, POSTGRESQL, RABBITMQ, Product
from services.lending import Lender
from services.lifetime import Keeper, Run
from services.postgresql import PostgreSqlServer
from services.rabbitmq import RabbitMqNode

from gateway.store import Store, Transaction

_RUN = pytest.StashKey[Run]()
_KEEPER = pytest.StashKey[Keeper]()
_NOT_HERE = "is not installed here"

# More workers than processors: how long one example takes says how busy the machine is, and nothing of the code.
settings.register_profile("shared-processors", deadline=None)
settings.load_profile("shared-processors")


# --- the run --------------------------------------------------------------------------------------------------------


def pytest_configure(config: pytest.Config) -> None:
    """Join the run of the controlling process, or begin one."""
    told: dict[str, Any] | None = getattr(config, "workerinput", None)
    if told is not None:
        config.stash[_RUN] = Run(Path(told["run_folder"]))
    else:
        # Told otherwise, each of the hundreds of processes that start here would compile the product anew.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        config.stash[_KEEPER] = Keeper()
        config.stash[_RUN] = Run(config.stash[_KEEPER].folder)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker which run it works for."""
    node.workerinput["run_folder"] = str(node.config.stash[_RUN].folder)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return one more than there are processors: many tests wait, for clocks, for servers and for other processes."""
    ours = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
    return len(ours) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, so that no worker is still at it when the others have ended."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def pytest_unconfigure(config: pytest.Config) -> None:
    """End what was started, however the run ended."""
    if (keeper := config.stash.get(_KEEPER, None)) is not None:
        keeper.end()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one line for each server that is missing what was not tested."""
    reasons = (report.longrepr[2] for report in terminalreporter.getreports("skipped") if report.longrepr)
    for reason, times in Counter(str(reason) for reason in reasons if _NOT_HERE in str(reason)).items():
        terminalreporter.write_line(
            f"NOT TESTED: {times} tests. {reason.removeprefix('Skipped: ')}", red=True, bold=True
        )


@pytest.fixture(scope="session")
def run(pytestconfig: pytest.Config) -> Run:
    """Return the run this process works for."""
    return pytestconfig.stash[_RUN]


def _programs(product: Product) -> Path:
    """Return the folder of a product's programs; without one, the test that asks is skipped or fails."""
    folder = product.folder()
    if folder is None:
        reason = f"{product.name} {_NOT_HERE}; `make test` as root on Debian installs {product.package}."
        if os.environ.get("CI") == "true":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    return folder


# --- PostgreSQL -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def postgresql(run: Run) -> PostgreSqlServer:
    """Return the server that all tests share; each test has a database of its own on it, and nobody ends it."""
    server = PostgreSqlServer(run.folder / "postgresql", _programs(POSTGRESQL), run.folder / "ports")
    with run.once("postgresql") as first:
        if first:
            server.start()
    return server


@pytest.fixture(scope="module")
def own_postgresql(run: Run) -> Iterator[PostgreSqlServer]:
    """Return a server that the tests of one module have to themselves, to kill and start as they like."""
    server = PostgreSqlServer(run.own_folder("postgresql"), _programs(POSTGRESQL), run.folder / "ports")
    server.start()
    yield server
    server.destroy()


# --- RabbitMQ -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def rabbitmq_node(run: Run) -> RabbitMqNode:
    """Return the node that all tests share; each test has a virtual host of its own on it, and nobody ends it."""
    _programs(RABBITMQ)
    with run.once("rabbitmq") as first:
        node = RabbitMqNode(run.folder / "rabbitmq", outlives_starter=True)
        if first:
            asyncio.run(node.start())
    return node


@pytest.fixture
def own_rabbitmq_node(run: Run) -> Callable[..., RabbitMqNode]:
    """Return what makes a node that one test has to itself; ``async with`` starts it and ends it."""
    _programs(RABBITMQ)
    return lambda **options: RabbitMqNode(run.own_folder("rabbitmq"), **options)


# --- Chromium -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def chromium() -> Path:
    """Return the program of the machine's own browser."""
    return CHROMIUM.program(_programs(CHROMIUM))


# --- the databases a gateway's store can live in --------------------------------------------------------------------


@pytest.fixture
def postgresql_url(postgresql: PostgreSqlServer) -> Iterator[str]:
    """Return the address of an empty PostgreSQL database."""
    url = postgresql.create_database()
    yield url
    postgresql.drop_database(url)


@pytest.fixture(scope="session")
def template(run: Run, postgresql: PostgreSqlServer) -> str:
    """Return the name of a PostgreSQL database that has the tables already: a copy is there faster than a migration."""
    name = "template_of_tests"
    with run.once(name) as first:
        if first:
            postgresql.query(f"CREATE DATABASE {name}")
            asyncio.run(bring_up(postgresql.url(name)))
    return name


@pytest.fixture(scope="session")
def lender(postgresql: PostgreSqlServer, template: str) -> Lender:
    """Return who lends the tests of this process databases with the tables of this version and no rows."""
    return Lender(postgresql, template)


@pytest.fixture
def postgresql_store_url(lender: Lender) -> Iterator[str]:
    """Return the address of a PostgreSQL database with the tables of this version and no rows."""
    url = lender.lend()
    yield url
    lender.take_back(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return where a store can be opened, once for each product it works with."""
    if request.param == "sqlite":
        return blank_store(tmp_path / "store.sqlite")
    url: str = request.getfixturevalue("postgresql_store_url")
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the address of a database without tables, once for each product the store works with."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'store.sqlite'}"
    url: str = request.getfixturevalue("postgresql_url")
    return url


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    """Return an open store, once for each product it works with."""
    async with Store(store_url) as opened:
        yield opened


@pytest.fixture
async def tx(store: Store) -> AsyncIterator[Transaction]:
    """Return an open transaction of the store."""
    async with store.writing() as opened:
        yield opened
