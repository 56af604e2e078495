"""Gathering the evidence: what both stores and both case systems hold, read from outside the gateways."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import and_, func, or_, select

from faults.case_system import connected, record_id
from faults.checker import Answer, Books, Charge, Evidence, Line, Promise, Record, Row
from gateway.envelope import ACKNOWLEDGEMENT
from gateway.lifecycle import InState, Level, OutState
from gateway.store import Store, Transaction
from gateway.store.tables import dispatch, history, inbound, note, parked, unexpected, verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where the evidence of a run lies."""

    sender_store: str
    receiver_store: str
    sender_system: Path
    receiver_system: Path


async def gather(places: Places) -> Evidence:
    """Read everything."""
    evidence = Evidence()
    async with Store(places.sender_store, migrates=False) as store, store.reading() as tx:
        evidence.sender = await _books(tx)
    async with Store(places.receiver_store, migrates=False) as store, store.reading() as tx:
        evidence.receiver = await _books(tx)
    with closing(connected(places.sender_system)) as database:
        for number, stream, answer in _answered(database):
            for message_id in json.loads(answer)["messageIds"]:
                evidence.promises.append(Promise(number=number, stream=stream, message_id=message_id))
        _read_unanswered(database, "event", evidence)
    with closing(connected(places.receiver_system)) as database:
        for number, message_id, unit in database.execute("SELECT number, message_id, unit FROM record"):
            evidence.records.append(
                Record(number=number, record_id=record_id(number), message_id=message_id, unit=unit)
            )
        taken = "SELECT about_message, about_unit FROM told WHERE about_message IS NOT NULL AND answer IS NOT NULL"
        evidence.charges += [Charge(message_id=one, unit=unit) for one, unit in database.execute(taken)]
        _read_unanswered(database, "charge", evidence)
    return evidence


def _answered(database: sqlite3.Connection) -> list[tuple[int, str, str]]:
    query = "SELECT number, stream, answer FROM told WHERE answer IS NOT NULL ORDER BY number"
    return database.execute(query).fetchall()


def _read_unanswered(database: sqlite3.Connection, what: str, evidence: Evidence) -> None:
    for number, refusal in database.execute("SELECT number, refusal FROM told WHERE answer IS NULL"):
        if refusal is None:
            evidence.unanswered.append(f"{what} {number}")
        else:
            evidence.refused.append(f"{what} {number} ({refusal})")


async def _books(tx: Transaction) -> Books:
    async def rows(*columns: Any) -> Any:
        return (await tx.execute(select(*columns))).all()

    out = dispatch.c
    into = inbound.c
    books = Books()
    for row in await rows(out.message_id, out.unit, out.type, out.state, out.due_at, out.record_id):
        books.out.append(_row(row))
    for row in await rows(into.message_id, into.unit, into.type, into.state, into.due_at, into.record_id):
        books.into.append(_row(row))
    for row in await rows(
        verdict.c.message_id, verdict.c.unit, verdict.c.level, verdict.c.outcome, verdict.c.record_id
    ):
        books.verdicts.append(Answer(**row._mapping))
    query = select(
        history.c.direction, history.c.message_id, history.c.unit, history.c.event, history.c.state
    ).order_by(history.c.id)
    books.history = [Line(*row) for row in (await tx.execute(query)).all()]
    for table, identifier in ((parked, parked.c.message_id), (unexpected, unexpected.c.acknowledgement_id)):
        for message_id, findings in await rows(identifier, table.c.findings):
            books.parked.append((message_id, findings[0]["code"]))
    return books


def _row(row: Any) -> Row:
    return Row(
        message_id=row.message_id,
        unit=row.unit,
        type=row.type,
        state=row.state,
        is_owned=row.due_at is not None,  # a constraint of the database holds that an owner is there too
        record_id=row.record_id,
    )


_RESTS = (OutState.REGISTERED.value, OutState.ACKNOWLEDGED.value)


async def left(places: Places, sender: Store, receiver: Store) -> dict[str, int]:
    """Return how much is still to be done, by what it is; nothing when all has settled.

    The stores are asked when both case systems have had their answers.
    """
    done: dict[str, int] = {}
    with closing(connected(places.sender_system)) as database:
        done["events"] = _count(database, "told WHERE answer IS NULL AND refusal IS NULL")
    with closing(connected(places.receiver_system)) as database:
        done["charges"] = _count(database, "told WHERE answer IS NULL AND refusal IS NULL")
        charged = _count(database, "told WHERE answer IS NOT NULL")
    if not any(done.values()):
        done |= await _left_in_stores(sender, receiver, charged)
    return {name: number for name, number in done.items() if number > 0}


async def _left_in_stores(sender: Store, receiver: Store, charged: int) -> dict[str, int]:
    done: dict[str, int] = {}
    answers = dispatch.c.type == ACKNOWLEDGEMENT
    moving = or_(
        and_(~answers, dispatch.c.state.not_in(_RESTS)), and_(answers, dispatch.c.state != OutState.SENT.value)
    )
    coming = inbound.c.state.not_in([InState.REGISTERED.value, InState.ACKNOWLEDGED.value])
    for party, store in (("sender", sender), ("receiver", receiver)):
        async with store.reading() as tx:
            for name, table, condition in (
                ("out", dispatch, moving),
                ("in", inbound, coming),
                ("notes", note, note.c.written_at.is_(None)),
            ):
                query = select(func.count()).select_from(table).where(condition)
                done[f"{name} at the {party}"] = (await tx.execute(query)).scalar_one()
            if party == "sender":
                query = select(func.count()).where(verdict.c.level == Level.ACKNOWLEDGED.value)
                done["charges to be told"] = charged - (await tx.execute(query)).scalar_one()
    return done


def _count(database: sqlite3.Connection, what: str) -> int:
    number: int = database.execute(f"SELECT count(*) FROM {what}").fetchone()[0]  # noqa: S608 -- our own words
    return number
