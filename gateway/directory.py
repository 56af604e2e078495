"""The directory: which parties are on the exchange, which units (HSA-ids) each has, and who stands in for whom."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from gateway.directory_file import Party, Principal, Unit, UnitType, read_directory
from gateway.errors import Fault, InvalidDocumentError

__all__ = ["Directory", "Party", "Principal", "Unit", "UnitType"]

UNKNOWN_UNIT = Fault("unit.unknown", "Enheten finns inte i enhetskatalogen.", "The unit is not in the directory.")
UNKNOWN_UNIT_NEAR = Fault(
    "unit.unknown-near",
    "Enheten finns inte i enhetskatalogen. Närmast liknande: {nearest}.",
    "The unit is not in the directory. The nearest is {nearest}.",
)
NOT_VALID = Fault(
    "unit.not-valid",
    "Enheten {unit} är inte giltig den dag det gäller. Använd i stället: {nearest}.",
    "The unit {unit} is not valid on the day in question. Use instead: {nearest}.",
)
NO_INBOX = Fault(
    "unit.no-inbox",
    "Enheten har ingen inkorg; den nås per brev eller telefon.",
    "The unit has no inbox; it is reached by letter or telephone.",
)

NOBODY = "–"
"""Stands in a sentence where there is no unit to suggest."""


@dataclass(frozen=True, slots=True)
class Directory:
    """Parties by name and units by HSA-id.

    ``always_reachable`` are the units that have an inbox and no first or last day: whoever needs no more than that
    about most units looks there, and asks :meth:`unit` about the others.
    """

    parties: dict[str, Party]
    units: dict[str, Unit]
    always_reachable: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        """Find the units that can be sent to on any day."""
        always = frozenset(hsa_id for hsa_id, unit in self.units.items() if unit.is_reachable(None))
        object.__setattr__(self, "always_reachable", always)

    @classmethod
    def load(cls, path: Path) -> Directory:
        """Read a directory file; see :func:`~gateway.directory_file.read_directory`.

        Raises:
            ConfigurationError: the file cannot be read, or an entry is wrong, repeated or points nowhere.
        """
        return cls(*read_directory(path))

    def unit(self, hsa_id: str, path: str | None = None, *, on: date | None = None, of: str | None = None) -> Unit:
        """Return the unit with ``hsa_id``; ``path`` is where the id stands in the document that names it.

        With ``on``, a Swedish calendar day, the unit must be valid on that day and have an inbox. Without it, any unit
        in the directory will do: a message that was sent long ago names units as they were then. With ``of``, only
        units of that party are suggested.

        Raises:
            InvalidDocumentError: no such unit, or none that can be sent to on that day. The finding suggests another
                that can: the most similar id of an unknown one, and who takes over from one that is not valid.
        """
        unit = self.units.get(hsa_id)
        if unit is None:
            raise self._unknown(hsa_id, path, (one for one in self.units.values() if one.is_reachable(on)), of)
        if on is not None:
            self._check_valid(unit, path, on)
            if not unit.has_inbox:
                raise InvalidDocumentError(NO_INBOX.at(path))
        return unit

    def addressee(self, hsa_id: str, path: str | None = None, *, on: date) -> Unit:
        """Return the unit with ``hsa_id``, which must be valid on the day ``on``; one without an inbox gets letters.

        Raises:
            InvalidDocumentError: no such unit, or it is not valid on that day. The finding suggests another, as that
                of :meth:`unit` does.
        """
        unit = self.units.get(hsa_id)
        if unit is None:
            raise self._unknown(hsa_id, path, (one for one in self.units.values() if one.is_valid(on)))
        self._check_valid(unit, path, on)
        return unit

    def gets_letters(self, hsa_id: str) -> bool:
        """Tell whether the unit is known to have no inbox, so that messages reach it as letters alone."""
        unit = self.units.get(hsa_id)
        return unit is not None and not unit.has_inbox

    def _check_valid(self, unit: Unit, path: str | None, on: date) -> None:
        if not unit.is_valid(on):
            instead = self._first_able((unit.fallback, self.parties[unit.party].intake.get(unit.type)), on)
            nearest = instead.hsa_id if instead else NOBODY
            raise InvalidDocumentError(NOT_VALID.at(path, unit=unit.hsa_id, nearest=nearest))

    @staticmethod
    def _unknown(hsa_id: str, path: str | None, able: Iterable[Unit], of: str | None = None) -> InvalidDocumentError:
        """Return what is said about an id that no unit has, with the most similar id of one that is ``able``."""
        known = [unit.hsa_id for unit in able if of in (None, unit.party)]
        near = difflib.get_close_matches(hsa_id, known, n=1, cutoff=0.8)
        return InvalidDocumentError(UNKNOWN_UNIT_NEAR.at(path, nearest=near[0]) if near else UNKNOWN_UNIT.at(path))

    def intake_of(self, hsa_id: str) -> str | None:
        """Return the unit that takes in what no other unit of the same party and type does, or of any type.

        Raises:
            InvalidDocumentError: no such unit as ``hsa_id``.
        """
        unit = self.unit(hsa_id)
        intake = self.parties[unit.party].intake
        return intake.get(unit.type) or next(iter(intake.values()), None)

    def escalation(self, hsa_id: str, *, on: date | None = None) -> tuple[str, ...]:
        """Return whom a duty of the unit ``hsa_id`` goes to, in order, for as long as nobody acts; each once.

        That are the unit itself, the intake unit of its party for its type (or the first there is for any), and the
        unit whose manager is told last. With ``on``, one that cannot be sent to on that day is replaced by the one that
        takes over from it, or left out.

        Raises:
            InvalidDocumentError: no such unit.
        """
        party = self.parties[self.unit(hsa_id).party]
        steps = [step for step in (hsa_id, self.intake_of(hsa_id), party.manager) if step is not None]
        if on is not None:
            steps = [able.hsa_id for step in steps if (able := self._first_able([step], on)) is not None]
        return tuple(dict.fromkeys(steps))

    def primary_care_of(self, party: str, residence: str | None, *, on: date | None = None) -> Unit | None:
        """Return the vårdcentral of ``party`` for a person who is not known there, or ``None`` if it has none.

        It is the first in the file that serves ``residence``, an area or the code of a municipality, upper and lower
        case alike; else, and when the residence is not known, the intake unit of ``party`` for primary care. Either can
        be sent to on the Swedish calendar day ``on``, or, without one, on every day; one that cannot is replaced by the
        one that takes over from it.
        """
        serving = [
            hsa_id
            for hsa_id, unit in self.units.items()
            if unit.party == party
            and residence is not None
            and any(served.casefold() == residence.casefold() for served in unit.serves)
        ]
        known = self.parties.get(party)
        intake = known.intake.get(UnitType.PRIMARY_CARE) if known is not None else None
        return self._first_able((*serving, intake), on)

    def _first_able(self, units: Iterable[str | None], on: date | None) -> Unit | None:
        """Return the first of ``units`` that can be sent to on a day, or that leads to such a one by its fallbacks."""
        for hsa_id in units:
            at = hsa_id
            while at is not None:
                unit = self.units[at]
                if unit.is_reachable(on):
                    return unit
                at = unit.fallback
        return None
