"""A share that hangs: it stops nobody but whoever works on it, and no process from ending."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from pathlib import Path

import pytest

from gateway.adapters import disk
from gateway.adapters.folder import Folder
from gateway.adapters.share import THREADS, Share
from gateway.errors import DependencyDownError
from gateway.ports import Registration

HANGS = 3 * THREADS
"""How much is asked of a share that hangs: more than it has threads."""


async def watched_at(path: Path, share: Share) -> Folder:
    await asyncio.to_thread(path.mkdir)
    watched = Folder(path, source="test", interval=0.01, timeout=5, share=share)
    await watched.ping()
    return watched


async def test_a_share_that_hangs_stops_neither_the_other_folders_nor_what_else_needs_a_thread(tmp_path: Path) -> None:
    hung = await watched_at(tmp_path / "hung", Share(patience=0.05))
    other = await watched_at(tmp_path / "other", Share())
    receipts = [hung.from_gateway / f"m-{number}.json.ok" for number in range(HANGS)]
    for receipt in receipts:
        os.mkfifo(receipt)  # whoever opens it waits until someone writes
    before = threading.active_count()
    handing = [asyncio.create_task(hung.hand_over(f"m-{number}", {})) for number in range(HANGS)]
    answers = await asyncio.gather(*handing, return_exceptions=True)
    assert [type(one) for one in answers] == [DependencyDownError] * HANGS
    with pytest.raises(DependencyDownError) as caught:
        await hung.ping()
    assert caught.value.codes == ("folder.unavailable",)
    assert threading.active_count() - before <= THREADS

    await asyncio.wait_for(asyncio.gather(*(asyncio.to_thread(os.getpid) for _ in range(HANGS))), 5)
    disk.write(other.from_gateway / "m.json.ok", b'{"recordId": "R-1"}')
    assert await other.hand_over("m", {}) == Registration(record_id="R-1")

    for receipt in receipts[:THREADS]:  # the share is back
        os.close(os.open(receipt, os.O_RDWR | os.O_NONBLOCK))
    await hung.ping()


async def test_what_hangs_is_asked_once_until_it_answers() -> None:
    share, goes_on, begun = Share(patience=0.02), threading.Event(), []

    def hang() -> str:
        begun.append(1)
        goes_on.wait(10)
        return "back"

    for _ in range(3):
        with pytest.raises(TimeoutError):
            await share.once(hang)
    assert len(begun) == 1
    goes_on.set()
    assert await share.once(hang) == "back"


async def test_what_fails_on_a_share_fails_where_it_was_asked_for() -> None:
    share = Share()
    with pytest.raises(FileNotFoundError):
        await share.do(os.stat, "nowhere")
    assert await asyncio.gather(*(share.do(pow, number, 2) for number in range(50))) == [n * n for n in range(50)]


PROCESS = """
import asyncio, contextlib, os, pathlib, sys
from gateway.adapters.folder import Folder
from gateway.adapters.share import Share
from gateway.errors import DependencyDownError
from gateway.service import run_loop

async def work():
    folder = Folder(pathlib.Path(sys.argv[1]), source="test", share=Share(patience=0.1))
    await folder.ping()
    os.mkfifo(folder.from_gateway / "m.json.ok")
    with contextlib.suppress(DependencyDownError):
        await folder.hand_over("m", {})
    print("ends", flush=True)

run_loop(work())
"""


async def test_a_process_ends_although_a_thread_hangs(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PROCESS, tmp_path), stdout=asyncio.subprocess.PIPE
    )
    try:
        told, _ = await asyncio.wait_for(process.communicate(), 20)
    finally:
        if process.returncode is None:
            process.kill()
    assert (told, process.returncode) == (b"ends\n", 0)
