"""How an adapter is made from its settings: the table of ways, what each takes and needs, and all of them put together.

A new way is one line in :data:`WAYS`; a new vocabulary is one in :mod:`gateway.adapters.table`.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from gateway.adapter_settings import AdapterSettings
from gateway.adapters.adapter import FolderAdapter
from gateway.adapters.http_intake import HttpIntake
from gateway.adapters.http_place import is_loopback
from gateway.adapters.http_tls import client_side
from gateway.adapters.http_trust import Certificates, Signed, Tokens, Trust
from gateway.adapters.own_words import in_own_words
from gateway.adapters.routing import Route, Routes
from gateway.adapters.signing import Secrets
from gateway.adapters.table import VOCABULARIES
from gateway.adapters.vocabulary import Vocabulary
from gateway.clock import Clock
from gateway.directory import Directory, UnitType
from gateway.errors import ConfigurationError, Fault, Finding
from gateway.ports import EventSource, MessageTarget

UNKNOWN_WORD = Fault(
    "config.adapter-unknown",
    "Adaptern {name}: {what} {value} finns inte; det finns {known}.",
    "The adapter {name}: there is no {what} {value}; there are {known}.",
)
UNKNOWN_NEAR = Fault(
    "config.adapter-unknown-near",
    "Adaptern {name}: {what} {value} finns inte. Menade du {nearest}?",
    "The adapter {name}: there is no {what} {value}. Did you mean {nearest}?",
)
MISSING = Fault(
    "config.adapter-option-missing",
    "Adaptern {name} behöver {option}, eftersom way är {way} och direction är {direction}.",
    "The adapter {name} needs {option}, since way is {way} and direction is {direction}.",
)
UNUSED = Fault(
    "config.adapter-option-unused",
    "Adaptern {name} använder inte {option} när way är {way} och direction är {direction}.",
    "The adapter {name} has no use for {option} when way is {way} and direction is {direction}.",
)
NAME_TWICE = Fault("config.adapter-twice", "Två adaptrar heter {name}.", "Two adapters are called {name}.")
UNIT_TWICE = Fault(
    "config.adapter-unit-twice",
    "{unit} står i två adaptrar: {first} och {second}.",
    "{unit} stands in two adapters: {first} and {second}.",
)
NO_WAY_OUT = Fault(
    "config.adapters-no-way-out",
    "Ingen adapter tar emot meddelanden: en måste ha direction out eller both.",
    "No adapter takes messages: one must have the direction out or both.",
)
TWO_FOR_THE_REST = Fault(
    "config.adapters-two-for-the-rest",
    "Både {first} och {second} tar emot det som inte går till någon annan; ange units eller unit_types för den ena.",
    "Both {first} and {second} take what goes to no other; give units or unit_types for one of them.",
)
IN_CLEAR = Fault(
    "config.adapter-url-in-clear",
    "Adaptern {name}: adressen måste börja med https:// om den inte är på samma maskin.",
    "The adapter {name}: the address must begin with https:// unless it is on the same machine.",
)

_ALWAYS = {"name", "words", "way", "direction", "codes"}
_OUT = {"units", "unit_types"}


@dataclass(frozen=True, slots=True)
class Way:
    """One way for words to come and go: which settings it takes and needs in each direction, and how it is made."""

    takes_in: frozenset[str]
    takes_out: frozenset[str]
    needs_in: frozenset[str]
    needs_out: frozenset[str]
    source: Callable[[AdapterSettings, Vocabulary, Directory], EventSource]
    target: Callable[[AdapterSettings, Vocabulary, Directory, Clock], MessageTarget]


def _folder_source(one: AdapterSettings, words: Vocabulary, directory: Directory) -> FolderAdapter:
    assert one.folder is not None
    return FolderAdapter.over(words, one.folder, directory, name=one.name, timeout=one.timeout_seconds)


def _folder_target(one: AdapterSettings, words: Vocabulary, directory: Directory, _: Clock) -> FolderAdapter:
    return _folder_source(one, words, directory)


def _http_source(one: AdapterSettings, words: Vocabulary, directory: Directory) -> HttpIntake:
    return HttpIntake(words, directory, name=one.name)


def _http_target(one: AdapterSettings, words: Vocabulary, _: Directory, clock: Clock) -> MessageTarget:
    # Loaded here: a command that sends nothing over HTTP starts without the library.
    from gateway.adapters.http_delivery import HttpDelivery  # noqa: PLC0415

    assert one.url is not None
    assert one.secret_file is not None
    return HttpDelivery(
        words,
        one.url,
        Secrets.read(one.secret_file),
        clock,
        name=one.name,
        timeout=one.timeout_seconds,
        ca_file=one.ca_file,
        certificate_file=one.certificate_file,
        key_file=one.key_file,
    )


WAYS: Final = {
    "folder": Way(
        takes_in=frozenset({"folder", "timeout_seconds"}),
        takes_out=frozenset({"folder", "timeout_seconds"}),
        needs_in=frozenset({"folder"}),
        needs_out=frozenset({"folder"}),
        source=_folder_source,
        target=_folder_target,
    ),
    "http": Way(
        takes_in=frozenset({"secret_file", "tokens_file", "certificates_file"}),
        takes_out=frozenset({"url", "secret_file", "ca_file", "certificate_file", "key_file", "timeout_seconds"}),
        needs_in=frozenset(),
        needs_out=frozenset({"url", "secret_file"}),
        source=_http_source,
        target=_http_target,
    ),
}
"""Every way by name."""


def words_of(one: AdapterSettings) -> Vocabulary:
    """Return what an adapter speaks, with the words that are its system's own."""
    return in_own_words(VOCABULARIES[one.words], one.codes)


def sources_of(adapters: Sequence[AdapterSettings], directory: Directory) -> list[EventSource]:
    """Return the ways in, in the order of the settings."""
    return [WAYS[one.way].source(one, words_of(one), directory) for one in adapters if one.brings]


def routes_of(adapters: Sequence[AdapterSettings], directory: Directory, party: str, clock: Clock) -> Routes:
    """Return the ways out, each with whom it is for; raises :class:`ConfigurationError`."""
    routes = [
        Route(
            WAYS[one.way].target(one, words_of(one), directory, clock),
            frozenset(one.units),
            frozenset(UnitType(kind) for kind in one.unit_types),
        )
        for one in adapters
        if one.takes
    ]
    return Routes(routes, directory, party)


def trusts_of(one: AdapterSettings, clock: Clock) -> tuple[Trust, ...]:
    """Return how it is known who sends to an adapter; raises :class:`ConfigurationError`."""
    known: list[Trust] = []
    if one.secret_file is not None:
        known.append(Signed(Secrets.read(one.secret_file), clock))
    if one.tokens_file is not None:
        known.append(Tokens.read(one.tokens_file))
    if one.certificates_file is not None:
        known.append(Certificates.read(one.certificates_file))
    return tuple(known)


# --- what may be wrong ----------------------------------------------------------------------------------------------


def faults_of(adapters: Sequence[AdapterSettings], directory: Directory | None) -> list[Finding]:
    """Return everything that is wrong with some adapters, as far as the settings and the files they name can tell."""
    return [*_of_all(adapters), *(finding for one in adapters for finding in _of_one(one, directory))]


def _of_all(adapters: Sequence[AdapterSettings]) -> Iterator[Finding]:
    names = [one.name for one in adapters]
    yield from (NAME_TWICE.at(name=name) for name in dict.fromkeys(names) if names.count(name) > 1)
    takers = [one for one in adapters if one.takes]
    if not takers:
        yield NO_WAY_OUT.at()
    rest = [one.name for one in takers if not one.units and not one.unit_types]
    if len(rest) > 1:
        yield TWO_FOR_THE_REST.at(first=rest[0], second=rest[1])
    named: dict[str, str] = {}
    for one in takers:
        for unit in (*one.units, *one.unit_types):
            if named.setdefault(unit, one.name) != one.name:
                yield UNIT_TWICE.at(unit=unit, first=named[unit], second=one.name)


def _of_one(one: AdapterSettings, directory: Directory | None) -> Iterator[Finding]:
    yield from _known(one, "words", one.words, VOCABULARIES)
    yield from _known(one, "way", one.way, WAYS)
    for kind in one.unit_types:
        yield from _known(one, "unit_types", kind, [str(known.value) for known in UnitType])
    for unit in one.units if directory is not None else ():
        yield from _known(one, "units", unit, directory.units if directory is not None else ())
    way = WAYS.get(one.way)
    if way is None:
        return
    takes = _ALWAYS | (way.takes_in if one.brings else set()) | (way.takes_out | _OUT if one.takes else set())
    needs = (way.needs_in if one.brings else frozenset()) | (way.needs_out if one.takes else frozenset())
    told: dict[str, Any] = {"name": one.name, "way": one.way, "direction": one.direction}
    missing = sorted(option for option in needs if getattr(one, option) is None)
    yield from (MISSING.at(option=option, **told) for option in missing)
    yield from (UNUSED.at(option=option, **told) for option in sorted(one.model_fields_set - takes))
    if one.url is not None and urlsplit(one.url).scheme == "http" and not is_loopback(urlsplit(one.url).hostname or ""):
        yield IN_CLEAR.at(name=one.name)
    if not missing:
        yield from _of_files(one)


def _of_files(one: AdapterSettings) -> Iterator[Finding]:
    readers = (
        (Secrets.read, one.secret_file),
        (Tokens.read, one.tokens_file),
        (Certificates.read, one.certificates_file),
    )
    looks: list[Callable[[], Any]] = [partial(read, file) for read, file in readers if file is not None]
    if one.way == "http" and one.takes:
        looks.append(lambda: client_side(one.ca_file, one.certificate_file, one.key_file))
    for look in looks:
        try:
            look()
        except ConfigurationError as error:
            yield from error.findings


def _known(one: AdapterSettings, what: str, value: str, known: Collection[str]) -> Iterator[Finding]:
    if value in known:
        return
    near = difflib.get_close_matches(value, known, n=1, cutoff=0.6)
    if near:
        yield UNKNOWN_NEAR.at(name=one.name, what=what, value=value, nearest=near[0])
    else:
        shown = ", ".join(known) if len(known) <= 20 else "…"
        yield UNKNOWN_WORD.at(name=one.name, what=what, value=value, known=shown)


def folders_of(adapters: Sequence[AdapterSettings]) -> list[Path]:
    """Return the folders that are shared with systems."""
    return list(dict.fromkeys(one.folder for one in adapters if one.folder is not None))
