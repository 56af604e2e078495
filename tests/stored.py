"""Rows for the tests of the store, with nothing in them but what a test asks for."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from build import CASE, CLINIC, NOON, OFFICE, REGION, message, need
from sqlalchemy.exc import IntegrityError

from gateway.clock import ManualClock
from gateway.ledger import Dispatch, Inbound
from gateway.lifecycle import InState, Level, Outcome, OutState
from gateway.messages import Duty
from gateway.store import Transaction, outgoing
from gateway.store.tables import dispatch
from gateway.store.verdicts import Verdict

LEASE = timedelta(seconds=60)


def row(**changes: Any) -> Dispatch:
    """Return a ledger row that waits for the relay."""
    values: dict[str, Any] = {
        "message_id": str(uuid4()),
        "type": "sipStart",
        "case_number": CASE,
        "party": REGION,
        "unit": CLINIC,
        "own_unit": OFFICE,
        "duty": Duty.NOTIFY,
        "state": OutState.QUEUED,
        "queued_at": NOON,
        "position": 1,
    }
    created_at = changes.pop("created_at", NOON)
    return Dispatch.begin(NOON, **{**values, **changes})._replace(created_at=created_at)


async def add(tx: Transaction, *rows: Dispatch) -> None:
    """Store rows, each with a message of its own, as the next in line where none says otherwise."""
    for one in rows:
        made = message(need(), one.unit)
        header = replace(made.header, message_id=one.message_id, case_number=one.case_number)
        made = replace(made, type=one.type, header=header)
        await outgoing.add(tx, made, b"<xml/>", [one._replace(position=await outgoing.next_position(tx))])


def received(**changes: Any) -> Inbound:
    """Return a row for a message that has come."""
    values: dict[str, Any] = {
        "party": REGION,
        "type": "sipStart",
        "message_id": str(uuid4()),
        "unit": OFFICE,
        "case_number": "SIP200001",
        "sequence": 1,
        "sender_unit": CLINIC,
        "content_hash": "0" * 64,
        "xml": b"<xml/>",
        "state": InState.VALIDATED,
    }
    return Inbound.begin(NOON, **{**values, **changes})


def answer(outcome: Outcome = Outcome.ACCEPTED, **changes: Any) -> Verdict:
    """Return a verdict."""
    values: dict[str, Any] = {
        "message_id": "m",
        "unit": CLINIC,
        "level": Level.RECEIVED,
        "outcome": outcome,
        "acknowledgement_id": str(uuid4()),
        "at": NOON,
        "arrived_at": NOON,
        "record_id": None,
        "reasons": [],
        "late": False,
    }
    return Verdict(**{**values, **changes})


def refuses(*constraint: str) -> Any:
    """Expect a constraint to refuse a statement; each database calls it in its own way."""
    return pytest.raises(IntegrityError, match="|".join(constraint))


def values_of(one: Dispatch) -> dict[str, Any]:
    """Return a row as an INSERT takes it."""
    return {column.name: getattr(one, column.name) for column in dispatch.columns if column.name != "id"}


async def claim(tx: Transaction, clock: ManualClock, limit: int = 64) -> list[str]:
    """Claim what is due; return the message ids."""
    return [one.dispatch.message_id for one in await outgoing.claim(tx, clock.now(), LEASE, limit)]
