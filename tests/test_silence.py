"""When a partner counts as silent, what is told of it and how often, and the sentence for staff."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.silence import DIGEST_EVERY, SILENT_AFTER, Cause, News, Partner, Silence, judge, sentence

NOON = datetime(2026, 11, 4, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
OWES = Partner(party="region", waiting=6, owing_since=NOON)


def told(partner: Partner, minutes: range, before: Silence | None = None) -> list[tuple[int, News]]:
    """Return what is told about a partner that is looked at every minute, and after how many."""
    news = []
    for minute in minutes:
        before, new = judge(partner, before, NOON + minute * MINUTE)
        if new is not None:
            news.append((minute, new))
    return news


def test_a_partner_that_owes_receipts_is_told_once_and_then_every_half_hour() -> None:
    assert told(OWES, range(80)) == [(15, News.SILENT), (45, News.STILL_SILENT), (75, News.STILL_SILENT)]


def test_a_partner_that_owes_nothing_is_never_silent() -> None:
    assert told(Partner(party="region", waiting=3, heard_at=NOON), range(10_000)) == []


def test_a_partner_that_is_heard_meanwhile_is_slow_and_not_silent() -> None:
    assert told(replace(OWES, heard_at=NOON + 10 * MINUTE), range(25)) == []
    assert told(replace(OWES, heard_at=NOON + 10 * MINUTE), range(26)) == [(25, News.SILENT)]


def test_a_partner_that_cannot_be_sent_to_is_told_at_once() -> None:
    silence, news = judge(Partner(party="region", waiting=1, cut_since=NOON), None, NOON + MINUTE)
    assert (silence, news) == (Silence("region", NOON, Cause.CIRCUIT, NOON + MINUTE), News.SILENT)


@pytest.mark.parametrize(
    ("seen", "cause", "news"),
    [
        pytest.param({"heard_at": NOON + MINUTE}, Cause.NO_RECEIPT, News.BACK, id="it has spoken"),
        pytest.param({"heard_at": NOON}, Cause.NO_RECEIPT, None, id="what it said was before"),
        pytest.param({}, Cause.NO_RECEIPT, None, id="nothing is owed any more, and nothing heard"),
        pytest.param({}, Cause.CIRCUIT, News.BACK, id="what got through owes no receipt"),
        pytest.param({"owing_since": NOON}, Cause.CIRCUIT, None, id="what got through is not answered"),
        pytest.param({"heard_at": NOON + MINUTE, "cut_since": NOON}, Cause.CIRCUIT, None, id="it speaks, unreachable"),
    ],
)
def test_a_partner_is_back_when_it_is_heard_and_can_be_reached(
    seen: dict[str, datetime], cause: Cause, news: News | None
) -> None:
    before = Silence("region", NOON, cause, NOON)
    after, new = judge(Partner(party="region", **seen), before, NOON + 2 * MINUTE)
    assert new == news
    assert (after is None) == (news is News.BACK)


def test_there_is_no_digest_of_nothing() -> None:
    before = Silence("region", NOON, Cause.NO_RECEIPT, NOON)
    assert judge(Partner(party="region"), before, NOON + DIGEST_EVERY).news is None
    assert judge(Partner(party="region", waiting=1), before, NOON + DIGEST_EVERY).news is News.STILL_SILENT


@pytest.mark.parametrize(
    ("long", "waiting", "sv", "en"),
    [
        (
            47 * MINUTE,
            6,
            "Region X har inte svarat på 47 min; 6 meddelanden väntar.",
            "Region X has not answered for 47 min; 6 messages wait.",
        ),
        (
            timedelta(hours=5, minutes=59),
            1,
            "Region X har inte svarat på 5 tim; 1 meddelande väntar.",
            "Region X has not answered for 5 h; 1 message waits.",
        ),
        (
            timedelta(days=3),
            0,
            "Region X har inte svarat på 3 dygn; inga meddelanden väntar.",
            "Region X has not answered for 3 days; no messages wait.",
        ),
    ],
)
def test_staff_are_told_in_a_sentence(long: timedelta, waiting: int, sv: str, en: str) -> None:
    silence = Silence("region", NOON, Cause.NO_RECEIPT, NOON + SILENT_AFTER)
    assert sentence("Region X", silence, waiting, NOON + long) == (sv, en)
