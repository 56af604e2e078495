"""The report of a period: the indicators and the payment responsibility, read from the store person by person.

Small numbers are hidden by :mod:`gateway.figures`, and persons with a protected identity are left out of everything.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from gateway import indicators, payment
from gateway.case_log import Period
from gateway.clock import STOCKHOLM
from gateway.config import Settings
from gateway.directory import Directory, Principal
from gateway.errors import Fault, UsageError
from gateway.figures import Disclosure, Figure, figures, payment_figures
from gateway.grace import Grace
from gateway.store import Transaction, case_logs

BAD_ORDER = Fault("report.order", "Perioden slutar innan den börjar.", "The period ends before it begins.")
UNKNOWN_AREA = Fault(
    "report.unknown-area",
    "Ingen enhet i enhetskatalogen har det området. Kända områden: {known}.",
    "No unit in the directory has that area. Known areas: {known}.",
)
TOO_MANY = Fault(
    "report.too-many",
    "Perioden rör fler än {most} personer. Välj en kortare period, eller kör gateway report.",
    "The period concerns more than {most} persons. Choose a shorter one, or run gateway report.",
)


def period_of(first: date, last: date) -> Period:
    """Return a period of Swedish calendar days, both included. Raises :class:`UsageError`."""
    if last < first:
        raise UsageError(BAD_ORDER.at())
    return Period(first, last)


def areas_of(directory: Directory) -> list[str]:
    """Return the areas that units of a directory have, in order."""
    return sorted({unit.area for unit in directory.units.values() if unit.area is not None})


def units_in(directory: Directory, area: str) -> frozenset[str]:
    """Return the units (HSA-ids) of an area. Raises :class:`UsageError` where there are none."""
    units = frozenset(
        hsa_id
        for hsa_id, unit in directory.units.items()
        if unit.area is not None and unit.area.casefold() == area.casefold()
    )
    if not units:
        raise UsageError(UNKNOWN_AREA.at(known=", ".join(areas_of(directory)) or "–"))
    return units


def terms_of(settings: Settings, grace: Grace) -> payment.Terms:
    """Return the terms of payment that the settings say, where responsibility begins after ``grace``."""
    return payment.Terms(
        grace=grace,
        mean_days=settings.payment_mean_days,
        mean_from=payment.MeanFrom(settings.payment_mean_from),
        individually_after=settings.payment_individually_after_days,
        day_amount=settings.payment_day_amount,
    )


async def lines_of(
    tx: Transaction,
    period: Period,
    *,
    settings: Settings,
    directory: Directory,
    grace: Grace,
    today: date,
    area: str | None = None,
    most: int | None = None,
    at_a_time: int = case_logs.PAGE,
) -> list[Figure]:
    """Return the lines of the report of a period: the indicators, then the payment month by month.

    Only cases that a unit in ``area`` convened count, where one is given. ``most`` is how many persons are read,
    and ``at_a_time`` how many without anything else going on meanwhile.

    Raises:
        UsageError: no unit has that area, or there are more persons.
    """
    work = indicators.Indicators()
    months: payment.Payment = {}
    conveners = units_in(directory, area) if area is not None else None
    terms = terms_of(settings, grace)
    parties = payment.Parties(_named(directory, Principal.MUNICIPALITY), _named(directory, Principal.REGION))
    since, until = (datetime.combine(day, time(), STOCKHOLM) for day in (period.first, _after(period.last)))
    if most is not None and await case_logs.count(tx, since=since, until=until, most=most) > most:
        raise UsageError(TOO_MANY.at(most=most))
    async for log in case_logs.logs(tx, since=since, until=until, page=at_a_time):
        indicators.count(log, period, work, conveners=conveners)
        payment.count(log, period, months, parties=parties, terms=terms, today=today, conveners=conveners)
    disclosure = Disclosure(settings.smallest_count_shown)
    return [
        *figures(work, target_days=settings.lead_time_target_days, disclosure=disclosure),
        *payment_figures(months, terms=terms, disclosure=disclosure),
    ]


def _after(day: date) -> date:
    return day + timedelta(days=1)


def _named(directory: Directory, principal: Principal) -> frozenset[str]:
    return frozenset(name for name, party in directory.parties.items() if party.principal is principal)
