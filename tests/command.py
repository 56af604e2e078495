"""The ``gateway`` command as a process of its own, as an operator runs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from service_process import DIRECTORY, ROOT, clean_environment


def in_folder(cwd: Path, /, *arguments: str | Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run the command in ``cwd`` with ``settings`` in its environment alone; it never ends with a traceback."""
    done = subprocess.run(
        [sys.executable, "-m", "gateway", *map(str, arguments)],
        cwd=cwd,
        env=clean_environment(**settings) | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert "Traceback" not in done.stdout + done.stderr
    return done


def over_store(folder: Path, *arguments: str, party: str = "kommun") -> subprocess.CompletedProcess[str]:
    """Run the command over the store that a test has written for ``party`` in ``folder``."""
    settings = {"party": party, "adapter": "treserva", "folder": str(folder), "directory": str(DIRECTORY)}
    store = f"sqlite+aiosqlite:///{folder / party}.sqlite"
    return in_folder(ROOT, *arguments, "--store", store, **settings)
