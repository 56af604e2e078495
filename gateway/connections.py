"""The case systems of one gateway, connected as the settings say: all behind one adapter, with lanes and a door."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import structlog

from gateway.adapter_book import AdapterBook
from gateway.adapter_settings import AdapterSettings
from gateway.adapters.address import OPEN_TO_ALL, address_of, is_loopback
from gateway.adapters.composed import ComposedAdapter
from gateway.adapters.http_intake import HttpIntake
from gateway.adapters.http_trust import Tokens
from gateway.adapters.routing import Routes
from gateway.adapters.tls import server_side
from gateway.adapters.ways import WAYS, Surroundings, can_be_asked, routes_of, sources_of, trusts_of
from gateway.clock import Clock
from gateway.config import Settings
from gateway.context import Context
from gateway.directory import Directory
from gateway.envelope import Channel
from gateway.errors import ConfigurationError, Fault, Finding
from gateway.heartbeat import Heartbeat
from gateway.ports import Adapter, Door, EventSource, Lane, Measured, MessageTarget
from gateway.store import Store

if TYPE_CHECKING:
    from gateway.web.windows import Windows

NO_DOOR = Fault(
    "config.http-listen-missing",
    "Adaptern {name} tar emot händelser över HTTP, men http_listen säger inte var, till exempel 127.0.0.1:8480.",
    "The adapter {name} takes events over HTTP, but http_listen does not say where, for example 127.0.0.1:8480.",
)
NO_CERTIFICATE = Fault(
    "config.http-certificate-missing",
    "{name} är angiven, men inte http_certificate_file, så trafiken vore okrypterad.",
    "{name} is given, but not http_certificate_file, so it would go in clear.",
)
NO_CLIENT_CA = Fault(
    "config.http-client-ca-missing",
    "Adaptern {name} känner sina system på deras certifikat, men http_client_ca_file är inte angiven.",
    "The adapter {name} knows its systems by their certificates, but http_client_ca_file is not given.",
)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Connections:
    """The case systems of a gateway: one adapter for them all, a lane to each where there are several, and doors."""

    adapter: Adapter
    routes: Routes
    lanes: tuple[Lane, ...]
    doors: tuple[Door, ...]
    heartbeat: Heartbeat
    sources: frozenset[str]
    """By which names events come that the adapter can take."""


@asynccontextmanager
async def connected(
    settings: Settings,
    directory: Directory,
    clock: Clock,
    store: Store,
    probes: Mapping[str, Callable[[], Awaitable[None]]],
    measured: Measured | None = None,
    shown: Context | None = None,
    depth: Callable[[Channel], Awaitable[int]] | None = None,
) -> AsyncIterator[Connections]:
    """Connect the case systems while the block runs.

    ``probes`` are what the door says of the health of the gateway, and ``measured`` what it is measured by. What it
    shows people and programs are the surroundings ``shown``, where there are any, and how much waits at the exchange
    (``depth``).

    Raises:
        ConfigurationError: a file that the settings name cannot be used.
    """
    adapters, book = settings.all_adapters(), AdapterBook(store, clock)
    around = Surroundings(directory, clock, book)
    sources = sources_of(adapters, around)
    routes = routes_of(adapters, around, settings.party)
    async with AsyncExitStack() as stack:
        for one in (*sources, *routes.targets):  # those that keep connections
            if isinstance(one, AbstractAsyncContextManager):
                await stack.enter_async_context(one)
        adapter = ComposedAdapter(sources, routes, book)
        windows = None
        if shown is not None:
            names = [source.name for source in sources]
            windows = _windows(settings, shown, adapter, names, lanes_of(routes), probes, depth, stack)
        yield Connections(
            adapter=adapter,
            routes=routes,
            lanes=lanes_of(routes),
            doors=_doors(settings, sources, clock, book, probes, measured, windows),
            heartbeat=Heartbeat(store, clock, _asked(adapters, sources, routes)),
            sources=frozenset(source.name for source in sources),
        )


def lanes_of(routes: Routes) -> tuple[Lane, ...]:
    """Return a lane to each system; none where there is one only. The first takes what is for no other."""
    if len(routes.targets) == 1:
        return ()
    lanes = [
        Lane(name=one.name, units=routes.units_of(one), others=routes.units_of_others(one)) for one in routes.targets
    ]
    return tuple(sorted(lanes, key=lambda lane: lane.units is not None))


def _asked(
    adapters: Sequence[AdapterSettings], sources: Sequence[EventSource], routes: Routes
) -> dict[str, list[EventSource | MessageTarget]]:
    """Return the ends of every way to a system that can be asked whether it is there, by adapter."""
    asked = [one.name for one in adapters if can_be_asked(one)]
    ends: list[EventSource | MessageTarget] = [*sources, *routes.targets]
    return {name: [end for end in ends if end.name == name] for name in asked}


def _doors(
    settings: Settings,
    sources: list[EventSource],
    clock: Clock,
    book: AdapterBook,
    probes: Mapping[str, Callable[[], Awaitable[None]]],
    measured: Measured | None,
    windows: Windows | None,
) -> tuple[Door, ...]:
    doors = [source for source in sources if isinstance(source, Door)]
    if settings.http_listen is None:
        return tuple(doors)
    # Loaded here: a command that listens to nobody starts without the library.
    from gateway.adapters.http_door import HttpDoor  # noqa: PLC0415
    from gateway.adapters.http_events import Entrance, HttpEvents  # noqa: PLC0415
    from gateway.adapters.http_figures import HttpFigures  # noqa: PLC0415

    by_name = {one.name: one for one in settings.all_adapters()}
    entrances = []
    for source in sources:
        if isinstance(source, HttpIntake) and (answers := WAYS[by_name[source.name].way].answers) is not None:
            trusts, fetch = trusts_of(by_name[source.name], clock), getattr(source, "fetch", None)
            entrances.append(Entrance(source, trusts, answers(), fetch))
    host, port = address_of(settings.http_listen)
    tls = None
    if settings.http_certificate_file is not None:
        tls = server_side(settings.http_certificate_file, settings.http_key_file, settings.http_client_ca_file)
    events = HttpEvents(entrances, max_bytes=settings.http_max_bytes, book=book)
    file = settings.metrics_tokens_file
    figures = None if measured is None else HttpFigures(measured, Tokens.read(file) if file is not None else None)
    mount = windows.add_to if windows is not None else None
    door = HttpDoor(events, host=host, port=port, tls=tls, probes=probes, figures=figures, windows=mount)
    return (door, *doors)


def _windows(
    settings: Settings,
    context: Context,
    adapter: Adapter,
    sources: Sequence[str],
    lanes: Sequence[Lane],
    probes: Mapping[str, Callable[[], Awaitable[None]]],
    depth: Callable[[Channel], Awaitable[int]] | None,
    stack: AsyncExitStack,
) -> Windows | None:
    """Return what people and programs may look at; ``None`` where nobody can come in.

    On this machine alone that is as it is. Where others can come, it is said under which address they do; a gateway
    that is told nothing shows them nothing.
    """
    if settings.http_listen is None:
        return None
    is_near = is_loopback(address_of(settings.http_listen)[0])
    if not is_near and settings.public_url is None:
        log.info("web.not-shown", reason="public_url")
        return None
    # Loaded here: a command that shows nothing to anybody starts without the libraries.
    from gateway.web.entry import keep_session  # noqa: PLC0415
    from gateway.web.oidc import OidcLogin  # noqa: PLC0415
    from gateway.web.window import Window  # noqa: PLC0415
    from gateway.web.windows import Windows  # noqa: PLC0415

    oidc = None
    if settings.oidc_issuer is not None:
        clock, directory = context.clock, context.directory
        oidc = OidcLogin(settings, context.store, clock, directory, partial(keep_session, settings))
        stack.push_async_callback(oidc.close)
    window = Window(
        context=context,
        settings=settings,
        adapter=adapter,
        sources=frozenset(sources),
        probes=probes,
        lanes={lane.name: lane for lane in lanes},
        depth=depth,
        is_near=is_near,
        oidc=oidc,
    )
    return Windows(window)


def faults_of_door(settings: Settings) -> list[Finding]:
    """Return what is wrong with where events are taken over HTTP, as far as the settings and files can tell."""
    findings: list[Finding] = []
    through_the_door = {name for name, way in WAYS.items() if way.answers is not None}
    entrances = [one for one in settings.adapters if one.brings and one.way in through_the_door]
    if settings.http_listen is None:
        # What has changed in a system can be fetched though nobody is let in.
        return [NO_DOOR.at(name=one.name) for one in entrances if one.url is None or one.way == "http"]
    if not is_loopback(address_of(settings.http_listen)[0]):
        known = ("secret_file", "tokens_file", "certificates_file")
        open_to_all = [one.name for one in entrances if not any(getattr(one, option) for option in known)]
        findings += [OPEN_TO_ALL.at(name=name) for name in open_to_all]
    if settings.http_certificate_file is None:
        needing = [name for name in ("http_key_file", "http_client_ca_file") if getattr(settings, name) is not None]
        findings += [NO_CERTIFICATE.at(name=name) for name in needing]
    else:
        try:
            server_side(settings.http_certificate_file, settings.http_key_file, settings.http_client_ca_file)
        except ConfigurationError as error:
            findings += error.findings
    if settings.metrics_tokens_file is not None:
        try:
            Tokens.read(settings.metrics_tokens_file)
        except ConfigurationError as error:
            findings += error.findings
    if settings.http_client_ca_file is None:
        findings += [NO_CLIENT_CA.at(name=one.name) for one in entrances if one.certificates_file is not None]
    return findings
