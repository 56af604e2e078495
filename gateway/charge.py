"""Taking charge by hand (kvittera): a person in a unit acknowledges messages, as staff do in their case system.

The sender is told who took charge, and when, by the acknowledgement that is queued in the same transaction.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from gateway.access import Actor
from gateway.accountability import Attempt
from gateway.actions import Result, Said, each, missing
from gateway.answering import NOT_YET_REGISTERED, WAS_REFUSED, take_charge
from gateway.audit import Action
from gateway.by_hand import PERSON_NUMBER, holds_person_number
from gateway.context import Context
from gateway.errors import CaseRuleError, Fault, InvalidDocumentError, NotYetError
from gateway.identifiers import HsaId
from gateway.items import Decision, Item, ItemKind
from gateway.ledger import Inbound
from gateway.lifecycle import InState
from gateway.messages import Duty, User
from gateway.progress import Hop
from gateway.store import decisions, items
from gateway.store.decisions import Decided
from gateway.store.sheet import Sheet

LONGEST_NAME: Final = 200
"""Characters in the name of whoever takes charge, as the schema has it."""

NAME_FORM = Fault(
    "acknowledge.name",
    "Ange namnet på en rad med högst {limit} tecken.",
    "Give the name in one line of at most {limit} characters.",
)
NOT_RECEIVED = Fault(
    "acknowledge.not-received",
    "Bara mottagna meddelanden kvitteras.",
    "Only messages that were received are acknowledged.",
)
ALREADY = Fault(
    "acknowledge.already",
    "Det är redan kvitterat.",
    "It has been acknowledged already.",
)
CORRECTED = Fault(
    "acknowledge.corrected",
    "Det är återtaget eller felsänt och kvitteras inte.",
    "It was taken back or misdirected and is not acknowledged.",
)
REPLY_OWED = Fault(
    "acknowledge.reply-owed",
    "Det ska besvaras, inte kvitteras: svara på kallelsen eller frågan i verksamhetssystemet. Svaret kvitterar det.",
    "It is to be replied to, not acknowledged: reply to it in the case system. The reply acknowledges it.",
)


async def acknowledge(
    context: Context,
    chosen: Collection[Item],
    *,
    by: Actor | str,
    reason: str,
    name: str | None = None,
    not_concerned: bool = False,
    dry_run: bool = False,
) -> list[Result]:
    """Take charge of received messages, each for the unit it came for; return what became of each.

    What is for information alone may be taken charge of as well, as case systems do with a plan: its sender then knows
    that somebody has. ``name`` is that of the person who does so, whose HSA-id stands in its place where it is not
    given. With ``not_concerned`` the unit takes note, and wants no more messages of the case. See
    :func:`gateway.sending_again.resend` for ``by``, ``dry_run`` and what is raised.
    """
    told: list[Inbound] = []

    async def work(sheet: Sheet, item: Item, attempt: Attempt, actor: Actor) -> Said:
        if item.kind is not ItemKind.RECEIVED:
            attempt.check_unit()
            raise CaseRuleError(NOT_RECEIVED.at())
        found = await items.received(sheet.tx, item.number)
        if found is None:
            raise missing(attempt)
        attempt.about(found.message_id, unit=found.own_unit, case_number=found.case_number)
        user = _user(actor, name)
        await sheet.read_cases([found.case_number])  # first, as everyone does
        await sheet.read_inbound([found.message_id])
        await sheet.read_answers([found.message_id])
        await sheet.read_position()
        row = sheet.inbound((found.party, found.type, found.message_id, found.unit))
        assert row is not None  # it was found above, and rows are never removed
        _check(row)
        take_charge(context, sheet, row, by=user, at=sheet.now, not_concerned=not_concerned or None)
        decided = Decided(decision=Decision.ACKNOWLEDGED, at=sheet.now, by=actor.name, reason=reason.strip())
        await decisions.keep(sheet.tx, item, decided)
        told.append(row)
        if not_concerned:
            return Said(
                f"Kvitteras av {row.unit}, som inte är berörd och inte får fler meddelanden i ärendet. "
                f"{row.sender_unit} får veta det.",
                f"Is acknowledged by {row.unit}, which is not concerned and gets no more messages of the case. "
                f"{row.sender_unit} is told so.",
            )
        return Said(
            f"Kvitteras av {row.unit}; {row.sender_unit} får veta vem som har tagit emot det.",
            f"Is acknowledged by {row.unit}; {row.sender_unit} is told who has taken charge.",
        )

    action = Action.MESSAGE_ACKNOWLEDGED
    results = await each(context, work, chosen, action=action, by=by, reason=reason, dry_run=dry_run)
    done = {(one.message_id, one.outcome) for one in results}
    for row in told:
        if (row.message_id, "done") in done:
            context.passed(
                Hop.ACKNOWLEDGED,
                message_id=row.message_id,
                type=row.type,
                unit=row.unit,
                case_number=row.case_number,
            )
    return results


def _check(row: Inbound) -> None:
    """Refuse what is not to be acknowledged, and say what to do instead.

    Raises:
        CaseRuleError: it is not to be acknowledged.
        NotYetError: it is not registered yet.
    """
    if row.state is InState.ACKNOWLEDGED:
        raise CaseRuleError(ALREADY.at())
    if row.state is InState.REJECTED:
        raise CaseRuleError(WAS_REFUSED.at())
    if row.state in (InState.RETRACTED, InState.MISDIRECTED):
        raise CaseRuleError(CORRECTED.at())
    if row.duty is Duty.REPLY:
        raise CaseRuleError(REPLY_OWED.at())
    if row.state is not InState.REGISTERED:
        raise NotYetError(NOT_YET_REGISTERED.at())


def _user(actor: Actor, name: str | None) -> User:
    """Return whoever takes charge, as the sender is told of them."""
    try:
        hsa_id = HsaId.parse(actor.name).value
    except InvalidDocumentError:  # a program, which is known by the name of its token
        hsa_id = None
    given = (name or "").strip() or actor.name
    if len(given) > LONGEST_NAME or not given.isprintable():
        raise CaseRuleError(NAME_FORM.at(limit=LONGEST_NAME))
    if holds_person_number(given):
        raise CaseRuleError(PERSON_NUMBER.at())
    return User(name=given, hsa_id=hsa_id)
