"""Partners: which are silent, told in the log once when it begins, once when it ends, and in a digest between.

What has been told stands in the database, so that neither a restart nor another process tells it again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from gateway import metrics
from gateway.circuit import TO_SYSTEM
from gateway.context import Context
from gateway.errors import GatewayError
from gateway.lifecycle import OutState, out_clock
from gateway.silence import News, Partner, Sentence, Silence, judge, sentence
from gateway.store import Transaction, circuits, open_rows, silences, tallies

SETTLING: Final = timedelta(minutes=1)
"""How long after this gateway began to listen, or the exchange came back, nobody is called silent: what came meanwhile
is taken first, and that we were not there is nobody else's silence."""

log = structlog.get_logger(__name__)


class Partners:
    """Listens for the silence of one gateway's partners; ``ping`` returns when the exchange answers."""

    def __init__(self, context: Context, ping: Callable[[], Awaitable[None]]) -> None:
        self._context = context
        self._ping = ping
        self._listens_since: datetime | None = None

    async def sweep(self) -> int:
        """Look over all partners once and tell what is new; return how much that was.

        Raises:
            DependencyDownError: the database does not answer.
        """
        now, told = self._context.clock.now(), 0
        may_begin = await self._listens(now)
        async with self._context.store.reading() as tx:
            seen, known = await observed(tx, self._context.party), await silences.load(tx)
        for party in sorted({*seen, *known}):
            partner, before = seen.get(party, Partner(party=party)), known.get(party)
            after, news = judge(partner, before, now)
            if news is None or (news is News.SILENT and not may_begin):
                continue
            async with self._context.store.writing() as tx:
                if not await silences.change(tx, party, before, after):
                    continue  # another process has told it
            about = after or before
            assert about is not None
            self._tell(news, partner, about, now)
            told += 1
        return told

    async def _listens(self, now: datetime) -> bool:
        try:
            await self._ping()
        except GatewayError:  # or it lets us in no more, which is no better
            self._listens_since = None
            return False
        self._listens_since = self._listens_since or now
        return now - self._listens_since >= SETTLING

    def _tell(self, news: News, partner: Partner, about: Silence, now: datetime) -> None:
        tell = log.info if news is News.BACK else log.warning
        tell(
            news.value,
            party=self._context.party,
            partner=partner.party,
            cause=about.cause.value,
            seconds=round((now - about.since).total_seconds()),
            waiting=partner.waiting,
        )


async def sentences(context: Context, *, sees_all: bool = True) -> list[Sentence]:
    """Return what staff are told about each partner that is silent, in both languages; nothing when none is.

    How many messages wait for it is told to those alone who see all units: they are of any of them.

    Raises:
        DependencyDownError: the database does not answer.
    """
    now, parties = context.clock.now(), context.directory.parties
    async with context.store.reading() as tx:
        known = await silences.load(tx)
        seen = await observed(tx, context.party) if sees_all else {}
    told = []
    for party, one in sorted(known.items()):
        title = parties[party].title if party in parties else party
        waiting = seen.get(party, Partner(party=party)).waiting if sees_all else None
        told.append(sentence(title, one, waiting, now))
    return told


async def observed(tx: Transaction, own: str) -> dict[str, Partner]:
    """Return what the database knows of the partners that something waits for, or that cannot be sent to."""
    found: dict[str, Partner] = {}
    clock = out_clock(OutState.SENT, answered=True)
    assert clock is not None
    cut = {one.party: one.opened_at for one in await circuits.unhealthy(tx) if one.opened_at is not None}
    rows = await open_rows.under_way(tx)
    heard = {
        labels[0]: datetime.fromtimestamp(value / 1000, tz=UTC)
        for (_, labels), value in (await tallies.counted(tx, metrics.HEARD.name)).items()
    }
    for party in {row.party for row in rows} | {to for to in cut if not to.startswith(TO_SYSTEM)} | set(heard):
        if party == own:
            continue
        mine = [row for row in rows if row.party == party]
        # A deadline counts from the last try: a message that has been sent again is waited for anew.
        left = [row.due - clock[0] for row in mine if row.state == OutState.SENT]
        found[party] = Partner(
            party=party,
            waiting=sum(row.number for row in mine),
            owing_since=min(left, default=None),
            cut_since=cut.get(party),
            heard_at=heard.get(party),
        )
    return found
