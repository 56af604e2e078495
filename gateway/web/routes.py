"""Every way in to the windows, in one table."""

from __future__ import annotations

from typing import Final

from gateway.web import (
    acknowledgements,
    adapters,
    api_acknowledgements,
    api_adapters,
    api_audit,
    api_changes,
    api_failures,
    api_inbox,
    api_message,
    api_messages,
    api_operations,
    api_reports,
    audit,
    case,
    extract,
    failures,
    inbox,
    login,
    message,
    messages,
    openapi,
    operations,
    overview,
    reports,
    revealing,
    static,
)
from gateway.web.route import Route

DESCRIBED: Final[tuple[Route, ...]] = (
    *static.ROUTES,
    *login.ROUTES,
    *overview.ROUTES,
    *inbox.ROUTES,
    *api_inbox.ROUTES,
    *acknowledgements.ROUTES,
    *api_acknowledgements.ROUTES,
    *messages.ROUTES,
    *message.ROUTES,
    *case.ROUTES,
    *adapters.ROUTES,
    *api_adapters.ROUTES,
    *reports.ROUTES,
    *api_reports.ROUTES,
    *audit.ROUTES,
    *extract.ROUTES,
    *api_audit.ROUTES,
    *failures.ROUTES,
    *operations.ROUTES,
    *api_failures.ROUTES,
    *api_operations.ROUTES,
    *revealing.ROUTES,
    *api_messages.ROUTES,
    *api_message.ROUTES,
    *api_changes.ROUTES,
)
"""What a window opens on, as its modules have it."""

ROUTES: Final = (*DESCRIBED, openapi.route_of(DESCRIBED))
