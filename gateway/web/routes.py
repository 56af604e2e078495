"""Every way in to the windows, in one table."""

from __future__ import annotations

from typing import Final

from gateway.web import api_messages, login, overview, static
from gateway.web.route import Route

ROUTES: Final[tuple[Route, ...]] = (
    *static.ROUTES,
    *login.ROUTES,
    *overview.ROUTES,
    *api_messages.ROUTES,
)
