"""``gateway cases``: the list names no person, and a frozen case goes on after a review that is kept."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from build import CLINIC, NOON, OFFICE, PERSON, booking, consent, need, telling
from command import over_store
from scripted import open_convener

from gateway.clock import ManualClock
from gateway.errors import InvalidDocumentError
from gateway.messages import ProtectedLevel

STAFF = "SE2120001355-P000000000117"


async def test_a_frozen_case_goes_on_when_someone_has_reviewed_it(tmp_path: Path) -> None:
    async with open_convener(tmp_path, ManualClock(NOON)) as kommun:
        await kommun.says(need(), CLINIC)
        await kommun.says(consent())
        hidden = replace(PERSON, protected_level=ProtectedLevel.PROTECTED_REGISTRATION)
        await kommun.says(telling(), person=hidden)
        with pytest.raises(InvalidDocumentError) as caught:
            await kommun.says(booking(CLINIC), CLINIC, person=hidden)
        assert list(caught.value.codes) == ["case.frozen"]

        listed = over_store(tmp_path, "cases", "list", "--frozen", "--json")
        (case,) = json.loads(listed.stdout)["cases"]
        assert (case["case"], case["frozen"], case["leader"]["unit"]) == ("SIP100001", True, OFFICE)
        assert [one["what"] for one in case["awaited"]] == ["meeting"]
        shown = listed.stdout + over_store(tmp_path, "cases", "list").stdout
        assert [word for word in (PERSON.name, PERSON.identifiers[0].extension) if word in shown] == []

        done = over_store(
            tmp_path, "cases", "review", "SIP100001", "--by", STAFF, "--reason", "Mottagarna är namngivna."
        )
        assert done.returncode == 0, done.stderr
        (review,) = (await kommun.case()).reviews
        assert (review.by, review.reason) == (STAFF, "Mottagarna är namngivna.")
        await kommun.says(booking(CLINIC), CLINIC, person=hidden)
    again = over_store(tmp_path, "cases", "review", "SIP100001", "--by", STAFF, "--reason", "En gång till.")
    assert (again.returncode, "case.not-frozen" in again.stderr) == (5, True)


@pytest.mark.parametrize(
    ("number", "by", "code"), [("SIP100001", STAFF, "case.unknown"), ("SIP100001", "nobody", "hsa-id.form")]
)
async def test_a_review_of_nothing_or_by_nobody_is_refused(tmp_path: Path, number: str, by: str, code: str) -> None:
    async with open_convener(tmp_path, ManualClock(NOON)):
        pass
    said = over_store(tmp_path, "cases", "review", number, "--by", by, "--reason", "Prov.")
    assert (said.returncode, code in said.stderr) == (5, True)
