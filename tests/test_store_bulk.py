"""Rows that are written many at a time are the rows that would be written one by one, on each database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from gateway.store import Transaction
from gateway.store.bulk import change, insertion, insertion_once
from gateway.store.tables import event

NAMES = ["content", "source", "event_id", "content_hash", "received_at", "state", "answer", "findings"]
"""The columns of an event in an order that is not the table's."""
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
FOUND = [{"code": "event.empty-text", "path": "/behov", "sv": "Texten är tom.", "en": "The text is empty."}]


def said(number: int, **changes: Any) -> dict[str, Any]:
    values = {
        "content": b"\x00{}\xff" * number,
        "source": "treserva",
        "event_id": f"E-{number}",
        "content_hash": f"{number:064}",
        "received_at": NOON.astimezone(timezone(timedelta(hours=number))),
        "state": "accepted",
        "answer": {"messageIds": ["å", "🙂"], "caseNumber": None},
        "findings": None,
    }
    return values | changes


SAID = [said(1), said(2, event_id=None), said(3, state="refused", answer=None, findings=FOUND)]


def in_order(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in NAMES) for row in rows]


async def kept(tx: Transaction) -> list[tuple[Any, ...]]:
    query = select(*(event.c[name] for name in NAMES)).order_by(event.c.content_hash)
    return [tuple(row) for row in (await tx.execute(query)).all()]


async def test_rows_are_inserted_as_the_library_inserts_them(tx: Transaction) -> None:
    await tx.execute(insert(event), SAID)
    expected = await kept(tx)
    await tx.execute(event.delete())
    await insertion(event, NAMES).execute(tx, in_order(SAID))
    assert await kept(tx) == expected == in_order(SAID)


async def test_no_rows_are_no_statement(tx: Transaction) -> None:
    assert await insertion(event, NAMES).execute(tx, []) == 0
    assert await kept(tx) == []


async def test_a_row_that_breaks_a_constraint_is_refused(tx: Transaction) -> None:
    with pytest.raises(IntegrityError):
        await insertion(event, NAMES).execute(tx, in_order([said(1), said(2, content_hash=said(1)["content_hash"])]))


async def test_of_rows_alike_the_first_one_stays(tx: Transaction) -> None:
    once = insertion_once(event, NAMES)
    await once.execute(tx, in_order([said(1), said(1, content=b"other"), said(2)]))
    await once.execute(tx, in_order([said(2, content=b"other")]))
    assert await kept(tx) == in_order([said(1), said(2)])


async def test_each_row_gets_its_own_values_and_the_others_stay(tx: Transaction) -> None:
    await insertion(event, NAMES).execute(tx, in_order(SAID))
    first, _, third = (await tx.execute(select(event.c.id).order_by(event.c.content_hash))).scalars()
    later = NOON + timedelta(hours=1)
    await change(event, ["received_at", "findings"]).execute(tx, [(later, FOUND, first), (NOON, None, third)])
    assert await kept(tx) == in_order(
        [
            SAID[0] | {"received_at": later, "findings": FOUND},
            SAID[1],
            SAID[2] | {"received_at": NOON, "findings": None},
        ]
    )


async def test_what_is_written_as_the_driver_takes_it_is_not_converted(tx: Transaction) -> None:
    text = '{"messageIds": [], "caseNumber": "SIP100001"}'
    await insertion(event, NAMES, written=["answer"]).execute(tx, in_order([said(1, answer=text)]))
    [(*_, answer, _)] = await kept(tx)
    assert answer == {"messageIds": [], "caseNumber": "SIP100001"}
