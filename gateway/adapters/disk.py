"""Files that are whole or not there, durable once written, and never overwritten by something else."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from pathlib import Path
from typing import Any

LONGEST_STEM = 160
"""Bytes of a name that are kept before more is added to it; a file system takes 255 in all."""


def json_bytes(value: Any) -> bytes:
    """Return ``value`` as an indented JSON document in UTF-8."""
    # A lone surrogate has no form in UTF-8; escaped, so that a receipt can always be written.
    return json.dumps(value, ensure_ascii=False, indent=2).encode("utf-8", "backslashreplace")


def write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, and durably."""
    temporary = path.with_name(f".{os.getpid()}-{threading.get_ident()}.tmp")  # short: any name may be long
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    _sync(path.parent)


def move(path: Path, shelf: Path) -> None:
    """Move a file to ``shelf``, under another name when that one is taken by other content."""
    target = target_of(path, shelf)
    if target.exists() and path.samefile(target):  # renaming one link of a file to another leaves both
        path.unlink()
    else:
        path.replace(target)
    _sync(shelf)
    _sync(path.parent)


def target_of(path: Path, shelf: Path) -> Path:
    """Return where :func:`move` moves a file to."""
    target = shelf / path.name
    return free_name(target, digest_of(path)) if target.exists() else target


def free_name(target: Path, digest: str) -> Path:
    """Return ``target``, or a name with the hash in it when ``target`` holds other content than ``digest``."""
    return target if not target.exists() or is_same(target, digest) else hash_named(target, digest)


def hash_named(target: Path, digest: str) -> Path:
    """Return the name beside ``target`` that has the first characters of ``digest`` in it."""
    return target.with_name(f"{_cut(target.stem)}.{short(digest)}{target.suffix}")


def short(digest: str) -> str:
    """Return as much of a hash as a file name needs."""
    return digest[:12]


def is_same(path: Path, digest: str) -> bool:
    """Tell whether there is a file at ``path`` with that hash."""
    return path.exists() and digest_of(path) == digest


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file's content, reading it piece by piece."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def addable(name: str) -> str:
    """Return ``name``, or a shorter one that stands for it when nothing could be added to it."""
    in_bytes = os.fsencode(name)  # a name need not be UTF-8
    if len(in_bytes) <= LONGEST_STEM:
        return name
    return f"{_cut(name)}.{short(hashlib.sha256(in_bytes).hexdigest())}"


def _cut(stem: str) -> str:
    return os.fsencode(stem)[:LONGEST_STEM].decode(errors="ignore")
