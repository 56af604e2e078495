"""What every page and answer of the API stands on: the gateway's surroundings, its settings, and its adapters."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from gateway.config import Settings
from gateway.context import Context
from gateway.envelope import Channel
from gateway.ports import Adapter, Lane

if TYPE_CHECKING:
    from gateway.web.oidc import OidcLogin


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One gateway, as it is looked at.

    ``adapter`` understands what was told by ``sources``. ``probes`` return when what they are named after answers.
    ``lanes`` has the way to each case system, by the name of its adapter, where there are several. ``depth`` counts
    what waits for this party at the exchange.
    ``is_near`` tells that only this machine can come here. ``oidc`` logs people in, and knows programs, where an
    identity provider is set up.
    """

    context: Context
    settings: Settings
    adapter: Adapter
    sources: frozenset[str]
    probes: Mapping[str, Callable[[], Awaitable[None]]] = field(default_factory=dict)
    lanes: Mapping[str, Lane] = field(default_factory=dict)
    depth: Callable[[Channel], Awaitable[int]] | None = None
    is_near: bool = True
    oidc: OidcLogin | None = None

    @property
    def party(self) -> str:
        """Return whose gateway it is."""
        return self.context.party

    def now(self) -> datetime:
        """Return the gateway's time in UTC."""
        return self.context.clock.now()

    def title_of(self, unit: str) -> str:
        """Return what a unit (HSA-id) is called; its id, where the directory does not know it."""
        known = self.context.directory.units.get(unit)
        return known.title if known is not None else unit
