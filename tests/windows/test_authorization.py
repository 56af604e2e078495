"""What a browser keeps while somebody is away to log in: its own, for ten minutes, and read from anything."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from datetime import timedelta

from build import NOON
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.web.authorization import Authorization

MINUTE = timedelta(minutes=1)


def begun(back: str = "/inbox", secret: bytes = b"s" * 32) -> Authorization:
    return Authorization.begin(back, NOON, lambda length: secret[:length])


def test_an_errand_is_read_as_it_was_written_for_ten_minutes() -> None:
    errand = begun("/inbox?q=å&unit=1")
    for seconds, expected in ((0, errand), (599, errand), (600, None), (-1, None)):
        assert Authorization.read(errand.written(), NOON + timedelta(seconds=seconds)) == expected
    assert Authorization.read(errand.written() + "x", NOON) != errand


def test_everything_the_provider_sees_is_another_for_each_errand_and_tells_nothing_of_the_secret() -> None:
    one, other = begun(), begun(secret=b"t" * 32)
    shown = [(each.state, each.nonce, each.challenge) for each in (one, other)]
    assert len({*shown[0], *shown[1], one.verifier, other.verifier, one.secret, other.secret}) == 10
    assert all(len(each) == 43 for each in (*shown[0], one.verifier))
    digest = hashlib.sha256(one.verifier.encode()).digest()
    assert one.challenge == urlsafe_b64encode(digest).decode().rstrip("=")


def test_an_answer_is_to_one_errand_with_its_way_back_and_its_time() -> None:
    errand = begun()
    assert errand.is_answered_by(errand.state)
    later = Authorization.begin("/inbox", NOON + MINUTE, lambda length: b"s" * length)
    for other in (begun("/audit").state, later.state, errand.nonce, errand.state[:-1], "", "å", "\ud800"):
        assert not errand.is_answered_by(other)


@settings(max_examples=50, deadline=None)
@given(
    st.text(max_size=80) | st.builds("{}.{}.{}".format, st.just("A" * 43), st.integers(0), st.text("A_-.9", max_size=9))
)
@example("A" * 43 + ".999999999999.")
@example("A" * 43 + ".1.____")
@example("A" * 43 + ".1.A")
def test_whatever_a_cookie_holds_is_an_errand_or_none(written: str) -> None:
    found = Authorization.read(written, NOON)
    assert found is None or found.begun_at <= NOON
