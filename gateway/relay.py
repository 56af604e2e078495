"""The relay: what the outbox has promised is claimed, published and marked, in batches.

A batch is leased to the relay while it publishes, so that several relays may work on one database. What the exchange
does not take is tried again by the database's clock: see :mod:`gateway.circuit` for partners that cannot be reached.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from gateway.circuit import TO_SYSTEM, Circuit
from gateway.context import Context
from gateway.envelope import Envelope
from gateway.errors import DependencyDownError
from gateway.ledger import Dispatch
from gateway.lifecycle import OutEvent, retry_wait
from gateway.ports import PublishOutcome, Transport
from gateway.progress import Hop
from gateway.store import Transaction, circuits, history, outgoing
from gateway.store.outgoing import Claimed

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=60)
"""How long a relay may hold what it has claimed before another may take it; far longer than a publish takes."""

BATCH = 256
"""How many messages are claimed, published and marked at a time."""


class Relay:
    """Sends what waits in one gateway's outbox."""

    def __init__(self, context: Context, transport: Transport) -> None:
        self._context = context
        self._transport = transport
        self._silences = 0  # how many times in a row the exchange did not answer
        self._in_hand: Sequence[Claimed] = ()  # claimed in the transaction that marked what went before

    async def recover(self) -> None:
        """Give back what an earlier process of this gateway had in its hands; called once, before the first sending."""
        async with self._context.store.writing() as tx:
            await outgoing.release_leases(tx)

    async def send(self) -> int:
        """Publish what is due and mark it; return how many were published.

        What is due next is claimed in the transaction that marks, so that a line of batches costs one transaction for
        each; call again until nothing was published. While the exchange does not answer, nothing is claimed: it is
        asked each time whether it is back.

        Raises:
            DependencyDownError: the database does not answer. A silent exchange is not an error here: the messages
                stay promised and are tried again.
        """
        if self._silences and not await self._answers():
            return 0
        claimed, self._in_hand = self._in_hand, ()
        if not claimed:
            async with self._context.store.writing() as tx:
                claimed = await self._claim(tx)
        if not claimed:
            return 0
        try:
            outcomes = await self._transport.publish([self._envelope(one) for one in claimed])
        except DependencyDownError:
            self._silences += 1
            await self._mark_silent(claimed)
            return 0
        for one, outcome in zip(claimed, outcomes, strict=True):
            if outcome is PublishOutcome.CONFIRMED:
                self._passed(Hop.PUBLISHED, one.dispatch)
        async with self._context.store.writing() as tx:
            await self._mark(tx, claimed, outcomes)
            following = await self._claim(tx)
        self._in_hand = following  # only now that it is committed
        for one, outcome in zip(claimed, outcomes, strict=True):
            if outcome is PublishOutcome.CONFIRMED:
                self._passed(Hop.SENT, one.dispatch)
        return len(claimed)

    # --- claiming ---------------------------------------------------------------------------------------------------

    async def _answers(self) -> bool:
        """Ask the exchange whether it is back; after a long silence everyone's backlog drains at a pace."""
        try:
            await self._transport.ping()
        except DependencyDownError:
            self._silences += 1
            return False
        if self._silences >= self._context.pace.failures:
            now = self._context.clock.now()
            async with self._context.store.writing() as tx:
                known = await circuits.load(tx)
                behind = await circuits.with_backlog(tx)
                await circuits.save(
                    tx, [Circuit(party=party, drains_since=now) for party in behind if party not in known]
                )
        self._silences = 0
        return True

    async def _claim(self, tx: Transaction) -> list[Claimed]:
        now = self._context.clock.now()
        # What drains to a case system of our own is no business of the relay.
        known = {to: one for to, one in (await circuits.load(tx)).items() if to != self._context.party}
        limited = {to: one for to, one in known.items() if not to.startswith(TO_SYSTEM)}
        rooms = {party: circuit.room(now, self._context.pace) for party, circuit in limited.items()}
        apart = {party: room for party, room in rooms.items() if room is not None}
        claimed = await outgoing.claim(tx, now, LEASE, BATCH, not_to=apart)
        for party, room in apart.items():
            if room:
                circuit = limited[party]
                probes = circuit.probe_at is not None
                taken = await outgoing.claim(tx, now, LEASE, min(room, BATCH), to=party, early=probes)
                if not probes:
                    await circuits.save(tx, [circuit.drained(room, len(taken), now)])
                elif taken:
                    await circuits.save(tx, [circuit.probed(now, self._context.pace)])
                claimed += taken
        return claimed

    def _envelope(self, one: Claimed) -> Envelope:
        row = one.dispatch
        return Envelope(
            message_id=row.message_id,
            type=row.type,
            sender=self._context.party,
            recipient=row.party,
            unit=row.unit,
            case_ref=row.case_number,
            created_at=row.created_at,
            body=one.xml,
            sender_unit=one.sender_unit,
            correlation_id=one.in_reply_to,
            sequence=row.sequence,
        )

    # --- marking ----------------------------------------------------------------------------------------------------

    async def _mark(self, tx: Transaction, claimed: Sequence[Claimed], outcomes: Sequence[PublishOutcome]) -> None:
        now = self._context.clock.now()
        # Read again: an acknowledgement may have overtaken us since the claim.
        rows = await outgoing.with_id(tx, [one.dispatch.id for one in claimed])
        sent: list[Dispatch] = []
        failed: dict[PublishOutcome, list[Dispatch]] = {}
        for one, outcome in zip(claimed, outcomes, strict=True):
            row = rows[one.dispatch.id]
            if outcome is PublishOutcome.CONFIRMED:
                at = {"sent_at": row.sent_at or now, "next_attempt_at": None, "lease_until": _lease_left(row, one)}
                sent.append(row.after(OutEvent.PUBLISHED, now, **at))
            else:
                failed.setdefault(outcome, []).append(self._postponed(row, one, now))
        marked = [*sent, *(row for postponed in failed.values() for row in postponed)]
        await outgoing.save(tx, ((rows[row.id], row) for row in marked))
        lines = history.lines(sent, OutEvent.PUBLISHED, now)
        for outcome, rows_failed in failed.items():
            lines += history.lines(rows_failed, OutEvent.PUBLISH_FAILED, now, outcome)
        await history.add(tx, lines)
        await self._judge_circuits(tx, claimed, outcomes, now)

    def _postponed(self, row: Dispatch, one: Claimed, now: datetime) -> Dispatch:
        until = now + retry_wait(row.attempts, self._context.chance())
        return row.after(OutEvent.PUBLISH_FAILED, now, next_attempt_at=until, lease_until=_lease_left(row, one))

    async def _mark_silent(self, claimed: Sequence[Claimed]) -> None:
        """Give back what may have left or not: it is the first to go when the exchange answers again."""
        now = self._context.clock.now()
        async with self._context.store.writing() as tx:
            rows = await outgoing.with_id(tx, [one.dispatch.id for one in claimed])
            back = [
                row.after(OutEvent.PUBLISH_FAILED, now, lease_until=_lease_left(row, one))
                for one in claimed
                for row in (rows[one.dispatch.id],)
            ]
            await outgoing.save(tx, ((rows[row.id], row) for row in back))
            await history.record(tx, back, OutEvent.PUBLISH_FAILED, now, PublishOutcome.UNCONFIRMED)

    async def _judge_circuits(
        self, tx: Transaction, claimed: Sequence[Claimed], outcomes: Sequence[PublishOutcome], now: datetime
    ) -> None:
        """Open the circuit of a partner that nothing gets through to, and close it when something does."""
        known = await circuits.load(tx)
        if not known and all(outcome is PublishOutcome.CONFIRMED for outcome in outcomes):
            return
        after: dict[str, Circuit] = {}
        for one, outcome in zip(claimed, outcomes, strict=True):
            party = one.dispatch.party
            circuit = after.get(party) or known.get(party) or Circuit(party=party)
            after[party] = (
                circuit.succeeded(now)
                if outcome is PublishOutcome.CONFIRMED
                else circuit.failed(now, self._context.pace)
            )
        changed = [circuit for party, circuit in after.items() if circuit != known.get(party, Circuit(party=party))]
        await circuits.save(tx, changed)
        for circuit in changed:
            before = known.get(circuit.party, Circuit(party=circuit.party))
            if circuit.opened_at is None and before.opened_at is not None:
                await outgoing.hurry(tx, circuit.party)  # what waits for its next try waits for the pace instead
            if (circuit.opened_at is None) != (before.opened_at is None):
                word = "circuit.opened" if circuit.opened_at is not None else "circuit.closed"
                log.warning(word, party=self._context.party, partner=circuit.party)

    def _passed(self, hop: Hop, row: Dispatch) -> None:
        self._context.passed(hop, message_id=row.message_id, type=row.type, unit=row.unit, case_number=row.case_number)


def _lease_left(row: Dispatch, one: Claimed) -> datetime | None:
    """Return the lease of a row after our try: ours is over, one that another took when ours had run out stays."""
    return None if row.lease_until == one.dispatch.lease_until else row.lease_until
