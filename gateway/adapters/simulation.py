"""A simulated case system by the way it is connected: what each way needs, and what all of them can do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Protocol, Self

from gateway.adapters.behaviour import Behaviour
from gateway.adapters.journal import JOURNAL
from gateway.adapters.signing import Secrets
from gateway.adapters.simulated import SimulatedCaseSystem
from gateway.adapters.table import VOCABULARIES
from gateway.clock import Clock
from gateway.errors import ConfigurationError, Fault, Finding

UNKNOWN_SYSTEM = Fault(
    "simulate.system-unknown",
    "Systemet {name} kan inte simuleras; det finns {known}.",
    "The system {name} cannot be simulated; there are {known}.",
)
NO_SUCH_WAY = Fault(
    "simulate.way-not-spoken",
    "{name} talar inte {way}.",
    "{name} does not speak {way}.",
)
NO_URL = Fault(
    "simulate.gateway-url",
    "--gateway ska vara en adress som börjar med http:// eller https://.",
    "--gateway should be an address that begins with http:// or https://.",
)
OPTION_MISSING = Fault("simulate.option-missing", "--way {way} behöver {option}.", "--way {way} needs {option}.")
OPTION_UNUSED = Fault(
    "simulate.option-unused", "--way {way} använder inte {option}.", "--way {way} has no use for {option}."
)


class Way(StrEnum):
    """How a simulated system is connected to its gateway."""

    FOLDER = "folder"
    HTTP = "http"
    REST = "rest"


class Simulated(Protocol):
    """A simulated system; it works while it is entered."""

    behaviour: Behaviour

    @property
    def address(self) -> str:
        """Where the gateway meets it."""
        ...

    async def tell(self, name: str, event: bytes) -> Any:
        """Tell the gateway an event under a ``name`` of one's own, and return what was answered."""
        ...

    async def counts(self) -> dict[str, int]:
        """Return how much it has done."""
        ...

    async def __aenter__(self) -> Self:
        """Begin to work. Raises :class:`ConfigurationError`."""
        ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop working."""
        ...


@dataclass(frozen=True, slots=True)
class Connection:
    """How a system is connected: ``folder`` has its records, and is shared with the gateway where that is the way."""

    way: Way
    folder: Path
    listen: tuple[str, int] | None = None
    secret_file: Path | None = None
    token_file: Path | None = None
    gateway: str | None = None


_TAKES: Final = {
    Way.FOLDER: frozenset[str](),
    Way.HTTP: frozenset({"listen", "secret_file", "token_file", "gateway"}),
    Way.REST: frozenset({"listen", "token_file", "gateway"}),
}


def simulated_system(kind: str, connection: Connection, clock: Clock, behaviour: Behaviour) -> Simulated:
    """Return a simulated system of a ``kind``, a name in the table of vocabularies.

    Raises:
        ConfigurationError: it does not exist, does not speak that way, or an option is missing or has no use.
    """
    if findings := list(_faults_of(kind, connection)):
        raise ConfigurationError(findings)
    if connection.way is Way.FOLDER:
        return SimulatedCaseSystem(connection.folder, kind, clock, behaviour=behaviour)
    # Loaded here: what exchanges files starts without the library of HTTP.
    from gateway.adapters.simulated_caller import Caller  # noqa: PLC0415
    from gateway.adapters.simulated_fhir import SimulatedFhirJournal  # noqa: PLC0415
    from gateway.adapters.simulated_http import SimulatedHttpSystem  # noqa: PLC0415

    host, port = connection.listen or ("127.0.0.1", 0)
    secrets = Secrets.read(connection.secret_file) if connection.secret_file is not None else None
    caller = None
    if connection.gateway is not None:
        caller = Caller(connection.gateway, clock, secrets=secrets, token_file=connection.token_file)
    if connection.way is Way.REST:
        return SimulatedFhirJournal(connection.folder, clock, host=host, port=port, caller=caller, behaviour=behaviour)
    assert secrets is not None
    return SimulatedHttpSystem(
        connection.folder, kind, clock, secrets, host=host, port=port, caller=caller, behaviour=behaviour
    )


def _faults_of(kind: str, connection: Connection) -> Iterator[Finding]:
    way = connection.way
    if kind not in VOCABULARIES:
        yield UNKNOWN_SYSTEM.at(name=kind, known=", ".join(VOCABULARIES))
    elif way is Way.REST and kind != JOURNAL.name:
        yield NO_SUCH_WAY.at(name=kind, way=way.value)
    for name in ("listen", "secret_file", "token_file", "gateway"):
        if getattr(connection, name) is not None and name not in _TAKES[way]:
            yield OPTION_UNUSED.at(way=way.value, option=_flag(name))
    if way is Way.HTTP and connection.secret_file is None:
        yield OPTION_MISSING.at(way=way.value, option=_flag("secret_file"))
    if connection.gateway is not None and not re.fullmatch(r"https?://[^/@\s?#]+[^@\s]*", connection.gateway):
        yield NO_URL.at()
    if connection.token_file is not None and connection.gateway is None:
        yield OPTION_MISSING.at(way=way.value, option=_flag("gateway"))


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"
