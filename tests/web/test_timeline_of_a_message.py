"""The life of a message in moments: in order, with its tries, and with what came late."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from build import NOON
from stored import received, row

from gateway.lifecycle import InEvent, InState, OutEvent, OutState, Owner
from gateway.messages import Duty
from gateway.web.timeline import timeline

MINUTE = timedelta(minutes=1)


@dataclass
class Line:
    at: datetime
    event: str
    state: str
    code: str | None = None


def lines(*told: tuple[float, str, str] | tuple[float, str, str, str]) -> list[Line]:
    """Return lines of a history, each so many minutes after noon."""
    return [Line(NOON + minutes * MINUTE, *rest) for minutes, *rest in told]


def test_a_message_that_goes_well_is_told_step_by_step() -> None:
    told = lines(
        (0, "submit", "queued"),
        (1, "published", "sent"),
        (3, "received", "received"),
        (5, "registered", "registered"),
        (65, "acknowledged", "acknowledged"),
    )
    found = timeline(told, row(state=OutState.ACKNOWLEDGED, type="admissionNotice", duty=Duty.ACKNOWLEDGE), NOON)
    assert [moment.after for moment in found] == [None, MINUTE, 2 * MINUTE, 2 * MINUTE, 60 * MINUTE]
    assert [moment.attempt for moment in found] == [None, 1, None, None, None]
    assert [moment.due for moment in found[:4]] == [None, None, NOON + 31 * MINUTE, NOON + 63 * MINUTE]
    assert found[4].due == NOON + 5 * MINUTE + timedelta(days=1)
    assert not any(moment.is_late or moment.is_awaited for moment in found)
    assert found[1].sv.startswith("Skickat")
    assert found[1].en.startswith("Sent")


def test_tries_are_numbered_and_an_answer_is_late_after_the_last_of_them() -> None:
    told = lines(
        (0, "submit", "queued"),
        (1, "publish_failed", "retrying", "unconfirmed"),
        (3, "published", "sent"),
        (33, "retry", "retrying", "overdue"),
        (34, "published", "sent"),
        (60, "received", "received"),
        (121, "registered", "registered"),
    )
    found = timeline(told, row(state=OutState.REGISTERED), NOON)
    assert [moment.attempt for moment in found if moment.attempt] == [1, 2, 3]
    assert [moment.is_late for moment in found[:7]] == [False] * 6 + [True]
    assert found[5].due == NOON + 64 * MINUTE  # counted from the last try
    assert found[1].code == "unconfirmed"


@pytest.mark.parametrize(("minutes", "late"), [(30, False), (31, True)])
def test_what_is_awaited_comes_last_and_tells_whether_its_time_has_passed(minutes: int, late: bool) -> None:
    waiting = row(state=OutState.SENT)
    found = timeline(lines((0, "submit", "queued"), (0, "published", "sent")), waiting, NOON + minutes * MINUTE)
    last = found[-1]
    assert (last.is_awaited, last.at, last.due, last.is_late) == (True, waiting.due_at, waiting.due_at, late)
    assert len(found) == 3


def test_a_message_that_came_is_told_with_the_tries_to_hand_it_over() -> None:
    told = lines(
        (0, "store", "stored"),
        (0, "validate", "validated"),
        (1, "claim", "delivering"),
        (2, "system_silent", "waiting_for_system", "system.away"),
        (10, "claim", "delivering"),
        (70, "register", "registered"),
    )
    owing = received(state=InState.REGISTERED)._replace(due_at=NOON + 90 * MINUTE, owner=Owner.RECIPIENT)
    found = timeline(told, owing, NOON + 80 * MINUTE)
    assert [moment.attempt for moment in found if moment.attempt] == [1, 2]
    assert (found[5].due, found[5].is_late) == (NOON + 60 * MINUTE, True)
    assert (found[6].sv, found[6].is_late) == ("Kvittens eller svar ska ges", False)


def test_every_event_and_every_state_with_a_deadline_has_words_in_both_languages() -> None:
    for events, about in ((OutEvent, row()), (InEvent, received())):
        for event in [*events, "duplicate", "discard", "restore", "resend"]:
            (moment, *_) = timeline(lines((0, event, "queued" if events is OutEvent else "stored")), about, NOON)
            assert moment.sv != moment.en
            assert not re.search("_|[åäö]", moment.en)
    for state in [*OutState, *InState]:
        about = row(state=state) if isinstance(state, OutState) else received(state=state)
        for moment in timeline([], about, NOON):
            assert moment.sv != "Något väntas"
    (unknown,) = timeline(lines((0, "something-new", "elsewhere")), row(state=OutState.STOPPED), NOON)
    assert unknown.en == "something-new"


def test_a_receipt_of_our_own_awaits_nothing_once_it_is_sent() -> None:
    sent = row(type="acknowledgement", state=OutState.SENT)
    found = timeline(lines((0, "queue", "queued"), (1, "published", "sent")), sent, NOON + 900 * MINUTE)
    assert [moment.due for moment in found] == [None, None]


def test_clocks_that_went_backwards_give_no_negative_time() -> None:
    found = timeline(lines((5, "submit", "queued"), (4, "published", "sent")), row(state=OutState.ACKNOWLEDGED), NOON)
    assert found[1].after == timedelta()
