"""A store with a long past: a million messages that are done, small ones, written past the gateway for speed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import Table, insert

from bench import story
from gateway.store import Store
from gateway.store.tables import dispatch, history, inbound, message, sip_case

_CHUNK = 20_000
_EACH = 10
"""How many messages a case has."""
_BODY = b"<small/>"


async def fill(sender: str, receiver: str, count: int) -> None:
    """Put ``count`` messages that were sent and received into two stores."""
    async with Store(sender) as store:
        await insert_all(store, sip_case, (_case(number) for number in range(count // _EACH)))
        await insert_all(store, message, (_message(number) for number in range(count)))
        await insert_all(store, dispatch, (_dispatch(number) for number in range(count)))
        await insert_all(store, history, (_line(number, "out") for number in range(count)))
    async with Store(receiver) as store:
        await insert_all(store, sip_case, (_case(number) for number in range(count // _EACH)))
        await insert_all(store, inbound, (_inbound(number) for number in range(count)))
        await insert_all(store, history, (_line(number, "in") for number in range(count)))


async def insert_all(store: Store, table: Table, rows: Iterator[dict[str, Any]]) -> None:
    """Write rows into a table, many at a time."""
    while chunk := list(islice(rows, _CHUNK)):
        async with store.writing() as tx:
            await tx.execute(insert(table), chunk)


def _number(message: int) -> str:
    return f"M{message // _EACH:08}"


def _id(message: int) -> str:
    return str(UUID(int=message))


def _at(message: int) -> Any:
    return story.BEGINS - timedelta(days=90) + timedelta(seconds=message % 1_000_000)


def _case(number: int) -> dict[str, Any]:
    at = story.BEGINS - timedelta(days=90)
    times = {"opened_at": at, "updated_at": at}
    known = {"case_number": f"M{number:08}", "convener": "kommun", "state": "closed", "snapshot": {}, "revision": 1}
    return {**known, **times, "person_root": None, "person_extension": None}


def _message(number: int) -> dict[str, Any]:
    return {
        "message_id": _id(number),
        "type": "plan",
        "case_number": _number(number),
        "created_at": _at(number),
        "content_hash": "0" * 64,
        "xml": _BODY,
        "sender_unit": "SE2120001355-SOCHISINGEN",
        "in_reply_to": None,
        "applied": True,
    }


def _dispatch(number: int) -> dict[str, Any]:
    at = _at(number)
    return {
        "message_id": _id(number),
        "type": "plan",
        "case_number": _number(number),
        "party": "region",
        "own_unit": "SE2120001355-SOCHISINGEN",
        "unit": story.RECIPIENT,
        "duty": "acknowledge",
        "state": "acknowledged",
        "queued_at": at,
        "position": number + 1,
        "sequence": number % _EACH + 1,
        "attempts": 1,
        "created_at": at,
        "sent_at": at,
        "received_at": at,
        "registered_at": at,
        "acknowledged_at": at,
        "record_id": f"R-{number}",
        "outcome": "accepted",
    }


def _inbound(number: int) -> dict[str, Any]:
    at = _at(number)
    return {
        "party": "kommun",
        "type": "plan",
        "message_id": _id(number),
        "unit": story.RECIPIENT,
        "case_number": _number(number),
        "sequence": number % _EACH + 1,
        "sender_unit": "SE2120001355-SOCHISINGEN",
        "content_hash": "0" * 64,
        "xml": _BODY,
        "state": "acknowledged",
        "attempts": 1,
        "received_at": at,
        "registered_at": at,
        "acknowledged_at": at,
        "record_id": f"R-{number}",
    }


def _line(number: int, direction: str) -> dict[str, Any]:
    told = {"event": "acknowledged", "state": "acknowledged", "code": None}
    return {"direction": direction, "message_id": _id(number), "unit": story.RECIPIENT, "at": _at(number), **told}
