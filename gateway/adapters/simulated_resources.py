"""The FHIR resources of a simulated journal, each with its versions: a SQLite file that survives being killed.

Every version has a number of its own, in the order they came about: a search goes on after the last number it gave.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from gateway.adapters.fhir_written import Json, time
from gateway.clock import Clock
from gateway.errors import Fault, InvalidDocumentError

SEVERAL_KNOWN = Fault(
    "simulate.several-known",
    "Flera resurser har den identifierare som ifNoneExist anger.",
    "Several resources have the identifier that ifNoneExist names.",
)

_SCHEMA = (
    """
CREATE TABLE IF NOT EXISTS version (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    is_current INTEGER NOT NULL DEFAULT 1,
    content TEXT NOT NULL,
    UNIQUE (kind, id, version)
)""",
    """
CREATE TABLE IF NOT EXISTS known_by (
    kind TEXT NOT NULL,
    system TEXT NOT NULL,
    value TEXT NOT NULL,
    id TEXT NOT NULL,
    PRIMARY KEY (kind, system, value, id)
)""",
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class New:
    """A resource to be created unless there is one with the identifier ``known_by``, of system and value.

    ``full_url`` is what the others that are created with it call it.
    """

    resource: Json
    full_url: str | None
    known_by: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class Stored:
    """A version of a resource; ``is_new`` where it has just been created."""

    resource: Json
    is_new: bool = False

    @property
    def name(self) -> str:
        """``Type/id``."""
        return f"{self.resource['resourceType']}/{self.resource['id']}"


class Resources:
    """The resources in ``file``. Every method touches the disk."""

    def __init__(self, file: Path, clock: Clock) -> None:
        self._file = file
        self._clock = clock

    def open(self) -> None:
        """Make the file where there is none."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._connected() as database:
            for table in _SCHEMA:
                database.execute(table)

    def create(self, news: Sequence[New], *, is_dry: bool = False) -> list[Stored]:
        """Create all of ``news``, or none, and return for each what there is now; references among them are resolved.

        Where ``is_dry``, those that are not there yet are left out, and nothing is created.

        Raises:
            InvalidDocumentError: several resources have the identifier that one is known by.
        """
        with self._writing() as database:
            names: dict[str, str] = {}
            known: dict[tuple[Any, ...], str] = {}
            found: list[tuple[New, str, bool]] = []
            for number, new in enumerate(news, _last(database) + 1):
                kind = new.resource["resourceType"]
                key = (kind, *(new.known_by or (number,)))
                there = known.get(key) or (_id_of(database, kind, *new.known_by) if new.known_by else None)
                known[key] = there or str(number)
                found.append((new, known[key], there is None))
                if new.full_url is not None:
                    names[new.full_url] = f"{kind}/{known[key]}"
            if is_dry:
                found = [one for one in found if not one[2]]
            for new, resource_id, is_new in found:
                if is_new:
                    self._write(database, _resolved(new.resource, names) | {"id": resource_id})
            return [
                Stored(_current(database, new.resource["resourceType"], resource_id) or {}, is_new)
                for new, resource_id, is_new in found
            ]

    def put(self, resources: Sequence[Json]) -> list[Json]:
        """Keep all of ``resources``, which have ids, each as the newest version, and return them; all or none."""
        with self._writing() as database:
            return [self._write(database, resource) for resource in resources]

    def read(self, kind: str, resource_id: str, version: int | None = None) -> Json | None:
        """Return the newest version of a resource, or the one that is asked for; ``None`` where there is none."""
        with self._connected() as database:
            if version is None:
                return _current(database, kind, resource_id)
            row = database.execute(
                "SELECT content FROM version WHERE kind = ? AND id = ? AND version = ?", (kind, resource_id, version)
            ).fetchone()
        return json.loads(row[0]) if row is not None else None

    def of_kind(self, kind: str) -> list[Json]:
        """Return all resources of a kind, the longest unchanged first."""
        with self._connected() as database:
            rows = database.execute(
                "SELECT content FROM version WHERE kind = ? AND is_current ORDER BY number", (kind,)
            ).fetchall()
        return [json.loads(content) for (content,) in rows]

    def last(self) -> int:
        """Return the number of the version that came last; 0 before the first."""
        with self._connected() as database:
            return _last(database)

    def search(self, kind: str, since: datetime, after: int, count: int) -> tuple[list[Json], int | None]:
        """Return at most ``count`` resources that have changed at ``since`` or later, the longest unchanged first.

        They come after the version with the number ``after``; the second value is where a next search goes on.
        """
        with self._connected() as database:
            rows = database.execute(
                "SELECT number, content FROM version WHERE kind = ? AND is_current AND updated >= ? AND number > ? "
                "ORDER BY number LIMIT ?",
                (kind, _stamp(since), after, count + 1),
            ).fetchall()
        page = rows[:count]
        return [json.loads(content) for _, content in page], page[-1][0] if len(rows) > count else None

    def counts(self) -> dict[str, int]:
        """Return how many resources there are, and in how many versions."""
        with self._connected() as database:
            resources, versions = database.execute(
                "SELECT COALESCE(SUM(is_current), 0), COUNT(*) FROM version"
            ).fetchone()
        return {"resources": resources, "versions": versions}

    def _write(self, database: sqlite3.Connection, resource: Json) -> Json:
        kind, resource_id = resource["resourceType"], resource["id"]
        (version,) = database.execute(
            "SELECT COALESCE(MAX(version), 0) + 1 FROM version WHERE kind = ? AND id = ?", (kind, resource_id)
        ).fetchone()
        now = self._clock.now()
        meta = {**resource.get("meta", {}), "versionId": str(version), "lastUpdated": time(now)}
        written = {**resource, "meta": meta}
        database.execute("UPDATE version SET is_current = 0 WHERE kind = ? AND id = ?", (kind, resource_id))
        database.execute(
            "INSERT INTO version (kind, id, version, updated, content) VALUES (?, ?, ?, ?, ?)",
            (kind, resource_id, version, _stamp(now), json.dumps(written, ensure_ascii=False)),
        )
        database.execute("DELETE FROM known_by WHERE kind = ? AND id = ?", (kind, resource_id))
        database.executemany(
            "INSERT OR IGNORE INTO known_by (kind, system, value, id) VALUES (?, ?, ?, ?)",
            [(kind, system, value, resource_id) for system, value in _identifiers(resource)],
        )
        return written

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._connected() as database:
            database.execute("BEGIN IMMEDIATE")
            yield database

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._file)) as database, database:
            yield database


def known_by(condition: str) -> tuple[str, str] | None:
    """Return system and value of an identifier as a FHIR search says it: ``system|value``, escaped by backslashes."""
    parts = re.split(r"(?<!\\)((?:\\\\)*)\|", condition)
    if len(parts) != 3:
        return None
    system, value = (re.sub(r"\\(.)", r"\1", part) for part in (parts[0] + parts[1], parts[2]))
    return system, value


def _last(database: sqlite3.Connection) -> int:
    (last,) = database.execute("SELECT COALESCE(MAX(number), 0) FROM version").fetchone()
    return int(last)


def _stamp(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def _current(database: sqlite3.Connection, kind: str, resource_id: str) -> Json | None:
    row = database.execute(
        "SELECT content FROM version WHERE kind = ? AND id = ? AND is_current", (kind, resource_id)
    ).fetchone()
    return json.loads(row[0]) if row is not None else None


def _id_of(database: sqlite3.Connection, kind: str, system: str, value: str) -> str | None:
    rows = database.execute(
        "SELECT id FROM known_by WHERE kind = ? AND system = ? AND value = ? LIMIT 2", (kind, system, value)
    ).fetchall()
    if len(rows) > 1:
        raise InvalidDocumentError(SEVERAL_KNOWN.at())
    return rows[0][0] if rows else None


def _identifiers(resource: Json) -> Iterator[tuple[str, str]]:
    found = resource.get("identifier")
    for one in found if isinstance(found, list) else [found]:
        if isinstance(one, dict) and isinstance(one.get("value"), str):
            yield str(one.get("system", "")), one["value"]


def _resolved(value: Any, names: Mapping[str, str]) -> Any:
    """Return ``value`` with the references by full URL turned into references by type and id."""
    if isinstance(value, dict):
        resolved = {name: _resolved(inner, names) for name, inner in value.items()}
        name = names.get(str(value.get("reference")))
        return resolved | ({"reference": name} if name is not None else {})
    if isinstance(value, list):
        return [_resolved(inner, names) for inner in value]
    return value
