"""Finding the servers and the browser that some tests need, and installing what is missing on a Debian that may.

``python -m services.installing`` is what ``make test`` runs beforehand; a bare ``pytest`` installs nothing. Packages
that are named are the only ones looked for: what plays without pages needs no browser.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

POLICY = Path("/usr/sbin/policy-rc.d")
"""Asked by Debian before a package starts a service; 101 says no."""


@dataclass(frozen=True, slots=True)
class Product:
    """A server or browser: the package that brings it, where its programs may lie, and which of them are needed.

    ``needed`` is ``all``, or ``any`` where one product has several names and one of its programs will do.
    """

    name: str
    package: str
    places: tuple[str, ...]
    programs: tuple[str, ...]
    needed: Callable[[Iterable[bool]], bool] = all

    def folder(self) -> Path | None:
        """Return the folder that holds the needed programs of the newest one installed, or ``None``."""
        for place in self._places():
            if self.needed((place / program).exists() for program in self.programs):
                return place
        return None

    def program(self, folder: Path) -> Path:
        """Return the first of the programs that ``folder`` holds."""
        return next(folder / program for program in self.programs if (folder / program).exists())

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
CHROMIUM = Product(
    "Chromium",
    "chromium",
    ("/Applications/Chromium.app/Contents/MacOS", "/Applications/Google Chrome.app/Contents/MacOS"),
    ("chromium", "chromium-browser", "google-chrome", "Chromium", "Google Chrome"),
    needed=any,
)
SERVERS = (POSTGRESQL, RABBITMQ)
PRODUCTS = (*SERVERS, CHROMIUM)


def missing(products: Iterable[Product]) -> list[Product]:
    """Return those of ``products`` that are not installed."""
    return [product for product in products if product.folder() is None]


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


def main(packages: Sequence[str] = ()) -> int:
    """Install what is missing where that is possible, and say what the tests will have to do without."""
    wanted = [product for product in PRODUCTS if product.package in packages or not packages]
    lacking = missing(wanted)
    if lacking and may_install():
        names = " and ".join(product.name for product in lacking)
        print(f"Installing {names} for the tests; no service is started.", file=sys.stderr)  # noqa: T201
        try:
            install(lacking)
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"That failed: {error}", file=sys.stderr)  # noqa: T201
    for product in missing(wanted):
        print(f"{product.name} is not here; its tests will be skipped.", file=sys.stderr)  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
