"""The adapter of a journal with a FHIR server: events come over HTTP, messages go to the server as transactions."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from gateway.adapters import fhir_event
from gateway.adapters.fhir_mapping import STANDARD, FhirMapping
from gateway.adapters.fhir_out import RECORD, message_bundle, note_bundle, notice_bundle
from gateway.adapters.fhir_server import UNREADABLE, FhirServer
from gateway.clock import in_zone
from gateway.directory import Directory
from gateway.errors import DependencyDownError
from gateway.messages import Message
from gateway.notices import Notice
from gateway.ports import Arrival, Event, Registration, Translation

NAME: Final = "fhir"
"""The ``source`` of events that came as FHIR."""

_LOCATION = re.compile(r"(?:.*/)?([A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?")


class FhirOutbound:
    """Hands messages, steps of cases and notices to a FHIR server; each is there once, however often it is handed."""

    def __init__(self, server: FhirServer, *, mapping: FhirMapping = STANDARD) -> None:
        self._server = server
        self._mapping = mapping

    async def deliver(self, message: Message, unit: str) -> Registration:
        """Hand a message to the server, for ``unit``, and return the id of the DocumentReference it became.

        Raises:
            DependencyDownError: no answer that tells; the same call finds later what was written.
            RefusedError: the server said no, for good.
        """
        bundle = message_bundle(message, unit, self._mapping)
        responses = await self._server.transaction(bundle)
        kinds = [entry["resource"]["resourceType"] for entry in bundle["entry"]]
        return _registration(responses[kinds.index(RECORD)])

    async def note(self, message: Message) -> None:
        """Write a step of the case as a DocumentReference about the patient.

        Raises:
            DependencyDownError: no answer that tells.
            RefusedError: the server does not take it.
        """
        await self._server.transaction(note_bundle(message, self._mapping))

    async def notify(self, notice: Notice) -> None:
        """Tell a unit something about a case, as a Task.

        Raises:
            DependencyDownError: no answer that tells.
            RefusedError: the server does not take it.
        """
        await self._server.transaction(notice_bundle(notice, self._mapping))

    async def ping(self) -> None:
        """Return when the server can be reached. Raises :class:`DependencyDownError`."""
        await self._server.ping()

    async def close(self) -> None:
        """Close the connections to the server."""
        await self._server.close()


class FhirAdapter(FhirOutbound):
    """The whole adapter. Events do not wait here: the HTTP handlers submit them, and answer when they are kept."""

    def __init__(self, server: FhirServer, directory: Directory, *, mapping: FhirMapping = STANDARD) -> None:
        super().__init__(server, mapping=mapping)
        self._directory = directory

    @property
    def name(self) -> str:
        """The name in the table of adapters, and the ``source`` of its events."""
        return NAME

    async def arrivals(self) -> AsyncIterator[Sequence[Arrival]]:
        """Wait: what the journal tells is submitted by whoever takes its requests."""
        await asyncio.Event().wait()
        yield ()

    def translate(self, event: Event) -> Translation:
        """Understand an event. Pure: the same event gives the same drafts.

        Raises:
            InvalidDocumentError: with every fault and its FHIR expression.
        """
        return fhir_event.translate(event, self._directory, self._mapping)


def _registration(response: Mapping[str, Any]) -> Registration:
    """Read the answer about one resource: where it is, and since when."""
    location, at = response.get("location"), response.get("lastModified")
    found = _LOCATION.fullmatch(location) if isinstance(location, str) else None
    if found is None or not found[1].startswith(f"{RECORD}/"):
        raise DependencyDownError(UNREADABLE.at())
    try:
        return Registration(record_id=found[1], at=in_zone(datetime.fromisoformat(at)) if at is not None else None)
    except (TypeError, ValueError):
        raise DependencyDownError(UNREADABLE.at()) from None
