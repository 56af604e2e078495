"""Whom an event's message goes to: units of other parties, named outright or called to a meeting."""

from __future__ import annotations

from typing import Any

from gateway.adapters.kinds import Kind
from gateway.adapters.reading import Reader
from gateway.adapters.shape import Field
from gateway.directory import Directory, Principal
from gateway.errors import Fault

AT_HOME = Fault(
    "event.recipient-at-home",
    "Mottagaren hör till den egna parten; meddelanden går till andra parter.",
    "The recipient belongs to the own party; messages go to other parties.",
)


def named(name: str, kind: Kind[str], *, own: Field[str]) -> Field[tuple[str, ...]]:
    """Return the field that reads the units in the list ``name``, each of another party than the unit ``own``."""

    def read(reader: Reader) -> tuple[str, ...]:
        home = _party_of(reader.directory, own(reader))
        units = []
        array, indices = reader.array(name, least=1)
        for index in indices:
            hsa_id = kind(array, index)
            if home is not None and _party_of(reader.directory, hsa_id) == home:
                array.note(AT_HOME.at(array.place(index)))
            units.append(hsa_id)
        return tuple(dict.fromkeys(units))

    return read


def called(called_units: Field[tuple[str | None, ...]], *, own: Field[str]) -> Field[tuple[str, ...]]:
    """Return the field that keeps those units called to a meeting that belong to another party than ``own``."""

    def read(reader: Reader) -> tuple[str, ...]:
        home = _party_of(reader.directory, own(reader))
        units = dict.fromkeys(hsa_id for hsa_id in called_units(reader) if hsa_id)
        return tuple(hsa_id for hsa_id in units if _party_of(reader.directory, hsa_id) not in (None, home))

    return read


def principal_behind(called_unit: Field[str | None]) -> Field[Principal | None]:
    """Return the field that tells the principal behind a unit, as the directory has it."""

    def read(reader: Reader) -> Principal | None:
        party = _party_of(reader.directory, called_unit(reader))
        return reader.directory.parties[party].principal if party is not None else None

    return read


def _party_of(directory: Directory, hsa_id: Any) -> str | None:
    known = directory.units.get(hsa_id)
    return known.party if known is not None else None
