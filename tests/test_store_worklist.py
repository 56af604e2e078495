"""What units have to do, and what is awaited of others: found by indexes that hold nothing else, each row once."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

from build import CASE, CHILD, CLINIC, HOME_CARE, NOON, OFFICE, OTHER_PERSON, PERSON, PSYCHIATRY, REGION, message, need
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine
from stored import add, received, row

from gateway.ledger import Inbound
from gateway.lifecycle import InState, OutState
from gateway.messages import Duty, ProtectedLevel
from gateway.process import apply
from gateway.store import Store, Transaction, cases, clocks, incoming, odd_answers, subjects, worklist
from gateway.store.clocks import Sought
from gateway.store.worklist import Wanted

MINE = frozenset({OFFICE})
MINUTE = timedelta(minutes=1)


def came(minute: int | None = None, **changes: Any) -> Inbound:
    """Return a message that was registered: to be acknowledged so many minutes after noon, or only to be read."""
    owed = {} if minute is None else {"due_at": NOON + minute * MINUTE, "owner": "recipient", "duty": Duty.ACKNOWLEDGE}
    return received(**{"state": InState.REGISTERED} | changes)._replace(sequence=None, **owed)


async def put(tx: Transaction, *rows: Inbound) -> list[str]:
    await incoming.add(tx, rows)
    return [one.message_id for one in rows]


async def test_what_is_owed_is_read_page_by_page_the_first_deadline_first(tx: Transaction) -> None:
    ids = await put(tx, came(3), came(1), came(1), came(2, unit=HOME_CARE), came(4, type="plan"), came(), received())
    for units, expected in ((None, [1, 2, 3, 0, 4]), (MINE, [1, 2, 0, 4])):
        found: list[Inbound] = []
        while page := await worklist.owed(
            tx, Wanted(units=units), (found[-1].due_at or NOON, found[-1].id) if found else None, 2
        ):
            found += page
        assert [one.message_id for one in found] == [ids[number] for number in expected]
    assert [one.type for one in await worklist.owed(tx, Wanted(type="plan"), None, 9)] == ["plan"]
    assert len(await worklist.owed(tx, Wanted(before=NOON + 2 * MINUTE), None, 9)) == 2
    assert [await worklist.count_owed(tx, units) for units in (None, MINE, frozenset[str]())] == [5, 4, 0]
    assert await worklist.count_on_the_way(tx, None) == 1


async def test_what_nobody_has_read_is_read_page_by_page_the_newest_first_and_leaves_when_marked(
    tx: Transaction,
) -> None:
    ids = await put(tx, came(), came(unit=HOME_CARE), came(type="plan"), came(5), came(state=InState.RETRACTED))
    for units, expected in ((None, [4, 2, 1, 0]), (MINE, [4, 2, 0])):
        found: list[Inbound] = []
        before: int | None = None
        while True:
            page, before = await worklist.unread(tx, Wanted(units=units), before, 2)
            found += page
            if before is None:
                break
        assert [one.message_id for one in found] == [ids[number] for number in expected]
    number = found[0].id
    assert [await worklist.mark_read(tx, number, NOON) for _ in range(2)] == [True, False]
    rest, _ = await worklist.unread(tx, Wanted(units=MINE), None, 9)
    assert number not in {one.id for one in rest}
    owed = (await worklist.owed(tx, Wanted(), None, 9))[0]
    assert not await worklist.mark_read(tx, owed.id, NOON)


async def test_whoever_sees_all_units_looks_no_further_back_than_a_page_may(tx: Transaction) -> None:
    ids = await put(tx, came(), *(received() for _ in range(6)))
    found, before = await worklist.unread(tx, Wanted(), None, 5, farthest=3)
    assert (found, before is None) == ([], False)
    while not found:
        assert before is not None
        found, before = await worklist.unread(tx, Wanted(), before, 5, farthest=3)
    assert ([one.message_id for one in found], before) == (ids[:1], None)


def waiting(minute: int, state: OutState = OutState.RECEIVED, **changes: Any) -> Any:
    return row(state=state, **changes)._replace(due_at=NOON + minute * MINUTE, owner="partner")


async def test_awaited_answers_are_read_page_by_page_and_each_once(tx: Transaction) -> None:
    rows = [waiting(3), waiting(1), waiting(1), waiting(2, unit=PSYCHIATRY), waiting(9, type="acknowledgement")]
    await add(tx, *rows)
    await add(tx, row(state=OutState.ACKNOWLEDGED, position=None))
    ids = [one.message_id for one in rows]
    for sought, expected in (
        (Sought(), [1, 2, 3, 0]),
        (Sought(units=MINE), [1, 2, 3, 0]),
        (Sought(units=frozenset({HOME_CARE})), []),
        (Sought(unit=PSYCHIATRY), [3]),
        (Sought(party=REGION, type="sipStart", states=[OutState.RECEIVED], unit=CLINIC), [1, 2, 0]),
        (Sought(before=NOON + 2 * MINUTE), [1, 2]),
        (Sought(with_acknowledgements=True), [1, 2, 3, 0, 4]),
    ):
        found, after = [], None
        while True:
            kept = {name: getattr(sought, name) for name in Sought.__dataclass_fields__} | {"after": after}
            page = await clocks.awaited_answers(tx, Sought(**kept), 2)
            found += [one.message_id for one in page.rows]
            after = page.next
            if after is None:
                break
        assert found == [ids[number] for number in expected], sought


async def test_whoever_is_protected_in_one_case_is_so_in_every_case_of_theirs(tx: Transaction) -> None:
    people = {"SIP100001": PERSON, "SIP100002": PERSON, "SIP100003": OTHER_PERSON, "SIP100004": CHILD}
    made = [apply(None, message(need(), person=person, number=number)) for number, person in people.items()]
    made[1] = replace(made[1], protected_level=ProtectedLevel.CONFIDENTIALITY_MARKED)
    await cases.save_all(tx, [(one, 0) for one in made], NOON)
    assert await subjects.protected(tx, [*people, "SIP100099"]) == {"SIP100001", "SIP100002"}
    assert await subjects.protected(tx, []) == frozenset()


async def test_a_case_concerns_the_units_that_take_part_or_have_messages_in_it(tx: Transaction) -> None:
    await cases.save_all(tx, [(apply(None, message(need(), CLINIC)), 0)], NOON)
    await put(tx, came(unit=HOME_CARE, case_number=CASE))
    assert await subjects.units_of_case(tx, CASE, "kommun") == {OFFICE, HOME_CARE}
    assert await subjects.units_of_case(tx, CASE, "skola") == {HOME_CARE}
    assert await subjects.units_of_case(tx, "SIP100099", "kommun") is None
    assert await subjects.contents(tx, str(uuid4())) == []


async def test_work_and_answers_are_found_without_looking_through_any_table(store: Store, store_url: str) -> None:
    engine: AsyncEngine = store._engine  # what is asked of the database is seen only here
    asked: list[tuple[str, Any]] = []

    def listen(_: Any, __: Any, statement: str, values: Any, ___: Any, ____: Any) -> None:
        asked.append((statement, values))

    event.listen(engine.sync_engine, "before_cursor_execute", listen)
    async with store.reading() as tx:
        for units in (None, MINE):
            await worklist.owed(tx, Wanted(units=units), (NOON, 7), 50)
            await worklist.count_owed(tx, units, before=NOON)
            await clocks.awaited_answers(tx, Sought(units=units, before=NOON), 50)
            await odd_answers.odd_answers(tx, units, 20)
        await worklist.unread(tx, Wanted(units=MINE), 7, 50)
        await worklist.count_on_the_way(tx, MINE)
    event.remove(engine.sync_engine, "before_cursor_execute", listen)
    explain = "EXPLAIN QUERY PLAN" if store_url.startswith("sqlite") else "EXPLAIN"
    assert len(asked) >= 12
    for statement, values in asked:
        async with store.reading() as tx:
            plan = "\n".join(map(str, (await tx.exec_driver_sql(f"{explain} {statement}", values)).all()))
        assert "Seq Scan" not in plan, plan
        assert not re.search(r"SCAN (inbound|dispatch|message|verdict|history)'", plan), plan
