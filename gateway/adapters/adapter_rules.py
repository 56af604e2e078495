"""What may be wrong with the settings of adapters: found before anything is opened, and all of it told at once."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from gateway.adapter_settings import AdapterSettings
from gateway.adapters.address import address_of, is_loopback
from gateway.adapters.http_trust import Certificates, Tokens
from gateway.adapters.signing import Secrets
from gateway.adapters.table import WORDS
from gateway.adapters.tls import client_side, server_side
from gateway.adapters.ways import WAYS, words_of
from gateway.directory import Directory, UnitType
from gateway.errors import ConfigurationError, Fault, Finding

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
OTHER_WORDS = Fault(
    "config.adapter-words",
    "Adaptern {name}: det som har words {words} kan inte gå way {way}; dit går {known}.",
    "The adapter {name}: what has the words {words} cannot go the way {way}; there go {known}.",
)
ONE_WAY = Fault(
    "config.adapter-one-way",
    "Adaptern {name}: way {way} går bara in; ange direction in, och en annan adapter för det som ska ut.",
    "The adapter {name}: the way {way} goes in only; give the direction in, and another adapter for what goes out.",
)
ANYBODY = Fault(
    "config.adapter-listens-to-all",
    "Adaptern {name} lyssnar för andra datorer och vet inte vilka: ange ca_file och certificate_file, eller senders.",
    "The adapter {name} listens to other machines and does not know which: give ca_file and certificate_file, or "
    "senders.",
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
    yield from _known(one, "words", one.words, WORDS)
    yield from _known(one, "way", one.way, WAYS)
    for kind in one.unit_types:
        yield from _known(one, "unit_types", kind, [str(known.value) for known in UnitType])
    for unit in one.units if directory is not None else ():
        yield from _known(one, "units", unit, directory.units if directory is not None else ())
    way = WAYS.get(one.way)
    if way is None:
        return
    if one.words in WORDS and one.words not in way.words:
        yield OTHER_WORDS.at(name=one.name, words=one.words, way=one.way, known=", ".join(sorted(way.words)))
        return
    if one.takes and way.target is None:
        yield ONE_WAY.at(name=one.name, way=one.way)
    takes = _ALWAYS | (way.takes_in if one.brings else set()) | (way.takes_out | _OUT if one.takes else set())
    needs = (way.needs_in if one.brings else frozenset()) | (way.needs_out if one.takes else frozenset())
    told: dict[str, Any] = {"name": one.name, "way": one.way, "direction": one.direction}
    missing = sorted(option for option in needs if getattr(one, option) is None)
    yield from (MISSING.at(option=option, **told) for option in missing)
    yield from (UNUSED.at(option=option, **told) for option in sorted(one.model_fields_set - takes))
    if one.url is not None and urlsplit(one.url).scheme == "http" and not is_loopback(urlsplit(one.url).hostname or ""):
        yield IN_CLEAR.at(name=one.name)
    knows_senders = bool(one.senders) or (one.ca_file is not None and one.certificate_file is not None)
    if one.listen is not None and not is_loopback(address_of(one.listen)[0]) and not knows_senders:
        yield ANYBODY.at(name=one.name)
    if not missing:
        yield from _of_files(one)


def _of_files(one: AdapterSettings) -> Iterator[Finding]:
    readers = (
        (Secrets.read, one.secret_file),
        (Tokens.read, one.tokens_file),
        (Certificates.read, one.certificates_file),
    )
    looks: list[Callable[[], Any]] = [partial(read, file) for read, file in readers if file is not None]
    if one.url is not None:
        looks.append(lambda: client_side(one.ca_file, one.certificate_file, one.key_file))
    if one.listen is not None and (certificate := one.certificate_file) is not None:
        looks.append(lambda: server_side(certificate, one.key_file, one.ca_file))
    if one.words in WORDS:
        looks.append(lambda: words_of(one))
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
