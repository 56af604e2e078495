"""The acknowledgements this gateway gives about what it received, queued in the transaction that earns them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID, uuid5

from gateway.context import Context
from gateway.envelope import ACKNOWLEDGEMENT
from gateway.errors import Finding
from gateway.ledger import Dispatch, Inbound
from gateway.lifecycle import Level, Outcome, OutEvent, OutState
from gateway.messages import Duty, Header, Message, Recipient, Sender, User, render_xml
from gateway.messages.acknowledgement import Acknowledgement, Reason
from gateway.store import Transaction, history, outgoing


async def answer(
    context: Context,
    tx: Transaction,
    about: Inbound,
    level: Level,
    outcome: Outcome,
    *,
    now: datetime,
    reasons: Sequence[Finding] = (),
    acknowledged_by: User | None = None,
    at: datetime | None = None,
) -> None:
    """Queue the acknowledgement of ``about`` at ``level``.

    Its id follows from what it says: the same answer given again is the same message, sent again. ``at`` is when the
    level was reached, ``now`` unless told. A rejection carries its reasons; a registration carries the record id that
    ``about`` holds.
    """
    body = Acknowledgement(
        message_id=about.message_id,
        message_type=about.type,
        unit=about.unit,
        level=level,
        outcome=outcome,
        at=at or now,
        record_id=about.record_id if level is Level.REGISTERED and outcome is Outcome.ACCEPTED else None,
        acknowledged_by=acknowledged_by,
        reasons=tuple(Reason.of(finding) for finding in reasons),
    )
    said = (about.party, about.sender_unit, about.type, about.unit, level, outcome)
    header = Header(
        message_id=str(uuid5(UUID(about.message_id), "/".join(said))),
        case_number=about.case_number,
        created_at=now,
        sender=Sender(party=context.party, unit=about.unit),
        recipients=(Recipient(party=about.party, unit=about.sender_unit, duty=Duty.NOTIFY),),
        in_reply_to=about.message_id,
    )
    message = Message(ACKNOWLEDGEMENT, header, body)
    row = Dispatch(
        message_id=header.message_id,
        type=ACKNOWLEDGEMENT,
        case_number=about.case_number,
        party=about.party,
        unit=about.sender_unit,
        duty=Duty.NOTIFY,
        state=OutState.QUEUED,
        created_at=now,
        queued_at=now,
        position=await outgoing.next_position(tx),
    ).timed(now)
    given = await outgoing.to_units(tx, [(row.message_id, row.unit)])
    if given:
        await _send_again(tx, given.values(), now)
        return
    await outgoing.add(tx, message, render_xml(message), [row])
    await history.record(tx, [row], "queue", now)


async def answer_again(tx: Transaction, about: Inbound, now: datetime) -> None:
    """Send every acknowledgement already given about a message once more: the sender seems not to have got it."""
    await _send_again(tx, await outgoing.answers_to(tx, about.message_id, about.unit), now)


async def _send_again(tx: Transaction, given: Iterable[Dispatch], now: datetime) -> None:
    again = [row.after(OutEvent.RETRY, now, next_attempt_at=None) for row in given if row.state is OutState.SENT]
    await outgoing.save(tx, again)
    await history.record(tx, again, OutEvent.RETRY, now, "duplicate")
