"""The one sentence of the overview: the most urgent thing first, with a count, and where to go."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from gateway.silence import Sentence
from gateway.store.standing import MOST, Facts
from gateway.web.standing import ALL_IN_ORDER, Line, Severity, lines

QUIET = Sentence("Region Norr har inte svarat på 47 min.", "Region Norr has not answered for 47 min.")
NUMBERS = [one.name for one in fields(Facts) if one.name not in ("down", "paused")]


def told(facts: Facts, *, silent: tuple[Sentence, ...] = (), sees_all: bool = True) -> list[Line]:
    return lines(facts, silent=silent, sees_all=sees_all)


def test_when_nothing_waits_all_is_in_order() -> None:
    assert told(Facts()) == [ALL_IN_ORDER]
    assert (ALL_IN_ORDER.sv, ALL_IN_ORDER.en) == ("Allt är i ordning.", "All is in order.")


@pytest.mark.parametrize("name", NUMBERS)
def test_whatever_waits_is_told_in_both_languages_with_its_number_and_a_page(name: str) -> None:
    for number in (1, 2, 1234, MOST, MOST + 1):
        (line,) = told(replace(Facts(), **{name: number}))
        assert line != ALL_IN_ORDER
        assert line.severity in (Severity.BAD, Severity.WARNING)
        assert line.link is not None
        assert line.link.startswith("/")
        assert line.sv != line.en
        said = {1234: ("1\N{NO-BREAK SPACE}234 ", "1,234 "), MOST + 1: ("Fler än 10", "More than 10,000")}
        sv, en = said.get(
            number, (f"{number} ", f"{number} ") if number < MOST else ("10\N{NO-BREAK SPACE}000", "10,000")
        )
        assert (line.sv.startswith(sv), line.en.startswith(en)) == (True, True)


def test_the_most_urgent_comes_first() -> None:
    all_at_once = Facts(**dict.fromkeys(NUMBERS, 1), down=("journal",), paused=("treserva",))
    found = told(all_at_once, silent=(QUIET,))
    assert [line.link for line in found][:3] == ["/inbox?overdue=yes", "/acknowledgements?overdue=yes", "/failures"]
    assert found[3].sv == QUIET.sv
    severities = [line.severity for line in found]
    assert severities == sorted(severities)  # bad, then warning
    assert found[-1].en == "The connection treserva is paused."
    assert len(found) == len(NUMBERS) + 3
    assert told(replace(all_at_once, owed=0))[0].link == "/acknowledgements?overdue=yes"


def test_whoever_sees_some_units_is_sent_to_no_page_of_the_whole_party() -> None:
    (line,) = told(Facts(), silent=(QUIET,), sees_all=False)
    assert line.link == "/acknowledgements?overdue=yes"
    (line,) = told(Facts(), silent=(QUIET,))
    assert line.link == "/adapters"
