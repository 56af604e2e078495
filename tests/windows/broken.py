"""Failures to look at: messages that the own case system has not taken in time, of a unit and for a cause."""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol

from windows.filled import UNIT, arrived, content_of

from gateway.clock import Clock
from gateway.items import ItemKind
from gateway.lifecycle import InState, Owner
from gateway.store import Store, incoming
from gateway.store.failed import Cause

CODE = "adapter.too-slow"


class Kept(Protocol):
    """Where messages are stored, and what time it is there: a site, or the context of a gateway at work."""

    @property
    def clock(self) -> Clock:
        """What time it is."""

    @property
    def store(self) -> Store:
        """Where they are."""


async def not_taken(site: Kept, count: int, *, unit: str = UNIT, code: str = CODE, party: str = "kommun") -> list[str]:
    """Store messages that have failed, a minute apart; return their ids, the newest first."""
    xml, message = content_of("sipStart")
    now, made = site.clock.now(), []
    for number in range(count):
        failed = {"failed_at": now - timedelta(hours=2, minutes=number), "failed_code": code, "owner": Owner.OPERATIONS}
        waits = {"due_at": now - timedelta(hours=1), "next_attempt_at": now + timedelta(days=1)}
        none = {"registered_at": None, "record_id": None, "state": InState.WAITING_FOR_SYSTEM}
        one = arrived(xml, message, now, unit=unit, party=party, **failed, **waits, **none)
        body = xml.replace(message.header.message_id.encode(), one.message_id.encode())
        made.append(one._replace(xml=body))
    async with site.store.writing() as tx:
        await incoming.add(tx, made)
    return [one.message_id for one in made]


def cause(code: str = CODE, party: str = "kommun") -> Cause:
    """Return why such messages have failed."""
    return Cause(kind=ItemKind.RECEIVED, code=code, party=party)
