"""Windows of a test's own over the store of a site: with other routes, or in more of a hurry."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web
from windows.site import Site

from gateway.web.changes import CHANGES, Changes
from gateway.web.route import Route
from gateway.web.routes import ROUTES
from gateway.web.windows import Windows


@asynccontextmanager
async def opened(
    site: Site, routes: Sequence[Route] = ROUTES, changes: Changes | None = None
) -> AsyncIterator[aiohttp.ClientSession]:
    """Open windows, and return a client that knows their address and shows nothing by itself."""
    app = web.Application()
    Windows(site.window, routes).add_to(app)
    if changes is not None:
        app[CHANGES] = changes
    runner = web.AppRunner(app, shutdown_timeout=5.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        host, port = runner.addresses[0][:2]
        async with aiohttp.ClientSession(f"http://{host}:{port}") as client:
            yield client
    finally:
        await runner.cleanup()
