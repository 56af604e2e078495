"""The days of payment responsibility: when they begin and end, what excludes them, and what a month shows of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from build import CLINIC, KOMMUN, OFFICE, PERSON, REGION, WARD, booking, message, need, retraction
from build_discharge import ADMISSION, discharge, interruption, notice, of_stay, ready, recall
from hypothesis import given
from hypothesis import strategies as st

from gateway.case_log import Period, Told, cases_of
from gateway.clock import STOCKHOLM
from gateway.figures import Disclosure, payment_figures
from gateway.grace import Grace
from gateway.messages import (
    InterruptionReason,
    OpenCareAvailable,
    ProtectedLevel,
    RecallReason,
    ReserveRoutine,
    ReserveWay,
)
from gateway.payment import Exclusion, MeanFrom, Parties, Payment, PaymentMonth, Terms, payment

PARTIES = Parties(municipalities={KOMMUN}, regions={REGION})
NOVEMBER = Period(date(2026, 11, 1), date(2026, 11, 30))
LATER = date(2027, 6, 1)
BEFORE_NOON = datetime(2026, 11, 2, 11, 30, tzinfo=STOCKHOLM)


def stay(
    *ends: Any,
    at: datetime = BEFORE_NOON,
    notified: bool = True,
    called: bool = True,
    open_care: OpenCareAvailable = OpenCareAvailable.YES,
    sip_needed: bool = True,
    number: str = ADMISSION,
) -> list[Told]:
    """Return the log of a patient: admitted, called to a SIP, ready at ``at``, and what ended it (body and time)."""
    admitted = at - timedelta(days=5)
    log = []
    if notified:
        log.append(_of_stay(notice(at=admitted), at=admitted, number=number))
    if called:
        asked = at - timedelta(hours=2)
        log.append(Told(message(booking(WARD), OFFICE, sender=CLINIC, at=asked), frozenset({OFFICE})))
    told_ready = replace(ready(at=at), open_care_available=open_care, sip_needed=sip_needed)
    log.append(_of_stay(told_ready, at=at, number=number))
    log += [_of_stay(body, at=when, number=number) for body, when in ends]
    return log


def _of_stay(body: Any, *, at: datetime, number: str = ADMISSION, units: tuple[str, ...] = (OFFICE,)) -> Told:
    made = of_stay(body, OFFICE, at=at)
    return Told(replace(made, header=replace(made.header, case_number=number)), frozenset(units))


def left(at: datetime) -> tuple[Any, datetime]:
    return discharge(at=at), at


def recalled(log: Sequence[Told], at: datetime, reason: RecallReason = RecallReason.DETERIORATED) -> list[Told]:
    """Return ``log`` with its last notice recalled."""
    last = next(one for one in reversed(log) if one.message.type == "dischargeReady")
    body = replace(recall(last.message.header.message_id, at=at), reason=reason)
    return [*log, _of_stay(body, at=at)]


def of(*logs: Sequence[Told], period: Period = NOVEMBER, terms: Terms | None = None, today: date = LATER) -> Payment:
    return payment(logs, period, parties=PARTIES, terms=terms or Terms(), today=today)


def month(*logs: Sequence[Told], **more: Any) -> PaymentMonth:
    """Return the one month of the one municipality."""
    [found] = of(*logs, **more).values()
    return found


def on(day: int, hour: int = 14) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=STOCKHOLM)


# --- when it ends ---------------------------------------------------------------------------------------------------


def test_the_days_run_from_the_first_of_responsibility_up_to_the_day_of_the_discharge() -> None:
    found = month(stay(left(on(9))))
    assert (found.patients, found.days, found.excluded) == (1, 4, {})


def test_who_leaves_in_time_is_a_patient_without_days() -> None:
    for day in (2, 4, 5):
        assert (month(stay(left(on(day)))).patients, month(stay(left(on(day)))).days) == (1, 0)


def test_an_interruption_ends_it_too() -> None:
    body = interruption(InterruptionReason.TRANSFERRED, at=on(8))
    assert month(stay((body, on(8)))).days == 3


def test_a_stay_that_goes_on_is_counted_up_to_today_or_the_end_of_the_period() -> None:
    assert month(stay(), today=date(2026, 11, 10)).days == 6
    assert month(stay(), today=LATER).days == 26


def test_what_is_sent_after_today_is_not_counted() -> None:
    assert of(stay(), today=date(2026, 11, 1)) == {}


def test_days_fall_in_their_own_months() -> None:
    log = stay((discharge(at=datetime(2026, 12, 3, 10, tzinfo=STOCKHOLM)), datetime(2026, 12, 3, 10, tzinfo=STOCKHOLM)))
    found = of(log, period=Period(date(2026, 11, 1), date(2026, 12, 31)))
    assert {first.month: (one.patients, one.days) for (_, first), one in found.items()} == {11: (1, 26), 12: (1, 2)}
    assert of(log, period=Period(date(2027, 1, 1), date(2027, 1, 31))) == {}


def test_a_recall_stops_the_days_and_those_before_it_stay() -> None:
    found = month(recalled(stay(), on(8)))
    assert (found.patients, found.days, found.excluded) == (1, 3, {})


def test_a_second_notice_after_a_recall_begins_anew() -> None:
    log = recalled(stay(), on(4))
    log.append(_of_stay(ready(at=on(10, 9)), at=on(10, 9)))
    found = month([*log, _of_stay(discharge(at=on(15)), at=on(15))])
    assert (found.patients, found.days, found.excluded) == (1, 2, {Exclusion.RECALLED: 1})


def test_a_second_notice_without_a_recall_takes_the_place_of_the_first() -> None:
    log = [*stay(), _of_stay(ready(at=on(6, 9)), at=on(6, 9)), _of_stay(discharge(at=on(10)), at=on(10))]
    found = month(log)
    assert (found.patients, found.days) == (1, 1 + 1)


# --- what excludes it -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        (stay(left(on(9)), notified=False), Exclusion.NO_ADMISSION_NOTICE),
        (stay(left(on(9)), open_care=OpenCareAvailable.NO), Exclusion.OPEN_CARE_NOT_AVAILABLE),
        (stay(left(on(9)), open_care=OpenCareAvailable.UNKNOWN), Exclusion.OPEN_CARE_NOT_AVAILABLE),
        (stay(left(on(9)), called=False), Exclusion.NO_SIP_CALL),
        (recalled(stay(), on(4)), Exclusion.RECALLED),
        (recalled(stay(), on(20), RecallReason.ERROR), Exclusion.RECALLED),
        (stay((interruption(at=on(4)), on(4))), Exclusion.DIED),
    ],
)
def test_a_notice_without_responsibility_is_excluded_with_its_reason(log: list[Told], reason: Exclusion) -> None:
    found = month(log)
    assert (found.patients, found.days, dict(found.excluded)) == (0, 0, {reason: 1})


def test_who_dies_later_has_the_days_before() -> None:
    found = month(stay((interruption(at=on(8)), on(8))))
    assert (found.days, found.excluded) == (3, {})


def test_without_a_need_of_a_sip_nobody_has_to_call() -> None:
    assert month(stay(left(on(9)), called=False, sip_needed=False)).days == 4


def test_a_call_counts_only_from_the_region_in_time_and_when_it_left() -> None:
    log = stay(left(on(9)), called=False)
    for sender, at, units, days in (
        (CLINIC, on(5), {OFFICE}, 4),
        (CLINIC, on(5), set(), 0),
        (OFFICE, on(5), {CLINIC}, 0),
        (CLINIC, on(10), {OFFICE}, 0),
        (CLINIC, on(5) - timedelta(days=30), {OFFICE}, 0),
    ):
        call = Told(message(booking(WARD), OFFICE, sender=sender, at=at), frozenset(units))
        assert month([*log, call]).days == days


def test_a_notice_that_was_taken_back_was_never_sent() -> None:
    log = stay(left(on(9)))
    target = next(one.message for one in log if one.message.type == "dischargeReady")
    assert of([*log, _of_stay(retraction(target), at=on(3))]) == {}


def test_a_notice_that_has_not_left_or_went_to_no_municipality_counts_for_nobody() -> None:
    held = [replace(one, units=frozenset()) for one in stay(left(on(9)))]
    assert of(held) == {}
    other = Parties(municipalities={"other"}, regions={REGION})
    assert payment([stay()], NOVEMBER, parties=other, terms=Terms(), today=LATER) == {}


def test_a_protected_person_is_left_out() -> None:
    hidden = replace(PERSON, protected_level=ProtectedLevel.CONFIDENTIALITY_MARKED)
    assert of([*stay(left(on(9))), Told(message(need(), person=hidden, number="SIP100009"))]) == {}


def test_stays_are_chosen_by_the_ward_that_admitted() -> None:
    chosen = {"parties": PARTIES, "terms": Terms(), "today": LATER}
    assert payment([stay()], NOVEMBER, conveners={WARD}, **chosen) != {}  # type: ignore[arg-type]
    assert payment([stay()], NOVEMBER, conveners={CLINIC}, **chosen) == {}  # type: ignore[arg-type]


# --- the month ------------------------------------------------------------------------------------------------------


def test_the_mean_is_over_all_patients_and_the_overshoot_above_what_is_agreed() -> None:
    logs = [stay(left(on(day)), number=f"M{200_001 + day}") for day in (4, 6, 15)]  # 0, 1 and 10 days
    found = month(*logs)
    assert (found.patients, found.days, found.individually) == (3, 11, 1)
    assert found.mean == pytest.approx(11 / 3)
    assert found.overshoot(Terms()) == 2
    assert found.overshoot(Terms(mean_days=4)) == 0


def test_the_mean_may_be_agreed_to_count_from_the_notice() -> None:
    found = month(stay(left(on(9))), terms=Terms(mean_from=MeanFrom.READY))
    assert (found.days, found.mean) == (4, 7)


@pytest.mark.parametrize(("day", "above"), [(12, 0), (13, 1)])
def test_a_patient_is_looked_at_individually_after_seven_days(day: int, above: int) -> None:
    assert month(stay(left(on(day)))).individually == above


def test_days_before_the_month_count_when_a_patient_is_looked_at_individually() -> None:
    began = datetime(2026, 10, 24, 10, tzinfo=STOCKHOLM)
    found = month(stay(left(on(5)), at=began))  # five days in October and four in November
    assert (found.days, found.individually) == (4, 1)


def test_a_month_without_patients_has_no_mean() -> None:
    assert PaymentMonth().mean is None


# --- what is shown --------------------------------------------------------------------------------------------------


def shown(found: PaymentMonth, terms: Terms | None = None) -> dict[str, str]:
    lines = payment_figures(
        {(KOMMUN, date(2026, 11, 1)): found}, terms=terms or Terms(), disclosure=(disclosure := Disclosure())
    )
    return {line.name.removeprefix("payment."): disclosure.text(line) for line in lines}


def test_of_five_patients_all_is_shown_and_of_four_nothing() -> None:
    terms = Terms(day_amount=1000)
    five = shown(PaymentMonth(patients=5, days=20, mean_base=20, individually=0), terms)
    assert five["patients"] == "5"
    assert (five["days"], five["mean"], five["overshoot"], five["amount"]) == ("20", "4", "5", "5000")
    four = shown(PaymentMonth(patients=4, days=20, mean_base=20, individually=0), terms)
    assert four["patients"] == "<5"
    assert {four[name] for name in ("days", "mean", "overshoot", "amount")} == {".."}


def test_few_days_are_not_shown_since_few_patients_have_them() -> None:
    few = shown(PaymentMonth(patients=10, days=4, mean_base=4))
    assert (few["patients"], few["days"], few["mean"], few["overshoot"]) == ("10", "..", "..", "..")


def test_no_amount_is_shown_when_none_is_set_and_reasons_are_counted_apart() -> None:
    found = PaymentMonth()
    found.excluded.update({Exclusion.DIED: 1, Exclusion.RECALLED: 5})
    lines = shown(found)
    assert "amount" not in lines
    assert (lines["excluded.died"], lines["excluded.recalled"], lines["excluded.no-sip-call"]) == ("<5", "5", "0")


@given(
    sent=st.integers(0, 365 * 24 * 60).map(
        lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    ),
    stayed=st.timedeltas(timedelta(0), timedelta(days=90)),
    grace=st.integers(0, 10),
    mean_from=st.sampled_from(MeanFrom),
)
def test_days_are_never_negative_and_never_more_than_the_stay(
    sent: datetime, stayed: timedelta, grace: int, mean_from: MeanFrom
) -> None:
    terms = Terms(grace=Grace(days=grace), mean_from=mean_from)
    period = Period(date(2025, 12, 1), date(2027, 12, 31))
    found = of(stay(left(sent + stayed), at=sent), period=period, terms=terms, today=date(2028, 1, 1)).values()
    assert all(one.days >= 0 and one.mean_base >= 0 and one.overshoot(terms) >= 0 for one in found)
    assert sum(one.days for one in found) <= stayed.days + 1


@given(
    patients=st.integers(0, 12), days=st.integers(0, 60), individually=st.integers(0, 12), excluded=st.integers(0, 12)
)
def test_no_small_count_of_patients_is_shown(patients: int, days: int, individually: int, excluded: int) -> None:
    found = PaymentMonth(patients=patients, days=days, mean_base=days, individually=individually)
    found.excluded[Exclusion.DIED] = excluded
    lines = shown(found)
    for name in ("patients", "individually", "excluded.died"):
        assert lines[name] not in {"1", "2", "3", "4"}
    if 0 < patients < 5 or 0 < days < 5:
        assert (lines["days"], lines["mean"], lines["overshoot"]) == ("..", "..", "..")


def test_a_notice_that_was_faxed_before_noon_and_registered_after_it_counts_from_the_fax() -> None:
    log = stay(left(on(9)))
    [position] = [n for n, told in enumerate(log) if told.message.type == "dischargeReady"]
    told = log[position].message
    routine = ReserveRoutine(at=told.header.created_at, by=ReserveWay.FAX)

    def registered(**more: Any) -> list[Told]:
        header = replace(told.header, created_at=BEFORE_NOON + timedelta(hours=4), **more)
        return [*log[:position], replace(log[position], message=replace(told, header=header)), *log[position + 1 :]]

    assert month(registered(reserve_routine=routine)).days == month(log).days
    assert month(registered()).days == month(log).days - 1


def test_what_was_registered_after_an_outage_stands_where_it_was_said() -> None:
    first, second = stay()[-1], stay(at=BEFORE_NOON + timedelta(hours=2))[-1]
    routine = ReserveRoutine(at=BEFORE_NOON, by=ReserveWay.TELEPHONE)
    late = BEFORE_NOON + timedelta(days=1)
    registered = replace(first.message, header=replace(first.message.header, created_at=late, reserve_routine=routine))
    told = replace(first, message=registered)
    assert told.day == BEFORE_NOON.date()
    assert cases_of([second, told])[0].told == [told, second]
