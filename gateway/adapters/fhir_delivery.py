"""The way out to a journal with a FHIR server: messages, steps of cases and notices go to it as transactions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, Final, Self

from gateway.adapters.fhir_out import RECORD, message_bundle, note_bundle, notice_bundle
from gateway.adapters.fhir_server import UNREADABLE, FhirServer
from gateway.adapters.fhir_words import NAME
from gateway.clock import in_zone
from gateway.errors import DependencyDownError
from gateway.messages import Message
from gateway.notices import Notice
from gateway.ports import Registration

_LOCATION = re.compile(r"(?:.*/)?([A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?")
_TEST: Final = {
    "resourceType": "Bundle",
    "type": "transaction",
    "entry": [{"request": {"method": "GET", "url": "Patient?_summary=count"}}],
}
"""A transaction that writes nothing."""


class FhirOutbound:
    """The way out of the adapter ``name`` to a FHIR server; what is handed is there once, however often it is handed.

    Its connections are closed when it is left.
    """

    def __init__(self, server: FhirServer, *, name: str = NAME) -> None:
        self._server = server
        self._name = name

    @property
    def name(self) -> str:
        """The name in the settings."""
        return self._name

    async def __aenter__(self) -> Self:
        """Open nothing yet: the first request does."""
        return self

    async def __aexit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        """Close the connections to the server."""
        await self._server.close()

    async def deliver(self, message: Message, unit: str) -> Registration:
        """Hand a message to the server, for ``unit``, and return the id of the DocumentReference it became.

        Raises:
            DependencyDownError: no answer that tells; the same call finds later what was written.
            RefusedError: the server said no, for good.
        """
        bundle = message_bundle(message, unit)
        responses = await self._server.transaction(bundle)
        kinds = [entry["resource"]["resourceType"] for entry in bundle["entry"]]
        return _registration(responses[kinds.index(RECORD)])

    async def note(self, message: Message) -> None:
        """Write a step of the case as a DocumentReference about the patient.

        Raises:
            DependencyDownError: no answer that tells.
            RefusedError: the server does not take it.
        """
        await self._server.transaction(note_bundle(message))

    async def notify(self, notice: Notice) -> None:
        """Tell a unit something about a case, as a Task.

        Raises:
            DependencyDownError: no answer that tells.
            RefusedError: the server does not take it.
        """
        await self._server.transaction(notice_bundle(notice))

    async def ping(self) -> None:
        """Return when the server can be reached. Raises :class:`DependencyDownError`."""
        await self._server.ping()

    async def test(self) -> None:
        """Send a transaction that writes nothing, and return when it is answered as one.

        Raises:
            DependencyDownError: it is not.
            RefusedError: the server does not take it.
        """
        await self._server.transaction(_TEST)


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
