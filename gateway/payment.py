"""The payment responsibility of municipalities for patients who are ready for discharge (betalningsansvar).

Lag 2017:612 om samverkan vid utskrivning, 5 kap.: the municipality pays from some days after the notice of ready for
discharge, provided that it was told of the admission, that the region's open care has its measures in place, and that
the region has called to a SIP where one is needed. A region and its municipalities may agree on a monthly mean over
the patients, above which days are billed. What is agreed is in :class:`Terms`; all of it is configuration.

A patient is a stay in hospital, and days are Swedish calendar days: the day of the discharge is not counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Container, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from gateway.case_log import CaseLog, Period, Told, cases_of, is_protected, is_within
from gateway.clock import local_date
from gateway.grace import Grace
from gateway.messages import (
    AdmissionNotice,
    DischargeInformation,
    DischargeReady,
    DischargeReadyRecall,
    InterruptionReason,
    MeetingBooking,
    OpenCareAvailable,
    ProcessInterruption,
    RecallReason,
)


class MeanFrom(StrEnum):
    """From when the days of the mean are counted."""

    GRACE = "grace"
    """From the first day of payment responsibility."""
    READY = "ready"
    """From the day on which the notice of ready for discharge was sent."""


class Exclusion(StrEnum):
    """Why a notice of ready for discharge gives no payment responsibility."""

    NO_ADMISSION_NOTICE = "no-admission-notice"
    OPEN_CARE_NOT_AVAILABLE = "open-care-not-available"
    NO_SIP_CALL = "no-sip-call"
    RECALLED = "recalled"
    """An error, or taken back before the responsibility began."""
    DIED = "died"
    """The patient died before the responsibility began."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the law and the parties' agreement say.

    ``grace`` says when the responsibility begins (5 kap. 4 §). Days above ``mean_days`` a patient and month are the
    overshoot, each at ``day_amount`` kronor; patients with more than ``individually_after`` days are looked at one by
    one.
    """

    grace: Grace = field(default_factory=Grace)
    mean_days: float = 3.0
    mean_from: MeanFrom = MeanFrom.GRACE
    individually_after: int = 7
    day_amount: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Liability:
    """What one notice of ready for discharge means for the municipality it went to.

    ``begins_on`` is the first day of responsibility and ``ends_on`` the day after the last; the latter may be the
    earlier of the two, and then there is no such day.
    """

    party: str
    ready_on: date
    begins_on: date
    ends_on: date
    excluded: Exclusion | None = None

    def days(self, within: Period | None = None, *, since: MeanFrom = MeanFrom.GRACE) -> int:
        """Return how many days there are, of those ``within`` a period; never fewer than 0."""
        first = self.begins_on if since is MeanFrom.GRACE else self.ready_on
        end = self.ends_on
        if within is not None:
            first, end = max(first, within.first), min(end, within.last + timedelta(days=1))
        return max(0, (end - first).days)

    def touches(self, period: Period) -> bool:
        """Tell whether the patient was ready for discharge on a day of ``period``."""
        return self.ready_on in period or self.days(period, since=MeanFrom.READY) > 0


@dataclass(slots=True)
class PaymentMonth:
    """The patients of one municipality in one month.

    ``patients`` were ready for discharge some day of it, also those who left before there was any responsibility.
    ``days`` are those of responsibility, ``mean_base`` the days that the mean is of. ``individually`` counts the
    patients with more days, from the beginning up to the end of this month, than the terms leave to the mean.
    ``excluded`` counts notices, and their patients are none of the ``patients`` unless another notice makes them so.
    """

    patients: int = 0
    days: int = 0
    mean_base: int = 0
    individually: int = 0
    excluded: Counter[Exclusion] = field(default_factory=Counter)

    @property
    def mean(self) -> float | None:
        """Days a patient, ``None`` without patients."""
        return self.mean_base / self.patients if self.patients else None

    def overshoot(self, terms: Terms) -> float:
        """Return the days above the agreed mean, over all patients."""
        return max(0.0, self.mean_base - terms.mean_days * self.patients)


@dataclass(frozen=True, slots=True)
class Parties:
    """The parties by what they are: who may have to pay, and who has to call."""

    municipalities: Collection[str]
    regions: Collection[str]


Payment = dict[tuple[str, date], PaymentMonth]
"""The months by municipality and by the first day of them in the period."""


def payment(
    logs: Iterable[Sequence[Told]],
    period: Period,
    *,
    parties: Parties,
    terms: Terms,
    today: date,
    conveners: Container[str] | None = None,
) -> Payment:
    """Return the payment responsibility in ``period`` over the logs, each of everything told about one person.

    A stay that has not ended is counted up to ``today`` or the end of the period. ``conveners`` are the units whose
    stays count, all when it is ``None``.
    """
    result: Payment = {}
    for log in logs:
        count(log, period, result, parties=parties, terms=terms, today=today, conveners=conveners)
    return result


def count(
    log: Sequence[Told],
    period: Period,
    into: Payment,
    *,
    parties: Parties,
    terms: Terms,
    today: date,
    conveners: Container[str] | None = None,
) -> None:
    """Count one person's stays; one whose identity is protected in any case is left out of everything."""
    if is_protected(log):
        return
    open_end = min(period.last, today) + timedelta(days=1)
    cases = cases_of(log)
    for case in cases:
        if is_within(case, conveners):
            found = liabilities(case, calls_in(cases, parties), parties=parties, terms=terms, open_end=open_end)
            for party in dict.fromkeys(one.party for one in found):
                _count_stay([one for one in found if one.party == party], period, into, terms)


def _count_stay(stay: Sequence[Liability], period: Period, into: Payment, terms: Terms) -> None:
    """Count what the notices of one stay mean for one municipality, month by month."""
    for month in period.months():
        excluded = [one.excluded for one in stay if one.excluded is not None and one.ready_on in month]
        valid = [one for one in stay if one.excluded is None and one.touches(month)]
        if not excluded and not valid:
            continue
        counted = into.setdefault((stay[0].party, month.first), PaymentMonth())
        counted.excluded.update(excluded)
        if valid:
            so_far = Period(min(one.ready_on for one in stay), month.last)
            total = sum(one.days(so_far, since=terms.mean_from) for one in stay if one.excluded is None)
            counted.patients += 1
            counted.days += sum(one.days(month) for one in valid)
            counted.mean_base += sum(one.days(month, since=terms.mean_from) for one in valid)
            counted.individually += total > terms.individually_after


# --- one stay -------------------------------------------------------------------------------------------------------


def calls_in(cases: Iterable[CaseLog], parties: Parties) -> list[datetime]:
    """Return when the region has called to a SIP meeting about the person, or to the follow-up of a plan there is.

    A person has few cases, and any call since the admission shows that the region did its part; which admission a SIP
    is linked to is in words that the parties do not always share.
    """
    return [
        told.message.header.happened_at
        for case in cases
        for told in case.told
        if isinstance(told.message.body, MeetingBooking)
        and told.message.header.sender.party in parties.regions
        and told.units
    ]


@dataclass(frozen=True, slots=True)
class _End:
    at: datetime
    exclusion: Exclusion | None = None
    always: bool = False
    """Whether it excludes the notice even after the responsibility had begun."""


def liabilities(
    case: CaseLog, calls: Sequence[datetime], *, parties: Parties, terms: Terms, open_end: date
) -> list[Liability]:
    """Return what each notice of ready for discharge in ``case`` means, in order.

    ``calls`` are the times of the region's calls to a SIP, and ``open_end`` is the day that follows the last one
    counted of a stay that has not ended. Where a notice went to several municipalities, the first it names pays.
    """
    found = []
    for position, told in enumerate(case.told):
        payer = next((party for party in told.parties if party in parties.municipalities), None)
        if not isinstance(told.message.body, DischargeReady) or payer is None or told.day >= open_end:
            continue
        earlier, later = case.told[:position], case.told[position + 1 :]
        end = next((one for one in (_end_in(after, told) for after in later) if one is not None), None)
        ends_on = open_end if end is None else max(told.day, local_date(end.at))
        begins_on = terms.grace.begins(told.message.header.happened_at)
        admitted = next((one for one in earlier if _tells_admission(one, payer)), None)
        # What ended before the responsibility could begin has ended for that reason, whatever else was missing by then.
        ended = end.exclusion if end is not None and (end.always or ends_on <= begins_on) else None
        excluded = ended or _exclusion(told, admitted, calls, end)
        found.append(Liability(party=payer, ready_on=told.day, begins_on=begins_on, ends_on=ends_on, excluded=excluded))
    return found


def _tells_admission(told: Told, payer: str) -> bool:
    return isinstance(told.message.body, AdmissionNotice) and payer in told.parties


def _exclusion(ready: Told, admitted: Told | None, calls: Sequence[datetime], end: _End | None) -> Exclusion | None:
    """Return what is missing for any responsibility (5 kap. 3 and 5 §§)."""
    notice: DischargeReady = ready.message.body
    if admitted is None:
        return Exclusion.NO_ADMISSION_NOTICE
    if notice.open_care_available is not OpenCareAvailable.YES:
        return Exclusion.OPEN_CARE_NOT_AVAILABLE
    since = admitted.message.header.happened_at
    called = any(since <= call and (end is None or call <= end.at) for call in calls)
    return Exclusion.NO_SIP_CALL if notice.sip_needed and not called else None


def _end_in(told: Told, ready: Told) -> _End | None:
    """Return how ``told`` ends what the notice ``ready`` began, or ``None``."""
    match told.message.body:
        case DischargeInformation() as left:
            return _End(left.discharged_at)
        case DischargeReadyRecall() as recall if recall.ready_message_id == ready.message.header.message_id:
            return _End(recall.recalled_at, Exclusion.RECALLED, always=recall.reason is RecallReason.ERROR)
        case ProcessInterruption() as interruption:
            died = interruption.reason is InterruptionReason.DIED
            return _End(interruption.at, Exclusion.DIED if died else None)
        case DischargeReady():  # a new notice replaces the one before
            return _End(told.message.header.happened_at)
    return None
