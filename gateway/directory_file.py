"""The directory file: what stands in it about parties and units, and what makes it unusable."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    StrictBool,
    StringConstraints,
    ValidationError,
    model_validator,
)

from gateway.errors import ConfigurationError, Fault, InvalidDocumentError
from gateway.identifiers import HsaId
from gateway.working_time import ALWAYS, OpeningHours

UNREADABLE = Fault(
    "directory.unreadable", "Enhetskatalogen {file} kan inte läsas.", "The directory file {file} cannot be read."
)
INVALID = Fault(
    "directory.invalid", "Enhetskatalogen {file} är felaktig: {reason}", "The directory file {file} is wrong: {reason}"
)

OFFICE_HOURS: Final = "mon-fri 08:00-16:30"
"""When a unit is open that does not say so; a ward never closes."""


class Principal(StrEnum):
    """The responsible authority (huvudman) behind a party or a measure."""

    MUNICIPALITY = "municipality"
    REGION = "region"


class UnitType(StrEnum):
    """What kind of work a unit does."""

    WARD = "ward"
    OUTPATIENT_SPECIALIST = "outpatient-specialist"
    PRIMARY_CARE = "primary-care"
    REHAB = "rehab"
    SOCIAL_OFFICE = "social-office"
    SOCIAL_PROVIDER = "social-provider"
    MUNICIPAL_HEALTH = "municipal-health"
    SCHOOL = "school"
    PRIVATE_PROVIDER = "private-provider"
    DENTAL = "dental"
    EXTERNAL = "external"
    """Someone outside the exchange, reached by letter or telephone alone."""


def _hours(text: Any) -> OpeningHours:
    """Read opening hours; pydantic tells where a ``ValueError`` was raised, and knows no other."""
    if isinstance(text, OpeningHours):
        return text
    if not isinstance(text, str):
        raise ValueError("opening hours are a text")
    try:
        return OpeningHours.parse(text)
    except InvalidDocumentError as error:
        raise ValueError(error.findings[0].en) from None


_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Party(_Entry):
    """One gateway on the exchange. ``case_series`` are the first two digits of the case numbers it gives out.

    ``municipalities`` are the codes (SCB's, four digits) of the municipalities it covers. ``intake`` tells for a type
    of unit which unit takes what nobody else of that type there does, such as a person whom nobody knows. ``manager``
    is the unit whose manager is told last, when a duty is not done.
    """

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9\-]{0,30}$")]
    title: str
    principal: Principal
    case_series: Annotated[int, Field(ge=10, le=99)]
    municipalities: tuple[Annotated[str, StringConstraints(pattern=r"^[0-9]{4}$")], ...] = ()
    intake: Mapping[UnitType, str] = {}
    manager: str | None = None


class Unit(_Entry):
    """One unit of a party, known by its HSA-id; all HSA-ids in it are of units of the same party.

    ``parent`` is the unit it is a part of, and ``area`` where it works. Only a unit that ``has_inbox`` can be sent to.
    ``valid_from`` and ``valid_to`` are its first and last day, both included; ``fallback`` takes over when it is no
    longer, or not yet, valid. ``serves`` names the areas, or the codes of the municipalities, whose residents a unit of
    primary care is the vårdcentral of.
    """

    hsa_id: str
    title: str
    party: str
    type: UnitType
    parent: str | None = None
    area: _Text | None = None
    opening_hours: Annotated[OpeningHours, PlainValidator(_hours)] = OpeningHours.parse(OFFICE_HOURS)
    has_inbox: StrictBool = True
    valid_from: date | None = None
    valid_to: date | None = None
    fallback: str | None = None
    serves: tuple[_Text, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _ward_never_closes(cls, entry: Any) -> Any:
        is_ward = isinstance(entry, dict) and entry.get("type") == UnitType.WARD
        return {"opening_hours": ALWAYS, **entry} if is_ward else entry

    def is_valid(self, on: date) -> bool:
        """Tell whether the unit is there on the Swedish calendar day ``on``."""
        return (self.valid_from is None or self.valid_from <= on) and (self.valid_to is None or on <= self.valid_to)

    def is_reachable(self, on: date | None) -> bool:
        """Tell whether the unit is there on ``on`` and has an inbox; without a day, whether that is so on every day."""
        if on is None:
            return self.has_inbox and self.valid_from is None and self.valid_to is None
        return self.has_inbox and self.is_valid(on)


class _File(_Entry):
    party: tuple[Party, ...]
    unit: tuple[Unit, ...]


def read_directory(path: Path) -> tuple[dict[str, Party], dict[str, Unit]]:
    """Read a directory file (TOML with ``[[party]]`` and ``[[unit]]`` tables): parties by name and units by HSA-id.

    Raises:
        ConfigurationError: the file cannot be read, or an entry is wrong, repeated or points nowhere.
    """
    try:
        entries = _File.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError:
        raise ConfigurationError(UNREADABLE.at(file=path)) from None
    except (ValidationError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(INVALID.at(file=path, reason=error)) from None
    parties, units = {party.name: party for party in entries.party}, {unit.hsa_id: unit for unit in entries.unit}
    is_repeated = len(parties) < len(entries.party) or len(units) < len(entries.unit)
    # Each check may rely on those before it, so only the first reason is told.
    reason = "a party name or an HSA-id stands twice" if is_repeated else next(_reasons(parties, units), None)
    if reason is not None:
        raise ConfigurationError(INVALID.at(file=path, reason=reason))
    return parties, units


def _reasons(parties: Mapping[str, Party], units: Mapping[str, Unit]) -> Iterator[str]:
    if len({party.case_series for party in parties.values()}) < len(parties):
        yield "two parties have the same case_series, so their case numbers would collide"
    for unit in units.values():
        if unit.party not in parties:
            yield f"unit {unit.hsa_id} names a party that is not in the file"
        try:
            HsaId.parse(unit.hsa_id)
        except InvalidDocumentError as error:
            yield f"unit {unit.hsa_id}: {error.findings[0].en}"
        yield from _reasons_of_unit(unit, units)
    for party in parties.values():
        yield from _reasons_of_party(party, units)
    for key in ("parent", "fallback"):
        yield from _circles(key, units)


def _reasons_of_unit(unit: Unit, units: Mapping[str, Unit]) -> Iterator[str]:
    here = f"unit {unit.hsa_id}"
    if unit.valid_from is not None and unit.valid_to is not None and unit.valid_from > unit.valid_to:
        yield f"{here} has a valid_from after its valid_to"
    if unit.type is UnitType.EXTERNAL and unit.has_inbox:
        yield f"{here} is external, so it must have has_inbox = false"
    if unit.serves and unit.type is not UnitType.PRIMARY_CARE:
        yield f"{here} has serves, which only primary-care may have"
    for key, named in (("parent", unit.parent), ("fallback", unit.fallback)):
        if named is not None:
            yield from _strangers(f"the {key} of {here}", named, unit.party, units)


def _reasons_of_party(party: Party, units: Mapping[str, Unit]) -> Iterator[str]:
    named = {f"the intake for {kind} of party {party.name}": hsa_id for kind, hsa_id in party.intake.items()}
    if party.manager is not None:
        named[f"the manager of party {party.name}"] = party.manager
    for what, hsa_id in named.items():
        yield from _strangers(what, hsa_id, party.name, units)
        if not units[hsa_id].has_inbox:
            yield f"{what} is a unit without an inbox"


def _strangers(what: str, hsa_id: str, party: str, units: Mapping[str, Unit]) -> Iterator[str]:
    if hsa_id not in units:
        yield f"{what} is a unit that is not in the file: {hsa_id}"
    elif units[hsa_id].party != party:
        yield f"{what} is a unit of another party: {hsa_id}"


def _circles(key: str, units: Mapping[str, Unit]) -> Iterator[str]:
    for hsa_id in units:
        seen: set[str] = set()
        at: str | None = hsa_id
        while at is not None and at not in seen:
            seen.add(at)
            at = getattr(units[at], key)
        if at is not None:
            yield f"the {key} of unit {at} leads back to itself"
