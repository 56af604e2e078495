"""Tokens: what a program shows to be let in. Each is told once, when it is made, and kept only as its SHA-256.

A token is 256 random bits, so its hash tells nothing about it and looking the hash up takes as long for a token that is
nearly right as for any other.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from gateway.access import AccessRefusedError, Actor, Role
from gateway.audit import Action, AuditOutcome, Entry
from gateway.by_hand import holds_person_number
from gateway.directory import Directory
from gateway.errors import CaseRuleError, Fault
from gateway.store import Store, Transaction, audit, tokens
from gateway.store.tokens import Token

REFUSED = Fault("access.token-refused", "Nyckeln gäller inte.", "The token does not hold.")
EXPIRED = Fault("access.token-expired", "Nyckelns tid har gått ut.", "The token has expired.")
REVOKED = Fault("access.token-revoked", "Nyckeln är återkallad.", "The token has been revoked.")
NAME = Fault(
    "token.name",
    "En nyckels namn är en liten bokstav och sedan högst 30 av a–z, 0–9 och -, utan personnummer.",
    "The name of a token is a small letter and then at most 30 of a–z, 0–9 and -, without a person number.",
)
TAKEN = Fault(
    "token.taken",
    "Det finns eller har funnits en nyckel med det namnet; ta ett annat.",
    "There is or was a token of that name; take another.",
)
UNKNOWN = Fault("token.unknown", "Det finns ingen nyckel med det namnet.", "There is no token of that name.")
DAYS = Fault(
    "token.days",
    "En nyckel gäller i 1 till {most} dagar.",
    "A token holds for 1 to {most} days.",
)
OTHER_PARTY = Fault(
    "token.unit-of-other-party",
    "En nyckel gäller bara den egna partens enheter.",
    "A token is for units of the own party only.",
)

USUAL_DAYS = 90
MOST_DAYS = 365
"""How long a token holds, where nothing else is said, and at most."""

KEPT_EVERY = timedelta(minutes=1)
"""How often it is kept that a token was used or refused: a program may show it many times a second."""

_BYTES = 32
_BEGINNING = "gateway_"
"""What a token begins with, so that one that was left in a file or a log is recognised."""
_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")


async def create(
    tx: Transaction,
    name: str,
    role: Role,
    *,
    units: Collection[str] | None = None,
    days: int = USUAL_DAYS,
    by: str,
    reason: str,
    now: datetime,
    draw: Callable[[int], bytes] = secrets.token_bytes,
) -> str:
    """Keep what a new token for a role and ``units`` (HSA-ids; ``None``: all) is known by, and return the token itself.

    Raises:
        CaseRuleError: the name cannot be used or was used before, or it would hold for too long.
    """
    if not 1 <= days <= MOST_DAYS:
        raise CaseRuleError(DAYS.at(most=MOST_DAYS))
    if not is_name(name):
        raise CaseRuleError(NAME.at())
    if await tokens.named(tx, name) is not None:
        raise CaseRuleError(TAKEN.at())
    shown = _BEGINNING + drawn(draw)
    made = Token(
        name=name,
        role=role,
        units=frozenset(units) if units is not None else None,
        created_at=now,
        created_by=by,
        reason=reason,
        expires_at=now + timedelta(days=days),
    )
    await tokens.add(tx, made, hash_of(shown))
    return shown


def is_ours(token: str) -> bool:
    """Tell whether a token looks like one that was made here, and not like that of an identity provider."""
    return token.startswith(_BEGINNING)


def is_name(text: str) -> bool:
    """Tell whether a token may be called so; it is never mistaken for an HSA-id, which begins with large letters."""
    return _NAME.fullmatch(text) is not None and not holds_person_number(text)


def check_units(units: Collection[str], party: str, directory: Directory) -> None:
    """Refuse units (HSA-ids) that are not of a party.

    Raises:
        InvalidDocumentError: there is no such unit.
        CaseRuleError: it is another party's.
    """
    for unit in units:
        if directory.unit(unit).party != party:
            raise CaseRuleError(OTHER_PARTY.at())


async def revoke(tx: Transaction, name: str, *, by: str, reason: str, now: datetime) -> bool:
    """End a token at once; tell whether it had not been ended. The first who ended it stands.

    Raises:
        CaseRuleError: there is none of that name.
    """
    if await tokens.named(tx, name) is None:
        raise CaseRuleError(UNKNOWN.at())
    return await tokens.revoke(tx, name, at=now, by=by, reason=reason)


async def actor_of(store: Store, token: str, now: datetime) -> Actor:
    """Return whoever a token stands for.

    That a token was shown after its time, or after it was revoked, is kept in the audit log, once a minute at most. One
    that nobody has made is not: anybody could fill a log that nothing is removed from. The caller may log it.

    Raises:
        AccessRefusedError: ``access.token-refused``, whatever the reason.
        DependencyDownError: the database does not answer.
    """
    async with store.reading() as tx:
        one = await tokens.recognised(tx, hash_of(token))
    if one is None:
        raise AccessRefusedError(REFUSED.at())
    actor = Actor(name=one.name, role=one.role, units=one.units)
    fault = REVOKED if one.revoked_at is not None else EXPIRED if one.expires_at <= now else None
    if fault is not None:
        await _keep_refusal(store, one, actor, fault, now)
        raise AccessRefusedError(REFUSED.at())
    if one.used_at is None or now - one.used_at >= KEPT_EVERY:
        async with store.writing() as tx:
            await tokens.keep_use(tx, one.name, now, unless_since=now - KEPT_EVERY)
    return actor


async def _keep_refusal(store: Store, one: Token, actor: Actor, fault: Fault, now: datetime) -> None:
    if one.refused_at is not None and now - one.refused_at < KEPT_EVERY:
        return
    entry = Entry(
        at=now,
        by=actor.name,
        role=actor.role,
        action=Action.TOKEN_USED,
        target=one.name,
        outcome=AuditOutcome.REFUSED,
        code=fault.code,
    )
    async with store.writing() as tx:
        if await tokens.keep_refusal(tx, one.name, now, unless_since=now - KEPT_EVERY):
            await audit.append(tx, entry)


def drawn(draw: Callable[[int], bytes]) -> str:
    """Return 256 bits that ``draw`` gives, as letters, digits, ``-`` and ``_``."""
    return urlsafe_b64encode(draw(_BYTES)).decode("ascii").rstrip("=")


def hash_of(shown: str) -> str:
    """Return what is kept of something that is shown to be let in: its SHA-256, in hexadecimal."""
    return hashlib.sha256(shown.encode("utf-8", "surrogatepass")).hexdigest()
