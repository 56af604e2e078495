"""The key under which a request may come again, ``Idempotency-Key``: one form for everything that is posted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from gateway.adapters.http_problem import KEY_UNUSABLE
from gateway.errors import UsageError

HEADER: Final = "Idempotency-Key"

_KEY = re.compile(r"[!-~]{1,255}")


def key_in(headers: Mapping[str, str], *others: str) -> str | None:
    """Return the key, which may also stand under one of ``others``; ``None`` where there is none.

    Raises:
        UsageError: it is not 1–255 visible ASCII characters.
    """
    key = next((headers[name] for name in (HEADER, *others) if name in headers), None)
    if key is not None and not _KEY.fullmatch(key):
        raise UsageError(KEY_UNUSABLE.at())
    return key
