"""``gateway failures``, ``messages resend|discard|restore`` and ``inbox``: what staff do at the machine."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from build import CLINIC, NOON, OFFICE, PERSON, PSYCHIATRY, consent, need
from command import over_store
from scripted import Convener, open_convener
from stored import received

from gateway.clock import ManualClock
from gateway.ledger import Inbound
from gateway.lifecycle import InState, Owner
from gateway.messages import Duty
from gateway.store import incoming

STAFF = "SE2120001355-P000000000117"
WHY = ("--by", STAFF, "--reason", "Partnern är tillbaka.")


@pytest.fixture
async def kommun(tmp_path: Path) -> AsyncIterator[Convener]:
    """Return a gateway that has given up a need and a consent for two units, and has been told of two patients."""
    async with open_convener(tmp_path, ManualClock(NOON)) as convener:
        await convener.says(need(), CLINIC, PSYCHIATRY)
        await convener.says(consent())
        await convener.publishes()
        convener.waits(hours=73)
        while await convener.tracker.sweep():
            pass
        async with convener.context.store.writing() as tx:
            await incoming.add(
                tx, [owed("admissionNotice", Duty.ACKNOWLEDGE, 1), owed("meetingBooking", Duty.REPLY, 2)]
            )
        yield convener


def owed(type_name: str, duty: Duty, number: int) -> Inbound:
    came = received(type=type_name, duty=duty, state=InState.REGISTERED, sequence=number)
    return came._replace(due_at=NOON + timedelta(days=number), owner=Owner.RECIPIENT)


def said(folder: Path, *arguments: str, code: int = 0) -> Any:
    done = over_store(folder, *arguments, "--json")
    assert done.returncode == code, done.stderr
    assert PERSON.name not in done.stdout + done.stderr
    return json.loads(done.stdout)


async def test_failures_are_listed_noted_sent_again_discarded_and_restored(kommun: Convener, tmp_path: Path) -> None:
    (group,) = [one for one in said(tmp_path, "failures", "list")["groups"] if one["kind"] == "sent"]
    assert (group["code"], group["party"], group["count"], group["note"]) == ("message.given-up", "region", 4, None)
    assert group["sv"].startswith("Gavs upp")
    note = said(tmp_path, "failures", "note", "message.given-up", "Felanmält.", "--by", STAFF)["note"]
    assert (note["text"], note["by"]) == ("Felanmält.", STAFF)
    assert "Felanmält." in over_store(tmp_path, "failures", "list", "--kind", "sent").stdout
    items = said(tmp_path, "failures", "list", "--code", "message.given-up")["items"]
    assert {(one["unit"], one["state"]) for one in items} == {(CLINIC, "expired"), (PSYCHIATRY, "expired")}

    (start, _) = await kommun.rows("sipStart")
    before = await kommun.states("sipStart")
    tried = said(tmp_path, "messages", "resend", start.message_id, *WHY, "-n")["items"]
    assert [one["outcome"] for one in tried] == ["would-be-done"] * 2
    assert await kommun.states("sipStart") == before
    one_unit = ("messages", "resend", start.message_id[:13], "--unit", CLINIC, *WHY)
    assert [one["outcome"] for one in said(tmp_path, *one_unit)["items"]] == ["done"]
    assert await kommun.states("sipStart") == {CLINIC: "retrying", PSYCHIATRY: "expired"}

    mine = [f"sent:{start.id}", items[0]["item"]]  # the first is under way again
    partly = said(tmp_path, "messages", "discard", *mine, *WHY, code=8)["items"]
    assert [(one["outcome"], [found["code"] for found in one["findings"]]) for one in partly] == [
        ("refused", ["discard.not-failed"]),
        ("done", []),
    ]
    assert said(tmp_path, "failures", "list", "--kind", "sent")["groups"][0]["count"] == 2
    told = over_store(tmp_path, "messages", "restore", mine[1], *WHY)
    assert (told.returncode, "Visas bland felen igen" in told.stdout, "message.restored" in told.stderr) == (
        0,
        True,
        True,
    )
    assert said(tmp_path, "messages", "restore", *mine, *WHY, code=5)["items"][1]["outcome"] == "refused"
    for name in ("0000", "sent:x"):
        assert over_store(tmp_path, "messages", "resend", name, *WHY).returncode == 5


async def test_what_a_unit_owes_is_listed_and_taken_charge_of(kommun: Convener, tmp_path: Path) -> None:
    listed = said(tmp_path, "inbox", "list", "--unit", OFFICE)["messages"]
    assert [(one["type"], one["duty"]) for one in listed] == [
        ("admissionNotice", "acknowledge"),
        ("meetingBooking", "reply"),
    ]
    assert said(tmp_path, "inbox", "list", "--unit", CLINIC)["messages"] == []
    table = over_store(tmp_path, "inbox", "list", "--type", "admissionNotice").stdout
    assert ("Kvittera" in table, "Svara" in table) == (True, False)
    every = [one["id"] for one in listed]
    done = said(tmp_path, "inbox", "acknowledge", *every, *WHY, "--name", "Karin Övningsson", code=8)["items"]
    assert [(one["outcome"], [found["code"] for found in one["findings"]]) for one in done] == [
        ("done", []),
        ("refused", ["acknowledge.reply-owed"]),
    ]
    assert [one["type"] for one in said(tmp_path, "inbox", "list")["messages"]] == ["meetingBooking"]
