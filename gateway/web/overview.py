"""*Översikt*: whether all is in order, and if not, what needs somebody; and what the last day looked like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from aiohttp import web
from pydantic import Field

from gateway.hour import last_hours
from gateway.store import hours, standing
from gateway.store.standing import MOST, Facts
from gateway.web import chart
from gateway.web.forms import Asked
from gateway.web.page import page
from gateway.web.route import Route
from gateway.web.standing import lines
from gateway.web.visit import Visit


class OverviewAsked(Asked):
    """How the overview is looked at."""

    refresh: Annotated[Literal["on", "off"], Field(description="Whether it is fetched anew by itself.")] = "on"


@dataclass(frozen=True, slots=True)
class Tile:
    """A number that somebody keeps an eye on, and the page that shows what is counted."""

    sv: str
    en: str
    link: str
    count: int
    is_bad: bool

    @property
    def shown(self) -> str:
        """Return the number, as far as it was counted."""
        return str(self.count) if self.count <= MOST else f"{MOST}+"


def tiles_of(facts: Facts) -> list[Tile]:
    """Return the tiles of the overview."""
    sent = "/messages?direction=sent"
    return [
        Tile("Försenat för oss", "Overdue for us", "/inbox?overdue=yes", facts.owed, is_bad=True),
        Tile("Försenade svar", "Overdue answers", "/acknowledgements?overdue=yes", facts.answers, is_bad=True),
        Tile("Fel", "Failures", "/failures", facts.failures, is_bad=True),
        Tile("Inte skickade i tid", "Not sent in time", f"{sent}&overdue=yes", facts.unsent, is_bad=True),
        Tile("Väntar på samtycke", "Wait for a consent", f"{sent}&state=held", facts.held, is_bad=False),
        Tile("Brev att skicka", "Letters to send", f"{sent}&state=letter", facts.letters, is_bad=False),
    ]


async def overview(visit: Visit) -> web.Response:
    """Answer with the overview of what the actor sees."""
    context, units = visit.window.context, visit.units
    systems = [one.name for one in visit.window.settings.all_adapters()]
    async with context.store.reading() as tx:
        facts = await standing.facts(tx, visit.now, units=units, systems=systems)
        day = await hours.read(tx, last_hours(visit.now), units)
    return page(
        visit,
        "overview.html",
        lines=lines(facts, silent=visit.silent, sees_all=units is None),
        tiles=tiles_of(facts),
        charts=[chart.traffic(day, visit.language), chart.waits(day, visit.language)],
        refreshes=visit.query.refresh == "on",
    )


ROUTES = (
    Route.page(
        "GET",
        "/",
        overview,
        "Översikt: om allt är i ordning, och annars vad som behöver göras.",
        "Overview: whether all is in order, and otherwise what needs to be done.",
        query=OverviewAsked,
    ),
)
