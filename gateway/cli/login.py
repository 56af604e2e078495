"""``gateway login``: a link that logs somebody in to the pages, once, on the machine that the gateway runs on."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated

import structlog
import typer

from gateway.access import Actor, Role
from gateway.adapters.address import address_of, is_loopback
from gateway.app import open_store
from gateway.cli.console import PLAIN, ConfigOption, DirectoryOption, StoreOption, out, talk
from gateway.cli.ledger import existing
from gateway.clock import SystemClock
from gateway.config import Settings
from gateway.directory import Directory
from gateway.errors import ConfigurationError, Fault
from gateway.identifiers import HsaId
from gateway.logs import logging_to
from gateway.sessions import LINK_MINUTES, make_link
from gateway.tokens import check_units

NO_PAGES = Fault(
    "login.no-pages",
    "Det finns inga sidor att logga in på: http_listen säger inte var, till exempel 127.0.0.1:8480.",
    "There are no pages to log in to: http_listen does not say where, for example 127.0.0.1:8480.",
)
NOT_THIS_MACHINE = Fault(
    "login.not-this-machine",
    "Länkar ges bara till sidor som nås från den egna datorn, och http_listen är {listen}. Där loggar man in med OIDC "
    "(oidc_issuer).",
    "Links are given only to pages that this machine alone can reach, and http_listen is {listen}. There one logs in "
    "with OIDC (oidc_issuer).",
)

log = structlog.get_logger(__name__)


def login(
    by: Annotated[str, typer.Option("--by", help="HSA-id of whoever logs in.")],
    role: Annotated[Role, typer.Option("--role", help="What they may do.")],
    units: Annotated[
        list[str] | None, typer.Option("--unit", help="HSA-id of a unit they see; may be repeated. Else all.")
    ] = None,
    store: StoreOption = None,
    config: ConfigOption = None,
    directory: DirectoryOption = None,
) -> None:
    """Print a link that logs somebody in to the pages of this machine, once, within ten minutes; and nothing else."""
    settings = existing(store, config, directory=directory)
    pages = pages_of(settings)
    person = Actor(name=HsaId.parse(by).value, role=role, units=frozenset(units) if units else None)
    value = asyncio.run(_link(settings, person))
    with logging_to(sys.stderr, settings.log_format, settings.log_level):
        log.info("login.link-made", by=person.name, role=role.value, units=units or None)
    talk.print(f"Gäller en gång, i {LINK_MINUTES} minuter / Holds once, for {LINK_MINUTES} minutes:", **PLAIN)
    out.print(f"{pages}/login/{value}", **PLAIN)


def pages_of(settings: Settings) -> str:
    """Return where this machine reaches the pages, such as ``http://127.0.0.1:8480``.

    Raises:
        ConfigurationError: there are none, or other machines reach them too.
    """
    if settings.http_listen is None:
        raise ConfigurationError(NO_PAGES.at())
    host, _ = address_of(settings.http_listen)
    if not is_loopback(host):
        raise ConfigurationError(NOT_THIS_MACHINE.at(listen=settings.http_listen))
    scheme = "https" if settings.http_certificate_file is not None else "http"
    return f"{scheme}://{settings.http_listen}"


async def _link(settings: Settings, person: Actor) -> str:
    check_units(person.units or (), settings.party, Directory.load(settings.directory))
    async with open_store(settings, migrates=False) as store, store.writing() as tx:
        return await make_link(tx, person, SystemClock().now())
