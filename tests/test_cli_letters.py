"""``gateway letters``: the list names nobody, the letter is Swedish prose, and what people state about it is kept."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from build import CLINIC, NOON, PERSON, booking, consent, need
from command import over_store
from scripted import Convener, open_convener

from gateway.clock import ManualClock
from gateway.messages import ProtectedLevel

PRIVATE = "SE2321000131-E000000000606"
TITLE = "Fysioterapi vid torget, privat utan anslutning"
STAFF = "SE2120001355-P000000000117"
READ = ("--by", STAFF, "--reason", "Brevet ska postas.")
PERSON_DATA = (PERSON.name, PERSON.identifiers[0].extension)


@pytest.fixture
async def kommun(tmp_path: Path) -> AsyncIterator[Convener]:
    """Yield a gateway that has called the clinic and the private provider to a meeting."""
    async with open_convener(tmp_path, ManualClock(NOON)) as convener:
        await convener.says(need(), CLINIC, PRIVATE)
        await convener.says(consent())
        await convener.says(booking(CLINIC, PRIVATE), CLINIC, PRIVATE)
        yield convener


async def test_a_letter_is_listed_shown_sent_and_answered(kommun: Convener, tmp_path: Path) -> None:
    listed = over_store(tmp_path, "letters", "list", "--json")
    assert listed.returncode == 0, listed.stderr
    found = {one["type"]: one for one in json.loads(listed.stdout)["letters"]}
    assert set(found) == {"sipStart", "consent", "meetingBooking"}
    call = found["meetingBooking"]
    assert (call["recipient"], call["title"], call["state"], call["owner"]) == (PRIVATE, TITLE, "letter", "convener")
    assert call["dueAt"] == "2026-11-04T12:00:00+01:00"
    table = over_store(tmp_path, "letters", "list")
    assert "Mötesbokning" in table.stdout
    assert [word for word in PERSON_DATA if word in table.stdout + listed.stdout] == []

    shown = over_store(tmp_path, "letters", "show", call["id"][:13], PRIVATE, *READ)
    assert shown.returncode == 0, shown.stderr
    for line in (
        "Socialkontor Hisingen\nGöteborgs Stad\n",
        f"Till: {TITLE}\n",
        "Datum: 2026-11-02\n",
        "MÖTESBOKNING\n",
        "Gäller: Alva Testberg, 198509129808\n",
        "Syfte: Att kunna bo kvar hemma.\n",
        "  - Vem hjälper till med medicinen?\n",
        "  Börjar: 2026-11-09 12:00\n",
        "  Slag: Kallelse\n  Huvudman: Region\n",
        "Den enskilde deltar: Ja\n",
        "Skickat av: Karin Övningsson\n",
    ):
        assert line in shown.stdout
    assert "letter.shown" in shown.stderr
    assert [word for word in PERSON_DATA if word in shown.stderr] == []

    said = ("--by", STAFF, "--reason", "Rekommenderat brev.")
    early = over_store(tmp_path, "letters", "answered", call["id"], PRIVATE, *said)
    assert (early.returncode, "letter.not-mailed" in early.stderr) == (5, True)
    sent = over_store(tmp_path, "letters", "sent", call["id"], PRIVATE, *said)
    assert (sent.returncode, "sent by letter" in sent.stdout, "letter.mailed" in sent.stderr) == (0, True, True)
    again = over_store(tmp_path, "letters", "sent", call["id"], PRIVATE, *said, "--json")
    assert json.loads(again.stdout) == {"id": call["id"], "unit": PRIVATE, "state": "mailed", "changed": False}
    assert "meetingBooking" not in over_store(tmp_path, "letters", "list", "--json").stdout
    assert "meetingBooking" in over_store(tmp_path, "letters", "list", "--mailed", "--json").stdout

    answered = over_store(tmp_path, "letters", "answered", call["id"], PRIVATE, *said, "--json")
    assert json.loads(answered.stdout)["state"] == "acknowledged"
    assert await kommun.states("meetingBooking") == {CLINIC: "queued", PRIVATE: "acknowledged"}
    life = over_store(tmp_path, "messages", "show", call["id"], "--json")
    by_hand = [(one["event"], one["code"]) for one in json.loads(life.stdout)["events"] if one["code"]]
    assert by_hand == [("mailed", STAFF), ("answered", STAFF)]


async def test_a_letter_that_waits_is_a_duty_of_the_unit_that_wrote_it(kommun: Convener, tmp_path: Path) -> None:
    listed = over_store(tmp_path, "acknowledgements", "list", "--json")
    duties = [one for one in json.loads(listed.stdout)["duties"] if one["awaited"] == "letter"]
    assert {(one["party"], one["unit"], one["owner"]) for one in duties} == {
        ("kommun", "SE2120001355-SOCHISINGEN", "convener")
    }
    assert len(duties) == 3
    silent = over_store(tmp_path, "deadlines", "--if-partner-down", "9000d", "--party", "region", "--json")
    assert [one for one in json.loads(silent.stdout)["duties"] if one["awaited"] == "letter"] == []


async def test_a_letter_about_a_protected_identity_goes_by_way_of_skatteverket(tmp_path: Path) -> None:
    hidden = replace(PERSON, protected_level=ProtectedLevel.PROTECTED_REGISTRATION)
    async with open_convener(tmp_path, ManualClock(NOON)) as convener:
        await convener.says(need(), PRIVATE, person=hidden)
        await convener.says(consent(), person=hidden)
        (row,) = await convener.rows("sipStart")
    shown = over_store(tmp_path, "letters", "show", row.message_id, PRIVATE, *READ, "--json")
    letter = json.loads(shown.stdout)
    assert letter["protected"] is True
    assert letter["text"].startswith("SKYDDADE PERSONUPPGIFTER. Brevet går genom Skatteverkets förmedlingsuppdrag.\n")


@pytest.mark.parametrize(
    ("unit", "by", "code"),
    [
        (CLINIC, STAFF, "letter.unknown"),
        ("SE2321000131-NOBODY", STAFF, "letter.unknown"),
        (PRIVATE, "nobody", "hsa-id.form"),
    ],
)
async def test_nothing_is_stated_about_what_is_no_letter_or_by_nobody(
    kommun: Convener, tmp_path: Path, unit: str, by: str, code: str
) -> None:
    (row, _) = await kommun.rows("sipStart")
    said = over_store(tmp_path, "letters", "sent", row.message_id, unit, "--by", by, "--reason", "Prov.")
    assert (said.returncode, code in said.stderr) == (5, True)


async def test_a_letter_that_waits_for_a_consent_is_not_shown(tmp_path: Path) -> None:
    async with open_convener(tmp_path, ManualClock(NOON + timedelta(days=1))) as convener:
        await convener.says(need(), PRIVATE)
        (row,) = await convener.rows("sipStart")
    shown = over_store(tmp_path, "letters", "show", row.message_id, PRIVATE, *READ)
    assert (shown.returncode, "letter.held" in shown.stderr, shown.stdout) == (5, True, "")
