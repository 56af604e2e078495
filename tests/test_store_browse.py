"""Pages of the ledger: the newest first, each row once, by what is asked for, and no further than one page may look."""

from __future__ import annotations

from datetime import timedelta

import pytest
from build import CASE, CLINIC, NOON, OFFICE, PSYCHIATRY
from stored import add, received, row

from gateway.lifecycle import OutState
from gateway.store import Transaction, browse, incoming
from gateway.store.browse import Page, Sought


async def pages(tx: Transaction, sought: Sought, limit: int) -> list[Page]:
    """Return every page, from the newest to the last."""
    found = [await browse.sent(tx, sought, limit)]
    while (before := found[-1].next) is not None:
        found.append(await browse.sent(tx, Sought(**{**vars_of(sought), "before": before}), limit))
    return found


def vars_of(sought: Sought) -> dict[str, object]:
    return {name: getattr(sought, name) for name in Sought.__dataclass_fields__}


async def test_every_row_is_on_one_page_the_newest_first(tx: Transaction) -> None:
    rows = [row(created_at=NOON + timedelta(minutes=number)) for number in range(7)]
    await add(tx, *rows)
    found = await pages(tx, Sought(), 3)
    told = [one["message_id"] for page in found for one in page.rows]
    assert told == [one.message_id for one in reversed(rows)]
    assert [len(page.rows) for page in found] == [3, 3, 1]


@pytest.mark.parametrize(
    ("sought", "count"),
    [
        (Sought(state="queued"), 2),
        (Sought(state="expired"), 1),
        (Sought(type="plan"), 1),
        (Sought(unit=PSYCHIATRY), 1),
        (Sought(unit=OFFICE), 3),
        (Sought(case_number=CASE), 3),
        (Sought(case_number="SIP100099"), 0),
        (Sought(units=frozenset({OFFICE})), 3),
        (Sought(units=frozenset({CLINIC})), 0),
        (Sought(since=NOON + timedelta(minutes=1)), 2),
        (Sought(until=NOON + timedelta(minutes=1)), 1),
    ],
)
async def test_a_page_has_what_is_asked_for_and_what_whoever_asks_may_see(
    tx: Transaction, sought: Sought, count: int
) -> None:
    await add(
        tx,
        row(created_at=NOON),
        row(created_at=NOON + timedelta(minutes=1), unit=PSYCHIATRY),
        row(created_at=NOON + timedelta(minutes=2), state=OutState.EXPIRED, position=None, type="plan"),
    )
    assert len((await browse.sent(tx, sought, 10)).rows) == count


async def test_one_page_looks_no_further_than_it_may_and_tells_where_to_go_on(tx: Transaction) -> None:
    await add(tx, row(type="plan"), *(row() for _ in range(6)))
    page = await browse.sent(tx, Sought(type="plan"), 10, farthest=3)
    assert (page.rows, page.next is not None) == ([], True)
    assert page.next is not None
    page = await browse.sent(tx, Sought(type="plan", before=page.next), 10, farthest=3)
    assert page.next is not None
    page = await browse.sent(tx, Sought(type="plan", before=page.next), 10, farthest=3)
    assert ([one["type"] for one in page.rows], page.next) == (["plan"], None)


async def test_a_day_long_ago_is_found_at_once_and_nothing_before_it_is_looked_at(tx: Transaction) -> None:
    days = [NOON + timedelta(days=number) for number in range(12)]
    await add(tx, *(row(created_at=day) for day in days))
    asked = Sought(since=days[3], until=days[5])
    page = await browse.sent(tx, asked, 10, farthest=3)
    assert ([one["created_at"] for one in page.rows], page.next) == ([days[4], days[3]], None)
    assert (await browse.sent(tx, Sought(until=days[0]), 10, farthest=2)) == Page([], None)
    assert (await browse.sent(tx, Sought(since=days[11] + timedelta(days=1)), 10, farthest=2)) == Page([], None)


async def test_a_row_that_was_written_a_little_late_is_found_by_its_time(tx: Transaction) -> None:
    moments = [NOON, NOON + timedelta(minutes=2), NOON + timedelta(minutes=1), NOON + timedelta(minutes=3)]
    await add(tx, *(row(created_at=at) for at in moments))
    page = await browse.sent(tx, Sought(since=moments[1], until=moments[3]), 10)
    assert [one["created_at"] for one in page.rows] == [moments[1]]


async def test_what_came_is_told_without_its_content(tx: Transaction) -> None:
    await incoming.add(tx, [received()])
    page = await browse.received(tx, Sought(units=frozenset({OFFICE})), 10)
    (one,) = page.rows
    assert "xml" not in one
    assert (await browse.received(tx, Sought(units=frozenset({CLINIC})), 10)).rows == []
