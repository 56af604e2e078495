"""What a journal is answered over HTTP, as FHIR: an OperationOutcome, whatever it is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web

from gateway.adapters.fhir_outcome import accepted, outcome
from gateway.adapters.fhir_server import MEDIA_TYPE
from gateway.adapters.fhir_written import as_bytes
from gateway.adapters.http_problem import retry_after
from gateway.errors import Fault, Finding

WRONG_MEDIA_TYPE: Final = Fault(
    "fhir.media-type",
    "Innehållet ska vara application/fhir+json i UTF-8, utan komprimering.",
    "The content must be application/fhir+json in UTF-8, and not compressed.",
)

# Faults of the document as such, before anything in it has been looked at.
_NOT_READ: Final = ("document.", "json.malformed", "json.duplicate-member")


class FhirAnswers:
    """Answers as FHIR: 201 with the ids of the messages, 200 where it became none; 400 for what is no document."""

    media_types: tuple[str, ...] = (MEDIA_TYPE, "application/json")
    wrong_media_type: Fault = WRONG_MEDIA_TYPE

    def kept(self, answer: Mapping[str, Any]) -> web.Response:
        """Return the answer to an event that is kept."""
        return _answer(HTTPStatus.CREATED if answer.get("messageIds") else HTTPStatus.OK, accepted(answer))

    def no(
        self, status: HTTPStatus, findings: Sequence[Finding], headers: Mapping[str, str] | None = None
    ) -> web.Response:
        """Return the answer with ``status`` that tells ``findings``, at least one."""
        if status is HTTPStatus.UNPROCESSABLE_ENTITY and any(one.code.startswith(_NOT_READ) for one in findings):
            status = HTTPStatus.BAD_REQUEST
        return _answer(status, outcome(findings), headers)


def _answer(status: HTTPStatus, resource: dict[str, Any], headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(
        status=status,
        body=as_bytes(resource),
        content_type=MEDIA_TYPE,
        charset="utf-8",
        headers={**retry_after(status), **(headers or {})},
    )
