"""How people reach the windows: whether over HTTPS, and under which names of a host."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from gateway.config import Settings

LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
"""What this machine is called by those who are on it."""


def is_encrypted(settings: Settings) -> bool:
    """Tell whether people come over HTTPS, to the gateway or to a proxy before it."""
    url = settings.public_url
    return url.startswith("https:") if url is not None else settings.http_certificate_file is not None


def hosts_of(settings: Settings, *, is_near: bool) -> frozenset[str]:
    """Return the names under which the gateway answers; a page elsewhere may have made up another (DNS rebinding)."""
    public = urlsplit(settings.public_url).hostname if settings.public_url is not None else None
    return frozenset({*(LOOPBACK if is_near else ()), *((public,) if public is not None else ())})
