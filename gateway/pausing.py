"""Letting an adapter rest, and work again, by hand: who decides so, and why, is kept in the audit log."""

from __future__ import annotations

from collections.abc import Collection

from gateway.access import Actor
from gateway.accountability import Attempt, acting
from gateway.audit import Action
from gateway.clock import Clock
from gateway.errors import ConfigurationError, Fault
from gateway.store import Store, adapters, incoming
from gateway.store.adapters import Pause

UNKNOWN_ADAPTER = Fault(
    "config.unknown-adapter",
    "Adaptern {name} finns inte; det finns {known}.",
    "There is no adapter {name}; there are {known}.",
)


async def pause(store: Store, clock: Clock, name: str, *, known: Collection[str], by: Actor | str, reason: str) -> bool:
    """Let the adapter ``name``, one of those that are ``known``, take and hand over nothing until it is resumed.

    Tell whether it was at work; the first who paused it stands.

    Raises:
        AccessRefusedError: they may not.
        CaseRuleError: the reason is missing or too long, or holds a person number.
        ConfigurationError: there is no such adapter.
    """
    attempt = Attempt(action=Action.ADAPTER_PAUSED, by=by, reason=reason)
    async with acting(store, clock, attempt) as tx:
        attempt.about(check_known(name, known))
        return await adapters.put_on_hold(tx, Pause(name, clock.now(), _name_of(attempt), reason.strip()))


async def resume(
    store: Store, clock: Clock, name: str, *, known: Collection[str], by: Actor | str, reason: str
) -> bool:
    """Let an adapter work again, and what has waited for its system be due at once; tell whether it was paused.

    Raises as :func:`pause`.
    """
    attempt = Attempt(action=Action.ADAPTER_RESUMED, by=by, reason=reason)
    async with acting(store, clock, attempt) as tx:
        attempt.about(check_known(name, known))
        now, who = clock.now(), _name_of(attempt)
        changed = await adapters.resume(tx, name, at=now, by=who, reason=reason.strip())
        if changed:
            await incoming.hurry(tx)
        return changed


def check_known(name: str, known: Collection[str]) -> str:
    """Return the name of an adapter when it is one of those that are ``known``. Raises :class:`ConfigurationError`."""
    if name not in known:
        raise ConfigurationError(UNKNOWN_ADAPTER.at(name=name, known=", ".join(known)))
    return name


def _name_of(attempt: Attempt) -> str:
    assert attempt.actor is not None  # nobody acts before it is known who they are
    return attempt.actor.name
