"""Everything that is awaited, for whoever lists it: answers to what was sent, what is owed here, clocks of cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gateway.directory import Directory
from gateway.duties import Duty, in_order, of_case, of_letter, of_received, of_sent
from gateway.ledger import Dispatch
from gateway.lifecycle import OutState
from gateway.process import deadlines
from gateway.store import Transaction, clocks
from gateway.store.clocks import Sought
from gateway.times import Times

MOST: Final = 10_000
"""How many of each kind are listed."""


@dataclass(frozen=True, slots=True)
class Everything:
    """Duties, the first to be due first. What ``is_whole`` is all there is; else the first of each kind stand there."""

    duties: Sequence[Duty]
    is_whole: bool


async def everything(
    tx: Transaction, party: str, directory: Directory, times: Times, *, most: int = MOST
) -> Everything:
    """Return what ``party``, this one, awaits and owes, ``most`` of each kind."""
    sought = Sought(with_acknowledgements=True)
    sent = await clocks.awaited_answers(tx, sought, most)
    received = await clocks.owed_answers(tx, most + 1)
    going = await clocks.open_cases(tx, most + 1)
    of_cases = [
        of_case(clock, directory) for case in going[:most] if case.concerns(party) for clock in deadlines(case, times)
    ]
    duties = [
        *(of_answer(one, party, times) for one in sent.rows),
        *(of_received(row, party, times) for row in received[:most]),
        *of_cases,
    ]
    is_whole = sent.next is None and len(received) <= most and len(going) <= most
    return Everything(in_order(duties), is_whole)


def of_answer(row: Dispatch, party: str, times: Times) -> Duty:
    """Return what is awaited about an outgoing message: of its recipient, or of ``party`` that a letter is sent."""
    return of_letter(row, party, row.own_unit) if row.state is OutState.LETTER else of_sent(row, times)
