"""What a gateway tells whoever measures it: every metric of :mod:`gateway.metrics`, in the formats of Prometheus.

Counters are read from the tally, and what is so now from the open rows: one short transaction that reads, at most once
in some seconds, however often and by however many it is asked. While the database is away, that is what is told.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector, CollectorRegistry

from gateway import __version__, metrics
from gateway.circuit import TO_SYSTEM
from gateway.context import Context
from gateway.errors import GatewayError
from gateway.lifecycle import Level, OutState
from gateway.metrics import METRICS, Kind, Metric
from gateway.store import adapters, circuits, open_rows, silences, tallies
from gateway.store.tallies import Key

FRESH_SECONDS: Final = 5.0
"""How long an answer is given again without looking anew."""
PING_SECONDS: Final = 2.0
"""How long the exchange may take to answer before it counts as away."""

Samples = dict[Key, float]

_AWAITS = {
    OutState.SENT: Level.RECEIVED,
    OutState.RECEIVED: Level.REGISTERED,
    OutState.REGISTERED: Level.ACKNOWLEDGED,
}
"""Which level is awaited of a partner in each state."""
_OUTBOX = (OutState.QUEUED, OutState.RETRYING)
_UNDECIDED = (OutState.PARTIAL, OutState.EXPIRED)
_LETTERS = (OutState.LETTER, OutState.MAILED)


class Scrape:
    """Answers for one gateway; a call returns the answer and its media type.

    ``names`` are those of its adapters, ``ping`` returns when the exchange answers, and ``tick`` counts seconds.
    """

    def __init__(
        self,
        context: Context,
        names: Sequence[str],
        ping: Callable[[], Awaitable[None]],
        tick: Callable[[], float] = time.monotonic,
    ) -> None:
        self._context = context
        self._names = names
        self._ping = ping
        self._tick = tick
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(_Collected(self))
        self._one_looks = asyncio.Lock()
        self._looked_at: float | None = None
        self.samples: Samples = {}

    async def __call__(self, accept: str) -> tuple[bytes, str]:
        """Return every metric in the format that ``accept``, as of the header, asks for: OpenMetrics, or text 0.0.4."""
        async with self._one_looks:
            if self._looked_at is None or self._tick() - self._looked_at >= FRESH_SECONDS:
                self.samples = await self._look()
                self._looked_at = self._tick()
            encode, media = choose_encoder(accept)
            return encode(self._registry), media

    async def _look(self) -> Samples:
        found: Samples = {(metrics.BUILD.name, (__version__,)): 1, (metrics.EXCHANGE.name, ()): await self._connected()}
        try:
            read = await self._read()
        except GatewayError:
            return found | {(metrics.DATABASE.name, ()): 0}
        return found | read | {(metrics.DATABASE.name, ()): 1}

    async def _connected(self) -> int:
        try:
            async with asyncio.timeout(PING_SECONDS):
                await self._ping()
        except (GatewayError, TimeoutError):
            return 0
        return 1

    async def _read(self) -> Samples:
        now = self._context.clock.now()
        async with self._context.store.reading() as tx:
            counted = await tallies.counted(tx)
            outgoing, incoming = await open_rows.outgoing(tx, now), await open_rows.incoming(tx, now)
            letters, notes = await open_rows.dead_letters(tx), await open_rows.notes(tx)
            silent, cut = await silences.load(tx), await circuits.unhealthy(tx)
            beats, paused = await adapters.beats(tx), await adapters.pauses(tx)
        found = self._nothing()
        _count_outgoing(found, outgoing, now)
        for row in incoming:
            found[metrics.INBOX.name, (row.state,)] = row.number
            found[metrics.INBOX_OVERDUE.name, (row.state,)] = row.overdue
            found[metrics.INBOX_AGE.name, (row.state,)] = max(0.0, (now - row.since).total_seconds())
        found |= {(metrics.DEAD_LETTERS.name, ()): letters, (metrics.NOTES.name, ()): notes}
        found |= {(metrics.SILENT.name, (party,)): 1 for party in silent}
        found |= {
            (metrics.CIRCUIT.name, (one.party.removeprefix(TO_SYSTEM),)): int(one.opened_at is not None) for one in cut
        }
        found |= {key: _in_seconds(key, value) for key, value in counted.items()}
        for name, beat in beats.items():
            found[metrics.ADAPTER_UP.name, (name,)] = int(not beat.codes)
            if not beat.codes:
                key = (metrics.ADAPTER_SUCCESS.name, (name,))
                found[key] = max(found.get(key, 0.0), beat.at.timestamp())
        return found | {(metrics.ADAPTER_PAUSED.name, (name,)): int(name in paused) for name in self._names}

    def _nothing(self) -> Samples:
        """Return 0 for every partner: an alert ends because a number is there, not because it has gone."""
        others = [party for party in self._context.directory.parties if party != self._context.party]
        by_party = (metrics.OUTBOX, metrics.OUTBOX_AGE, metrics.HELD, metrics.UNDECIDED, metrics.SILENT)
        by_level = (metrics.AWAITING, metrics.OVERDUE)
        return {
            (metrics.LETTERS.name, ()): 0,
            **{(one.name, (party,)): 0 for one in by_party for party in others},
            **{(one.name, (party, level.value)): 0 for one in by_level for party in others for level in Level},
            **{(metrics.CIRCUIT.name, (party,)): 0 for party in others},
        }


def _count_outgoing(found: Samples, rows: Iterable[Any], now: datetime) -> None:
    def add(metric: Metric, *labels: str, number: float) -> None:
        found[metric.name, labels] = found.get((metric.name, labels), 0) + number

    for row in rows:
        state = OutState(row.state)
        if state in _OUTBOX:
            add(metrics.OUTBOX, row.party, number=row.number)
            if row.since is not None:
                key = (metrics.OUTBOX_AGE.name, (row.party,))
                found[key] = max(found.get(key, 0.0), (now - row.since).total_seconds())
        elif state in _AWAITS:
            add(metrics.AWAITING, row.party, _AWAITS[state].value, number=row.number)
            add(metrics.OVERDUE, row.party, _AWAITS[state].value, number=row.overdue)
        elif state in _UNDECIDED:
            add(metrics.UNDECIDED, row.party, number=row.number)
        elif state in _LETTERS:
            add(metrics.LETTERS, number=row.number)
        elif state is OutState.HELD:
            add(metrics.HELD, row.party, number=row.number)


def _in_seconds(key: Key, value: int) -> float:
    """Return a count as it is, and a time or a length of time, which are kept in milliseconds, in seconds."""
    return value / 1000 if key[0].endswith(("_seconds", "_seconds_sum")) else float(value)


class _Collected(Collector):
    """Gives the samples of a scrape the form in which the library writes them."""

    def __init__(self, scrape: Scrape) -> None:
        self._scrape = scrape

    def collect(self) -> Iterable[Family]:
        """Yield every metric of the table, also those that there is nothing to say about yet."""
        by_name: dict[str, list[tuple[tuple[str, ...], float]]] = {}
        for (name, labels), value in sorted(self._scrape.samples.items()):
            by_name.setdefault(name, []).append((labels, value))
        for metric in METRICS:
            yield _family(metric, by_name)


def _family(metric: Metric, by_name: dict[str, list[tuple[tuple[str, ...], float]]]) -> Family:
    if metric.kind is Kind.HISTOGRAM:
        return _histogram(metric, by_name)
    kind = CounterMetricFamily if metric.kind is Kind.COUNTER else GaugeMetricFamily
    family = kind(metric.name, metric.says, labels=metric.labels)
    for labels, value in by_name.get(metric.name, ()):
        family.add_metric(labels, value)
    return family


def _histogram(metric: Metric, by_name: dict[str, list[tuple[tuple[str, ...], float]]]) -> Family:
    family = HistogramMetricFamily(metric.name, metric.says, labels=metric.labels)
    counts: dict[tuple[str, ...], dict[str, float]] = {}
    for (*labels, end), number in by_name.get(f"{metric.name}_bucket", ()):
        counts.setdefault(tuple(labels), {})[end] = number
    sums = dict(by_name.get(f"{metric.name}_sum", ()))
    for labels_of, numbers in counts.items():
        total, buckets = 0.0, []
        for end in (*(f"{one:.1f}" for one in metrics.WAIT_BUCKETS), "+Inf"):
            total += numbers.get(end, 0)
            buckets.append((end, total))
        family.add_metric(labels_of, buckets, sums.get(labels_of, 0.0))
    return family
