"""The tally: counts what the processes of a gateway have written, each row once, so that no restart loses a count.

What is counted is what stands in the database. So it does not matter which of several processes did the work, or
whether anybody asked meanwhile; a count is as old as the last look, at most some seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from gateway import metrics
from gateway.context import Context
from gateway.lifecycle import InEvent, Level, OutEvent
from gateway.messages import TYPES
from gateway.metrics import UNKNOWN, known
from gateway.ports import PublishOutcome
from gateway.store import Transaction, tallies
from gateway.store.tallies import BATCH, SOURCES, Counts
from gateway.tracker import CONTRADICTED, ORPHAN

_ANSWERS = frozenset({*(level.value for level in Level), OutEvent.PARTIAL.value, OutEvent.REJECTED.value})
"""What the history calls a verdict of a partner."""
_SETTLES_NOTHING = {ORPHAN.code: "orphan", CONTRADICTED.code: "contradicted"}
_NOT_CONFIRMED = tuple(outcome.value for outcome in PublishOutcome)
_SYSTEM_SAID = {InEvent.REGISTER.value: "registered", InEvent.SYSTEM_SILENT.value: "silent"}


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
                rows = await tallies.rows_behind(tx, before)
                counts = Counts()
                await self._count(tx, source, rows, counts)
            after = before.moved([row.id for row in rows], now)
            if after == before:
                continue
            async with self._context.store.writing() as tx:  # what it writes is little, and read beforehand
                await tallies.keep(tx, before, after, counts)
            left += len(rows) >= BATCH
        return left

    async def _count(self, tx: Transaction, source: str, rows: Sequence[Any], counts: Counts) -> None:
        match source:
            case "history":
                await self._of_history(tx, rows, counts)
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

    async def _of_history(self, tx: Transaction, lines: Sequence[Any], counts: Counts) -> None:
        out = [line for line in lines if line.direction == "out"]
        came = [line for line in lines if line.direction == "in"]
        answers = list({line.message_id for line in out if line.event in _ANSWERS})
        sent = await tallies.sent_about(tx, list({line.message_id for line in out}))
        verdicts = await tallies.verdicts_about(tx, answers)
        for line in out:
            if (row := sent.get((line.message_id, line.unit))) is not None:
                self._of_sent(line, row, verdicts.get((line.message_id, line.unit), []), counts)
        received = await tallies.received_about(tx, list({line.message_id for line in came}))
        for line in came:
            if (row := received.get((line.message_id, line.unit))) is not None:
                self._of_received(line, row, counts)

    def _of_sent(self, line: Any, row: Any, verdicts: list[Any], counts: Counts) -> None:
        party, type_name = self._party(row.party), known(row.type, TYPES)
        if line.event == OutEvent.PUBLISHED:
            counts.add(metrics.PUBLISHED.name, party, type_name)
        elif line.event == OutEvent.PUBLISH_FAILED:
            counts.add(metrics.FAILED.name, party, type_name, known(line.code or "", _NOT_CONFIRMED))
        elif line.event == OutEvent.EXPIRE:
            counts.add(metrics.FAILED.name, party, type_name, "expired")
        elif line.event == OutEvent.RETRY and line.code != "overdue":  # that is our own clock, and no answer
            self._heard(counts, row.party, line.at)
            counts.add(metrics.OUTCOMES.name, party, UNKNOWN, "retry")
        elif line.event == "duplicate" or line.event in _ANSWERS:
            self._heard(counts, row.party, line.at)
            first = (one for one in verdicts if line.event in (one.level, one.outcome) and one.arrived_at == line.at)
            if (verdict := next(first, None)) is not None:
                verdicts.remove(verdict)  # each is counted once, though several came at one moment
                self._answered(row, verdict, counts)
            else:
                counts.add(metrics.OUTCOMES.name, party, UNKNOWN, "duplicate")

    def _answered(self, row: Any, one: Any, counts: Counts) -> None:
        party = self._party(row.party)
        counts.add(metrics.OUTCOMES.name, party, one.level, one.outcome)
        if one.late:
            counts.add(metrics.OUTCOMES.name, party, one.level, "late")
        # Both by the own clock: when it left, and when the answer came here.
        left = row.sent_at or row.queued_at or row.created_at
        waited = max(one.arrived_at - left, timedelta())
        wait = metrics.WAIT.name
        counts.add(f"{wait}_bucket", party, one.level, metrics.bucket_of(waited.total_seconds()))
        counts.add(f"{wait}_sum", party, one.level, number=waited // timedelta(milliseconds=1))

    def _of_received(self, line: Any, row: Any, counts: Counts) -> None:
        party, type_name = self._party(row.party), known(row.type, TYPES)
        if line.event == "store":
            self._heard(counts, row.party, line.at)
            counts.add(metrics.RECEIVED.name, party, type_name)
        elif line.event == "duplicate":
            self._heard(counts, row.party, line.at)
            counts.add(metrics.DUPLICATE.name, party, type_name)
        elif line.event == InEvent.REJECT and not row.attempts:  # by the rules, before any system saw it
            counts.add(metrics.INVALID.name, party, type_name)
        elif line.event == InEvent.REJECT:
            counts.add(metrics.DELIVERIES.name, type_name, "refused")
        elif line.event in _SYSTEM_SAID:
            counts.add(metrics.DELIVERIES.name, type_name, _SYSTEM_SAID[line.event])

    def _heard(self, counts: Counts, party: str, at: datetime) -> None:
        if party in self._parties:
            counts.happened(metrics.HEARD.name, party, at=at)

    def _party(self, party: str) -> str:
        return known(party, self._parties)
