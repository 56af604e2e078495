"""The API answers as its description says, whatever it is asked: schemathesis asks, and a real door answers."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from urllib.parse import quote

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from windows.site import Site
from yarl import URL

from gateway.access import RIGHTS, Role
from gateway.web.openapi import document
from gateway.web.route import STREAM, Kind
from gateway.web.routes import DESCRIBED, ROUTES

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
OPERATIONS = [one.ok() for one in schemathesis.openapi.from_dict(document(DESCRIBED)).get_all_operations()]
ENDLESS = [one.path for one in DESCRIBED if STREAM in one.media]
EXAMPLES = max(4, 100 // len(OPERATIONS))
"""Of each kind and for each operation: so that it takes about as long however many there are."""


def asked(
    operation: APIOperation, mode: GenerationMode, url: str, who: dict[str, str], statuses: Counter[int]
) -> list[str]:
    """Ask in many ways, as the description allows or forbids; return what the answers have done wrong."""
    wrong: list[str] = []
    session = requests.Session()

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case) -> None:
        try:
            answer = case.call_and_validate(url, session=session, headers=who, checks=CHECKS, timeout=20)
        except FailureGroup as group:
            wrong.extend(f"{mode.value} {case.as_curl_command()}\n{one}" for one in group.exceptions)
        else:
            statuses[answer.status_code] += 1

    with session:
        try:
            ask()
        except Unsatisfiable:  # there is nothing that it forbids
            assert mode is GenerationMode.NEGATIVE
    return wrong


async def test_every_operation_answers_as_it_is_described(site: Site) -> None:
    who, statuses, wrong = await site.bearer(), Counter[int](), list[str]()
    for operation in OPERATIONS:
        if operation.path not in ENDLESS:
            for mode in GenerationMode:
                wrong += await asyncio.to_thread(asked, operation, mode, site.url, who, statuses)
    assert "\n\n".join(wrong) == ""
    assert set(statuses) >= {200, 400, 404}


ODD = (
    *("", " ", "\0", "a\0b", "null", "NaN", "-1", "1e3", "5.0", " 5 ", "1_0", "9" * 5000, "\u0665", "\U0001d54f" * 200),
    *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-11-02T24:00:00Z", "1700000000"),
    *("'; --", "%", "%00", "{}", "\r\nSet-Cookie: a=b", "djE6MQ", "djE6OTk5OTk5OTk5OTk5OTk5OTk5OTk5"),
)
"""What nobody would ask, and somebody will."""
WORST = ("a\0b", "9" * 5000, "0001-01-01T00:00:00+14:00", "\r\nSet-Cookie: a=b")
"""What is asked of every name that the API has; the rest where a name is met for the first time. Of pages less."""


async def test_whatever_stands_in_a_question_or_an_address_is_answered_and_not_repeated(site: Site) -> None:
    wrong, met, inside = [], set[str](), None
    for route in ROUTES:
        if route.method != "GET" or STREAM in route.media:
            continue
        role = next(one for one in (Role.OPERATOR, *Role) if route.right is None or route.right in RIGHTS[one])
        if route.kind is Kind.PAGE and role is not inside:
            await site.log_in(role)
            inside = role
        # One after the other: nobody asks so much in so short a time.
        headers = await site.bearer(role) if route.kind is Kind.API else {}
        plain = re.sub(r"{\w+}", "x", route.path)
        fields = route.query.model_fields.items() if route.query is not None else ()
        names = [one.alias or name for name, one in fields]
        urls = [URL("&".join([f"{plain}?", *(f"{name}=%ff%f0%28%ud800" for name in names)]), encoded=True)]
        for name in names:
            odds = WORST[: 1 if route.kind is Kind.PAGE else None] if name in met else ODD
            urls += [URL(plain, encoded=True).with_query({name: odd}) for odd in odds]
            met.add(name)
        if plain != route.path:
            odds = WORST if "address" in met else ODD[1:]
            urls += [URL(re.sub(r"{\w+}", quote(odd, safe=""), route.path), encoded=True) for odd in odds]
            met.add("address")
        for url in urls:
            async with site.client.get(url, headers=headers, allow_redirects=False) as answer:
                told = await answer.text()
                repeats = route.kind is Kind.API and answer.status != 200 and "Set-Cookie" in told
                if answer.status not in (200, 303, 400, 404, 422) or repeats or "a" in answer.cookies:
                    wrong.append((str(url)[:200], answer.status, told[:200]))
    assert wrong == []
