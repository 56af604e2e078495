"""What is posted under an ``Idempotency-Key`` is carried out once, however often it comes.

The request is claimed before it is carried out: what comes meanwhile under the same key waits outside. Its answer is
kept for 24 hours, by hashes of the key and of what was sent; what it was is not kept, and no answer holds a person.

An action that keeps its answer in its own transaction (:meth:`~gateway.web.visit.Visit.keep`) has exactly one effect:
one that was so slow that its claim was taken over cannot commit. Of others the answer is kept right afterwards. If the
process dies between, the claim is let go after :data:`LET_GO_AFTER`, the request is carried out again, and the action
itself sees that there is nothing left to do. What comes to nothing is not kept: it may come again under the same key.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Final
from uuid import uuid4

from aiohttp import web

from gateway.adapters.http_problem import KEY_TAKEN
from gateway.envelope import content_hash
from gateway.errors import ConflictError, DependencyDownError
from gateway.store import answers
from gateway.store.answers import Claim, KeptAnswer
from gateway.web.refusals import UNDER_WAY, UnderWayError
from gateway.web.visit import Visit

KEPT_FOR: Final = timedelta(hours=24)
"""How long an answer is kept."""
LET_GO_AFTER: Final = timedelta(minutes=5)
"""After how long a request that has no answer is no longer under way: its process has died."""
AGAIN: Final = "Idempotent-Replayed"
"""The header of an answer that was given before."""


async def once(
    visit: Visit, key: str, content: bytes, act: Callable[[], Awaitable[web.StreamResponse]]
) -> web.Response:
    """Carry out a request of somebody who is known by ``act``, unless it has been; return its answer.

    Raises:
        ConflictError: the key was used for something else.
        UnderWayError: the same request is being carried out.
        GatewayError: what ``act`` raises; then it may come again.
    """
    known = await _claim(visit, key, _hash_of(visit, content))
    if known is not None:
        assert known.status is not None  # it would be under way
        return web.Response(
            status=known.status, text=known.body, content_type="application/json", headers={AGAIN: "true"}
        )
    assert visit.claim is not None  # it is ours
    try:
        answer = await act()
        assert isinstance(answer, web.Response)  # what is posted is answered as a whole
        if not visit.is_kept:
            async with visit.window.context.store.writing() as tx:
                await answers.keep(tx, visit.claim, answer.status, answer.text or "")
    except Exception:
        with suppress(DependencyDownError):  # it is let go in time
            async with visit.window.context.store.writing() as tx:
                await answers.release(tx, visit.claim)
        raise
    return answer


async def _claim(visit: Visit, key: str, content: str) -> KeptAnswer | None:
    """Claim a request for this visit; return its answer where it has been carried out. Raises as :func:`once`."""
    now, claim = visit.now, Claim(visit.who.name, content_hash(key.encode("ascii")), str(uuid4()))
    async with visit.window.context.store.writing() as tx:
        await answers.forget(tx, now - KEPT_FOR)
        known = await answers.claim(tx, claim, content, now)
        if known is None:
            visit.claim = claim
            return None
        if known.content_hash != content:
            raise ConflictError(KEY_TAKEN.at())
        if known.status is not None:
            return known
        left = known.claimed_at + LET_GO_AFTER - now
        if left > timedelta() or not await answers.take_over(tx, known.claim, claim, now):
            raise UnderWayError(UNDER_WAY.at(), retry_after=max(left, timedelta(seconds=1)))
        visit.claim = claim
        return None


def _hash_of(visit: Visit, content: bytes) -> str:
    """Return what tells one request from another: where, what, and for whom its answer is."""
    actor = visit.who
    units = sorted(actor.units) if actor.units is not None else None
    place = json.dumps([visit.request.method, visit.request.path_qs, actor.role, units])
    return content_hash(place.encode() + b"\n" + content)
