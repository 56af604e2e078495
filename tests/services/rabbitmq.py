"""A private RabbitMQ node for tests: its own directory, ports, cookie and Erlang port mapper, on the loopback only."""

from __future__ import annotations

import asyncio
import json
import os
import re
import secrets
import shutil
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import quote

from services.lifetime import MARK
from services.ports import LOOPBACK, free_port

SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
"""The server's own script. What stands in the search path is a wrapper that switches to another user."""

PATIENCE = 60
"""Seconds until a node that does not come up, or does not stop, counts as broken."""

_NAME = "sip@localhost"
_STARTED: list[subprocess.Popen[bytes]] = []
"""Processes of this process, for it to collect when they have ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerTls:
    """Files of a listener that asks every client for a certificate signed by ``ca``."""

    ca: Path
    certificate: Path
    key: Path


class RabbitMqNode:
    """One node. Everything it is made of lies in its directory, so another process may work with it by the same path.

    The process that starts it takes it along when it dies, however it dies, unless ``outlives_starter`` is set: then
    whoever starts it must see to it that it is stopped.
    """

    def __init__(self, directory: Path, *, tls: ServerTls | None = None, outlives_starter: bool = False) -> None:
        self.directory = directory
        self._tls = tls
        self._outlives_starter = outlives_starter
        directory.mkdir(parents=True, exist_ok=True)
        state = directory / "node.json"
        if not state.exists():
            self._settle_on_a_place(state)
        known = json.loads(state.read_text(encoding="utf-8"))
        self.port: int = known["amqp"]
        self.tls_port: int = known["amqps"]
        self._cookie: str = known["cookie"]
        self._environment = self._surroundings(known["epmd"], known["distribution"])

    @staticmethod
    def available() -> bool:
        """Return whether the server is installed on this machine."""
        return SERVER.exists() and shutil.which("erl_call") is not None

    @property
    def pid(self) -> int | None:
        """The process that runs, if one does."""
        return _alive(self.directory / "server.pid")

    @property
    def log(self) -> str:
        """What the node has said since it was first started."""
        return (self.directory / "output.log").read_text(encoding="utf-8", errors="replace")

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self.destroy()

    async def start(self) -> None:
        """Start the node and return when it takes connections. What was durable is there again."""
        if self.pid is not None:
            return
        self._spawn("epmd.pid", "epmd", "-address", LOOPBACK)
        self._spawn("server.pid", str(SERVER))
        try:
            async with asyncio.timeout(PATIENCE):
                while not await self._takes_connections():
                    if self.pid is None:
                        raise RuntimeError(f"the node has ended: {self.log[-2000:]}")
                    await asyncio.sleep(0.05)
        except BaseException:
            await self.destroy()
            raise

    async def stop(self) -> None:
        """Stop the node as an operator does; it says goodbye to its clients first."""
        self._signal(signal.SIGTERM)
        await self._gone()

    async def kill(self) -> None:
        """End the node as the loss of power does."""
        self._signal(signal.SIGKILL)
        await self._gone()

    def pause(self) -> None:
        """Let the node stand still: connections stay open, and nobody answers once this returns."""
        self._signal(signal.SIGSTOP)
        # The signal is taken thread by thread, and one that still runs may answer.
        while not all(_stands_still(thread) for thread in Path(f"/proc/{self.pid}/task").iterdir()):
            os.sched_yield()

    def resume(self) -> None:
        """Let a paused node go on."""
        self._signal(signal.SIGCONT)

    async def destroy(self) -> None:
        """End every process of the node; its files stay until the directory goes."""
        await self.kill()
        if (pid := _alive(self.directory / "epmd.pid")) is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    async def evaluate(self, expression: str) -> str:
        """Evaluate an Erlang expression on the node and return what it gave. It ends with a full stop."""
        process = await asyncio.create_subprocess_exec(
            *("erl_call", "-sname", _NAME, "-c", self._cookie, "-R", "-e"),
            env=self._environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said = (await process.communicate(f"{expression}\n".encode()))[0].decode()
        answer = re.fullmatch(r"\{ok, (.*)\}\s*", said, re.DOTALL)
        if answer is None:
            raise RuntimeError(f"{expression} gave {said}")
        return answer[1]

    async def vhost(self, name: str | None = None, *, tls: bool = False) -> str:
        """Create a virtual host with a user of its own that may do everything there; return the URL with both."""
        name = name or f"test-{secrets.token_hex(6)}"
        await self.evaluate(f"ok = rabbit_vhost:put_vhost({_binary(name)}, <<>>, <<>>, false, {_binary('test')}), ok.")
        return await self.user(name, name, tls=tls)

    async def user(
        self, vhost: str, name: str, *, configure: str = ".*", write: str = ".*", read: str = ".*", tls: bool = False
    ) -> str:
        """Create a user with permissions (regular expressions) on a virtual host; return the URL for the user."""
        password = secrets.token_urlsafe(12)
        permissions = ", ".join(_binary(one) for one in (configure, write, read))
        await self.evaluate(
            f"ok = rabbit_auth_backend_internal:put_user("
            f"#{{name => {_binary(name)}, password => {_binary(password)}, tags => <<>>}}, {_binary('test')}), "
            f"ok = rabbit_auth_backend_internal:set_permissions("
            f"{_binary(name)}, {_binary(vhost)}, {permissions}, {_binary('test')}), ok."
        )
        scheme, host, port = ("amqps", "localhost", self.tls_port) if tls else ("amqp", LOOPBACK, self.port)
        return f"{scheme}://{quote(name, safe='')}:{quote(password, safe='')}@{host}:{port}/{quote(vhost, safe='')}"

    def _settle_on_a_place(self, state: Path) -> None:
        claims = Path(os.environ.get(MARK, self.directory)) / "ports"
        amqp, amqps, epmd, distribution = (free_port(claims) for _ in range(4))
        cookie = secrets.token_hex(16)
        home = self.directory / "home"
        home.mkdir()
        (home / ".erlang.cookie").write_text(cookie, encoding="ascii")
        (home / ".erlang.cookie").chmod(0o400)
        (self.directory / "plugins").write_text("[].\n", encoding="ascii")
        # What the server is made of lies among its plugins. Reading all of those takes longer than all else at a start.
        (self.directory / "applications").mkdir()
        for application in SERVER.parents[1].glob("lib/rabbitmq_server-*/plugins/*"):
            if not application.name.startswith("rabbitmq_") or application.name.startswith("rabbitmq_prelaunch"):
                (self.directory / "applications" / application.name).symlink_to(application)
        lines = [
            f"listeners.tcp.1 = {LOOPBACK}:{amqp}",
            "loopback_users.guest = true",
            "default_user = keeper",  # nobody logs in by it: every test has a user of its own
            f"default_pass = {secrets.token_hex(16)}",
            "log.console = true",
            "log.console.level = warning",
            "log.file = false",
            "disk_free_limit.absolute = 50MB",
            "vm_memory_high_watermark.absolute = 1GB",
            "raft.wal_max_size_bytes = 33554432",
        ]
        if self._tls:
            lines += [
                f"listeners.ssl.1 = {LOOPBACK}:{amqps}",
                f"ssl_options.cacertfile = {self._tls.ca}",
                f"ssl_options.certfile = {self._tls.certificate}",
                f"ssl_options.keyfile = {self._tls.key}",
                "ssl_options.verify = verify_peer",
                "ssl_options.fail_if_no_peer_cert = true",
            ]
        (self.directory / "rabbitmq.conf").write_text("\n".join(lines) + "\n", encoding="ascii")
        known = {"amqp": amqp, "amqps": amqps, "epmd": epmd, "distribution": distribution, "cookie": cookie}
        state.write_text(json.dumps(known), encoding="ascii")

    def _surroundings(self, epmd: int, distribution: int) -> dict[str, str]:
        own = self.directory
        return {
            **{name: os.environ[name] for name in ("PATH", MARK) if name in os.environ},
            "LANG": "C.UTF-8",
            "HOME": str(own / "home"),
            "ERL_EPMD_PORT": str(epmd),
            "ERL_EPMD_ADDRESS": LOOPBACK,
            "RABBITMQ_NODENAME": _NAME,
            "RABBITMQ_DIST_PORT": str(distribution),
            "RABBITMQ_MNESIA_BASE": str(own / "data"),
            "RABBITMQ_LOG_BASE": str(own / "log"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_CONFIG_FILE": str(own / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": str(own / "no-environment-file"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(own / "plugins"),
            "RABBITMQ_PLUGINS_DIR": str(own / "applications"),
            "RABBITMQ_PID_FILE": str(own / "rabbitmq.pid"),
            # Two shared cores: schedulers that have nothing to do sleep at once instead of spinning.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                "-kernel inet_dist_use_interface {127,0,0,1} +S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none"
            ),
            # The script replaces itself by the Erlang machine, so that the process we start is the node itself.
            "RUNNING_UNDER_SYSTEMD": "true",
        }

    def _spawn(self, pid_file: str, *command: str) -> None:
        """Start a command unless it runs; the number of its process goes into a file of the directory."""
        if _alive(self.directory / pid_file) is not None:
            return
        with (self.directory / "output.log").open("ab") as output:
            process = subprocess.Popen(
                [*(() if self._outlives_starter else ("setpriv", "--pdeathsig", "KILL")), *command],
                env=self._environment,
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # the interrupt key is for the tests; they stop the node in their own order
            )
        _STARTED.append(process)
        (self.directory / pid_file).write_text(str(process.pid), encoding="ascii")

    async def _takes_connections(self) -> bool:
        try:
            reader, writer = await asyncio.open_connection(LOOPBACK, self.port)
        except OSError:
            return False
        try:
            writer.write(b"AMQP\x00\x00\x09\x01")
            return bool(await reader.read(1))
        except OSError:
            return False
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    def _signal(self, number: signal.Signals) -> None:
        if (pid := self.pid) is not None:
            os.kill(pid, number)

    async def _gone(self) -> None:
        async with asyncio.timeout(PATIENCE):
            while self.pid is not None:  # noqa: ASYNC110 - it may be no child of ours, so there is nothing to wait for
                await asyncio.sleep(0.02)


def _stands_still(thread: Path) -> bool:
    """Tell whether a thread, known by its folder in /proc, has been stopped or has ended."""
    try:
        state = (thread / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state in "TtZX"


def _alive(pid_file: Path) -> int | None:
    """Return the process whose number stands in a file, unless it has ended."""
    _STARTED[:] = [process for process in _STARTED if process.poll() is None]
    try:
        pid = int(pid_file.read_text(encoding="ascii"))
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except (OSError, ValueError):
        return None
    return None if state in "ZX" else pid


def _binary(text: str) -> str:
    """Return an Erlang binary that holds ``text``, whatever characters it is made of."""
    return f"<<{','.join(str(byte) for byte in text.encode())}>>"
