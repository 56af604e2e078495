"""Whoever acts answers for it: what they do is kept in the audit log in the transaction that does it.

An attempt that is refused, or that fails, is kept too, in a transaction of its own, since the other has come to
nothing. What they name is kept only once it is known to be something of ours: it may be a person number that was put in
the wrong place.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime

from gateway.access import AccessRefusedError, Actor
from gateway.audit import NOBODY, Action, AuditOutcome, Entry, is_case_number, recognised
from gateway.by_hand import check_reason
from gateway.clock import Clock
from gateway.errors import DependencyDownError, GatewayError
from gateway.store import Store, Transaction, audit


@dataclass(slots=True, kw_only=True)
class Attempt:
    """What somebody sets out to do, and why. ``by`` is an :class:`Actor`, or what they call themselves at the machine.

    ``named`` is what they say it is about. What it is about is told by :meth:`about` once that is known.
    """

    action: Action
    by: Actor | str
    reason: str
    named: str | None = None
    actor: Actor | None = field(default=None, init=False)
    _target: str | None = field(default=None, init=False)
    _unit: str | None = field(default=None, init=False)
    _case_number: str | None = field(default=None, init=False)

    def check(self) -> Actor:
        """Return who acts, when they may and say why.

        Raises:
            AccessRefusedError: their role does not have the right.
            CaseRuleError: the reason is missing or too long, or holds a person number.
            InvalidDocumentError: they are no HSA-id.
        """
        by, right = self.by, self.action.right
        self.actor = by if isinstance(by, Actor) else Actor.at_the_machine(by, right)
        self.actor.check(right)
        check_reason(self.reason)
        return self.actor

    def about(self, target: str, *, unit: str | None = None, case_number: str | None = None) -> None:
        """Tell what it is about: something of ours, of one of our units and in a case, where that is known.

        To be called before anything of it is shown or changed.

        Raises:
            AccessRefusedError: it is not of a unit that the actor sees.
        """
        self._target, self._unit, self._case_number = target, unit, case_number
        self.check_unit()

    @property
    def target(self) -> str | None:
        """What it is about, once that is known."""
        return self._target

    def check_unit(self) -> None:
        """Return when what it is about is the actor's to see; what was not told is for those alone who see all units.

        Raises:
            AccessRefusedError: it is not.
        """
        if self.actor is not None:
            self.actor.check_for(self.action.right, self._unit)

    def entry(self, at: datetime, outcome: AuditOutcome = AuditOutcome.DONE, code: str | None = None) -> Entry:
        """Return what is kept of it."""
        actor, named = self.actor, recognised(self.named)
        return Entry(
            at=at,
            by=actor.name if actor is not None else NOBODY,
            assignment=actor.assignment if actor is not None else None,
            role=actor.role if actor is not None else None,
            unit=self._unit or (actor.only_unit if actor is not None else None),
            action=self.action,
            target=self._target or named,
            case_number=self._case_number or (named if is_case_number(named) else None),
            reason=self._kept_reason(),
            outcome=outcome,
            code=code,
        )

    def _kept_reason(self) -> str | None:
        try:
            check_reason(self.reason)
        except GatewayError:
            return None
        return self.reason.strip()


@asynccontextmanager
async def answering_for(store: Store, clock: Clock, attempt: Attempt) -> AsyncIterator[Actor]:
    """Let somebody act in the block if they may; keep that they were refused or that it failed, and raise why.

    What is done in the block must itself keep :meth:`Attempt.entry`, in the transaction that does it.

    Raises:
        GatewayError: what :meth:`Attempt.check` or the block raises.
    """
    outcome = AuditOutcome.REFUSED
    try:
        actor = attempt.check()
        outcome = AuditOutcome.FAILED
        yield actor
    except Exception as error:
        if isinstance(error, AccessRefusedError):
            outcome = AuditOutcome.REFUSED
        # What nobody foresaw has no code; what it says may repeat content, what it is called does not.
        code = error.codes[0] if isinstance(error, GatewayError) else type(error).__name__
        with suppress(DependencyDownError):  # why it failed matters more than that this cannot be kept either
            async with store.writing() as tx:
                await audit.append(tx, attempt.entry(clock.now(), outcome, code))
        raise


@asynccontextmanager
async def acting(store: Store, clock: Clock, attempt: Attempt) -> AsyncIterator[Transaction]:
    """Open a transaction for what somebody does, which also keeps that they did; see :func:`answering_for`.

    Raises:
        GatewayError: they may not, or what the block raises; nothing was done.
    """
    async with answering_for(store, clock, attempt), store.writing() as tx:
        yield tx
        attempt.check_unit()
        await audit.append(tx, attempt.entry(clock.now()))
