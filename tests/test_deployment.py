"""What a gateway is deployed with names only settings, commands and files there are; that needs no engine to see."""

from __future__ import annotations

import configparser
import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml
from services.rabbitmq import RabbitMqNode

from gateway.app import check_exchange, declare_exchange, open_transport
from gateway.cli import app
from gateway.clock import SystemClock
from gateway.config import PREFIX, Settings
from gateway.preflight import faults_of_exchange

ROOT = Path(__file__).parent.parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = [name for name, service in SERVICES.items() if service["image"] == "sip-gateway"]


def parses(arguments: list[str]) -> None:
    """Let the real command line read ``arguments``; one that does not exist is an error here."""
    command: Any = typer.main.get_command(app)
    while hasattr(command, "commands"):
        command, arguments = command.commands[arguments[0]], arguments[1:]
    command.make_context(command.name, list(arguments))


def settings_of(environment: dict[str, str]) -> Settings:
    names = {name.removeprefix(PREFIX).lower(): value for name, value in environment.items() if name.startswith(PREFIX)}
    return Settings.model_validate(names)  # an unknown name is an error


@pytest.mark.parametrize("name", OURS)
def test_a_service_of_compose_calls_a_command_with_settings_there_are(name: str) -> None:
    service = SERVICES[name]
    parses(service.get("command", ["run"]))
    settings = settings_of(service.get("environment", {}))
    secrets = {f"/run/secrets/{secret}" for secret in service.get("secrets", [])}
    named = {str(file) for file in (settings.store_password_file, settings.exchange_password_file) if file}
    assert named == secrets
    assert [fault for fault in faults_of_exchange(settings) if fault.code != "config.secret-unreadable"] == []


@pytest.mark.parametrize("name", ["kommun", "region"])
def test_a_party_and_its_system_share_a_folder_and_the_party_its_servers(name: str) -> None:
    gateway, system = SERVICES[name], SERVICES[f"{name}-system"]
    settings = settings_of(gateway["environment"])
    assert settings.party == name
    words = system["command"]
    assert words[words.index("--folder") + 1] == str(settings.folder)
    assert words[:2] == ["simulate", settings.adapter]
    assert set(system["volumes"]) <= set(gateway["volumes"])
    assert f"//{name}@store/{name}" in settings.store
    assert settings.exchange == f"amqp://{name}@exchange/sip"


def test_every_secret_config_and_volume_of_compose_is_declared_and_used() -> None:
    for kind in ("secrets", "configs"):
        used = {one if isinstance(one, str) else one["source"] for s in SERVICES.values() for one in s.get(kind, [])}
        assert used == set(COMPOSE[kind])
    mounted = {volume.partition(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}
    assert {place for place in mounted if not place.startswith(".")} == set(COMPOSE["volumes"])
    assert all((ROOT / place).exists() for place in mounted if place.startswith("."))
    waited_for = {other for service in SERVICES.values() for other in service.get("depends_on", {})}
    assert waited_for <= set(SERVICES)
    made = (ROOT / "Makefile").read_text(encoding="utf-8")
    for name, secret in COMPOSE["secrets"].items():
        assert secret["file"] == f"secrets/{name}"
        assert name in made


def definitions(folder: Path) -> dict[str, Any]:
    """Run the script that writes the users of the exchange, with secrets of our own, and return what it has written."""
    script = COMPOSE["configs"]["users"]["content"].replace("$$", "$")
    for name in COMPOSE["secrets"]:
        (folder / name).write_text(f"secret of {name}", encoding="utf-8")
    for there, here in (
        ("/run/secrets", str(folder)),
        ("/var/lib/rabbitmq", str(folder)),
        ("/etc/rabbitmq/conf.d", str(folder)),
        ("chown rabbitmq", "true"),
        ("exec docker-entrypoint.sh", "true"),
    ):
        assert there in script
        script = script.replace(there, here)
    subprocess.run(["sh", "-eu", "-c", script], check=True)
    written: dict[str, Any] = json.loads((folder / "definitions.json").read_text(encoding="utf-8"))
    return written


def test_the_users_of_the_exchange_get_the_passwords_of_their_files(tmp_path: Path) -> None:
    users = {user["name"]: user for user in definitions(tmp_path)["users"]}
    assert {name: user["password"] for name, user in users.items()} == {
        "admin": "secret of exchange_admin",
        "kommun": "secret of kommun_exchange",
        "region": "secret of region_exchange",
    }
    assert [name for name, user in users.items() if user["tags"]] == ["admin"]


async def test_a_party_may_do_on_the_exchange_what_a_gateway_does_and_nothing_else(
    tmp_path: Path, rabbitmq_node: RabbitMqNode
) -> None:
    written = definitions(tmp_path)
    assert {entry["vhost"] for entry in written["permissions"]} == {vhost["name"] for vhost in written["vhosts"]}
    rights = {entry["user"]: entry for entry in written["permissions"]}
    admin = Settings(exchange=await rabbitmq_node.vhost())
    vhost = admin.exchange.rpartition("/")[2]
    await declare_exchange(admin, ["kommun", "region"])
    assert await check_exchange(admin, ["kommun", "region"]) == []
    for party in ("kommun", "region"):
        may = {kind: rights[party][kind] for kind in ("configure", "write", "read")}
        assert [other for other in ("kommun.dead", "region.dead", "sip.unrouted") if re.search(may["read"], other)] == [
            f"{party}.dead"
        ]
        url = await rabbitmq_node.user(vhost, f"{party}-{vhost}", **may)
        async with open_transport(Settings(party=party, exchange=url), SystemClock()) as transport:
            await transport.ping()
        assert await check_exchange(Settings(exchange=url), [party]) == []


def test_the_image_runs_a_command_there_is_as_a_user_without_rights() -> None:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    told = dict(line.split(" ", 1) for line in lines if line and line[0].isupper())
    assert json.loads(told["ENTRYPOINT"]) == ["gateway"]
    parses(json.loads(told["CMD"]))
    assert told["USER"] == "gateway"
    for check in told["HEALTHCHECK"].partition("CMD ")[2].split("&&"):
        program, *arguments = shlex.split(check)
        assert program == "gateway"
        parses(arguments)
    copied = [line.split()[1:-1] for line in lines if line.startswith("COPY ") and "--from" not in line]
    assert all((ROOT / place).exists() for places in copied for place in places)


class Unit(configparser.RawConfigParser):
    """A unit file: names are case-sensitive and may stand several times."""

    def optionxform(self, optionstr: str) -> str:
        return optionstr


def test_the_unit_calls_commands_and_settings_there_are() -> None:
    text = (ROOT / "gateway.service").read_text(encoding="utf-8")
    for line in re.findall(r"^Exec\w+=(.*)$", text, re.MULTILINE):
        program, *arguments = shlex.split(line)
        assert program == "/usr/bin/gateway"
        parses(arguments)
    environment = dict(line.split("=", 1) for line in re.findall(r"^Environment=(.*)$", text, re.MULTILINE))
    settings = settings_of(environment)
    credentials = re.findall(r"^LoadCredential=(\w+):", text, re.MULTILINE)
    assert [str(settings.store_password_file), str(settings.exchange_password_file)] == [
        f"%d/{name}" for name in credentials
    ]
    unit = Unit(strict=False)
    unit.read_string(text)
    service = unit["Service"]
    assert int(service["TimeoutStopSec"]) > Settings().drain_seconds
    assert service["User"] != "root"
    assert service["KillMode"] == "mixed"  # the workers hear of the end from the process that started them
