"""*Loggutdrag*: what a person may know of who has read about them and acted (patientdatalagen 8 kap. 5 §).

A person number comes in the body of a form and goes nowhere else: it is in no address, no log and no answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

from aiohttp import web

from gateway.access import Right
from gateway.errors import CaseRuleError, Fault, Finding, InvalidDocumentError
from gateway.identifiers import PersonId
from gateway.log_extract import TOLD, Extract, take
from gateway.web.audit_reading import said_by
from gateway.web.audit_words import action_word, outcome_word
from gateway.web.page import page
from gateway.web.route import Route, Scope
from gateway.web.spreadsheet import spreadsheet
from gateway.web.times_said import time_of
from gateway.web.visit import Visit

OF_WHAT: Final = Fault(
    "audit.extract-of",
    "Ange antingen ett ärendenummer eller personens nummer.",
    "Give either a case number or the numbers of the person.",
)
MOST_NUMBERS: Final = 20
"""By how many numbers one person may be known."""
SHOWN: Final = 500
"""How many rows are shown on the page; the file has all."""


async def extracted(visit: Visit, case: str | None, numbers: Sequence[str], reason: str) -> Extract:
    """Return the extract of a case or a person, and keep that it was taken.

    Raises:
        CaseRuleError: the reason is missing or holds a person number; it is neither or both; there is no such case.
        InvalidDocumentError: it is no case number, or one is no person number.
    """
    if bool(case) == bool(numbers) or len(numbers) > MOST_NUMBERS:
        raise CaseRuleError(OF_WHAT.at())
    context = visit.window.context
    known = [PersonId.parse(one) for one in numbers]
    return await take(context.store, context.clock, case=case or None, numbers=known, by=visit.who, reason=reason)


async def ask(visit: Visit) -> web.Response:
    """Answer with the form that asks whom or what an extract is about, and why it is taken."""
    return _shown(visit)


async def extract(visit: Visit) -> web.Response:
    """Answer with an extract, as a page or as a file."""
    numbers = [line.strip() for line in visit.form.one("numbers").splitlines() if line.strip()]
    try:
        found = await extracted(visit, visit.form.one("case"), numbers, visit.form.one("reason"))
    except (CaseRuleError, InvalidDocumentError) as error:
        return _shown(visit, HTTPStatus.UNPROCESSABLE_ENTITY, findings=error.findings)
    if visit.form.one("as") == "csv":
        rows = [[said_by(row)[name] for name in TOLD] for row in found.rows]
        return spreadsheet("loggutdrag.csv", TOLD, rows)
    return _shown(visit, found=found)


def _shown(
    visit: Visit,
    status: HTTPStatus = HTTPStatus.OK,
    *,
    found: Extract | None = None,
    findings: Sequence[Finding] = (),
) -> web.Response:
    return page(
        visit,
        "audit_extract.html",
        status,
        found=found,
        rows=[said_by(row) for row in found.rows[-SHOWN:]] if found is not None else (),
        findings=findings,
        action_word=action_word,
        outcome_word=outcome_word,
        time_of=time_of,
    )


ROUTES = (
    Route.page(
        "GET",
        "/audit/extract",
        ask,
        "Frågar vem eller vad ett loggutdrag gäller.",
        "Asks whom or what an extract of the log is about.",
        right=Right.READ_AUDIT,
        scope=Scope.PARTY,
    ),
    Route.page(
        "POST",
        "/audit/extract",
        extract,
        "Ett loggutdrag: vem som har läst om en person eller gjort något. Det loggas.",
        "An extract of the log: who has read about a person or acted. It is logged.",
        right=Right.READ_AUDIT,
        scope=Scope.PARTY,
    ),
)
