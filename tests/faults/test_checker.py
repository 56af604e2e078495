"""The history checker is no checker unless it can find something: each history here is right but for one thing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from faults.checker import Answer, Books, Charge, Evidence, Kind, Line, Promise, Record, Row, check, messages_in

UNIT = "SE2321000131-E000000000101"
OUT = ("submit", "queued"), ("published", "sent"), ("received", "received"), ("registered", "registered")
IN = ("store", "stored"), ("validate", "validated"), ("register", "registered")


def life(direction: str, message_id: str, *steps: tuple[str, str]) -> list[Line]:
    return [Line(direction, message_id, UNIT, event, state) for event, state in steps]


def right() -> Evidence:
    """Return what three messages of one case leave: all are registered, and staff took charge of the third."""
    evidence = Evidence()
    for number, message_id in enumerate(("first", "second", "third"), start=1):
        record_id = f"R-{number}"
        row = Row(message_id=message_id, unit=UNIT, type="sip-start", state="registered", record_id=record_id)
        evidence.promises.append(Promise(number=number, stream="case", message_id=message_id))
        evidence.records.append(Record(number=number, record_id=record_id, message_id=message_id, unit=UNIT))
        evidence.sender.out.append(row)
        evidence.receiver.into.append(row)
        for level in ("received", "registered"):
            said = record_id if level == "registered" else None
            evidence.sender.verdicts.append(
                Answer(message_id=message_id, unit=UNIT, level=level, outcome="accepted", record_id=said)
            )
        evidence.sender.history += life("out", message_id, *OUT)
        evidence.receiver.history += life("in", message_id, *IN)
    evidence.charges.append(Charge(message_id="third", unit=UNIT))
    evidence.sender.verdicts.append(Answer(message_id="third", unit=UNIT, level="acknowledged", outcome="accepted"))
    for books, event_line in ((evidence.sender, ("acknowledged", "out")), (evidence.receiver, ("acknowledge", "in"))):
        event, direction = event_line
        books.history.append(Line(direction, "third", UNIT, event, "acknowledged"))
    evidence.sender.out[2] = replace(evidence.sender.out[2], state="acknowledged")
    evidence.receiver.into[2] = replace(evidence.receiver.into[2], state="acknowledged")
    return evidence


def forget_at_receiver(evidence: Evidence) -> None:
    """Let the second message stop as sent and be nowhere."""
    change(evidence.sender.out, 1, state="sent", record_id=None)
    forget(evidence.sender, "second", "received", "registered")
    evidence.sender.verdicts = [one for one in evidence.sender.verdicts if one.message_id != "second"]
    del evidence.receiver.into[1], evidence.records[1]
    evidence.receiver.history = [line for line in evidence.receiver.history if line.message_id != "second"]


def change(rows: list[Row], index: int, **changes: str | bool | None) -> None:
    rows[index] = replace(rows[index], **changes)  # type: ignore[arg-type]


def forget(books: Books, message_id: str, *events: str) -> None:
    books.history = [line for line in books.history if line.message_id != message_id or line.event not in events]


def never_written_down(evidence: Evidence) -> None:
    evidence.promises.append(Promise(number=4, stream="case", message_id="fourth"))


def not_told_of_charge(evidence: Evidence) -> None:
    evidence.charges.append(Charge(message_id="second", unit=UNIT))


def stored_twice(evidence: Evidence) -> None:
    evidence.receiver.into.append(evidence.receiver.into[0])


def registered_twice(evidence: Evidence) -> None:
    evidence.records.append(replace(evidence.records[2], number=4, record_id="R-4"))


def answered_twice(evidence: Evidence) -> None:
    evidence.sender.verdicts.append(evidence.sender.verdicts[0])


def says_a_record_that_is_not_there(evidence: Evidence) -> None:
    for index, verdict in enumerate(evidence.sender.verdicts):
        if (verdict.message_id, verdict.level) == ("second", "registered"):
            evidence.sender.verdicts[index] = replace(verdict, record_id="R-9")


def says_registered_of_what_is_not_there(evidence: Evidence) -> None:
    del evidence.records[1]


def owes_without_owner(evidence: Evidence) -> None:
    change(evidence.receiver.into, 1, state="validated")
    forget(evidence.receiver, "second", "register")


def transition_that_is_not_in_the_table(evidence: Evidence) -> None:
    evidence.receiver.history.insert(3, Line("in", "first", UNIT, "validate", "validated"))


def ledger_ahead_of_its_history(evidence: Evidence) -> None:
    forget(evidence.sender, "first", "registered")


def acknowledgement_parked(evidence: Evidence) -> None:
    evidence.sender.parked.append(("answer", "acknowledgement.orphan"))


def event_refused(evidence: Evidence) -> None:
    evidence.refused.append("event 4")


def case_out_of_order(evidence: Evidence) -> None:
    evidence.records[0], evidence.records[1] = (
        replace(evidence.records[0], number=2),
        replace(evidence.records[1], number=1),
    )


def record_of_nothing_promised(evidence: Evidence) -> None:
    del evidence.promises[0]


def waits_for_somebody(evidence: Evidence) -> None:
    change(evidence.receiver.into, 1, state="waiting_for_system", is_owned=True)
    forget(evidence.receiver, "second", "register")
    evidence.receiver.history += life("in", "second", ("system_silent", "waiting_for_system"))


def waits_to_be_told_of_charge(evidence: Evidence) -> None:
    not_told_of_charge(evidence)
    change(evidence.sender.out, 1, is_owned=True)


def event_not_answered(evidence: Evidence) -> None:
    evidence.unanswered.append("event 4")


WRONGS = {
    Kind.LOST: (never_written_down, not_told_of_charge),
    Kind.DUPLICATED: (stored_twice, registered_twice, answered_twice),
    Kind.FALSE_REGISTERED: (says_a_record_that_is_not_there, says_registered_of_what_is_not_there),
    Kind.UNEXPLAINED: (
        owes_without_owner,
        transition_that_is_not_in_the_table,
        ledger_ahead_of_its_history,
        acknowledgement_parked,
        event_refused,
        case_out_of_order,
        record_of_nothing_promised,
    ),
    Kind.OPEN: (waits_for_somebody, waits_to_be_told_of_charge, event_not_answered),
}


def test_nothing_is_wrong_with_a_history_in_which_all_went_well() -> None:
    assert check(right()) == []
    assert messages_in(right()) == 3


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [pytest.param(kind, wrong, id=wrong.__name__) for kind, wrongs in WRONGS.items() for wrong in wrongs],
)
def test_one_thing_that_is_wrong_is_counted_once(kind: Kind, wrong: Callable[[Evidence], None]) -> None:
    evidence = right()
    wrong(evidence)
    assert [finding.kind for finding in check(evidence)] == [kind]


def test_a_message_that_is_nowhere_is_lost_and_nobody_is_told() -> None:
    evidence = right()
    forget_at_receiver(evidence)
    assert {finding.kind for finding in check(evidence)} == {Kind.LOST, Kind.UNEXPLAINED}
    assert sum(finding.kind is Kind.LOST for finding in check(evidence)) == 1


def test_a_message_that_was_refused_is_not_lost_but_open() -> None:
    evidence = right()
    forget_at_receiver(evidence)
    change(evidence.sender.out, 1, state="rejected", is_owned=True)
    evidence.sender.history += life("out", "second", ("rejected", "rejected"))
    assert [finding.kind for finding in check(evidence)] == [Kind.OPEN]


def test_remarks_and_claims_that_are_not_written_down_explain_themselves() -> None:
    evidence = right()
    lines = evidence.receiver.history
    lines.insert(2, Line("in", "first", UNIT, "duplicate", "delivering"))
    lines.insert(3, Line("in", "first", UNIT, "system_silent", "waiting_for_system"))
    lines.insert(4, Line("in", "first", UNIT, "duplicate", "waiting_for_system"))
    assert check(evidence) == []
