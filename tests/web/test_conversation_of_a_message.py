"""A conversation is what answers what, however far apart, and each receipt goes back the way its message came."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from build import NOON

from gateway.lifecycle import OutEvent
from gateway.messages import Duty
from gateway.store.conversations import Answered, Exchanged
from gateway.web.conversation import steps_of, thread_of
from gateway.web.sequence import Mark

ASKED, REPLIED, THANKED, OTHER = (f"{number}-0000" for number in range(4))


def said(message_id: str, *, answers: str | None = None, **changes: Any) -> Exchanged:
    values: dict[str, Any] = {
        "number": 1,
        "type": "generalMessage",
        "came": False,
        "from_unit": "office",
        "to_unit": "clinic",
        "party": "region",
        "at": NOON,
        "duty": Duty.REPLY,
        "state": "registered",
        "due_at": None,
    }
    return Exchanged(message_id=message_id, in_reply_to=answers, **{**values, **changes})


def test_a_thread_leads_back_to_the_first_and_on_to_the_last() -> None:
    case = [said(ASKED), said(REPLIED, answers=ASKED, came=True), said(OTHER), said(THANKED, answers=REPLIED)]
    for one in (ASKED, REPLIED, THANKED):
        assert [found.message_id for found in thread_of(one, case)] == [ASKED, REPLIED, THANKED]
    assert [found.message_id for found in thread_of(OTHER, case)] == [OTHER]


def test_a_message_to_several_units_is_in_its_thread_with_all_of_them() -> None:
    case = [said(ASKED), said(ASKED, to_unit="school"), said(REPLIED, answers=ASKED)]
    assert len(thread_of(REPLIED, case)) == 3


def test_what_one_of_a_partner_answers_is_read_in_it_and_unreadable_ones_answer_nothing() -> None:
    case = [said(ASKED), said(REPLIED, came=True, xml=b"<broken")]
    assert [found.message_id for found in thread_of(REPLIED, case)] == [REPLIED]


def test_receipts_go_back_the_way_the_message_came() -> None:
    sent = said(ASKED)
    came = said(REPLIED, came=True, from_unit="clinic", to_unit="office", at=NOON + timedelta(minutes=2))
    receipt = Answered(
        message_id=ASKED, came=False, unit="clinic", at=NOON + timedelta(minutes=1), event=OutEvent.RECEIVED
    )
    own = Answered(
        message_id=REPLIED, came=True, unit="office", at=NOON + timedelta(minutes=3), event=OutEvent.REJECTED
    )
    steps = steps_of([sent, came], [receipt, own, replace(receipt, unit="elsewhere")], NOON)
    assert [(one.from_lane, one.to_lane, one.is_receipt, one.label[0]) for one in steps] == [
        ("office", "clinic", False, "Administrativt meddelande"),
        ("clinic", "office", True, "Mottaget"),
        ("clinic", "office", False, "Administrativt meddelande"),
        ("office", "clinic", True, "Avvisat"),
    ]


def test_what_did_not_go_as_it_should_is_marked() -> None:
    late = said(ASKED, due_at=NOON - timedelta(minutes=1))
    states = ("held", "retrying", "partial", "rejected", "expired", "stopped", "retracted", "letter")
    marks = [one.mark for one in steps_of([said(OTHER, state=state) for state in states], [], NOON)]
    assert [mark.value if mark is not None else None for mark in marks] == [
        "failed" if state == "expired" else state for state in states
    ]
    assert [one.mark for one in steps_of([late, said(OTHER)], [], NOON)] == [Mark.LATE, None]
