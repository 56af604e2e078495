"""What the benchmark ran on: a ratio says little without it."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

_WRITES = 50


def facts() -> dict[str, Any]:
    """Return the processor, its cores, the memory, the time of a durable write, and the versions that matter."""
    described = Path("/proc/cpuinfo").read_text(encoding="utf-8") if Path("/proc/cpuinfo").exists() else ""
    named = re.search(r"^model name\s*: (.*)$", described, re.MULTILINE)
    return {
        "processor": named[1] if named else platform.processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "fsync_ms": round(_fsync_ms(), 2),
        "libraries": {name: version(name) for name in ("aio-pika", "aiormq", "sqlalchemy", "lxml", "uvloop")},
    }


def load() -> float:
    """Return how many processes wanted a core in the last minute."""
    return round(os.getloadavg()[0], 1)


def said_by(*command: str) -> str:
    """Return the first version number that a program says."""
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout  # noqa: S603 -- our own
    found = re.search(r"\d+(?:\.\d+)+", said)
    return found[0] if found else "?"


def _fsync_ms() -> float:
    with tempfile.TemporaryFile() as file:
        begun = time.perf_counter()
        for _ in range(_WRITES):
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
        return (time.perf_counter() - begun) / _WRITES * 1000
