"""The directory: which parties are on the exchange, and which units (HSA-ids) each of them has an inbox for."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from gateway.errors import ConfigurationError, Fault, InvalidDocumentError
from gateway.identifiers import HsaId

UNKNOWN_UNIT = Fault("unit.unknown", "Enheten finns inte i enhetskatalogen.", "The unit is not in the directory.")
UNKNOWN_UNIT_NEAR = Fault(
    "unit.unknown-near",
    "Enheten finns inte i enhetskatalogen. Närmast liknande: {nearest}.",
    "The unit is not in the directory. The nearest is {nearest}.",
)
UNREADABLE = Fault(
    "directory.unreadable", "Enhetskatalogen {file} kan inte läsas.", "The directory file {file} cannot be read."
)
INVALID = Fault(
    "directory.invalid", "Enhetskatalogen {file} är felaktig: {reason}", "The directory file {file} is wrong: {reason}"
)


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


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Party(_Entry):
    """One gateway on the exchange. ``case_series`` are the first two digits of the case numbers it gives out."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9\-]{0,30}$")]
    title: str
    principal: Principal
    case_series: Annotated[int, Field(ge=10, le=99)]


class Unit(_Entry):
    """One inbox inside a party, known by its HSA-id."""

    hsa_id: str
    title: str
    party: str
    type: UnitType


class _File(_Entry):
    party: tuple[Party, ...]
    unit: tuple[Unit, ...]


@dataclass(frozen=True, slots=True)
class Directory:
    """Parties by name and units by HSA-id."""

    parties: dict[str, Party]
    units: dict[str, Unit]

    @classmethod
    def load(cls, path: Path) -> Directory:
        """Read a directory file (TOML with ``[[party]]`` and ``[[unit]]`` tables).

        Raises:
            ConfigurationError: the file cannot be read, or an entry is wrong, repeated or points nowhere.
        """
        try:
            entries = _File.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        except OSError:
            raise ConfigurationError(UNREADABLE.at(file=path)) from None
        except (ValidationError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigurationError(INVALID.at(file=path, reason=error)) from None
        directory = cls({party.name: party for party in entries.party}, {unit.hsa_id: unit for unit in entries.unit})
        if reason := directory._fault(entries):
            raise ConfigurationError(INVALID.at(file=path, reason=reason))
        return directory

    def _fault(self, entries: _File) -> str | None:
        if len(self.parties) < len(entries.party) or len(self.units) < len(entries.unit):
            return "a party name or an HSA-id stands twice"
        if len({party.case_series for party in entries.party}) < len(entries.party):
            return "two parties have the same case_series, so their case numbers would collide"
        for unit in entries.unit:
            if unit.party not in self.parties:
                return f"unit {unit.hsa_id} names a party that is not in the file"
            try:
                HsaId.parse(unit.hsa_id)
            except InvalidDocumentError as error:
                return f"unit {unit.hsa_id}: {error.findings[0].en}"
        return None

    def unit(self, hsa_id: str, path: str | None = None) -> Unit:
        """Return the unit with ``hsa_id``; ``path`` is where the id stands in the document that names it.

        Raises:
            InvalidDocumentError: no such unit; the finding suggests the nearest one there is.
        """
        unit = self.units.get(hsa_id)
        if unit is not None:
            return unit
        near = difflib.get_close_matches(hsa_id, self.units, n=1, cutoff=0.8)
        raise InvalidDocumentError(UNKNOWN_UNIT_NEAR.at(path, nearest=near[0]) if near else UNKNOWN_UNIT.at(path))
