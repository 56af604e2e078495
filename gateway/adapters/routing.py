"""Which of several case systems keeps the messages of a unit: the one that names it, or its type, or else the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.directory import Directory, UnitType
from gateway.messages import Message
from gateway.ports import MessageTarget


@dataclass(frozen=True, slots=True)
class Route:
    """A target and whom it is for: ``units`` (HSA-ids), units of ``types``, and all others where both are empty."""

    target: MessageTarget
    units: frozenset[str] = frozenset()
    types: frozenset[UnitType] = frozenset()


class Routes:
    """The way to each unit of a party. A unit that is named goes before a type, and a type before the rest."""

    def __init__(self, routes: Sequence[Route], directory: Directory, party: str) -> None:
        assert routes, "messages must go somewhere"
        self.targets = [route.target for route in routes]
        self._own = {hsa_id for hsa_id, unit in directory.units.items() if unit.party == party}
        self._rest = next((route.target for route in routes if not route.units and not route.types), routes[0].target)
        self._to = {
            hsa_id: route.target
            for by_unit in (False, True)
            for route in routes
            for hsa_id, unit in directory.units.items()
            if (hsa_id in route.units if by_unit else unit.type in route.types)
        }

    def to(self, unit: str) -> MessageTarget:
        """Return the target for ``unit``."""
        return self._to.get(unit, self._rest)

    def about(self, message: Message) -> list[MessageTarget]:
        """Return the targets of the own units that a message is from or for, each once; else the one for the rest."""
        header = message.header
        concerned = [header.sender.unit, *(recipient.unit for recipient in header.recipients)]
        found = {id(self.to(unit)): self.to(unit) for unit in concerned if unit in self._own}
        return list(found.values()) or [self._rest]

    def units_of(self, target: MessageTarget) -> frozenset[str] | None:
        """Return the units that messages for go to ``target``; ``None`` for the one that takes all the others too."""
        if target is self._rest:
            return None
        return frozenset(unit for unit, to in self._to.items() if to is target)

    def units_of_others(self, target: MessageTarget) -> frozenset[str]:
        """Return the units that messages for go to another target than ``target``."""
        return frozenset(unit for unit, to in self._to.items() if to is not target)
