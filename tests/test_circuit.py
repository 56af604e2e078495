"""When something that has failed may be tried again: every turn a circuit takes, by the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.app import pace_of
from gateway.circuit import Circuit, Pace
from gateway.config import Settings

NOON = datetime(2026, 11, 4, 12, tzinfo=UTC)
PACE = Pace()
SECOND = timedelta(seconds=1)


def broken(failures: int, at: datetime = NOON) -> Circuit:
    """Return a circuit after so many failures in a row."""
    circuit = Circuit(party="region")
    for _ in range(failures):
        circuit = circuit.failed(at, PACE)
    return circuit


def test_a_healthy_circuit_lets_everything_through_and_need_not_be_kept() -> None:
    assert Circuit(party="region").room(NOON, PACE) is None
    assert Circuit(party="region").is_healthy


@pytest.mark.parametrize("failures", range(1, 5))
def test_up_to_four_failures_are_remembered_and_stop_nothing(failures: int) -> None:
    circuit = broken(failures)
    assert (circuit.room(NOON, PACE), circuit.opened_at, circuit.is_healthy) == (None, None, False)


def test_a_success_in_between_begins_the_count_anew() -> None:
    circuit = broken(4).succeeded(NOON)
    assert circuit.is_healthy
    for _ in range(4):
        circuit = circuit.failed(NOON, PACE)
    assert circuit.opened_at is None


def test_the_fifth_failure_in_a_row_opens_it_and_one_probe_goes_after_a_minute() -> None:
    circuit = broken(5)
    assert circuit.opened_at == NOON
    assert circuit.room(NOON, PACE) == 0
    assert circuit.room(NOON + 60 * SECOND - timedelta(microseconds=1), PACE) == 0
    assert circuit.room(NOON + 60 * SECOND, PACE) == 1


def test_while_a_probe_is_away_no_other_goes() -> None:
    later = NOON + 60 * SECOND
    probed = broken(5).probed(later, PACE)
    assert probed.opened_at == NOON
    assert [probed.room(later + wait * SECOND, PACE) for wait in (0, 59, 60)] == [0, 0, 1]


def test_a_probe_that_fails_keeps_it_open_since_it_opened_and_the_next_goes_a_minute_later() -> None:
    later = NOON + 61 * SECOND
    again = broken(5).failed(later, PACE)
    assert again.opened_at == NOON
    assert [again.room(later + wait * SECOND, PACE) for wait in (0, 59, 60)] == [0, 0, 1]


def test_a_probe_that_gets_through_closes_it_and_the_backlog_drains_at_ten_a_second() -> None:
    closed = broken(5).succeeded(NOON)
    assert (closed.opened_at, closed.probe_at, closed.failures, closed.is_healthy) == (None, None, 0, False)
    tenths = [closed.room(NOON + wait * SECOND / 10, PACE) for wait in (0, 1, 5, 10, 36000)]
    assert tenths == [0, 1, 5, 10, 10]  # however long nobody looked, no more than one second's worth at once


def test_what_has_drained_uses_up_its_time() -> None:
    draining = broken(5).succeeded(NOON).drained(10, 10, NOON + SECOND)
    assert draining.room(NOON + SECOND, PACE) == 0
    assert draining.room(NOON + 2 * SECOND, PACE) == 10


def test_when_fewer_come_than_there_is_room_for_it_is_forgotten() -> None:
    assert broken(5).succeeded(NOON).drained(10, 9, NOON + SECOND).is_healthy


def test_a_success_while_draining_changes_nothing_and_five_failures_open_it_anew() -> None:
    draining = broken(5).succeeded(NOON)
    assert draining.succeeded(NOON + SECOND) == draining
    later = NOON + 2 * SECOND
    for failures in range(1, 5):
        draining = draining.failed(later, PACE)
        assert (draining.opened_at, draining.drains_since, draining.failures) == (None, NOON, failures)
    opened = draining.failed(later, PACE)
    assert (opened.opened_at, opened.drains_since, opened.room(later, PACE)) == (later, None, 0)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 200)), max_size=60))
def test_it_is_open_exactly_after_five_failures_since_the_last_success(tries: list[tuple[bool, int]]) -> None:
    circuit, now, row = Circuit(party="region"), NOON, 0
    for got_through, seconds in tries:
        now += seconds * SECOND
        circuit = circuit.succeeded(now) if got_through else circuit.failed(now, PACE)
        row = 0 if got_through else row + 1
        assert (circuit.opened_at is not None) == (circuit.probe_at is not None) == (row >= PACE.failures)
        assert circuit.drains_since is None or circuit.opened_at is None
        if circuit.probe_at is not None:
            assert circuit.probe_at == now + PACE.probe_every


@given(
    st.lists(st.integers(0, 3000), min_size=1, max_size=80),
    st.sampled_from([1.0, 2.5, 10.0, 1000.0]),
)
def test_no_second_sees_more_than_the_pace_and_a_backlog_never_stands_still(
    milliseconds: list[int], per_second: float
) -> None:
    pace = Pace(drain_per_second=per_second)
    draining, now, gone = Circuit(party="region", drains_since=NOON), NOON, list[tuple[datetime, int]]()
    for wait in milliseconds:
        now += timedelta(milliseconds=wait)
        room = draining.room(now, pace)
        assert room is not None
        if room:
            draining = draining.drained(room, room, now)
            gone.append((now, room))
        assert room or now < (draining.drains_since or NOON) + SECOND
    for begin, _ in gone:
        window = sum(number for at, number in gone if begin < at <= begin + SECOND)
        assert window <= per_second


def test_a_clock_that_is_set_back_stops_neither_the_backlog_nor_the_probes() -> None:
    draining = broken(5).succeeded(NOON + timedelta(minutes=1))
    assert draining.room(NOON - timedelta(hours=1), PACE) == 10
    opened = broken(5)
    assert opened.room(NOON - timedelta(hours=1), PACE) == 1
    assert opened.room(NOON - SECOND, PACE) == 1
    assert opened.room(NOON + SECOND, PACE) == 0


def test_the_numbers_are_settings() -> None:
    assert pace_of(Settings()) == PACE
    told = Settings(circuit_failures=2, circuit_probe_seconds=7, drain_per_second=100)
    assert pace_of(told) == Pace(failures=2, probe_every=7 * SECOND, drain_per_second=100)
