"""``gateway events``: what was refused is seen, and taken up again once this side has been put right."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from blank import blank_store
from command import in_folder
from service_process import DIRECTORY, ROOT

from gateway.adapters.adapter import FolderAdapter
from gateway.adapters.treserva import TRESERVA
from gateway.clock import ManualClock
from gateway.context import Context
from gateway.directory import Directory
from gateway.errors import InvalidDocumentError
from gateway.outbox import Outbox
from gateway.ports import Event
from gateway.progress import ignore
from gateway.store import Store

EVENTS = ROOT / "fixtures" / "events" / "treserva"
BY = "SE2120001355-SOCHISINGEN"
WHY = "--by", BY, "--reason", "enheten är inlagd"
UNIT = "SE2321000131-E000000000101"
WRONG = b'{"typ": "BEHOV_IDENTIFIERAT"}'


@pytest.fixture
async def place(tmp_path: Path) -> Path:
    """Return a folder with a gateway that has refused two events: one named a unit that was not in the directory."""
    whole = DIRECTORY.read_text(encoding="utf-8")
    (tmp_path / "directory.toml").write_text(whole, encoding="utf-8")
    (tmp_path / "before.toml").write_text(whole.replace(UNIT, UNIT[:-3] + "199"), encoding="utf-8")
    (tmp_path / "case-system").mkdir()
    before = Directory.load(tmp_path / "before.toml")
    async with Store(blank_store(tmp_path / "gateway.sqlite")) as store:
        clock = ManualClock(datetime(2026, 11, 2, 9, 0, tzinfo=UTC))
        context = Context("kommun", before, store, clock, ignore, chance=lambda: 0.5)
        outbox = Outbox(context, FolderAdapter.over(TRESERVA, tmp_path / "case-system", before))
        for content in ((EVENTS / "valid_behov.json").read_bytes(), WRONG):
            with pytest.raises(InvalidDocumentError):
                await outbox.submit(Event(source="treserva", content=content))
    return tmp_path


def listed(place: Path) -> list[dict[str, Any]]:
    done = in_folder(place, "events", "list", "--json")
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)["events"]
    return found


async def test_a_refused_event_is_taken_up_again_once_its_unit_is_there(place: Path) -> None:
    first, second = listed(place)
    assert (first["source"], first["findings"][0]["code"]) == ("treserva", "unit.unknown-near")
    number = str(first["number"])
    shown = in_folder(place, "events", "show", number, "--content", place / "kept.json", *WHY)
    assert (shown.returncode, "[unit.unknown-near] /mottagare" in shown.stdout) == (0, True), (
        shown.stdout + shown.stderr
    )
    assert (place / "kept.json").read_bytes() == (EVENTS / "valid_behov.json").read_bytes()
    tried = in_folder(place, "events", "resend", number, *WHY, "--dry-run")
    assert (tried.returncode, len(listed(place))) == (0, 2), tried.stderr
    resent = in_folder(place, "events", "resend", "--all", *WHY, "--json")
    assert resent.returncode == 5, "the other is wrong in itself"
    accepted, refused = json.loads(resent.stdout)["events"]
    assert (accepted["number"], accepted["caseNumber"], len(accepted["messageIds"])) == (int(number), "SIP100001", 1)
    assert refused["findings"] != []
    assert [one["number"] for one in listed(place)] == [second["number"]]
    with closing(sqlite3.connect(place / "gateway.sqlite")) as database:
        kept = database.execute('SELECT event, "by", reason, codes FROM event_decision ORDER BY id').fetchall()
    assert [(event, by, reason) for event, by, reason, _ in kept] == [
        (int(number), BY, "enheten är inlagd"),
        (second["number"], BY, "enheten är inlagd"),
    ]
    assert [codes == "[]" for *_, codes in kept] == [True, False]
    done = json.loads(in_folder(place, "audit", "list", "--json").stdout)["audit"]
    assert [(row["action"], row["target"], row["case"], row["outcome"]) for row in done] == [
        ("event.read", number, None, "done"),
        ("event.resent", number, "SIP100001", "done"),
        ("event.resent", str(second["number"]), None, "failed"),
    ]
    extract = in_folder(place, "audit", "extract", "--case", "SIP100001", *WHY, "--json")
    assert [row["action"] for row in json.loads(extract.stdout)["audit"]] == ["event.read", "event.resent"]
    assert "enheten är inlagd" not in resent.stderr
    person = json.loads((EVENTS / "valid_behov.json").read_bytes())["person"]["namn"]
    assert person not in shown.stdout + shown.stderr + resent.stdout + resent.stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("99", *WHY), "event.not-refused"),
        ((*WHY,), "event.none-named"),
        (("1", "--by", BY, "--reason", " "), "by-hand.reason"),
        (("1", "--by", "nobody", "--reason", "x"), "hsa-id.form"),
    ],
)
async def test_what_cannot_be_resent_is_told_and_nothing_is_done(
    place: Path, arguments: tuple[str, ...], code: str
) -> None:
    done = in_folder(place, "events", "resend", *arguments)
    assert (done.returncode, code in done.stderr) == (5, True), done.stdout + done.stderr
    assert len(listed(place)) == 2


async def test_an_event_of_an_adapter_that_is_gone_stays(place: Path) -> None:
    done = in_folder(place, "events", "resend", "1", *WHY, adapter="journal")
    assert (done.returncode, "event.other-adapter" in done.stdout) == (5, True), done.stdout + done.stderr
    assert len(listed(place)) == 2


async def test_an_event_that_newer_ones_have_overtaken_is_resent_only_if_that_is_meant(place: Path) -> None:
    first = listed(place)[0]["number"]
    need = json.loads((EVENTS / "valid_behov.json").read_bytes())
    newer = json.dumps(need | {"handelseId": "TRV-NEWER", "behov": "Ett nytt läge."}).encode()
    async with Store(f"sqlite+aiosqlite:///{place / 'gateway.sqlite'}") as store:
        clock = ManualClock(datetime(2026, 11, 2, 10, 0, tzinfo=UTC))
        units = Directory.load(place / "directory.toml")
        context = Context("kommun", units, store, clock, ignore, chance=lambda: 0.5)
        outbox = Outbox(context, FolderAdapter.over(TRESERVA, place / "case-system", units))
        assert (await outbox.submit(Event(source="treserva", content=newer))).case_number == "SIP100001"
    done = in_folder(place, "events", "resend", str(first), *WHY)
    assert (done.returncode, "event.overtaken" in done.stdout) == (5, True), done.stdout + done.stderr
    meant = in_folder(place, "events", "resend", str(first), *WHY, "--overtaken")
    assert "event.overtaken" not in meant.stdout
    assert "case.already-started" in meant.stdout, "what the case itself does not allow stays refused"


async def test_what_is_discarded_is_kept_and_may_be_restored(place: Path) -> None:
    first, second = listed(place)
    assert (first["eventId"], first["kind"]) == ("TRV-FIX-01", "BEHOV_IDENTIFIERAT"), "it can be recognised"
    number = str(second["number"])
    for times in ("", "already"):
        done = in_folder(place, "events", "discard", number, *WHY)
        assert (done.returncode, times in done.stdout) == (0, True), done.stderr
    assert [one["number"] for one in listed(place)] == [first["number"]]
    assert in_folder(place, "events", "list", "--discarded").stdout.count("BEHOV_IDENTIFIERAT") == 2
    assert len(json.loads(in_folder(place, "messages", "list", "--json").stdout)["setAside"]) == 1
    assert in_folder(place, "events", "discard", number, *WHY, "--restore").returncode == 0
    assert len(listed(place)) == 2


async def test_an_event_is_not_taken_up_again_when_that_cannot_be_kept_in_the_audit_log(place: Path) -> None:
    with closing(sqlite3.connect(place / "gateway.sqlite")) as database:
        database.execute("ALTER TABLE audit RENAME TO audit_elsewhere")
    done = in_folder(place, "events", "resend", "1", *WHY)
    assert done.returncode == 1, done.stdout
    assert len(listed(place)) == 2
