"""How an adapter is made from its settings: the table of ways, what each takes and needs, and what each is made of.

A new way is one line in :data:`WAYS`; a new vocabulary is one in :mod:`gateway.adapters.table`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from gateway.adapter_book import AdapterBook
from gateway.adapter_settings import AdapterSettings
from gateway.adapters.adapter import FolderAdapter, FolderTarget
from gateway.adapters.address import address_of
from gateway.adapters.http_intake import HttpIntake
from gateway.adapters.http_trust import Certificates, Signed, Tokens, Trust
from gateway.adapters.routing import Route, Routes
from gateway.adapters.signing import Secrets
from gateway.adapters.table import WORDS
from gateway.adapters.tls import client_side, server_side
from gateway.adapters.vocabulary import Vocabulary
from gateway.adapters.words import Words
from gateway.adapters.written_form import as_any
from gateway.clock import Clock
from gateway.directory import Directory, UnitType
from gateway.ports import EventSource, MessageTarget

if TYPE_CHECKING:
    from gateway.adapters.http_answers import Answers

OverFolder = TypeVar("OverFolder", bound=FolderAdapter)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What ways are made in. Without a ``book``, nothing can be fetched: who only asks whether a system answers."""

    directory: Directory
    clock: Clock
    book: AdapterBook | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way for words to come and go: which, what settings it takes and needs in each direction, and how it is made.

    Without ``target`` it is a way in only. With ``answers`` what comes in comes through the gateway's door for HTTP,
    and that is how its sender is answered.
    """

    words: frozenset[str]
    takes_in: frozenset[str]
    takes_out: frozenset[str] = frozenset()
    needs_in: frozenset[str] = frozenset()
    needs_out: frozenset[str] = frozenset()
    source: Callable[[AdapterSettings, Words, Surroundings], EventSource]
    target: Callable[[AdapterSettings, Words, Surroundings], MessageTarget] | None = None
    answers: Callable[[], Answers] | None = None


def _folder(one: AdapterSettings, words: Words, around: Surroundings) -> FolderAdapter:
    return _over_folder(FolderAdapter, one, words, around)


def _folder_target(one: AdapterSettings, words: Words, around: Surroundings) -> FolderTarget:
    return _over_folder(FolderTarget, one, words, around)


def _over_folder(kind: type[OverFolder], one: AdapterSettings, words: Words, around: Surroundings) -> OverFolder:
    assert one.folder is not None
    assert isinstance(words, Vocabulary)
    return kind.over(
        words,
        one.folder,
        around.directory,
        name=one.name,
        timeout=one.timeout_seconds,
        settle_lines=one.settle_seconds,
    )


def _http_source(one: AdapterSettings, words: Words, around: Surroundings) -> HttpIntake:
    return HttpIntake(words, around.directory, name=one.name)


def _http_target(one: AdapterSettings, words: Words, around: Surroundings) -> MessageTarget:
    # Loaded here: a command that sends nothing over HTTP starts without the library.
    from gateway.adapters.http_delivery import HttpDelivery  # noqa: PLC0415

    assert one.url is not None
    assert one.secret_file is not None
    assert isinstance(words, Vocabulary)
    return HttpDelivery(
        words,
        one.url,
        Secrets.read(one.secret_file),
        around.clock,
        name=one.name,
        timeout=one.timeout_seconds,
        ca_file=one.ca_file,
        certificate_file=one.certificate_file,
        key_file=one.key_file,
    )


def _mllp_source(one: AdapterSettings, words: Words, around: Surroundings) -> EventSource:
    from gateway.adapters.hl7_inbound import Hl7Inbound  # noqa: PLC0415 -- as above, the library of HL7
    from gateway.adapters.hl7_words import Hl7Words  # noqa: PLC0415 -- as above

    assert one.listen is not None
    assert isinstance(words, Hl7Words)
    host, port = address_of(one.listen)
    tls = None
    if one.certificate_file is not None:
        tls = server_side(one.certificate_file, one.key_file, one.ca_file, must_show=True)
    return Hl7Inbound(
        around.directory,
        around.clock,
        name=one.name,
        words=words,
        host=host,
        port=port,
        tls=tls,
        senders=one.senders,
    )


def _rest_source(one: AdapterSettings, words: Words, around: Surroundings) -> EventSource:
    if one.url is None:
        return HttpIntake(words, around.directory, name=one.name)
    from gateway.adapters.fhir_intake import FhirIntake  # noqa: PLC0415 -- as above
    from gateway.adapters.fhir_words import FhirWords  # noqa: PLC0415 -- as above

    assert isinstance(words, FhirWords)
    return FhirIntake(
        words,
        around.directory,
        around.clock,
        name=one.name,
        server=_server(one),
        book=around.book,
        every=timedelta(seconds=one.fetch_seconds) if one.fetch_seconds else None,
    )


def _rest_target(one: AdapterSettings, words: Words, _: Surroundings) -> MessageTarget:
    from gateway.adapters.fhir_delivery import FhirOutbound  # noqa: PLC0415 -- as above
    from gateway.adapters.fhir_words import FhirWords  # noqa: PLC0415 -- as above

    assert isinstance(words, FhirWords)
    return FhirOutbound(_server(one), name=one.name, mapping=words.mapping)


def _server(one: AdapterSettings) -> Any:
    from gateway.adapters.fhir_server import FhirServer  # noqa: PLC0415 -- as above

    assert one.url is not None
    tls = client_side(one.ca_file, one.certificate_file, one.key_file)
    return FhirServer(one.url, token_file=one.token_file, timeout=one.timeout_seconds, tls=tls)


def _plain_answers() -> Answers:
    from gateway.adapters.http_answers import PlainAnswers  # noqa: PLC0415 -- as above

    return PlainAnswers()


def _fhir_answers() -> Answers:
    from gateway.adapters.fhir_answers import FhirAnswers  # noqa: PLC0415 -- as above

    return FhirAnswers()


_CLIENT: Final = frozenset({"url", "ca_file", "certificate_file", "key_file", "timeout_seconds"})
_KNOWN_BY: Final = frozenset({"secret_file", "tokens_file", "certificates_file"})
_TABLES: Final = frozenset({"treserva", "journal"})
WAYS: Final = {
    "folder": Way(
        words=_TABLES,
        takes_in=frozenset({"folder", "timeout_seconds", "settle_seconds"}),
        takes_out=frozenset({"folder", "timeout_seconds"}),
        needs_in=frozenset({"folder"}),
        needs_out=frozenset({"folder"}),
        source=_folder,
        target=_folder_target,
    ),
    "http": Way(
        words=_TABLES,
        takes_in=_KNOWN_BY,
        takes_out=_CLIENT | {"secret_file"},
        needs_out=frozenset({"url", "secret_file"}),
        source=_http_source,
        target=_http_target,
        answers=_plain_answers,
    ),
    "mllp": Way(
        words=frozenset({"hl7"}),
        takes_in=frozenset({"listen", "senders", "ca_file", "certificate_file", "key_file"}),
        needs_in=frozenset({"listen"}),
        source=_mllp_source,
    ),
    "rest": Way(
        words=frozenset({"fhir"}),
        takes_in=_KNOWN_BY | _CLIENT | {"token_file", "fetch_seconds"},
        takes_out=_CLIENT | {"token_file"},
        needs_out=frozenset({"url"}),
        source=_rest_source,
        target=_rest_target,
        answers=_fhir_answers,
    ),
}
"""Every way by name."""


def words_of(one: AdapterSettings) -> Words:
    """Return what an adapter speaks, with the words that are its system's own; raises :class:`ConfigurationError`."""
    words = WORDS[one.words](one.codes, one.fields)
    return words.in_form(as_any) if one.way == "folder" and isinstance(words, Vocabulary) else words


def sources_of(adapters: Sequence[AdapterSettings], around: Surroundings) -> list[EventSource]:
    """Return the ways in, in the order of the settings; raises :class:`ConfigurationError`."""
    return [WAYS[one.way].source(one, words_of(one), around) for one in adapters if one.brings]


def routes_of(adapters: Sequence[AdapterSettings], around: Surroundings, party: str) -> Routes:
    """Return the ways out, each with whom it is for; raises :class:`ConfigurationError`."""
    routes = [
        Route(
            target(one, words_of(one), around),
            frozenset(one.units),
            frozenset(UnitType(kind) for kind in one.unit_types),
        )
        for one in adapters
        if one.takes and (target := WAYS[one.way].target) is not None
    ]
    return Routes(routes, around.directory, party)


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


def can_be_asked(one: AdapterSettings) -> bool:
    """Tell whether there is something at the other end that answers: not where a system only sends."""
    return one.takes or one.url is not None or WAYS[one.way].answers is None


def folders_of(adapters: Sequence[AdapterSettings]) -> list[Path]:
    """Return the folders that are shared with systems."""
    return list(dict.fromkeys(one.folder for one in adapters if one.folder is not None))
