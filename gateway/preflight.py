"""What is wrong with the settings as a whole: found before anything is opened, and all of it told at once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from gateway import connections
from gateway.adapters import adapter_rules
from gateway.adapters.table import ADAPTERS
from gateway.adapters.ways import folders_of
from gateway.config import Settings
from gateway.directory import Directory
from gateway.errors import ConfigurationError, Fault, Finding
from gateway.messages import TYPES
from gateway.messages.linter import gaps
from gateway.pausing import UNKNOWN_ADAPTER
from gateway.store.engine import open_engine
from gateway.times import agreed
from gateway.web import oidc_rules

UNKNOWN_PARTY = Fault(
    "config.unknown-party", "Parten {name} finns inte i enhetskatalogen.", "The party {name} is not in the directory."
)
EXCHANGE_URL = Fault(
    "config.exchange-url",
    "Meddelandeväxelns adress kan inte användas; den ska börja med {known}.",
    "The address of the exchange cannot be used; it should begin with {known}.",
)
NO_FILE = Fault(
    "config.exchange-file",
    "Den inbäddade växeln behöver en fil: sqlite+aiosqlite:///fil.sqlite.",
    "The embedded exchange needs a file: sqlite+aiosqlite:///file.sqlite.",
)
ONE_WRITER = Fault(
    "config.one-writer",
    "Flera arbetsprocesser ({workers}) kräver PostgreSQL: en SQLite-fil tar emot en skrivande process i taget.",
    "Several workers ({workers}) need PostgreSQL: a SQLite file takes one writing process at a time.",
)
ONE_CONSUMER = Fault(
    "config.one-consumer",
    "Flera arbetsprocesser ({workers}) kräver RabbitMQ: från den inbäddade växeln hämtar en process för varje part.",
    "Several workers ({workers}) need RabbitMQ: from the embedded exchange one process takes deliveries for a party.",
)
FILE_UNREADABLE = Fault(
    "config.file-unreadable",
    "Filen {file} ({name}) kan inte läsas.",
    "The file {file} ({name}) cannot be read.",
)
KEY_ALONE = Fault(
    "config.key-alone",
    "exchange_key_file är angiven, men inte det certifikat (exchange_certificate_file) som nyckeln hör till.",
    "exchange_key_file is given, but not the certificate (exchange_certificate_file) that the key belongs to.",
)
NOT_ENCRYPTED = Fault(
    "config.not-encrypted",
    "Certifikat är angivna, men växelns adress börjar inte med amqps://, så trafiken vore okrypterad.",
    "Certificates are given, but the address of the exchange does not begin with amqps://, so it would go in clear.",
)
FOLDER_UNUSABLE = Fault(
    "config.folder-unusable",
    "Mappen {folder} som delas med verksamhetssystemet finns inte, eller kan inte läsas och skrivas.",
    "The folder {folder} shared with the case system does not exist, or cannot be read and written.",
)

EMBEDDED_EXCHANGE = "sqlite+aiosqlite"
BROKERS = ("amqp", "amqps")
_CERTIFICATES = ("exchange_ca_file", "exchange_certificate_file", "exchange_key_file")


def scheme_of(url: str) -> str:
    """Return what stands before ``://`` in an address."""
    return url.partition("://")[0]


def faults_of(settings: Settings) -> list[Finding]:
    """Return everything that keeps a gateway from being opened, as far as the contracts and files can tell."""
    return [
        *gaps(TYPES),
        *_of_directory(settings),
        *_of_deadlines(settings),
        *_of_store(settings),
        *faults_of_exchange(settings),
        *_of_secrets(settings),
        *_of_workers(settings),
        *connections.faults_of_door(settings),
        *oidc_rules.faults_of(settings),
    ]


def faults_around(settings: Settings) -> list[Finding]:
    """Return what is missing on this machine, though a gateway may start without it and wait until it is there."""
    folders = folders_of(settings.all_adapters())
    return [FOLDER_UNUSABLE.at(folder=folder) for folder in folders if not _is_shared(folder)]


def _of_directory(settings: Settings) -> Iterator[Finding]:
    directory = None
    try:
        directory = Directory.load(settings.directory)
        if settings.party not in directory.parties:
            yield UNKNOWN_PARTY.at(name=settings.party)
    except ConfigurationError as error:
        yield from error.findings
    if settings.adapters:
        yield from adapter_rules.faults_of(settings.adapters, directory)
    elif settings.adapter not in ADAPTERS:
        yield UNKNOWN_ADAPTER.at(name=settings.adapter, known=", ".join(ADAPTERS))


def _of_deadlines(settings: Settings) -> Iterator[Finding]:
    try:
        agreed(settings.deadlines)
    except ConfigurationError as error:
        yield from error.findings


def _of_store(settings: Settings) -> Iterator[Finding]:
    try:
        open_engine(settings.store)
    except ConfigurationError as error:
        yield from error.findings


def faults_of_exchange(settings: Settings) -> list[Finding]:
    """Return what keeps the exchange of the settings from being opened, as far as files can tell."""
    return list(_of_exchange(settings))


def _of_exchange(settings: Settings) -> Iterator[Finding]:
    scheme, _, place = settings.exchange.partition("://")
    if scheme not in (EMBEDDED_EXCHANGE, *BROKERS):
        yield EXCHANGE_URL.at(known=", ".join(f"{known}://" for known in (EMBEDDED_EXCHANGE, *BROKERS)))
    elif scheme == EMBEDDED_EXCHANGE and place.lstrip("/").partition("?")[0] in ("", ":memory:"):
        yield NO_FILE.at()
    certificates = {name: getattr(settings, name) for name in _CERTIFICATES}
    for name, file in certificates.items():
        if file is not None and not _is_readable(file):
            yield FILE_UNREADABLE.at(name=name, file=file)
    if settings.exchange_key_file is not None and settings.exchange_certificate_file is None:
        yield KEY_ALONE.at()
    if scheme != "amqps" and any(certificates.values()):
        yield NOT_ENCRYPTED.at()


def _of_secrets(settings: Settings) -> Iterator[Finding]:
    for secret in (settings.store_password, settings.exchange_password):
        try:
            secret()
        except ConfigurationError as error:
            yield from error.findings


def _of_workers(settings: Settings) -> Iterator[Finding]:
    if settings.workers > 1:
        if scheme_of(settings.store).startswith("sqlite"):
            yield ONE_WRITER.at(workers=settings.workers)
        if scheme_of(settings.exchange) == EMBEDDED_EXCHANGE:
            yield ONE_CONSUMER.at(workers=settings.workers)


def _is_shared(folder: Path) -> bool:
    return folder.is_dir() and os.access(folder, os.R_OK | os.W_OK | os.X_OK)


def _is_readable(file: Path) -> bool:
    with suppress(OSError), file.open("rb"):
        return True
    return False
