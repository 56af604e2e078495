"""The indicators as they may be shown: with their names in Swedish and English, and without small numbers.

A number from 1 up to the smallest that may be shown could tell about a single person, and is hidden; zero tells about
nobody and is shown. What a hidden number could be computed from is hidden with it: a share when the cases in it, or
those left out of it, are so few, and a median over so few.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

from gateway.indicators import Indicators
from gateway.messages import ClosureReason, LifeArea
from gateway.payment import Exclusion, Payment, PaymentMonth, Terms

NOTE_SV = (
    "Antal från 1 till {most} visas som <{smallest}, och mått som bygger på så få eller kunde avslöja dem som .. "
    "i stället för ett tal. Personer med skyddade personuppgifter ingår inte i något mått."
)
NOTE_EN = (
    "Counts from 1 to {most} are shown as <{smallest}, and measures that rest on so few or could reveal them as .. "
    "instead of a number. Persons with a protected identity are left out of every measure."
)


EXCLUSIONS = {
    Exclusion.NO_ADMISSION_NOTICE: ("Undantagna: inskrivning ej meddelad", "Excluded: no admission notice"),
    Exclusion.OPEN_CARE_NOT_AVAILABLE: ("Undantagna: öppenvården ej klar", "Excluded: open care not in place"),
    Exclusion.NO_SIP_CALL: ("Undantagna: ej kallat till SIP", "Excluded: no call to a SIP"),
    Exclusion.RECALLED: ("Undantagna: återkallade", "Excluded: recalled"),
    Exclusion.DIED: ("Undantagna: avlidna", "Excluded: died"),
}
"""What the reports call the reasons for which a notice gives no responsibility."""


class Unit(StrEnum):
    """What a figure is counted in."""

    COUNT = "count"
    DAYS = "days"
    PERCENT = "percent"
    KRONOR = "SEK"


@dataclass(frozen=True, slots=True)
class Shown:
    """A number as it may be shown: ``None`` when there is none, or when it is ``suppressed``."""

    value: float | None
    suppressed: bool = False


HIDDEN = Shown(None, suppressed=True)


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of a report: which indicator, about what, in which month (``YYYY-MM``), and its number."""

    name: str
    sv: str
    en: str
    unit: Unit
    shown: Shown
    detail: str = ""
    month: str = ""


@dataclass(frozen=True, slots=True)
class Disclosure:
    """What may be shown: no number between 0 and ``smallest``."""

    smallest: int = 5

    def hides(self, number: float) -> bool:
        """Tell whether a number is too small to be shown."""
        return 0 < number < self.smallest

    def count(self, number: int) -> Shown:
        """Return a number of cases, persons, messages or days."""
        return HIDDEN if self.hides(number) else Shown(number)

    def text(self, figure: Figure) -> str:
        """Return the number of ``figure`` as text, empty when there is none."""
        shown = figure.shown
        if shown.suppressed:
            return f"<{self.smallest}" if figure.unit is Unit.COUNT else ".."
        return "" if shown.value is None else f"{shown.value:.2f}".rstrip("0").rstrip(".")

    def over(self, value: float | None, *bases: int) -> Shown:
        """Return a value that is computed from ``bases``, each of which must be one that may be shown."""
        if any(self.hides(base) for base in bases):
            return HIDDEN
        return Shown(None if value is None else round(value, 2))

    def share(self, part: int, whole: int) -> Shown:
        """Return ``part`` of ``whole`` in percent, to one decimal."""
        percent = round(100 * part / whole, 1) if whole else None
        return self.over(percent, whole, part, whole - part)

    def note(self) -> dict[str, str]:
        """Return what a reader must know, in Swedish (``sv``) and English (``en``)."""
        words = {"most": self.smallest - 1, "smallest": self.smallest}
        return {"sv": NOTE_SV.format(**words), "en": NOTE_EN.format(**words)}


def figures(found: Indicators, *, target_days: int, disclosure: Disclosure) -> Iterator[Figure]:
    """Yield the indicators of SIP work; ``target_days`` is the longest wait for a meeting that is good enough."""
    count, share = disclosure.count, disclosure.share
    waits = found.lead_times
    in_time = sum(days <= target_days for days in waits)

    def line(name: str, sv: str, en: str, unit: Unit, shown: Shown, detail: str = "") -> Figure:
        return Figure(name, sv, en, unit, shown, detail)

    yield line("meetings.held", "Hållna SIP-möten", "Held SIP meetings", Unit.COUNT, count(found.meetings))
    yield line("follow-ups.held", "Hållna uppföljningar", "Held follow-ups", Unit.COUNT, count(found.follow_ups))
    yield line("sip.offered", "Startade ärenden", "Cases started", Unit.COUNT, count(found.offered))
    yield line("sip.accepted", "Samtycke lämnat", "Consent given", Unit.COUNT, count(found.accepted))
    yield line("sip.declined", "Samtycke nekat", "Consent declined", Unit.COUNT, count(found.declined))
    middle = median(waits) if waits else None
    yield line(
        "lead-time.median",
        "Behov till första möte, median",
        "Need to first meeting, median",
        Unit.DAYS,
        disclosure.over(middle, len(waits)),
    )
    yield line(
        "lead-time.within-target",
        f"Första möte inom {target_days} dagar",
        f"First meeting within {target_days} days",
        Unit.PERCENT,
        share(in_time, len(waits)),
    )
    yield line("calls.units", "Kallade enheter", "Units summoned", Unit.COUNT, count(found.summoned))
    yield line(
        "calls.replied",
        "Kallade som svarat slutligt",
        "Summoned with a final reply",
        Unit.PERCENT,
        share(found.replied, found.summoned),
    )
    yield line("calls.redirected", "Vidarebefordrade kallelser", "Calls redirected", Unit.COUNT, count(found.redirects))
    yield line(
        "follow-ups.on-time",
        "Uppföljningar hållna i tid",
        "Follow-ups held on time",
        Unit.PERCENT,
        share(found.timely_follow_ups, found.dated_follow_ups),
    )
    yield line("plans", "Planer", "Plans", Unit.COUNT, count(found.plans))
    yield line("plans.crisis", "Planer med krisplan", "Plans with a crisis plan", Unit.COUNT, count(found.crisis_plans))
    yield line(
        "plans.crisis-known",
        "Krisplanen känd av alla som var med",
        "Crisis plan known by all who were present",
        Unit.PERCENT,
        share(found.known_crisis_plans, found.crisis_plans),
    )
    for area in LifeArea:
        shown = count(found.life_areas[area])
        yield line(
            "plans.life-area", "Planer med insats i livsområdet", "Plans with a measure", Unit.COUNT, shown, area
        )
    for reason in ClosureReason:
        yield line("closures", "Avslut", "Closures", Unit.COUNT, count(found.closures[reason]), reason)


def payment_figures(found: Payment, *, terms: Terms, disclosure: Disclosure) -> Iterator[Figure]:
    """Yield the payment responsibility, by municipality and month."""
    for (party, first), month in sorted(found.items()):
        for name, sv, en, unit, shown in _month(month, terms, disclosure):
            yield Figure(f"payment.{name}", sv, en, unit, shown, party, f"{first:%Y-%m}")
        for reason, (sv, en) in EXCLUSIONS.items():
            shown = disclosure.count(month.excluded[reason])
            yield Figure(f"payment.excluded.{reason}", sv, en, Unit.COUNT, shown, party, f"{first:%Y-%m}")


def _month(month: PaymentMonth, terms: Terms, disclosure: Disclosure) -> Iterator[tuple[str, str, str, Unit, Shown]]:
    over, patients = disclosure.over, month.patients
    overshoot = month.overshoot(terms)
    bases = (patients, month.mean_base)
    yield (
        "patients",
        "Utskrivningsklara patienter",
        "Patients ready for discharge",
        Unit.COUNT,
        disclosure.count(patients),
    )
    yield "days", "Dagar med betalningsansvar", "Days of payment", Unit.DAYS, over(month.days, patients, month.days)
    yield "mean", "Dagar per patient, medel", "Days a patient, mean", Unit.DAYS, over(month.mean, *bases)
    yield "overshoot", "Dagar över avtalat medel", "Days above the agreed mean", Unit.DAYS, over(overshoot, *bases)
    yield (
        "individually",
        f"Patienter över {terms.individually_after} dagar",
        f"Patients above {terms.individually_after} days",
        Unit.COUNT,
        over(month.individually, patients, month.individually),
    )
    if terms.day_amount:
        amount = over(overshoot * terms.day_amount, *bases)
        yield "amount", "Uppskattat belopp", "Estimated amount", Unit.KRONOR, amount
