"""The conversation of a case, from the ledger's rows to the sentences of its diagram."""

from __future__ import annotations

from datetime import timedelta

import pytest
from build import CASE, CLINIC, NOON, OFFICE
from stored import add, received, row

from gateway.lifecycle import InState, OutState
from gateway.store import Store, browse, incoming
from gateway.store.browse import Sought
from gateway.web.conversation import steps_of
from gateway.web.language import Language
from gateway.web.sequence import Mark, diagram

MINUTE = timedelta(minutes=1)


async def test_the_rows_of_a_case_become_its_conversation(tmp_path: object) -> None:
    sent = row(state=OutState.REGISTERED, sent_at=NOON + MINUTE, received_at=NOON + 2 * MINUTE, type="plan")
    sent = sent._replace(registered_at=NOON + 4 * MINUTE)
    refused = row(state=OutState.REJECTED, created_at=NOON + 9 * MINUTE, position=2)
    came = received(case_number=CASE, state=InState.VALIDATED)._replace(received_at=NOON + 6 * MINUTE)
    async with Store(f"sqlite+aiosqlite:///{tmp_path}/store.sqlite") as store, store.writing() as tx:
        await add(tx, sent, refused, row(case_number="SIP100002"))
        await incoming.add(tx, [came])
        out = await browse.sent(tx, Sought(case_number=CASE), 100)
        into = await browse.received(tx, Sought(case_number=CASE), 100)
    steps = list(steps_of(out.rows, into.rows, NOON + timedelta(hours=3)))
    assert len(steps) == 6
    assert {(step.message_id, step.mark) for step in steps if step.mark} == {
        (refused.message_id, Mark.REJECTED),
        (came.message_id, Mark.LATE),
    }
    titles = {OFFICE: "Socialkontoret", CLINIC: "Kliniken"}
    told = [sentence.partition(" (id ")[0] for sentence in diagram(steps, titles, Language.SWEDISH).sentences]
    assert told == [
        "2026-11-02 12:01: Socialkontoret till Kliniken: SIP",
        "2026-11-02 12:02: Kliniken svarade Socialkontoret: Mottaget",
        "2026-11-02 12:04: Kliniken svarade Socialkontoret: Registrerat",
        "2026-11-02 12:06: Kliniken till Socialkontoret: Starta SIP",
        "2026-11-02 12:06: Socialkontoret svarade Kliniken: Mottaget",
        "2026-11-02 12:09: Socialkontoret till Kliniken: Starta SIP",
    ]


@pytest.mark.parametrize("state", [*OutState, *InState])
def test_every_state_can_be_drawn_and_what_went_wrong_is_marked(state: OutState | InState) -> None:
    is_sent = isinstance(state, OutState)
    values = {
        **(row() if is_sent else received())._asdict(),
        "state": state.value,
        "due_at": None,
        "sender_unit": OFFICE,
    }
    (first, *_) = steps_of([values] if is_sent else [], [] if is_sent else [values], NOON)
    goes_well = {"queued", "sent", "received", "registered", "acknowledged"}
    goes_well |= {"stored", "validated", "delivering"}
    assert (first.mark is None) == (state.value in goes_well)
