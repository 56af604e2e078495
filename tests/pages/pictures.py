"""The pictures of the README, taken anew: the demo journey is played, and some of its pages photographed.

From ``tests/``: ``python -m pages.pictures FOLDER``. The overview is of when the case system of the region does not
answer; the others are of when the responsibility for the plan has been handed over, and nobody took charge of it yet.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from services.installing import CHROMIUM
from windows.broken import not_taken

from gateway.logs import logging_to
from gateway.store import ledger
from gateway.tally import Tally
from pages.live import Live, journey_at_work
from pages.screenshots import take


async def main(folder: Path) -> None:
    """Play the journey and write ``overview.png``, ``inbox.png`` and ``message.png`` in ``folder``."""
    programs = CHROMIUM.folder()
    if programs is None:
        sys.exit("Chromium is not installed here; `make test` as root on Debian installs it.")
    program = CHROMIUM.program(programs)
    with tempfile.TemporaryDirectory() as own:
        async with journey_at_work(Path(own)) as live:
            await live.tell(5)
            await not_taken(live.gateway("region").context, 2)
            for party in ("kommun", "region"):
                await Tally(live.gateway(party).context).count()
            overview = {"overview": f"{live.urls['region']}/"}
            await take(program, folder, overview, await live.way_in("region"))
    with tempfile.TemporaryDirectory() as own:
        async with journey_at_work(Path(own)) as live:
            await live.hand_over()
            await take(program, folder, {"inbox": f"{live.urls['region']}/inbox"}, await live.way_in("region"))
            message = {"message": f"{live.urls['kommun']}/messages/{await _plan(live)}"}
            await take(program, folder, message, await live.way_in("kommun"))


async def _plan(live: Live) -> str:
    async with live.gateway("kommun").context.store.reading() as tx:
        return next(row.message_id for row in await ledger.sent_messages(tx) if row.type == "plan")


if __name__ == "__main__":
    where = Path(sys.argv[1])
    where.mkdir(parents=True, exist_ok=True)
    with logging_to(sys.stderr, level="warning"):
        asyncio.run(main(where))
