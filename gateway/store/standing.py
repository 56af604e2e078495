"""What waits for somebody, counted for the overview: by the indexes that hold nothing but what is open, and not far."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection as Transaction

from gateway.lifecycle import InState, OutState, Owner
from gateway.store import adapters, failed
from gateway.store.tables import ON_PAPER, OPEN, dead_letter, dispatch, inbound

MOST: Final = 10_000
"""How far is counted; what is more is one more."""

_ANSWERED = (OutState.SENT, OutState.RECEIVED, OutState.REGISTERED)
_IS_TRIED = inbound.c.state == InState.WAITING_FOR_SYSTEM.value
_UNSENT = (OutState.QUEUED, OutState.RETRYING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """How many wait for somebody; each is at most :data:`MOST` and one more.

    ``owed`` messages that came have not been answered in time by an own unit, and ``undelivered`` ones have not reached
    the own case system in time for another reason than that it does not answer, which is one of the ``failures`` that
    a person decides about. ``answers`` are those sent whose next answer is overdue. ``unsent`` have not left in time,
    ``held`` wait for a consent for too long, and ``letters`` are to be sent by hand. ``dead_letters`` were given up by
    the exchange and are tried again. ``down`` are the names of the adapters whose systems do not answer, and ``paused``
    of those that somebody has paused.
    """

    owed: int = 0
    undelivered: int = 0
    answers: int = 0
    failures: int = 0
    unsent: int = 0
    held: int = 0
    letters: int = 0
    dead_letters: int = 0
    down: tuple[str, ...] = ()
    paused: tuple[str, ...] = ()


async def facts(
    tx: Transaction,
    now: datetime,
    *,
    units: frozenset[str] | None,
    systems: Collection[str] = (),
    most: int = MOST,
) -> Facts:
    """Return what waits at ``now`` for one of the own ``units`` (HSA-ids), or for any.

    ``systems`` are the names of the adapters. What is no single unit's is told to those alone who see all units. Each
    is counted up to ``most``, and one more.
    """
    row = (await tx.execute(counts(now, units, most))).one()
    failures = sum(group.count for group in await failed.groups(tx, now, units=units))
    counted = {**row._mapping, "failures": min(failures, most + 1)}
    if units is not None:
        return Facts(**counted)
    beats, pauses = await adapters.beats(tx), await adapters.pauses(tx)
    down = tuple(name for name in systems if name in beats and beats[name].codes and name not in pauses)
    return Facts(**counted, down=down, paused=tuple(name for name in systems if name in pauses))


def counts(now: datetime, units: frozenset[str] | None, most: int = MOST) -> Select[Any]:
    """Return the query that counts what waits, but for failures, each in a column named as in :class:`Facts`."""
    late_in = (text(OPEN), inbound.c.due_at < now)
    late_out = (text(f"dispatch.{OPEN}"), dispatch.c.due_at < now)
    found = {
        "owed": _received(units, *late_in, inbound.c.owner == Owner.RECIPIENT.value),
        "undelivered": _received(units, *late_in, inbound.c.owner != Owner.RECIPIENT.value, ~_IS_TRIED),
        "answers": _sent(units, *late_out, _is(*_ANSWERED)),
        "unsent": _sent(units, *late_out, _is(*_UNSENT)),
        "held": _sent(units, *late_out, _is(OutState.HELD)),
        "letters": _sent(units, text(f"dispatch.{ON_PAPER}"), _is(OutState.LETTER)),
        "dead_letters": _dead(units),
    }
    columns = [
        select(func.count()).select_from(rows.limit(most + 1).subquery()).scalar_subquery().label(name)
        for name, rows in found.items()
    ]
    return select(*columns)


def _is(*states: OutState) -> ColumnElement[bool]:
    return dispatch.c.state.in_([state.value for state in states])


def _sent(units: frozenset[str] | None, *conditions: Any) -> Select[Any]:
    query = select(dispatch.c.id).where(*conditions)
    return query if units is None else query.where(dispatch.c.own_unit.in_(sorted(units)))


def _received(units: frozenset[str] | None, *conditions: Any) -> Select[Any]:
    query = select(inbound.c.id).where(*conditions)
    return query if units is None else query.where(inbound.c.unit.in_(sorted(units)))


def _dead(units: frozenset[str] | None) -> Select[Any]:
    query = select(dead_letter.c.id).where(text("settled_at IS NULL"), dead_letter.c.next_attempt_at.is_not(None))
    return query if units is None else query.where(dead_letter.c.unit.in_(sorted(units)))
