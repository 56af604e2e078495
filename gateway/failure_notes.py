"""Notes about failures: what is known and done about a cause, in the words of whoever has looked at it."""

from __future__ import annotations

from gateway.access import Actor
from gateway.accountability import Attempt, acting
from gateway.audit import Action
from gateway.context import Context
from gateway.errors import CaseRuleError, Fault
from gateway.store import failed
from gateway.store.failed import Cause, GroupNote

NO_SUCH_GROUP = Fault(
    "failure.no-such-group",
    "Inget har gått fel av det skälet.",
    "Nothing has failed for that cause.",
)


async def write_note(context: Context, cause: Cause, text: str, *, by: Actor | str) -> GroupNote:
    """Keep what somebody writes about a group of failures, of at most 500 characters; only who sees all units may.

    Raises:
        AccessRefusedError: the actor may not.
        CaseRuleError: it is empty or too long, holds a person number, or nothing has failed for that cause.
        InvalidDocumentError: ``by`` is no HSA-id.
        DependencyDownError: the database does not answer.
    """
    attempt, now = Attempt(action=Action.FAILURE_NOTED, by=by, reason=text), context.clock.now()
    async with acting(context.store, context.clock, attempt) as tx:
        attempt.check_unit()
        if not await failed.is_there(tx, cause, now):
            raise CaseRuleError(NO_SUCH_GROUP.at())
        attempt.about(f"{cause.kind}:{cause.code}"[:64])
        assert attempt.actor is not None  # checked when the block was entered
        note = GroupNote(text=text.strip(), at=now, by=attempt.actor.name)
        await failed.add_note(tx, cause, note)
    return note
