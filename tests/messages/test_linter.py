"""The linter of contracts: the real types have no gap, and each gap is found."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.messages import TYPES, Duty
from gateway.messages.contract import SenderKind
from gateway.messages.deadline import hours, working_days
from gateway.messages.linter import gaps


def test_the_contracts_of_the_gateway_have_no_gap() -> None:
    assert gaps(TYPES) == []


GAPS: list[tuple[str, str, dict[str, Any]]] = [
    ("contract.no-sender", "plan", {"senders": frozenset()}),
    ("contract.no-deadline", "admissionNotice", {"deadline": None}),
    ("contract.no-deadline", "generalMessage", {"deadline": None}),
    ("contract.deadline-for-nothing", "plan", {"deadline": hours(24)}),
    ("contract.reminder-too-late", "meetingBooking", {"deadline": working_days(3, remind=3)}),
    ("contract.no-source", "plan", {"deadline_source": " "}),
    ("contract.no-ground", "dischargeReady", {"without_consent": ""}),
    ("contract.no-retention", "closure", {"retention": ""}),
    ("contract.unknown-answer", "plan", {"answers": ("acknowledgement", "postcard")}),
    ("contract.answer-by-nobody", "plan", {"answers": ("acknowledgement", "closure")}),
    ("contract.answer-by-nobody", "admissionNotice", {"answers": ("acknowledgement", "invitationReply")}),
    ("contract.no-answer", "meetingBooking", {"answers": ("acknowledgement",)}),
    ("contract.no-answer", "consent", {"answers": ()}),
]


@pytest.mark.parametrize(("code", "name", "changes"), GAPS)
def test_a_gap_is_found(code: str, name: str, changes: dict[str, Any]) -> None:
    kind = TYPES[name]
    if code == "contract.answer-by-nobody" and "closure" in changes.get("answers", ()):
        closure = TYPES["closure"]
        by_convener = replace(closure.contract, senders=frozenset({SenderKind.CONVENER}))
        types = TYPES | {"closure": replace(closure, contract=by_convener)}
    else:
        types = dict(TYPES)
    found = gaps(types | {name: replace(kind, contract=replace(kind.contract, **changes))})
    assert {finding.code for finding in found} == {code}


def test_every_gap_is_told_at_once() -> None:
    kind = TYPES["admissionNotice"]
    broken = replace(kind.contract, duty=Duty.REPLY, deadline=None, without_consent="", answers=("acknowledgement",))
    found = gaps(TYPES | {kind.name: replace(kind, contract=broken)})
    assert {finding.code for finding in found} == {"contract.no-deadline", "contract.no-ground", "contract.no-answer"}
