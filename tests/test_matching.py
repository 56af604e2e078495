"""Which message an unexpected acknowledgement most probably is about: only ever the one that fits, or none."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from build import CASE, CLINIC, NOON, PSYCHIATRY, REGION
from stored import row

from gateway.ledger import Dispatch
from gateway.lifecycle import Level, OutState
from gateway.matching import AWAITING, MatchReason, Stray, suggest

STRAY = Stray(
    party=REGION,
    message_id="00000000-0000-4000-8000-000000000001",
    type="plan",
    unit=CLINIC,
    case_number=CASE,
    level=Level.REGISTERED,
    at=NOON + timedelta(hours=1),
)


def sent(number: int, **changes: Any) -> Dispatch:
    values = {"type": "plan", "state": OutState.RECEIVED, "sent_at": NOON, "id": number}
    return row(**{**values, **changes})


def named(number: int, **changes: Any) -> Dispatch:
    return sent(number, message_id=STRAY.message_id, **changes)


@pytest.mark.parametrize(
    ("candidates", "expected"),
    [
        ([named(1, state=OutState.ACKNOWLEDGED), sent(2)], (1, MatchReason.NAMED)),
        ([named(1, party="skola")], None),  # an acknowledgement is of whom a message was sent to
        ([named(1, unit=PSYCHIATRY, state=OutState.ACKNOWLEDGED)], (1, MatchReason.OTHER_RECIPIENT)),
        (
            [named(1, unit=PSYCHIATRY), named(2, unit="SE1", state=OutState.REGISTERED)],
            (1, MatchReason.OTHER_RECIPIENT),
        ),
        ([named(1, unit=PSYCHIATRY), named(2, unit="SE1")], None),
        ([sent(1), sent(2, case_number="SIP100002")], (1, MatchReason.SAME_CASE)),
        ([sent(1, case_number="SIP100002")], (1, MatchReason.CLOSE_IN_TIME)),
        ([sent(1, case_number="SIP100002"), sent(2, case_number="SIP100003")], None),
        ([sent(1), sent(2)], None),
        ([sent(1, case_number="SIP100002", sent_at=NOON - timedelta(days=2))], None),
        ([sent(1, sent_at=NOON - timedelta(days=30))], (1, MatchReason.SAME_CASE)),
        ([sent(1, sent_at=STRAY.at + timedelta(minutes=6))], None),  # it had not left
        ([sent(1, state=OutState.REGISTERED)], None),  # it awaits no such level
        ([sent(1, type="sipStart")], None),
        ([sent(1, unit=PSYCHIATRY)], None),
        ([], None),
    ],
)
def test_the_message_that_alone_fits_is_suggested(
    candidates: list[Dispatch], expected: tuple[int, MatchReason] | None
) -> None:
    for order in (candidates, candidates[::-1]):
        found = suggest(STRAY, order)
        assert (found and (found.dispatch.id, found.reason)) == expected


def test_a_level_is_awaited_until_it_or_a_later_one_is_reached() -> None:
    open_ones = {OutState.QUEUED, OutState.RETRYING, OutState.SENT, OutState.EXPIRED}
    assert AWAITING[Level.RECEIVED] == open_ones
    assert AWAITING[Level.REGISTERED] == open_ones | {OutState.RECEIVED}
    assert AWAITING[Level.ACKNOWLEDGED] == open_ones | {OutState.RECEIVED, OutState.REGISTERED, OutState.PARTIAL}
    late = replace(STRAY, level=Level.ACKNOWLEDGED)
    assert suggest(late, [sent(1, state=OutState.REGISTERED)]) is not None
