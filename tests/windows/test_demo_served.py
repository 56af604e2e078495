"""``make serve``: after the journey the pages of both gateways stay open, on this machine, until somebody ends it."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import aiohttp
from service_process import ROOT, clean_environment
from services.lifetime import Run
from services.ports import free_port


async def test_the_pages_of_both_gateways_are_open_until_it_is_told_to_stop(tmp_path: Path, run: Run) -> None:
    port = free_port(run.folder / "ports")
    served = subprocess.Popen(  # noqa: ASYNC220 -- its lines are read as they come, and nothing else waits
        [sys.executable, "-m", "gateway", "demo", "--serve", str(port)],
        cwd=tmp_path,
        env=clean_environment() | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert served.stderr is not None
        links: list[str] = []
        while len(links) < 2 and (line := served.stderr.readline()):
            links += re.findall(r"http://127\.0\.0\.1:\d+/login/\S+", line)
        assert len(links) == 2
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(cookie_jar=jar) as client:
            for link in links:
                async with client.post(link, data={}) as answer:
                    assert (answer.status, answer.url.path) == (200, "/")
            for link in links:  # the second has not thrown out the first
                async with client.get(link.partition("/login/")[0], allow_redirects=False) as answer:
                    assert answer.status == 200
        served.send_signal(signal.SIGINT)
        assert served.wait(timeout=30) == 0
    finally:
        served.kill()
        served.communicate()
