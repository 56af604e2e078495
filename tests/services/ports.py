"""Ports for servers of the tests: below the range the system hands out by itself, and each given out once in a run."""

from __future__ import annotations

import os
import random
import socket
from pathlib import Path

LOOPBACK = "127.0.0.1"
_LOWEST, _BEYOND = 20_000, 32_000
"""The system gives ports from 32768 up to whoever connects to something; a server there may find its own port taken."""


def free_port(claims: Path) -> int:
    """Return a port on the loopback address that nobody listens to and no other worker of this run has been given.

    ``claims`` is a folder that all workers of the run share.
    """
    claims.mkdir(parents=True, exist_ok=True)
    while True:
        port = random.randrange(_LOWEST, _BEYOND)  # noqa: S311 -- another run at the same time begins elsewhere
        if _is_free(port) and _claim(claims / str(port)):
            return port


def _claim(place: Path) -> bool:
    try:
        os.close(os.open(place, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
