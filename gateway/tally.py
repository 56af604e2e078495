"""The tally: counts what the processes of a gateway have written, each row once, so that no restart loses a count.

What is counted is what stands in the database. So it does not matter which of several processes did the work, or
whether anybody asked meanwhile; a count is as old as the last look, at most some seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from gateway import metrics
from gateway.context import Context
from gateway.hour import last_hours
from gateway.lifecycle import InEvent, Level, OutEvent
from gateway.messages import TYPES
from gateway.metrics import UNKNOWN, known
from gateway.ports import PublishOutcome
from gateway.store import Transaction, hours, tallies
from gateway.store.tallies import BATCH, SOURCES, Counts
from gateway.tracker import CONTRADICTED, ORPHAN

_ANSWERS = frozenset({*(level.value for level in Level), OutEvent.PARTIAL.value, OutEvent.REJECTED.value})
"""What the history calls a verdict of a partner."""
_SETTLES_NOTHING = {ORPHAN.code: "orphan", CONTRADICTED.code: "contradicted"}
_NOT_CONFIRMED = tuple(outcome.value for outcome in PublishOutcome)


class Tally:
    """Counts for one gateway."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._parties = frozenset(context.directory.parties)

    async def count(self) -> int:
        """Count what has been written since the last time; return 0 when nothing is known to be left.

        Raises:
            DependencyDownError: the database does not answer.
        """
        left = 0
        for source in SOURCES:
            now = self._context.clock.now()
            async with self._context.store.reading() as tx:
                before = await tallies.mark_of(tx, source)
                if source == "hours" and not before.revision:  # what is older nobody is shown
                    before = replace(before, last=await hours.last_before(tx, last_hours(now)[0]))
                rows = await tallies.rows_behind(tx, before)
                counts = Counts()
                await self._count(tx, source, rows, counts)
            after = before.moved([row.id for row in rows], now)
            if after == before:
                continue
            async with self._context.store.writing() as tx:  # what it writes is little, and read beforehand
                if await tallies.keep(tx, before, after, counts):
                    await hours.add(tx, counts.by_hour, now)
            left += len(rows) >= BATCH
        return left

    async def _count(self, tx: Transaction, source: str, rows: Sequence[Any], counts: Counts) -> None:
        if source in ("history", "hours"):
            count = self._of_history if source == "history" else hours.count
            for ids in tallies.runs([row.id for row in rows]):
                await count(tx, ids, counts)
            return
        match source:
            case "parked":
                for row in rows:
                    self._heard(counts, row.party, row.arrived_at)
                    counts.add(metrics.INVALID.name, self._party(row.party), known(row.type, TYPES))
            case "unexpected":
                for row in rows:
                    self._heard(counts, row.party, row.arrived_at)
                    outcome = _SETTLES_NOTHING.get(row.code, "unreadable")
                    counts.add(metrics.OUTCOMES.name, self._party(row.party), UNKNOWN, outcome)
            case _:
                for row in rows:
                    counts.add(metrics.EVENTS.name, row.source, row.state)
                    if row.state == "accepted":
                        counts.happened(metrics.ADAPTER_SUCCESS.name, row.source, at=row.received_at)

    async def _of_history(self, tx: Transaction, ids: Sequence[int], counts: Counts) -> None:
        answers: dict[str, int] = {}
        for line in await tallies.sent_in(tx, ids):
            if line.event in _ANSWERS:
                answers[line.party] = answers.get(line.party, 0) + line.number
                self._heard(counts, line.party, line.at)
            else:
                self._of_sent(line, counts)
        for one in await tallies.verdicts_in(tx, ids):
            answers[one.party] -= one.number
            self._answered(one, counts)
        for party, again in answers.items():  # what is no first answer has come before
            if again:
                counts.add(metrics.OUTCOMES.name, self._party(party), UNKNOWN, "duplicate", number=again)
        for line in await tallies.received_in(tx, ids):
            self._of_received(line, counts)

    def _of_sent(self, line: Any, counts: Counts) -> None:
        party, type_name, number = self._party(line.party), known(line.type, TYPES), line.number
        match line.event:
            case OutEvent.PUBLISHED.value:
                counts.add(metrics.PUBLISHED.name, party, type_name, number=number)
            case OutEvent.PUBLISH_FAILED.value:
                reason = known(line.code or "", _NOT_CONFIRMED)
                counts.add(metrics.FAILED.name, party, type_name, reason, number=number)
            case OutEvent.EXPIRE.value:
                counts.add(metrics.FAILED.name, party, type_name, "expired", number=number)
            case OutEvent.RETRY.value if line.code != "overdue":  # that is our own clock, and no answer
                self._heard(counts, line.party, line.at)
                counts.add(metrics.OUTCOMES.name, party, UNKNOWN, "retry", number=number)
            case "duplicate":
                self._heard(counts, line.party, line.at)
                counts.add(metrics.OUTCOMES.name, party, UNKNOWN, "duplicate", number=number)

    def _answered(self, one: Any, counts: Counts) -> None:
        party, number = self._party(one.party), one.number
        counts.add(metrics.OUTCOMES.name, party, one.level, one.outcome, number=number)
        if one.late:
            counts.add(metrics.OUTCOMES.name, party, one.level, "late", number=number)
        # Both by the own clock: when it left, and when the answer came here.
        waited, wait = max(one.arrived_at - one.left_at, timedelta()), metrics.WAIT.name
        counts.add(f"{wait}_bucket", party, one.level, metrics.bucket_of(waited.total_seconds()), number=number)
        counts.add(f"{wait}_sum", party, one.level, number=number * (waited // timedelta(milliseconds=1)))

    def _of_received(self, line: Any, counts: Counts) -> None:
        party, type_name, number = self._party(line.party), known(line.type, TYPES), line.number
        match line.event:
            case "store":
                self._heard(counts, line.party, line.at)
                counts.add(metrics.RECEIVED.name, party, type_name, number=number)
            case "duplicate":
                self._heard(counts, line.party, line.at)
                counts.add(metrics.DUPLICATE.name, party, type_name, number=number)
            case InEvent.REJECT.value if not line.handed_over:  # by the rules, before any system saw it
                counts.add(metrics.INVALID.name, party, type_name, number=number)
            case InEvent.REJECT.value:
                counts.add(metrics.DELIVERIES.name, type_name, "refused", number=number)
            case InEvent.REGISTER.value:
                counts.add(metrics.DELIVERIES.name, type_name, "registered", number=number)
            case InEvent.SYSTEM_SILENT.value:
                counts.add(metrics.DELIVERIES.name, type_name, "silent", number=number)

    def _heard(self, counts: Counts, party: str, at: datetime) -> None:
        if party in self._parties:
            counts.happened(metrics.HEARD.name, party, at=at)

    def _party(self, party: str) -> str:
        return known(party, self._parties)
