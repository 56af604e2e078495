"""*Översikt*: whether all is in order, and if not, what needs somebody."""

from __future__ import annotations

from aiohttp import web

from gateway import partners
from gateway.web.page import page
from gateway.web.route import Route
from gateway.web.visit import Visit


async def overview(visit: Visit) -> web.Response:
    """Answer with the overview."""
    return page(visit, "overview.html", silent=await partners.sentences(visit.window.context))


ROUTES = (
    Route.page(
        "GET",
        "/",
        overview,
        "Översikt: om allt är i ordning, och annars vad som behöver göras.",
        "Overview: whether all is in order, and otherwise what needs to be done.",
    ),
)
