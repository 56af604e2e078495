"""Tokens as they are kept: never themselves, only what they are recognised by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection as Transaction

from gateway.access import Role
from gateway.store.access_tables import token


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token: its name, the role and units (``None``: all) it is for, who made it and why, and until when it holds.

    ``used_at`` and ``refused_at`` are kept to the minute at best: not every use is written.
    """

    name: str
    role: Role
    units: frozenset[str] | None
    created_at: datetime
    created_by: str
    reason: str
    expires_at: datetime
    revoked_at: datetime | None = None
    revoked_by: str | None = None
    revoked_reason: str | None = None
    used_at: datetime | None = None
    refused_at: datetime | None = None


_COLUMNS = [column for column in token.columns if column.name != "hash"]


async def add(tx: Transaction, one: Token, token_hash: str) -> None:
    """Keep a new token by the hash it is recognised by."""
    values = {column.name: getattr(one, column.name) for column in _COLUMNS}
    units = sorted(one.units) if one.units is not None else None
    await tx.execute(insert(token).values(values | {"role": one.role.value, "units": units, "hash": token_hash}))


async def every(tx: Transaction) -> list[Token]:
    """Return all tokens there have been, by name."""
    return [_token(row) for row in (await tx.execute(select(*_COLUMNS).order_by(token.c.name))).mappings()]


async def named(tx: Transaction, name: str) -> Token | None:
    """Return the token with a name."""
    row = (await tx.execute(select(*_COLUMNS).where(token.c.name == name))).mappings().first()
    return _token(row) if row is not None else None


async def recognised(tx: Transaction, token_hash: str) -> Token | None:
    """Return the token with a hash."""
    row = (await tx.execute(select(*_COLUMNS).where(token.c.hash == token_hash))).mappings().first()
    return _token(row) if row is not None else None


async def revoke(tx: Transaction, name: str, *, at: datetime, by: str, reason: str) -> bool:
    """End a token, and keep who has said so and why; tell whether it had not been ended."""
    ended = {"revoked_at": at, "revoked_by": by, "revoked_reason": reason}
    mine = token.c.name == name, token.c.revoked_at.is_(None)
    return bool((await tx.execute(update(token).where(*mine).values(ended))).rowcount)


async def keep_use(tx: Transaction, name: str, at: datetime, *, unless_since: datetime) -> bool:
    """Keep that a token was used, unless that was kept ``unless_since``; tell whether it was."""
    return await _keep(tx, name, "used_at", at, unless_since)


async def keep_refusal(tx: Transaction, name: str, at: datetime, *, unless_since: datetime) -> bool:
    """Keep that a token was refused, unless that was kept ``unless_since``; tell whether it was."""
    return await _keep(tx, name, "refused_at", at, unless_since)


async def _keep(tx: Transaction, name: str, column: str, at: datetime, unless_since: datetime) -> bool:
    stale = or_(token.c[column].is_(None), token.c[column] <= unless_since)
    return bool((await tx.execute(update(token).where(token.c.name == name, stale).values({column: at}))).rowcount)


def _token(row: Any) -> Token:
    units = frozenset(row["units"]) if row["units"] is not None else None
    return Token(**{**row, "role": Role(row["role"]), "units": units})
