"""What is asked, read into its form: the query of an address, and the body of a POST.

What cannot be used is told by its place; what stood there is not repeated.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qs

from aiohttp import ClientPayloadError, web
from pydantic import BaseModel, ValidationError

from gateway.adapters import http_problem as problems
from gateway.errors import Fault, Finding, UsageError
from gateway.web.refusals import BODY, NOT_JSON, QUERY, TOO_LARGE, TooLargeError
from gateway.web.route import Kind, Route

LARGEST: Final = 64 * 1024
"""Bytes of what may be sent to a window; events go in by the door of their adapter, and may be larger."""
MOST_FIELDS: Final = 2_000
"""Fields of a form, at most."""
READ_SECONDS: Final = 15.0
"""How long it may take to come."""


def query_of(route: Route, request: web.Request) -> BaseModel | None:
    """Return what the address asks, in the form of the route. Raises :class:`UsageError`.

    A field of a page's form that was left empty asks for nothing; a program does not send what it does not ask.
    """
    if route.query is None:
        return None
    given: dict[str, Any] = {}
    for name, value in request.query.items():
        # No text of ours has the character NUL, and not every database takes it.
        if name in given or "\0" in value:
            known = {field.alias or name for name, field in route.query.model_fields.items()}
            raise UsageError(QUERY.at(name if name in known else None))
        given[name] = value
    if route.kind is Kind.PAGE:
        given = {name: value for name, value in given.items() if value}
    try:
        return route.query.model_validate(given)
    except ValidationError as error:
        raise UsageError(dict.fromkeys(_findings(route.query, error, QUERY))) from None


async def content_of(route: Route, request: web.Request) -> bytes:
    """Return the JSON that was sent, as it came; nothing where the route asks for none.

    Raises:
        UsageError: it is said to be something else, or did not come in full.
        TooLargeError: it is larger than what is read.
    """
    if route.body is None:
        return b""
    if request.content_type != "application/json":
        raise UsageError(problems.MEDIA_TYPE.at())
    return await _bytes_of(request)


def body_of(route: Route, content: bytes) -> BaseModel | None:
    """Return what was sent, in the form of the route: each value of its own type, as JSON has it.

    Raises:
        UsageError: it is no JSON object, or not of that form.
    """
    if route.body is None:
        return None
    try:
        is_object = isinstance(json.loads(content), dict) and b"\\u0000" not in content  # as above
    except (ValueError, RecursionError):
        is_object = False
    if not is_object:
        raise UsageError(NOT_JSON.at())
    try:
        return route.body.model_validate_json(content, strict=True)
    except ValidationError as error:
        raise UsageError(dict.fromkeys(_findings(route.body, error, BODY))) from None


class Form:
    """The fields of a form that a page has sent, by name."""

    def __init__(self, fields: Mapping[str, list[str]]) -> None:
        self._fields = fields

    def one(self, name: str) -> str:
        """Return the text of a field, without space around it; empty where it was left out."""
        return self._fields.get(name, [""])[0].strip()

    def all(self, name: str) -> list[str]:
        """Return every text that was sent under a name, such as the boxes that were ticked."""
        return list(self._fields.get(name, []))


async def form_of(request: web.Request) -> Form:
    """Return the form that a page has sent. Raises as :func:`body_of`."""
    if request.content_type != "application/x-www-form-urlencoded":
        raise UsageError(BODY.at())
    try:
        text = (await _bytes_of(request)).decode("utf-8")
        fields = parse_qs(text, keep_blank_values=True, max_num_fields=MOST_FIELDS)
        if any("\0" in value for values in fields.values() for value in values):  # as above
            raise ValueError("NUL")
        return Form(fields)
    except ValueError:
        raise UsageError(BODY.at()) from None


async def _bytes_of(request: web.Request) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(READ_SECONDS):
            while chunk := await request.content.read(LARGEST):
                body += chunk
                if len(body) > LARGEST:
                    raise TooLargeError(TOO_LARGE.at(limit=LARGEST))
    except TimeoutError:
        raise UsageError(problems.TOO_SLOW.at(seconds=f"{READ_SECONDS:g}")) from None
    except (ClientPayloadError, web.RequestPayloadError, ConnectionError):
        raise UsageError(problems.BROKEN_OFF.at()) from None
    return bytes(body)


def _findings(form: type[BaseModel], error: ValidationError, fault: Fault) -> list[Finding]:
    """Place what is wrong; a name that the form does not have is not repeated."""
    known = {field.alias or name for name, field in form.model_fields.items()}
    findings = []
    for one in error.errors(include_url=False, include_input=False, include_context=False):
        place = [str(part) for part in one["loc"] if str(part) in known or isinstance(part, int)]
        findings.append(fault.at(("/" if fault is BODY else "") + "/".join(place)))
    return findings
