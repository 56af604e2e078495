"""Whom an event's message goes to: units of other parties, named outright or called to a meeting."""

from __future__ import annotations

from typing import Any

from gateway.adapters.kinds import Kind
from gateway.adapters.outline import all_of, outline_of, outlined
from gateway.adapters.reading import Reader
from gateway.adapters.shape import Field
from gateway.directory import Directory, Party, Principal
from gateway.errors import Fault

AT_HOME = Fault(
    "event.recipient-at-home",
    "Mottagaren hör till den egna parten; meddelanden går till andra parter.",
    "The recipient belongs to the own party; messages go to other parties.",
)
NOT_A_REGION = Fault(
    "event.recipient-no-region",
    "Bara en region kan nämnas utan enhet, och får det då till vårdcentralen; ange enheten.",
    "Only a region may be named without a unit, and gets it at the vårdcentral; name the unit.",
)
NO_PRIMARY_CARE = Fault(
    "event.recipient-no-primary-care",
    "Regionen har ingen vårdcentral som tar emot det som saknar enhet; ange enheten.",
    "The region has no vårdcentral that takes what names no unit; name the unit.",
)


def named(name: str, kind: Kind[str], *, own: Field[str], residence: Field[str | None]) -> Field[tuple[str, ...]]:
    """Return the field that reads the units in the list ``name``, each of another party than the unit ``own``.

    Where ``kind`` reads the name of a region, for whoever does not know the unit, the recipient is its vårdcentral for
    those who live in ``residence``, an area or a municipality. That is asked for nothing else, and goes no further.
    """

    def read(reader: Reader) -> tuple[str, ...]:
        directory = reader.directory
        home, lives_in = _party_of(directory, own(reader)), residence(reader)
        units = []
        array, indices = reader.array(name, least=1)
        for index in indices:
            found = kind(array, index)
            party = found if found in directory.parties else _party_of(directory, found)
            if home is not None and party == home:
                array.note(AT_HOME.at(array.place(index)))
            elif found in directory.parties:
                found = _vardcentral(array, index, directory.parties[found], lives_in)
            units.append(found)
        return tuple(dict.fromkeys(units))

    return outlined(read, lambda: outline_of(kind).inside(name) | all_of(own, residence))


def single(name: str, kind: Kind[str], *, own: Field[str]) -> Field[tuple[str, ...]]:
    """Return the field that reads one unit in the member ``name``, of another party than the unit ``own``."""

    def read(reader: Reader) -> tuple[str, ...]:
        found = kind(reader, name)
        home = _party_of(reader.directory, own(reader))
        if home is not None and _party_of(reader.directory, found) == home:
            reader.note(AT_HOME.at(reader.place(name)))
        return (found,)

    return outlined(read, lambda: outline_of(kind).inside(name) | outline_of(own))


def _vardcentral(reader: Reader, name: str, party: Party, residence: str | None) -> str:
    """Return the vårdcentral that a person is sent to whom ``party``, which member ``name`` names, does not know.

    It is the one that serves ``residence``, else the one that takes everybody.
    """
    if party.principal is not Principal.REGION:
        reader.note(NOT_A_REGION.at(reader.place(name)))
        return ""
    centre = reader.directory.primary_care_of(party.name, residence, on=reader.today)
    if centre is None:
        reader.note(NO_PRIMARY_CARE.at(reader.place(name)))
        return ""
    return centre.hsa_id


def called(called_units: Field[tuple[str | None, ...]], *, own: Field[str]) -> Field[tuple[str, ...]]:
    """Return the field that keeps those units called to a meeting that belong to another party than ``own``."""

    def read(reader: Reader) -> tuple[str, ...]:
        home = _party_of(reader.directory, own(reader))
        units = dict.fromkeys(hsa_id for hsa_id in called_units(reader) if hsa_id)
        return tuple(hsa_id for hsa_id in units if _party_of(reader.directory, hsa_id) not in (None, home))

    return outlined(read, lambda: all_of(called_units, own))


def principal_behind(called_unit: Field[str | None]) -> Field[Principal | None]:
    """Return the field that tells the principal behind a unit, as the directory has it."""

    def read(reader: Reader) -> Principal | None:
        party = _party_of(reader.directory, called_unit(reader))
        return reader.directory.parties[party].principal if party is not None else None

    return outlined(read, lambda: outline_of(called_unit))


def party_behind(own: Field[str]) -> Field[str]:
    """Return the field that names the party of the unit ``own``, as the directory has it; nothing after a fault."""
    return outlined(lambda reader: _party_of(reader.directory, own(reader)) or "", lambda: outline_of(own))


def _party_of(directory: Directory, hsa_id: Any) -> str | None:
    known = directory.units.get(hsa_id)
    return known.party if known is not None else None
