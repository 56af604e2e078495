"""The demo as a process of its own, and what it leaves on disk."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from command import in_folder


def command(folder: Path, *options: str) -> list[str]:
    """Return the command that plays the demo in ``folder`` and tells its outcome as JSON."""
    return [sys.executable, "-m", "gateway", "demo", "--data", str(folder), "--json", *options]


def run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Play the demo until it ends, one way or the other."""
    return in_folder(folder.parent, "demo", "--data", folder, "--json", *options)


def outcome_of(played: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """Return what a demo that went well has told."""
    assert played.returncode == 0, played.stderr
    outcome: dict[str, Any] = json.loads(played.stdout)
    return outcome


def rows(database: Path, query: str) -> list[tuple[Any, ...]]:
    """Return what a query finds in a SQLite file."""
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(query).fetchall()


def table(database: Path, name: str) -> list[tuple[Any, ...]]:
    """Return every row of a table."""
    return rows(database, f"SELECT * FROM {name}")  # noqa: S608 -- names of our own


def table_names(database: Path) -> list[str]:
    """Return the names of the tables in a SQLite file."""
    return [name for (name,) in rows(database, "SELECT name FROM sqlite_master WHERE type = 'table'")]
