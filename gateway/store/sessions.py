"""Sessions and links that log in, as they are kept: never what is shown, only what it is recognised by."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Table, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection as Transaction

from gateway.access import Actor, Role
from gateway.store.access_tables import login_link, reveal, session
from gateway.store.engine import insert_ignore

MOST_REMOVED = 100
"""How many old rows of a table are removed at a time: whoever logs in does not wait for a long absence of others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptSession:
    """A session: whoever it stands for, from when until when at most, when it was used (to the minute), and its end."""

    id: str
    actor: Actor
    begun_at: datetime
    used_at: datetime
    ends_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptLink:
    """A link: whoever it stands for, until when, whether it was used, and when it was last refused (to the minute)."""

    actor: Actor
    made_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
    refused_at: datetime | None = None


async def add(tx: Transaction, one: KeptSession, value_hash: str) -> None:
    """Keep a new session by the hash its cookie is recognised by."""
    values = {"id": one.id, "begun_at": one.begun_at, "used_at": one.used_at, "ends_at": one.ends_at}
    await tx.execute(insert(session).values(_written(one.actor) | values | {"hash": value_hash}))


async def recognised(tx: Transaction, value_hash: str) -> KeptSession | None:
    """Return the session with a hash, also one that has ended."""
    row = (await tx.execute(select(session).where(session.c.hash == value_hash))).mappings().first()
    if row is None:
        return None
    times = {name: row[name] for name in ("begun_at", "used_at", "ends_at", "ended_at")}
    return KeptSession(id=row["id"], actor=_actor(row), **times)


async def keep_use(tx: Transaction, session_id: str, at: datetime, *, unless_since: datetime) -> None:
    """Keep that a session was used, unless that was kept ``unless_since``."""
    stale = session.c.id == session_id, session.c.used_at <= unless_since
    await tx.execute(update(session).where(*stale).values(used_at=at))


async def end(tx: Transaction, session_id: str, at: datetime) -> bool:
    """End a session, and what it may show; tell whether it had not been ended."""
    mine = session.c.id == session_id, session.c.ended_at.is_(None)
    await tx.execute(delete(reveal).where(reveal.c.session_id == session_id))
    return bool((await tx.execute(update(session).where(*mine).values(ended_at=at))).rowcount)


async def open_of(tx: Transaction, name: str, at: datetime) -> list[str]:
    """Return the ids of the sessions of somebody that nobody has ended and whose time is not over."""
    theirs = session.c.name == name, session.c.ended_at.is_(None), session.c.ends_at > at
    return list((await tx.execute(select(session.c.id).where(*theirs).order_by(session.c.id))).scalars())


async def show(tx: Transaction, session_id: str, target: str, *, until: datetime, now: datetime) -> None:
    """Keep until when a session may show something, and forget what it may show no longer."""
    mine = reveal.c.session_id == session_id
    await tx.execute(delete(reveal).where(mine, reveal.c.until <= now))
    values = {"session_id": session_id, "target": target, "until": until}
    if not await insert_ignore(tx, reveal, values):
        await tx.execute(update(reveal).where(mine, reveal.c.target == target).values(until=until))


async def shown_until(tx: Transaction, session_id: str, target: str) -> datetime | None:
    """Return until when a session may show something; it may be over."""
    query = select(reveal.c.until).where(reveal.c.session_id == session_id, reveal.c.target == target)
    until: datetime | None = (await tx.execute(query)).scalar_one_or_none()
    return until


async def shown_among(
    tx: Transaction, session_id: str, targets: Collection[str], after: datetime
) -> dict[str, datetime]:
    """Return which of ``targets`` a session may show ``after`` a time, and until when."""
    mine = reveal.c.session_id == session_id, reveal.c.until > after, reveal.c.target.in_(sorted(targets))
    query = select(reveal.c.target, reveal.c.until).where(*mine)
    return {target: until for target, until in (await tx.execute(query)).all()}  # noqa: C416 -- rows are not pairs


async def add_link(tx: Transaction, one: KeptLink, value_hash: str) -> None:
    """Keep a new link by the hash it is recognised by."""
    values = {"made_at": one.made_at, "expires_at": one.expires_at, "hash": value_hash}
    await tx.execute(insert(login_link).values(_written(one.actor) | values))


async def use_link(tx: Transaction, value_hash: str, now: datetime) -> Actor | None:
    """Use a link up, and return whoever it stands for; ``None`` unless it holds. Of several at once, one gets it."""
    mine = login_link.c.hash == value_hash, login_link.c.used_at.is_(None), login_link.c.expires_at > now
    done = update(login_link).where(*mine).values(used_at=now).returning(*login_link.columns)
    row = (await tx.execute(done)).mappings().first()
    return _actor(row) if row is not None else None


async def link(tx: Transaction, value_hash: str) -> KeptLink | None:
    """Return the link with a hash, also one that no longer holds."""
    row = (await tx.execute(select(login_link).where(login_link.c.hash == value_hash))).mappings().first()
    if row is None:
        return None
    times = {name: row[name] for name in ("made_at", "expires_at", "used_at", "refused_at")}
    return KeptLink(actor=_actor(row), **times)


async def keep_link_refusal(tx: Transaction, value_hash: str, at: datetime, *, unless_since: datetime) -> bool:
    """Keep that a link was refused, unless that was kept ``unless_since``; tell whether it was."""
    stale = or_(login_link.c.refused_at.is_(None), login_link.c.refused_at <= unless_since)
    mine = login_link.c.hash == value_hash, stale
    return bool((await tx.execute(update(login_link).where(*mine).values(refused_at=at))).rowcount)


async def use_links_of(tx: Transaction, name: str, now: datetime) -> None:
    """Use up every link that stands for somebody."""
    theirs = login_link.c.name == name, login_link.c.used_at.is_(None)
    await tx.execute(update(login_link).where(*theirs).values(used_at=now))


async def remove_old(tx: Transaction, before: datetime, *, most: int = MOST_REMOVED) -> None:
    """Remove sessions and links, of each at most ``most``, whose time was over ``before``; not what others remove."""
    await _remove(tx, session, "id", "ends_at", before, most)
    await _remove(tx, login_link, "hash", "expires_at", before, most)


async def _remove(tx: Transaction, table: Table, key: str, over: str, before: datetime, most: int) -> None:
    old = select(table.c[key]).where(table.c[over] < before).order_by(table.c[over]).limit(most)
    keys = list((await tx.execute(old.with_for_update(skip_locked=True))).scalars())
    if keys:
        await tx.execute(delete(table).where(table.c[key].in_(keys)))


def _written(actor: Actor) -> dict[str, Any]:
    units = sorted(actor.units) if actor.units is not None else None
    return {"name": actor.name, "role": actor.role.value, "units": units, "assignment": actor.assignment}


def _actor(row: Any) -> Actor:
    units = frozenset(row["units"]) if row["units"] is not None else None
    return Actor(name=row["name"], role=Role(row["role"]), units=units, assignment=row["assignment"])
