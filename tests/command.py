"""The ``gateway`` command as a process of its own, as an operator runs it."""

from __future__ import annotations

import atexit
import json
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from service_process import DIRECTORY, ROOT, clean_environment


def in_folder(cwd: Path, /, *arguments: str | Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run the command in ``cwd`` with ``settings`` in its environment alone; it never ends with a traceback."""
    words = [str(one) for one in arguments]
    warm = _warm()
    assert warm.stdin is not None
    assert warm.stdout is not None
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "stdout"), Path(folder, "stderr")
        environment = clean_environment(**settings) | {"PYTHONPATH": str(ROOT)}
        asked = {
            "arguments": words,
            "cwd": str(cwd),
            "environment": environment,
            "stdout": str(out),
            "stderr": str(err),
        }
        warm.stdin.write(json.dumps(asked) + "\n")
        warm.stdin.flush()
        code = int(warm.stdout.readline())
        done = subprocess.CompletedProcess(words, code, out.read_text("utf-8"), err.read_text("utf-8"))
    assert "Traceback" not in done.stdout + done.stderr
    return done


def over_store(folder: Path, *arguments: str, party: str = "kommun") -> subprocess.CompletedProcess[str]:
    """Run the command over the store that a test has written for ``party`` in ``folder``."""
    settings = {"party": party, "adapter": "treserva", "folder": str(folder), "directory": str(DIRECTORY)}
    store = f"sqlite+aiosqlite:///{folder / party}.sqlite"
    return in_folder(ROOT, *arguments, "--store", store, **settings)


@cache
def _warm() -> subprocess.Popen[str]:
    """Return the process that forks for each command; it ends when this one does, which closes what it reads."""
    warm = subprocess.Popen(
        [sys.executable, Path(__file__).with_name("warm.py")],
        env=clean_environment() | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(_end, warm)
    return warm


def _end(warm: subprocess.Popen[str]) -> None:
    """End the process, and close what is read of it."""
    warm.communicate()
