"""Sessions: how people stay logged in to the pages, and links that log in once where no identity provider does.

The cookie of a session and what stands in a link are 256 random bits, told once and kept only as their SHA-256. What
forms must repeat (against cross-site request forgery) is derived from the cookie, so that it stands nowhere: whoever
reads the database can neither act in a session nor make its forms.
"""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from gateway.access import AccessRefusedError, Actor, Right
from gateway.audit import Action, AuditOutcome, Entry
from gateway.errors import Fault
from gateway.store import Store, Transaction, audit
from gateway.store import sessions as kept
from gateway.store.sessions import KeptLink, KeptSession
from gateway.tokens import KEPT_EVERY, drawn, hash_of

REFUSED = Fault(
    "access.session-refused",
    "Du är inte inloggad, eller inloggningen har gått ut. Logga in igen.",
    "You are not logged in, or the session is over. Log in again.",
)
CSRF_REFUSED = Fault(
    "access.form-refused",
    "Formuläret hör inte till din inloggning. Ladda om sidan och försök igen.",
    "The form does not belong to your session. Load the page again and try once more.",
)
LINK_REFUSED = Fault(
    "access.link-refused",
    "Inloggningslänken gäller inte, eller inte längre. Ta en ny med gateway login.",
    "The login link does not hold, or no longer. Take a new one with gateway login.",
)
LINK_USED = Fault("access.link-used", "Länken är redan använd.", "The link has been used.")
LINK_EXPIRED = Fault("access.link-expired", "Länkens tid har gått ut.", "The link has expired.")

IDLE = timedelta(minutes=30)
"""After how long without use a session is over. Use is kept to the minute: it may be over up to a minute earlier."""

LONGEST = timedelta(hours=10)
"""After how long a session is over, however much it is used."""

SHOWN = timedelta(minutes=10)
"""How long a session may show what somebody gave a reason to see."""

LINK_MINUTES = 10
"""How long a link holds, where nothing else is said."""

REMOVED_AFTER = timedelta(days=1)
"""How long after its time a session or a link is removed, by the code that makes new ones."""

Draw = Callable[[int], bytes]
"""Gives as many random bytes as it is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Somebody who is logged in, until ``ends_at`` at most. ``id`` may be logged; ``csrf`` is for their forms alone."""

    id: str
    actor: Actor
    begun_at: datetime
    ends_at: datetime
    csrf: str


async def begin(tx: Transaction, actor: Actor, now: datetime, *, draw: Draw = secrets.token_bytes) -> str:
    """Begin a session for somebody who has shown who they are, keep that it began, and return its cookie.

    To be called last in a transaction: it writes to the audit log.
    """
    await kept.remove_old(tx, now - REMOVED_AFTER)
    value = drawn(draw)
    one = KeptSession(
        id=str(UUID(bytes=draw(16), version=4)), actor=actor, begun_at=now, used_at=now, ends_at=now + LONGEST
    )
    await kept.add(tx, one, hash_of(value))
    await audit.append(tx, _entry(actor, Action.SESSION_BEGUN, now, target=one.id))
    return value


async def session_of(store: Store, value: str, now: datetime, *, keeps_use: bool = True) -> Session:
    """Return the session whose cookie ``value`` is, and keep that it was used, once a minute at most.

    Without ``keeps_use`` it was not: something only looks whether it still holds.

    Raises:
        AccessRefusedError: ``access.session-refused``, whatever the reason.
        DependencyDownError: the database does not answer.
    """
    async with store.reading() as tx:
        one = await kept.recognised(tx, hash_of(value))
    if one is None or one.ended_at is not None or min(one.ends_at, one.used_at + IDLE) <= now:
        raise AccessRefusedError(REFUSED.at())
    if keeps_use and now - one.used_at >= KEPT_EVERY:
        async with store.writing() as tx:
            await kept.keep_use(tx, one.id, now, unless_since=now - KEPT_EVERY)
    return Session(id=one.id, actor=one.actor, begun_at=one.begun_at, ends_at=one.ends_at, csrf=_csrf_of(value))


def check_csrf(session: Session, given: str | None) -> None:
    """Return when ``given`` is what the forms of a session repeat; it takes as long for one that is nearly right.

    Raises:
        AccessRefusedError: ``access.form-refused``.
    """
    said = (given or "").encode("utf-8", "surrogatepass")
    if not hmac.compare_digest(said, session.csrf.encode("ascii")):
        raise AccessRefusedError(CSRF_REFUSED.at())


async def end(tx: Transaction, session: Session, now: datetime) -> None:
    """End a session at once, and keep that it was; one that has ended stays so. To be called last in a transaction."""
    if await kept.end(tx, session.id, now):
        await audit.append(tx, _entry(session.actor, Action.SESSION_ENDED, now, target=session.id))


async def end_all_of(tx: Transaction, name: str, now: datetime, *, by: Actor) -> int:
    """End every session of somebody, and the links that would log them in; return how many sessions there were.

    To be called last in a transaction: it writes to the audit log.

    Raises:
        AccessRefusedError: they are somebody else's, and ``by`` does not hand out access.
    """
    if by.name != name:
        by.check(Right.ADMINISTER_TOKENS)
    await kept.use_links_of(tx, name, now)
    ended = [one for one in await kept.open_of(tx, name, now) if await kept.end(tx, one, now)]
    for one in ended:
        await audit.append(tx, _entry(by, Action.SESSION_ENDED, now, target=one))
    return len(ended)


async def reveal(tx: Transaction, session: Session, target: str, now: datetime) -> datetime:
    """Let a session show ``target`` (a message id or case number) for ten minutes from now; return until when.

    The caller keeps who wanted to see it and why (:func:`gateway.accountability.acting`).
    """
    until = now + SHOWN
    await kept.show(tx, session.id, target, until=until, now=now)
    return until


async def revealed_until(tx: Transaction, session: Session, target: str, now: datetime) -> datetime | None:
    """Return until when a session may show ``target``, ``None`` when it may not, or no longer."""
    until = await kept.shown_until(tx, session.id, target)
    return until if until is not None and until > now else None


async def revealed_among(
    tx: Transaction, session: Session, targets: Collection[str], now: datetime
) -> dict[str, datetime]:
    """Return which of ``targets`` a session may show, and until when."""
    return await kept.shown_among(tx, session.id, targets, now) if targets else {}


async def make_link(
    tx: Transaction, actor: Actor, now: datetime, *, minutes: int = LINK_MINUTES, draw: Draw = secrets.token_bytes
) -> str:
    """Return what stands in a new link that logs somebody in, once, within ``minutes``, and keep that it was made.

    To be called last in a transaction: it writes to the audit log.
    """
    await kept.remove_old(tx, now - REMOVED_AFTER)
    value = drawn(draw)
    link = KeptLink(actor=actor, made_at=now, expires_at=now + timedelta(minutes=minutes))
    await kept.add_link(tx, link, hash_of(value))
    await audit.append(tx, _entry(actor, Action.LOGIN_LINK_MADE, now))
    return value


async def redeem(store: Store, value: str, now: datetime, *, draw: Draw = secrets.token_bytes) -> str:
    """Begin a session for whoever a link stands for, and return its cookie. The link is used up.

    That a link was shown after its time, or a second time, is kept in the audit log, once a minute at most. One that
    nobody has made is not: anybody could fill a log that nothing is removed from. The caller may log it.

    Raises:
        AccessRefusedError: ``access.link-refused``, whatever the reason.
        DependencyDownError: the database does not answer.
    """
    value_hash = hash_of(value)
    async with store.reading() as tx:  # what nobody has made takes no turn from those who write
        known = await kept.link(tx, value_hash)
    if known is not None:
        async with store.writing() as tx:
            actor = await kept.use_link(tx, value_hash, now)
            if actor is not None:
                return await begin(tx, actor, now, draw=draw)
            await _keep_refusal(tx, value_hash, now)
    raise AccessRefusedError(LINK_REFUSED.at())


async def _keep_refusal(tx: Transaction, value_hash: str, now: datetime) -> None:
    if await kept.keep_link_refusal(tx, value_hash, now, unless_since=now - KEPT_EVERY):
        one = await kept.link(tx, value_hash)
        assert one is not None  # it was changed in this transaction
        fault = LINK_USED if one.used_at is not None else LINK_EXPIRED
        await audit.append(tx, _entry(one.actor, Action.LOGIN_REFUSED, now, code=fault.code))


def _csrf_of(value: str) -> str:
    made = hmac.digest(value.encode("utf-8", "surrogatepass"), b"csrf", "sha256")
    return urlsafe_b64encode(made).decode("ascii").rstrip("=")


def _entry(actor: Actor, action: Action, now: datetime, *, target: str | None = None, code: str | None = None) -> Entry:
    return Entry(
        at=now,
        by=actor.name,
        assignment=actor.assignment,
        role=actor.role,
        unit=actor.only_unit,
        action=action,
        target=target,
        outcome=AuditOutcome.DONE if code is None else AuditOutcome.REFUSED,
        code=code,
    )
