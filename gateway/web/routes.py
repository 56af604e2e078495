"""Every way in to the windows, in one table."""

from __future__ import annotations

from typing import Final

from gateway.web import api_changes, api_messages, login, openapi, overview, static
from gateway.web.route import Route

DESCRIBED: Final[tuple[Route, ...]] = (
    *static.ROUTES,
    *login.ROUTES,
    *overview.ROUTES,
    *api_messages.ROUTES,
    *api_changes.ROUTES,
)
"""What a window opens on, as its modules have it."""

ROUTES: Final = (*DESCRIBED, openapi.route_of(DESCRIBED))
