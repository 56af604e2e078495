"""Numbers that name a person, a unit and a case: recognised, checked and brought to one form.

Rules come from Skatteverket SKV 704 (personnummer) and SKV 707 (samordningsnummer), the RIVTA service contract
descriptions (12 characters in messages), Inera's specification of national and local reserve identities, the HL7 Sweden
base profiles (FHIR systems and patterns) and the HSA schema. An error never repeats the number it refuses.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import Final, Literal, Self

from gateway.clock import SystemClock, local_date
from gateway.errors import Fault, Finding, InvalidDocumentError

EMPTY: Final = Fault("person-id.empty", "Personidentiteten saknas.", "The person identifier is missing.")
CHARACTERS: Final = Fault(
    "person-id.characters",
    "Personidentiteten innehåller tecken som inte hör hemma där de står.",
    "The person identifier has characters that do not belong where they stand.",
)
LENGTH: Final = Fault(
    "person-id.length",
    "Personidentiteten har fel längd: 10 eller 12 tecken väntas, skiljetecken oräknat.",
    "The person identifier has the wrong length: 10 or 12 characters are expected, not counting a separator.",
)
DATE: Final = Fault(
    "person-id.date", "Personidentitetens datum finns inte.", "The date in the person identifier does not exist."
)
FUTURE: Final = Fault("person-id.future", "Födelsedatumet har inte inträffat än.", "The birth date has not come yet.")
BIRTH_NUMBER: Final = Fault(
    "person-id.birth-number", "Födelsenumret 000 delas aldrig ut.", "The birth number 000 is never given out."
)
CHECK_DIGIT: Final = Fault(
    "person-id.check-digit",
    "Personidentitetens kontrollsiffra stämmer inte: kontrollera att numret är rätt skrivet.",
    "The check digit of the person identifier is wrong: see that the number is written correctly.",
)
SYSTEM_UNKNOWN: Final = Fault(
    "person-id.system-unknown", "Personidentitetens OID är okänd.", "The OID of the person identifier is unknown."
)
SYSTEM_MISMATCH: Final = Fault(
    "person-id.system-mismatch",
    "Personidentiteten är inte av det slag som dess OID anger.",
    "The person identifier is not of the kind its OID states.",
)
CHECK_DIGIT_VARIANT: Final = Fault(
    "person-id.check-digit-variant",
    "Det lokala reservnumrets kontrollsiffra är räknad på det äldre sättet, med århundradet.",
    "The check digit of the local reserve number is calculated the older way, with the century.",
)
SUPERSEDED: Final = Fault(
    "person-id.superseded-format",
    "Reservnumret har en äldre form utan kontrollsiffra, som inte längre ska användas.",
    "The reserve number has an older form without a check digit, which should no longer be used.",
)

HSA_ID_FORM: Final = Fault(
    "hsa-id.form",
    "HSA-id är SE, organisationsnumrets tio siffror, ett bindestreck och högst 18 bokstäver A–Z eller siffror.",
    "An HSA-id is SE, the ten digits of the organisation number, a hyphen and at most 18 letters A–Z or digits.",
)
HSA_ID_CHECK_DIGIT: Final = Fault(
    "hsa-id.check-digit", "Organisationsnumret i HSA-id är fel.", "The organisation number in the HSA-id is wrong."
)


class InvalidPersonIdError(InvalidDocumentError):
    """A text is not a person identifier. Carries one finding, ``person-id.*``."""


class InvalidHsaIdError(InvalidDocumentError):
    """A text is not an HSA-id. Carries one finding, ``hsa-id.*``."""


_FHIR = "http://electronichealth.se/identifier/"
_VGR_OID = "1.2.752.113.11.0.2.1.1.1"


class PersonIdKind(StrEnum):
    """The kinds of number a person can be known by.

    ``oid`` is the kind's OID (RIVTA TKB, Inera) and ``fhir_system`` its ``Identifier.system`` in the HL7 Sweden base
    profiles, None where none is published.
    """

    oid: str
    fhir_system: str | None

    PERSONNUMMER = "personnummer", "1.2.752.129.2.1.3.1", f"{_FHIR}personnummer"
    SAMORDNINGSNUMMER = "samordningsnummer", "1.2.752.129.2.1.3.3", f"{_FHIR}samordningsnummer"
    NATIONELLT_RESERVNUMMER = "nationellt-reservnummer", "1.2.752.74.9.1", f"{_FHIR}nationelltReservnummer"
    VGR_LOKALT_RESERVNUMMER = "vgr-lokalt-reservnummer", _VGR_OID, f"urn:oid:{_VGR_OID}"
    # The older reserve identity (GRID) of Västra Götalandsregionen: no check digit, no longer to be used.
    VGR_RESERVNUMMER = "vgr-reservnummer", _VGR_OID, None
    # An asylum seeker's card: an opaque text of which no OID is published, so that the FHIR system stands in.
    LMA_NUMMER = "lma-nummer", f"{_FHIR}LMA-nummer", f"{_FHIR}LMA-nummer"

    def __new__(cls, value: str, oid: str, fhir_system: str | None) -> Self:
        """Make the kind ``value``."""
        kind = str.__new__(cls, value)
        kind._value_, kind.oid, kind.fhir_system = value, oid, fhir_system
        return kind


_OID_OF_SYSTEM = {kind.fhir_system: kind.oid for kind in PersonIdKind}

# The letters of a national reserve number: A-Z without those mistaken for digits or each other (I, O, Q, V, W).
_RESERVE_LETTER = "[A-HJ-NPR-UX-Z]"
_SHAPES = {
    PersonIdKind.PERSONNUMMER: re.compile(r"[0-9]{6}[0-5][0-9]{5}"),
    PersonIdKind.SAMORDNINGSNUMMER: re.compile(r"[0-9]{6}[6-9][0-9]{5}"),
    PersonIdKind.NATIONELLT_RESERVNUMMER: re.compile(rf"[0-9]{{8}}{_RESERVE_LETTER}{{2,3}}[0-9]{{1,2}}"),
    # Every local reserve number also fits the older form, which has no check digit: so it is looked for first.
    PersonIdKind.VGR_LOKALT_RESERVNUMMER: re.compile(r"[0-9]{8}[KMX](?:0[6-9]|[1-8][0-9])[0-9]"),
    PersonIdKind.VGR_RESERVNUMMER: re.compile(r"[0-9]{8}[ABCDEFHJKkLMmNPRSTUVWXxY][0-9]{3}"),
}
# Where the birth date is not known, serial numbers stand in its place.
_UNDATED = re.compile(r"00[0-9]{2}[2-9][0-9][45][0-9]")
_WRITTEN = re.compile(
    r"(?P<long>[0-9]{8})[-+]?(?P<tail>[0-9A-Za-z]{4})|(?P<short>[0-9]{6})(?P<separator>[-+]?)(?P<digits>[0-9]{4})"
)
_SINGLE_SPACE = re.compile(r"(?<![ \xa0])[ \xa0](?![ \xa0])")
_VGR_LETTER_VALUE = {"K": 5, "M": 7, "X": 8}

Sex = Literal["female", "male"]


@dataclass(frozen=True, slots=True)
class PersonId:
    """A number that names a person, in its normal form. Build it with :meth:`parse` or :meth:`from_oid`.

    ``value`` is 12 characters without separators (an LMA number: the text as it stands); ``oid`` is the series it
    belongs to. Two are equal only when both agree, since a local number is unique only within its OID. The number is
    left out of ``repr`` and ``str`` so that it does not end up in a log.
    """

    value: str = field(repr=False)
    kind: PersonIdKind
    oid: str

    @classmethod
    def parse(cls, text: str, *, today: date | None = None) -> PersonId:
        """Read a number as people and systems write it.

        Accepts 12 characters, ``YYMMDDNNNC``, either with ``-`` or ``+`` before the last four, and single spaces
        anywhere. A two-digit year is the latest that does not put the birth after ``today`` (in Sweden, unless given);
        with ``+`` the latest at least 100 years back (SKV 704). Raises :class:`InvalidPersonIdError`.
        """
        value, kind = _person_number(text, today or local_date(SystemClock().now()))
        return cls(value, kind, kind.oid)

    @classmethod
    def from_oid(cls, oid: str, value: str, *, today: date | None = None) -> PersonId:
        """Read ``value``, which came with ``oid``: an OID, ``urn:oid:`` and an OID, or a FHIR system.

        The only way in for an LMA number, which nothing in the number tells apart. Raises :class:`InvalidPersonIdError`
        with ``person-id.system-unknown``, ``person-id.system-mismatch`` or what :meth:`parse` finds.
        """
        oid = _OID_OF_SYSTEM.get(oid, oid.removeprefix("urn:oid:"))
        if oid not in _OID_OF_SYSTEM.values():
            raise InvalidPersonIdError(SYSTEM_UNKNOWN.at())
        if oid == PersonIdKind.LMA_NUMMER.oid:
            value = value.strip()
            if not value:
                raise InvalidPersonIdError(EMPTY.at())
            if len(value) > 64 or not value.isprintable():
                raise InvalidPersonIdError(CHARACTERS.at())
            return cls(value, PersonIdKind.LMA_NUMMER, oid)
        person_id = cls.parse(value, today=today)
        if person_id.oid != oid:
            raise InvalidPersonIdError(SYSTEM_MISMATCH.at())
        return person_id

    @property
    def fhir_system(self) -> str | None:
        """``Identifier.system`` in FHIR (HL7 Sweden base profiles), or None where none is published."""
        return self.kind.fhir_system

    @property
    def birth_date(self) -> date | None:
        """The birth date the number states, or None when it states none."""
        return None if self.kind is PersonIdKind.LMA_NUMMER else _birth_date(self.kind, self.value)

    @property
    def sex_hint(self) -> Sex | None:
        """The sex the number hints at: a hint, never the sole truth about a person."""
        match self.kind:
            case PersonIdKind.VGR_RESERVNUMMER | PersonIdKind.LMA_NUMMER:
                return None
            case PersonIdKind.VGR_LOKALT_RESERVNUMMER:
                letter = self.value[8]
                return "female" if letter == "K" else "male" if letter == "M" else None
        # A national reserve number has a letter here when the sex is not known.
        digit = self.value[10]
        return None if not digit.isdigit() else "male" if int(digit) % 2 else "female"

    @property
    def is_test(self) -> bool:
        """Whether Skatteverket keeps the number for tests (birth number 980–999), so that it can name nobody."""
        dated = self.kind in (PersonIdKind.PERSONNUMMER, PersonIdKind.SAMORDNINGSNUMMER)
        return dated and self.value[8:11] >= "980"

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What is odd about a number that is accepted all the same."""
        if self.kind is PersonIdKind.VGR_RESERVNUMMER:
            return (SUPERSEDED.at(),)
        if self.kind is PersonIdKind.VGR_LOKALT_RESERVNUMMER and not _is_checked(self.value[2:]):
            return (CHECK_DIGIT_VARIANT.at(),)
        return ()

    def age_on(self, day: date) -> int | None:
        """Return the age in whole years on ``day``; None when the birth date is not known or lies after ``day``."""
        born = self.birth_date
        if born is None or born > day:
            return None
        return day.year - born.year - ((day.month, day.day) < (born.month, born.day))

    def display(self) -> str:
        """Return the number as staff read it: SAMSA sets the century apart and a hyphen before the last four."""
        match self.kind:
            case PersonIdKind.PERSONNUMMER | PersonIdKind.SAMORDNINGSNUMMER:
                return f"{self.value[:2]} {self.value[2:8]}-{self.value[8:]}"
            case PersonIdKind.NATIONELLT_RESERVNUMMER:
                return f"{self.value[:8]}-{self.value[8:]}"
        return self.value


@lru_cache(maxsize=4096)  # a case has many messages, and each names its person on its way in and out
def _person_number(text: str, today: date) -> tuple[str, PersonIdKind]:
    """Return the normal form of a number and what kind it is."""
    value = _twelve_characters(text, today)
    kind = next((kind for kind, shape in _SHAPES.items() if shape.fullmatch(value)), None)
    if kind is None:
        raise InvalidPersonIdError(CHARACTERS.at())
    _examine(kind, value, today)
    return value, kind


def _twelve_characters(text: str, today: date) -> str:
    """Take spaces and separators out, and put in the century where it is left out."""
    written = _SINGLE_SPACE.sub("", text.strip())
    if not written:
        raise InvalidPersonIdError(EMPTY.at())
    match = _WRITTEN.fullmatch(written)
    if match is None:
        bare = written.replace("-", "").replace("+", "")
        is_plain = bare.isascii() and bare.isalnum()
        raise InvalidPersonIdError((LENGTH if is_plain and len(bare) not in (10, 12) else CHARACTERS).at())
    if match["short"] is None:
        return match["long"] + match["tail"]
    latest = today.year - 100 if match["separator"] == "+" else today.year
    year_in_century, month, day = (int(match["short"][place : place + 2]) for place in (0, 2, 4))
    year = latest - (latest - year_in_century) % 100
    # Whoever turns 100 later this year should be written with a plus sign, and in practice seldom is.
    if year == today.year and (month, day % 60) > (today.month, today.day):
        year -= 100
    return f"{year:04}{match['short'][2:]}{match['digits']}"


def _examine(kind: PersonIdKind, value: str, today: date) -> None:
    """Refuse a number that has the shape of its kind and breaks its rules."""
    match kind:
        case PersonIdKind.VGR_RESERVNUMMER:
            return
        case PersonIdKind.VGR_LOKALT_RESERVNUMMER:
            # Inera first published examples calculated with the century, then corrected them: both are in use.
            is_checked = _is_checked(value[2:]) or _is_checked(value)
        case PersonIdKind.NATIONELLT_RESERVNUMMER:
            is_checked = _is_checked(value, letter_value=ord)
        case _:
            is_checked = _is_checked(value[2:])
    born = _birth_date(kind, value)
    if born is None and not (kind is PersonIdKind.NATIONELLT_RESERVNUMMER and _UNDATED.match(value)):
        raise InvalidPersonIdError(DATE.at())
    if value[8:11] == "000":
        raise InvalidPersonIdError(BIRTH_NUMBER.at())
    if not is_checked:
        raise InvalidPersonIdError(CHECK_DIGIT.at())
    if born is not None and born > today:
        raise InvalidPersonIdError(FUTURE.at())


def _birth_date(kind: PersonIdKind, value: str) -> date | None:
    century, day = int(value[:2]), int(value[6:8])
    if kind is PersonIdKind.NATIONELLT_RESERVNUMMER:
        # The century of birth plus a multiple of three, a new one for each series: 22, 25, … mean 19, and 23, 26, … 20.
        century = 18 + century % 3 if 22 <= century <= 98 else 0
    elif kind is PersonIdKind.SAMORDNINGSNUMMER:
        day -= 60
    if century < 18:
        return None
    try:
        return date(century * 100 + int(value[2:4]), int(value[4:6]), day)
    except ValueError:
        return None


def _is_checked(number: str, letter_value: Callable[[str], int] = _VGR_LETTER_VALUE.__getitem__) -> bool:
    """Whether the last digit is right: weights 2, 1, 2, … from the left, and the digits of all products summed.

    For digits alone this is Luhn's rule; a letter counts as one number, of one or more digits.
    """
    total = int(number[-1])
    for place, sign in enumerate(number[:-1]):
        product = (int(sign) if sign.isdigit() else letter_value(sign)) * (2 - place % 2)
        total += product // 100 + product // 10 % 10 + product % 10
    return total % 10 == 0


HSA_ID_OID: Final = "1.2.752.129.2.1.4.1"
"""The OID of an HSA-id in RIVTA."""
HSA_ID_OIDS: Final = frozenset({HSA_ID_OID, "1.2.752.29.4.19"})
"""Every OID that means HSA-id: RIVTA's, and the one in the HL7 Sweden base profiles."""
_HSA_ID = re.compile(r"SE([0-9]{10})-[A-Za-z0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class HsaId:
    """The id of a unit, organisation or user in the national HSA directory, kept as it is written.

    ``SE``, the organisation number with its Luhn digit, a hyphen and a local part; 31 characters at most (HSA schema).
    The letter a local part begins with does not tell what it names: look it up in the directory of units.
    """

    value: str

    @classmethod
    @lru_cache(maxsize=4096)  # the same units and staff stand in most messages
    def parse(cls, text: str) -> HsaId:
        """Read an HSA-id, with or without spaces around it. Raises :class:`InvalidHsaIdError`."""
        value = text.strip()
        match = _HSA_ID.fullmatch(value)
        if match is None:
            raise InvalidHsaIdError(HSA_ID_FORM.at())
        if not _is_checked(match[1]):
            raise InvalidHsaIdError(HSA_ID_CHECK_DIGIT.at())
        return cls(value)

    @property
    def organisation_number(self) -> str:
        """The ten digits of the organisation that gave the id out."""
        return self.value[2:12]

    @property
    def local_part(self) -> str:
        """What stands after the hyphen."""
        return self.value[13:]

    def __str__(self) -> str:
        return self.value


def is_hsa_id(text: str) -> bool:
    """Tell whether ``text`` is an HSA-id and nothing else, spaces neither."""
    try:
        return HsaId.parse(text).value == text
    except InvalidHsaIdError:
        return False
