"""The settings of one gateway: flags win over the environment, which wins over files, which win over defaults.

Two files are read where they exist: the one that is named, or ``gateway.toml`` in the working folder, and beneath it
the one of the machine. A name that is no setting is an error in every one of these places, so that nothing misspelt
passes in silence.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, ValidationError

from gateway.adapter_settings import LISTEN, Adapters, AdapterSettings
from gateway.errors import ConfigurationError, Fault, Finding

UNKNOWN = Fault("config.unknown", "Inställningen {name} finns inte.", "There is no setting {name}.")
UNKNOWN_NEAR = Fault(
    "config.unknown-near",
    "Inställningen {name} finns inte. Menade du {nearest}?",
    "There is no setting {name}. Did you mean {nearest}?",
)
INVALID = Fault(
    "config.invalid",
    "Inställningen {name} har ett värde som inte kan användas. Det ska vara: {expected}.",
    "The setting {name} has a value that cannot be used. It should be: {expected}.",
)
UNREADABLE = Fault(
    "config.unreadable", "Filen {file} kan inte läsas som TOML.", "The file {file} cannot be read as TOML."
)
SECRET_UNREADABLE = Fault(
    "config.secret-unreadable",
    "Filen {file} med lösenordet ({name}) kan inte läsas eller är tom.",
    "The file {file} with the password ({name}) cannot be read or is empty.",
)

TWICE = Fault(
    "config.adapters-twice",
    "Antingen {simple} eller adapters, inte båda.",
    "Either {simple} or adapters, not both.",
)

DEFAULT_FILE = Path("gateway.toml")
"""Read from the working folder when no other file is named."""
MACHINE_FILE = Path("/etc/gateway/gateway.toml")
"""Read beneath every other source."""
PREFIX = "GATEWAY_"
"""What the names of settings begin with in the environment."""

_SERVICE_LINK = re.compile(r"GATEWAY_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT|PORT_\d+_(TCP|UDP|SCTP)(_\w+)?)")
"""What Kubernetes sets by itself in every container beside a service that is called ``gateway``."""

_PASSWORD = re.compile(r"(?<=://)([^:/@?#]*):.*@")
_QUERY_PASSWORD = re.compile(r"(?<=[?&])(pass\w*)=[^&]*", re.IGNORECASE)

MAX_EVENT_BYTES = 30 * 1024 * 1024
"""The largest event of all, 30 MB."""

PUBLIC_URL = r"^https?://[^/@\s?#\\]+/?$"
"""The form of where the pages are: a scheme and a host, since every address of a page begins at the root."""
ISSUER = r"^https?://[^/@\s?#\\]+(/[^@\s?#\\]*)?$"
"""The form of the name of an identity provider (OpenID Connect Core 1.0, 2: no query and no fragment)."""

Words = Annotated[str, Field(min_length=1)]


def _pairs(value: Any) -> Any:
    """Read a table that is written on one line, as it is in the environment: ``name = value; name = value``."""
    if not isinstance(value, str):
        return value
    pairs = [part.partition("=") for part in value.split(";") if part.strip()]
    table = {name.strip(): text.strip() for name, _, text in pairs}
    if len(table) < len(pairs):  # pydantic tells where a ValueError was raised, and knows no other
        raise ValueError("a name stands twice")
    return table


def _on_one_line(table: Mapping[str, str]) -> str:
    return "; ".join(f"{name} = {value}" for name, value in table.items())


Table = Annotated[Mapping[str, Words], BeforeValidator(_pairs), PlainSerializer(_on_one_line, return_type=str)]
"""Values by name: a table in a file, one line in the environment."""


class Settings(BaseModel):
    """What one gateway must know to run. In the environment each name has the prefix ``GATEWAY_``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    party: Words = "kommun"
    """The party this gateway serves, by its name in the directory."""
    store: Words = "sqlite+aiosqlite:///gateway.sqlite"
    """The gateway's own database, as an SQLAlchemy URL."""
    store_password_file: Path | None = None
    """The file that holds the password of the database, and nothing else."""
    database_pool: Annotated[int, Field(ge=2, le=100)] = 10
    """How many connections one process may have to a database server."""
    exchange: Words = "sqlite+aiosqlite:///exchange.sqlite"
    """The exchange; the embedded one is a SQLite file that the gateways of one machine share."""
    exchange_password_file: Path | None = None
    """The file that holds the password of the exchange, and nothing else."""
    exchange_ca_file: Path | None = None
    """The certificates that may vouch for the exchange; those of the system where none are named."""
    exchange_certificate_file: Path | None = None
    """The certificate this gateway shows the exchange."""
    exchange_key_file: Path | None = None
    """The key of that certificate."""
    directory: Path = Path("directory.toml")
    """The file of parties and units."""
    adapter: Words = "treserva"
    """The kind of case system, by its name in the table of adapters."""
    folder: Path = Path("case-system")
    """The folder that the case system and the gateway exchange files in."""
    adapters: Annotated[Adapters, Field(examples=["[[adapters]]"])] = ()
    """The case systems, where there are several or one is not reached over a folder; instead of the two above."""
    http_listen: Annotated[str | None, Field(pattern=LISTEN, examples=["host:port"])] = None
    """Where events may be sent over HTTP, and health is asked."""
    http_certificate_file: Path | None = None
    """The certificate that is shown to whoever comes there; without one, what comes is not encrypted."""
    http_key_file: Path | None = None
    """The key of that certificate."""
    http_client_ca_file: Path | None = None
    """The certificates that may vouch for those of the systems that come there."""
    metrics_tokens_file: Path | None = None
    """The SHA-256 of the tokens with which the gateway may be measured; without them, from this machine only."""
    http_max_bytes: Annotated[int, Field(ge=1_000, le=MAX_EVENT_BYTES)] = MAX_EVENT_BYTES
    """The largest event that is taken over HTTP."""
    traces_url: Annotated[str | None, Field(pattern=r"^https?://", examples=["https://host:4318/v1/traces"])] = None
    """Where traces are told (OpenTelemetry, OTLP over HTTP); needs the extra `otel`."""
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    """How many processes run this gateway."""
    circuit_failures: Annotated[int, Field(ge=1, le=1000)] = 5
    """How many technical failures in a row stop the messages to a partner, or to the case system."""
    circuit_probe_seconds: Annotated[float, Field(ge=1, le=3600)] = 60
    """How often one message is tried meanwhile."""
    drain_per_second: Annotated[float, Field(ge=1, le=10_000)] = 10
    """How many messages a second go to whoever is back, until what has piled up is gone."""
    drain_seconds: Annotated[float, Field(ge=0, le=3600)] = 30
    """How long a gateway that is told to stop may take to finish what it has in hand."""
    log_format: Literal["auto", "json", "pretty"] = "auto"
    """How the log looks; ``auto`` is pretty on a terminal and JSON lines elsewhere."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least serious lines of the log; ``debug`` tells of each message at each hop."""

    deadlines: Annotated[Table, Field(examples=["meetingBooking = 3 working days, reminder after 2; plan = …"])] = {}
    """The deadlines on which the parties have agreed otherwise, by the name of a message type or a clock of a case."""
    meeting_counted_from: Literal["consent", "need"] = "consent"
    """From when the three weeks to the first SIP meeting are counted."""
    lead_time_target_days: Annotated[int, Field(ge=1, le=365)] = 21
    """Within how many days of the need the first SIP meeting should be held; for reports."""
    smallest_count_shown: Annotated[int, Field(ge=1, le=1000)] = 5
    """The smallest number that reports show, except zero; what is smaller could tell about a single person."""
    payment_grace_days: Annotated[int, Field(ge=0, le=365)] = 3
    """How many days after *utskrivningsklar* the payment responsibility begins (lag 2017:612, 5 kap. 4 §)."""
    payment_cutoff: Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", examples=["12:00"])] = "12:00"
    """The Swedish time of day after which the responsibility begins one day later."""
    payment_mean_days: Annotated[float, Field(ge=0, le=365)] = 3.0
    """The agreed mean of days a patient and month; those above it are the overshoot."""
    payment_mean_from: Literal["grace", "ready"] = "grace"
    """From when the days of the mean are counted: from when the responsibility begins, or from *utskrivningsklar*."""
    payment_individually_after_days: Annotated[int, Field(ge=0, le=365)] = 7
    """After how many days a patient is looked at individually."""
    payment_day_amount: Annotated[float, Field(ge=0, le=1_000_000)] = 0
    """What a day above the mean costs, in kronor: the amount of the year; none is estimated when it is 0."""
    public_url: Annotated[str | None, Field(pattern=PUBLIC_URL, examples=["https://host", "https://host:port"])] = None
    """Where people reach the pages from outside, such as ``https://gateway.example``."""
    oidc_issuer: Annotated[str | None, Field(pattern=ISSUER, examples=["https://host/path"])] = None
    """The identity provider (OpenID Connect) that people log in with, by the name it calls itself."""
    oidc_client_id: Words | None = None
    """What the gateway is called there."""
    oidc_client_secret_file: Path | None = None
    """The file with the secret that the gateway shows there; without one PKCE alone vouches for it."""
    oidc_scopes: Words = "openid"
    """What is asked for there, by the names of scopes, with spaces between."""
    oidc_audience: Words | None = None
    """For whom the access tokens of programs must be issued; without one none is taken."""
    oidc_name_claim: Words = "employeeHsaId"
    """The claim with the HSA-id of a person."""
    oidc_assignment_claim: Words = "commissionHsaId"
    """The claim with the HSA-id of the assignment (uppdrag) a person acts in, where there is one."""
    oidc_units_claim: Words = "healthCareUnitHsaId"
    """The claim with the HSA-ids of the units that somebody sees."""
    oidc_role_claim: Words = "roles"
    """The claim with what somebody may do; ``a.b`` is the member ``b`` of the claim ``a``."""
    oidc_roles: Annotated[Table, Field(examples=["sip-drift = operator *; sip-enhet = operator; …"])] = {}
    """The role for each value of that claim; with ``*`` behind it for all units, whatever the claim of units says."""
    audit_years: Annotated[int, Field(ge=5, le=10)] = 5
    """How many years the rows of the audit log are kept at least; nothing removes them yet."""

    @classmethod
    def load(cls, file: Path | None = None, **flags: Any) -> Settings:
        """Return the settings from flags, environment and files; a flag that is ``None`` was not given.

        Raises:
            ConfigurationError: a file cannot be read, or a setting is wrong or not known.
        """
        return Configuration.read(file, **flags).settings

    def all_adapters(self) -> tuple[AdapterSettings, ...]:
        """Return the adapters, also when there is one alone that is told by its kind and folder."""
        if self.adapters:
            return self.adapters
        # Made without a look at its name: whether there is such an adapter is told by whoever knows them all.
        return (
            AdapterSettings.model_construct(name=self.adapter, words=self.adapter, way="folder", folder=self.folder),
        )

    def store_password(self) -> str | None:
        """Return the password of the database, where a file names one; raises :class:`ConfigurationError`."""
        return _secret("store_password_file", self.store_password_file)

    def oidc_client_secret(self) -> str | None:
        """Return the secret for the identity provider, where a file has one; raises :class:`ConfigurationError`."""
        return _secret("oidc_client_secret_file", self.oidc_client_secret_file)

    def exchange_password(self) -> str | None:
        """Return the password of the exchange, where a file names one; raises :class:`ConfigurationError`."""
        return _secret("exchange_password_file", self.exchange_password_file)


def _secret(name: str, file: Path | None) -> str | None:
    if file is None:
        return None
    try:
        secret = file.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        secret = ""
    if not secret:
        raise ConfigurationError(SECRET_UNREADABLE.at(name=name, file=file))
    return secret


@dataclass(frozen=True, slots=True)
class Source:
    """One place settings come from. ``called`` gives a setting the name it has there; ``name`` is for people."""

    name: str
    called: str
    values: Mapping[str, Any]

    def call(self, setting: str) -> str:
        """Return what a setting is called in this place."""
        shown = {"flag": setting.replace("_", "-"), "environment": setting.upper()}.get(self.name, setting)
        return f"{self.called}{shown}"


@dataclass(frozen=True, slots=True)
class Configuration:
    """The settings, and for each where it came from."""

    settings: Settings
    origins: dict[str, str]

    @classmethod
    def read(cls, file: Path | None = None, **flags: Any) -> Configuration:
        """Read every source there is, the strongest first.

        Raises:
            ConfigurationError: with everything that is wrong in any of them.
        """
        sources = [
            Source("flag", "--", {name: value for name, value in flags.items() if value is not None}),
            Source("environment", PREFIX, _environment(os.environ)),
            *_files(file),
        ]
        findings = [_unknown(source, name) for source in sources for name in source.values if name not in _NAMES]
        found = {name: source for source in reversed(sources) for name in source.values if name in _NAMES}
        try:
            settings = Settings.model_validate({name: source.values[name] for name, source in found.items()})
        except ValidationError as error:
            # A wrong setting of an adapter is told by its own name, once, however many ways it is wrong.
            wrong = dict.fromkeys(_place(fault["loc"]) for fault in error.errors())
            findings += [_wrong(found[place[0]], *place) for place in wrong]
        simple = [name for name in ("adapter", "folder") if name in found]
        if "adapters" in found and simple:
            findings.append(TWICE.at(simple=", ".join(found[name].call(name) for name in simple)))
        if findings:
            raise ConfigurationError(findings)
        origins = {name: found[name].name if name in found else "default" for name in Settings.model_fields}
        return cls(settings, origins)

    def shown(self) -> dict[str, Any]:
        """Return each setting as it may be shown: passwords in addresses are masked."""
        values = self.settings.model_dump(mode="json")
        shown = {name: masked(value) if isinstance(value, str) else value for name, value in values.items()}
        return shown | {"adapters": [one.shown() for one in self.settings.adapters]}


_NAMES = tuple(Settings.model_fields)


def masked(address: str) -> str:
    """Return an address without the password in it."""
    return _QUERY_PASSWORD.sub(r"\1=***", _PASSWORD.sub(r"\1:***@", address))


def _environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the settings in the environment by name; an empty one counts as not given."""
    return {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environment.items()
        if name.startswith(PREFIX) and value and not _SERVICE_LINK.fullmatch(name)
    }


def _files(file: Path | None) -> Iterable[Source]:
    """Yield the file that is named, or the one in the working folder, and then the one of the machine."""
    for place in (file or DEFAULT_FILE, MACHINE_FILE):
        if place.exists() or place == file:
            try:
                values = tomllib.loads(place.read_text(encoding="utf-8"))
            except (OSError, ValueError):
                raise ConfigurationError(UNREADABLE.at(file=place)) from None
            yield Source(str(place), f"{place}: ", values)


def _unknown(source: Source, name: str) -> Finding:
    near = difflib.get_close_matches(name, _NAMES, n=1, cutoff=0.6)
    if near:
        return UNKNOWN_NEAR.at(name=source.call(name), nearest=source.call(near[0]))
    return UNKNOWN.at(name=source.call(name))


def _place(loc: tuple[int | str, ...]) -> tuple[str, int | None, str | None]:
    """Return which setting is wrong, and in the array of adapters, of which one and which of its own."""
    inner = loc[1:] if loc[0] == "adapters" else ()
    number = inner[0] if inner and isinstance(inner[0], int) else None
    return str(loc[0]), number, str(inner[1]) if number is not None and len(inner) > 1 else None


def _wrong(source: Source, name: str, number: int | None, inner: str | None) -> Finding:
    if number is None:
        return INVALID.at(name=source.call(name), expected=_expected(Settings, name))
    called = f"{source.call(name)}[{number + 1}]"
    if inner is None:
        return INVALID.at(name=called, expected="[[adapters]]")
    if inner in AdapterSettings.model_fields:
        return INVALID.at(name=f"{called}.{inner}", expected=_expected(AdapterSettings, inner))
    near = difflib.get_close_matches(inner, AdapterSettings.model_fields, n=1, cutoff=0.6)
    if near:
        return UNKNOWN_NEAR.at(name=f"{called}.{inner}", nearest=f"{called}.{near[0]}")
    return UNKNOWN.at(name=f"{called}.{inner}")


def _expected(model: type[BaseModel], name: str) -> str:
    """Return the form of a setting, in a notation that is the same in both languages."""
    form = model.model_json_schema()["properties"][name]
    if "enum" in form:
        return " | ".join(form["enum"])
    if "examples" in form:
        return " | ".join(form["examples"])
    if "minimum" in form:
        return f"{form['minimum']:g} … {form['maximum']:g}"
    return {"array": '["…"]', "object": "[adapters.codes.…]"}.get(form.get("type", ""), '"…"')
