"""What every answer of the windows tells a browser not to do."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

_POLICY: Final = (
    ("default-src", "'none'"),
    ("style-src", "'self'"),
    ("script-src", "'self'"),
    ("img-src", "'self' data:"),
    ("connect-src", "'self'"),
    ("form-action", "'self'"),
    ("frame-ancestors", "'none'"),
    ("base-uri", "'none'"),
)
_OFF: Final = (
    "accelerometer",
    "camera",
    "display-capture",
    "geolocation",
    "gyroscope",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "usb",
)
A_YEAR: Final = 365 * 24 * 3600


def security_headers(*, is_https: bool, issuer: str | None = None) -> Mapping[str, str]:
    """Return the headers that every page and answer has.

    Pages load nothing but what this gateway serves, run nothing that stands in them, are framed by nobody, and send
    their forms nowhere else but to ``issuer``: a form that leads to the identity provider is sent on there. That only
    HTTPS is used is told over HTTPS alone (RFC 6797, 7.2).
    """
    policy = dict(_POLICY)
    if issuer is not None:
        parts = urlsplit(issuer)
        policy["form-action"] += f" {parts.scheme}://{parts.netloc}"
    headers = {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",  # for browsers that do not know frame-ancestors
        # Nothing to others. With "no-referrer" browsers would send the forms of our own pages with "Origin: null", as
        # Fetch says ("append a request Origin header"), and they could not be told from those of somebody else.
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": ", ".join(f"{name}=()" for name in _OFF),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    if is_https:
        headers["Strict-Transport-Security"] = f"max-age={A_YEAR}"
    return MappingProxyType(headers)
