"""A PostgreSQL server for tests: private, on the loopback address, as durable as a real one."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import IO

import psutil

from services.ports import LOOPBACK, free_port

USER = "gateway"
"""The role the tests use; it owns the server."""

_ACCOUNT = "postgres"
"""Who the server runs as where the tests run as root; it refuses to run as root itself."""

_SETTINGS = {
    "listen_addresses": f"'{LOOPBACK}'",
    "unix_socket_directories": "''",  # the path of a test's folder may be too long for one
    "dynamic_shared_memory_type": "mmap",  # in the data folder, so that a killed server leaves nothing elsewhere
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "autovacuum": "off",  # two cores, and no table of a test lives long enough
    "logging_collector": "off",
    "lc_messages": "'C'",
}

_numbers = count(1)

_STARTED: list[subprocess.Popen[bytes]] = []
"""Keeps hold of the servers this process has started: one that is shared goes on when its starter has ended."""


class PostgreSqlServer:
    """One server with its data in ``folder``. What is known about it lies there, so that other workers can use it too.

    ``binaries`` is the folder of its programs, ``claims`` the one in which the run's ports are given out.
    """

    def __init__(self, folder: Path, binaries: Path, claims: Path) -> None:
        self.folder = folder
        self._binaries = binaries
        self._claims = claims
        self._data = folder / "data"
        self._process: subprocess.Popen[bytes] | None = None
        self._account = _ACCOUNT if os.geteuid() == 0 else None

    @property
    def port(self) -> int:
        """Where it listens; the same again after a restart."""
        return int((self.folder / "port").read_text(encoding="ascii"))

    @property
    def password(self) -> str:
        """The password of the role of the tests."""
        return (self.folder / "password").read_text(encoding="ascii")

    def url(self, database: str, *, password: str | None = None, user: str = USER) -> str:
        """Return the address of a database, with the right password unless another is given."""
        return f"postgresql+asyncpg://{user}:{password or self.password}@{LOOPBACK}:{self.port}/{database}"

    # --- its life ---------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start it, the first time on a new folder and a free port; return when it takes connections.

        Raises:
            RuntimeError: it has ended instead; what it said.
        """
        if not self._data.exists():
            self._create()
        (self._data / "postmaster.pid").unlink(missing_ok=True)  # only :meth:`kill` leaves it, and leaves nobody alive
        with (self.folder / "log").open("ab") as log:
            self._process = self._begin("postgres", "-D", str(self._data), output=log)
        _STARTED.append(self._process)
        while not self._is_ready():
            if self._process.poll() is not None:
                raise RuntimeError((self.folder / "log").read_text(encoding="utf-8"))
            time.sleep(0.01)

    def stop(self) -> None:
        """Let it end in order; whoever is connected is thrown out."""
        self._end(signal.SIGINT)

    def restart(self) -> None:
        """Stop and start it: the same port, the same data."""
        self.stop()
        self.start()

    def kill(self) -> None:
        """Kill every process of it with SIGKILL, as when the machine loses power; return when none is left."""
        segment = (self._data / "postmaster.pid").read_text(encoding="ascii").split("\n")[6].split()[1]
        self._end(signal.SIGKILL)
        subprocess.run(["ipcrm", "--shmem-id", segment], check=True)

    def pause(self) -> None:
        """Let it stand still: connections stay open, and nobody answers."""
        for process in self._processes():
            process.suspend()

    def resume(self) -> None:
        """Let a paused server go on."""
        for process in self._processes():
            process.resume()

    def destroy(self) -> None:
        """End it, if it runs, and remove its data."""
        if self._process is not None and self._process.poll() is None:
            self.stop()
        shutil.rmtree(self.folder)

    def _end(self, number: signal.Signals) -> None:
        postmaster, *processes = self._processes()
        postmaster.send_signal(number)
        if number is signal.SIGKILL:
            for process in processes:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
        assert self._process is not None
        self._process.wait()
        while any(_lives(process) for process in processes):
            time.sleep(0.01)

    def _processes(self) -> list[psutil.Process]:
        """Return its first process, and then all others."""
        assert self._process is not None, "a shared server is ended by nobody but the keeper"
        postmaster = psutil.Process(self._process.pid)
        return [postmaster, *postmaster.children(recursive=True)]

    def _is_ready(self) -> bool:
        """Tell whether it says that it takes connections, where its own tools look."""
        try:
            lines = (self._data / "postmaster.pid").read_text(encoding="ascii").splitlines()
        except FileNotFoundError:
            return False
        return len(lines) > 7 and lines[7].strip() == "ready"

    def _create(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "port").write_text(str(free_port(self._claims)), encoding="ascii")
        (self.folder / "password").write_text(secrets.token_hex(16), encoding="ascii")
        if self._account:
            for path in (self.folder, self.folder / "password"):
                shutil.chown(path, self._account, self._account)
        said = self.folder / "log"
        with said.open("ab") as log:
            created = self._begin(
                "initdb",
                f"--pgdata={self._data}",
                f"--username={USER}",
                f"--pwfile={self.folder / 'password'}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--no-locale",
                output=log,
            )
        if created.wait() != 0:
            raise RuntimeError(said.read_text(encoding="utf-8"))
        settings = {"port": str(self.port), **_SETTINGS}
        with (self._data / "postgresql.conf").open("a", encoding="ascii") as file:
            file.writelines(f"{name} = {value}\n" for name, value in settings.items())

    def _begin(self, program: str, *arguments: str, output: IO[bytes]) -> subprocess.Popen[bytes]:
        """Begin one of its programs as the account it lives under; an interrupt from the keyboard is not for it."""
        return subprocess.Popen(
            [self._binaries / program, *arguments],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            user=self._account,
            group=self._account,
            extra_groups=[] if self._account else None,
            start_new_session=True,
        )

    # --- its databases ----------------------------------------------------------------------------------------------

    def create_database(self, like: str = "template0") -> str:
        """Return the address of a new database: empty, or a copy of the database ``like``, which nobody uses now."""
        name = f"test_{os.getpid()}_{next(_numbers)}"
        self.query(f"CREATE DATABASE {name} TEMPLATE {like}")
        return self.url(name)

    def drop_database(self, url: str) -> None:
        """Remove a database, and throw out whoever uses it."""
        self.query(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")

    def query(self, statement: str, database: str = "postgres") -> list[list[str]]:
        """Run a statement and return its rows as texts.

        Raises:
            subprocess.CalledProcessError: the server refused it.
        """
        command: list[str | Path] = [
            *(self._binaries / "psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--field-separator=\t"),
            *("--set=ON_ERROR_STOP=1", f"--host={LOOPBACK}", f"--port={self.port}", f"--username={USER}"),
            *(f"--dbname={database}", f"--command={statement}"),
        ]
        done = subprocess.run(
            command, env={**os.environ, "PGPASSWORD": self.password}, capture_output=True, text=True, check=True
        )
        return [line.split("\t") for line in done.stdout.splitlines()]


def _lives(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
