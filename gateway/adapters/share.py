"""The threads in which one share is worked on: its own, so that a share that hangs stops nobody but itself.

A call on a network file system whose server is gone may never return. The threads are daemons: a process that is to end
does not wait for them, as it does for those of :func:`asyncio.to_thread`.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any, Final, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

THREADS: Final = 4
"""How many things may be done on one share at a time, or hang there."""
ANSWER_SECONDS: Final = 60.0
"""How long anything done there may take."""
_IDLE_SECONDS: Final = 5.0


class Share:
    """A share, on which work is done in at most :data:`THREADS` threads, and waited for ``patience`` seconds."""

    def __init__(self, patience: float = ANSWER_SECONDS) -> None:
        self._patience = patience
        self._changed = threading.Condition()
        self._waiting: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._threads = 0
        self._idle = 0
        self._begun: dict[Callable[[], Any], Future[Any]] = {}

    async def do(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do ``work`` in a thread and return what it returns, or raise what it raises.

        Raises:
            TimeoutError: an :class:`OSError`: it has not been done in time. What has begun may still be done later.
        """
        future = self._begin(partial(work, *args, **kwargs))
        try:
            async with asyncio.timeout(self._patience):
                return await asyncio.wrap_future(future)
        finally:
            if future.cancel():  # what nobody waits for any more does not pile up behind what hangs
                with self._changed:
                    self._waiting = deque(one for one in self._waiting if one[0] is not future)

    async def once(self, work: Callable[[], T]) -> T:
        """Do the same; but while it has not been done, whoever asks for it again waits for what has begun.

        Raises:
            TimeoutError: as above.
        """
        future = self._begun.get(work)
        if future is None or future.done():
            future = self._begun[work] = self._begin(work)
        async with asyncio.timeout(self._patience):
            return await asyncio.shield(asyncio.wrap_future(future))

    def _begin(self, work: Callable[[], T]) -> Future[T]:
        future: Future[T] = Future()
        with self._changed:
            self._waiting.append((future, work))
            if len(self._waiting) > self._idle and self._threads < THREADS:
                self._threads += 1
                threading.Thread(target=self._work, name="share", daemon=True).start()
            self._changed.notify()
        return future

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._waiting:
                    self._idle += 1
                    came = self._changed.wait(_IDLE_SECONDS)
                    self._idle -= 1
                    if not came and not self._waiting:
                        self._threads -= 1
                        return
                future, work = self._waiting.popleft()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                done = work()
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(done)
            del future, work
