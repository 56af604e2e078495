"""How the senders of one adapter are answered over HTTP: in the form that its systems expect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Protocol

from aiohttp import web

from gateway.adapters.disk import json_bytes
from gateway.adapters.http_problem import MEDIA_TYPE, problem
from gateway.errors import Fault, Finding


class Answers(Protocol):
    """Writes the answers. ``media_types`` are those of the events that are taken; others get ``wrong_media_type``."""

    media_types: tuple[str, ...]
    wrong_media_type: Fault

    def kept(self, answer: Mapping[str, Any]) -> web.Response:
        """Return the answer to an event that is kept, or to a notification of what has been fetched."""
        ...

    def no(
        self, status: HTTPStatus, findings: Sequence[Finding], headers: Mapping[str, str] | None = None
    ) -> web.Response:
        """Return the answer with ``status`` that tells ``findings``, at least one."""
        ...


class PlainAnswers:
    """Answers in JSON: 202 with the ids of the messages and the case number, or problem details (RFC 9457)."""

    media_types: tuple[str, ...] = ("application/json",)
    wrong_media_type: Fault = MEDIA_TYPE

    def kept(self, answer: Mapping[str, Any]) -> web.Response:
        """Return the answer to an event that is kept."""
        return web.Response(status=HTTPStatus.ACCEPTED, body=json_bytes(dict(answer)), content_type="application/json")

    def no(
        self, status: HTTPStatus, findings: Sequence[Finding], headers: Mapping[str, str] | None = None
    ) -> web.Response:
        """Return the answer with ``status`` that tells ``findings``, at least one."""
        return problem(status, findings, headers)
