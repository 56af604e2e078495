"""How often somebody may ask, by a clock that a test turns; and by what address they are known."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.web.rate import Buckets, key_of


class Turned:
    """Tells the time that it was turned to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def buckets(clock: Turned, *, most: int = 10) -> Buckets:
    return Buckets(per_second=2, burst=3, most=most, monotonic=clock)


def test_each_may_ask_at_once_as_often_as_a_bucket_holds_and_then_at_a_pace() -> None:
    clock = Turned()
    asked = buckets(clock)
    assert [asked.take("a") for _ in range(5)] == [0, 0, 0, 0.5, 0.5]
    assert asked.take("b") == 0
    clock.seconds += 0.25
    assert asked.take("a") == 0.25
    clock.seconds += 0.25
    assert [asked.take("a") for _ in range(2)] == [0, 0.5]
    clock.seconds += 1000
    assert [asked.take("a") for _ in range(4)] == [0, 0, 0, 0.5]


def test_what_costs_more_takes_more_and_a_full_bucket_at_most() -> None:
    clock = Turned()
    asked = buckets(clock)
    assert [asked.take("a", 2), asked.take("a", 2), asked.take("a")] == [0, 0.5, 0]
    assert asked.take("b", 100) == 0
    assert asked.take("b", 100) == 1.5


def test_a_clock_that_goes_back_takes_nothing_and_gives_nothing() -> None:
    clock = Turned()
    asked = buckets(clock)
    for _ in range(3):
        asked.take("a")
    clock.seconds -= 100
    assert asked.take("a") == 0.5


def test_no_more_keys_are_remembered_than_there_is_room_for_and_the_latest_stay() -> None:
    clock = Turned()
    asked = buckets(clock, most=3)
    for _ in range(3):
        asked.take("a")
    for key in ("b", "c", "a", "d"):
        asked.take(key)
    assert len(asked) == 3
    assert asked.take("a") == 0.5
    for key in ("e", "f", "g"):
        asked.take(key)
    assert (len(asked), asked.take("a")) == (3, 0)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 2)), max_size=60))
def test_nobody_is_let_through_more_often_than_burst_and_pace_allow(asking: list[tuple[str, float]]) -> None:
    clock = Turned()
    asked, through = buckets(clock), {"a": 0, "b": 0}
    for key, passed in asking:
        clock.seconds += passed
        wait = asked.take(key)
        through[key] += wait == 0
        assert through[key] <= 3 + 2 * clock.seconds + 1e-6
        assert 0 <= wait <= 0.5


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "?"),
        (None, "?"),
        ("unix", "?"),
    ],
)
def test_an_ipv6_network_is_one_owner(address: str | None, key: str) -> None:
    assert key_of(address) == key
