"""Finding the servers that some tests need, and installing what is missing on a Debian machine that may.

``python -m services.installing`` is what ``make test`` runs beforehand; a bare ``pytest`` installs nothing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

POLICY = Path("/usr/sbin/policy-rc.d")
"""Asked by Debian before a package starts a service; 101 says no."""


@dataclass(frozen=True, slots=True)
class Product:
    """A server: the package that brings it, where its programs may lie, and which of them are needed."""

    name: str
    package: str
    places: tuple[str, ...]
    programs: tuple[str, ...]

    def folder(self) -> Path | None:
        """Return the folder that holds every program of the newest one installed, or ``None``."""
        complete = [place for place in self._places() if all((place / program).exists() for program in self.programs)]
        return complete[0] if complete else None

    def _places(self) -> Iterator[Path]:
        for pattern in self.places:
            found = Path("/").glob(pattern.removeprefix("/"))
            yield from sorted(found, key=lambda place: [int(n) for n in place.parts if n.isdigit()], reverse=True)
        for program in self.programs:
            if on_path := shutil.which(program):
                yield Path(on_path).resolve().parent


POSTGRESQL = Product(
    "PostgreSQL",
    "postgresql",
    ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin"),
    ("initdb", "postgres", "psql"),
)
RABBITMQ = Product(
    "RabbitMQ",
    "rabbitmq-server",
    ("/usr/lib/rabbitmq/bin", "/opt/homebrew/opt/rabbitmq/sbin"),
    ("rabbitmq-server", "rabbitmqctl"),
)
PRODUCTS = (POSTGRESQL, RABBITMQ)


def missing() -> list[Product]:
    """Return the servers that are not installed."""
    return [product for product in PRODUCTS if product.folder() is None]


def may_install() -> bool:
    """Tell whether this process may install packages of Debian."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(products: list[Product], policy: Path = POLICY) -> None:
    """Install the packages of ``products`` and let none of them start a service.

    Raises:
        subprocess.CalledProcessError: apt-get could not.
    """
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    packages = [product.package for product in products]
    with _no_service_starts(policy):
        _run(["apt-get", "update", "-qq"], environment)
        _run(["apt-get", "install", "-qq", "--yes", "--no-install-recommends", *packages], environment)


def _run(command: list[str], environment: Mapping[str, str]) -> None:
    subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=True)


@contextmanager
def _no_service_starts(policy: Path) -> Iterator[None]:
    """Let Debian start no service meanwhile; a policy that stands already is left as it is, and followed."""
    stands = policy.exists()
    if not stands:
        policy.write_text("#!/bin/sh\nexit 101\n", encoding="ascii")
        policy.chmod(0o755)
    try:
        yield
    finally:
        if not stands:
            policy.unlink()


def main() -> int:
    """Install what is missing where that is possible, and say what the tests will have to do without."""
    lacking = missing()
    if lacking and may_install():
        names = " and ".join(product.name for product in lacking)
        print(f"Installing {names} for the tests; no service is started.", file=sys.stderr)  # noqa: T201
        try:
            install(lacking)
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"That failed: {error}", file=sys.stderr)  # noqa: T201
    for product in missing():
        print(f"{product.name} is not here; its tests will be skipped.", file=sys.stderr)  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
