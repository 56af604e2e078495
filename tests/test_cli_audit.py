"""``gateway audit`` and ``gateway tokens``: what is done by hand is in the log with who and why, and no person is."""

from __future__ import annotations

import io
import json
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from build import CHILD, CLINIC, NOON, OFFICE, PERSON, booking, consent, need
from command import over_store
from scripted import Convener, open_convener

from gateway.access import Role
from gateway.audit import Action, AuditOutcome, Entry
from gateway.cli.audit import _numbers
from gateway.clock import STOCKHOLM, ManualClock
from gateway.errors import InvalidDocumentError
from gateway.identifiers import PersonId
from gateway.store import Store, audit, events
from gateway.store.events import KeptEvent
from gateway.tokens import actor_of

PRIVATE = "SE2321000131-E000000000606"
STAFF = "SE2120001355-P000000000117"
WHY = ("--by", STAFF, "--reason", "Utskrift till brev.")
NUMBER, NAME = PERSON.identifiers[0].extension, PERSON.name
PERSON_DATA = (NUMBER, NUMBER[2:], "850912-9808", NAME, "Testberg")
CASE = "SIP100001"


@pytest.fixture
async def kommun(tmp_path: Path) -> AsyncIterator[Convener]:
    """Yield a gateway with a case, a letter in it, and a refused event about the same person."""
    async with open_convener(tmp_path, ManualClock(NOON)) as convener:
        await convener.says(need(), CLINIC, PRIVATE)
        await convener.says(consent())
        await convener.says(booking(CLINIC, PRIVATE), CLINIC, PRIVATE)
        async with convener.context.store.writing() as tx:
            for number, content in enumerate((b'{"personnummer": "850912-9808"}', b"{}")):
                kept = KeptEvent(
                    source="treserva",
                    event_id=None,
                    kind=None,
                    content_hash=str(number),
                    content=content,
                    received_at=NOON,
                    findings=[{"code": "event.member-missing", "sv": "s", "en": "e"}],
                )
                await events.keep(tx, [kept])
        yield convener


def rows(folder: Path, *options: str) -> list[dict[str, Any]]:
    done = over_store(folder, "audit", "list", "--json", *options)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)["audit"]
    return found


def told(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("action", "by", "role", "unit", "target", "case", "outcome", "code"))


async def test_whatever_is_done_or_tried_by_hand_is_in_the_log_and_no_person_is(
    kommun: Convener, tmp_path: Path
) -> None:
    (call,) = [row.message_id for row in await kommun.rows("meetingBooking") if row.unit == PRIVATE]
    async with kommun.context.store.reading() as tx:
        about_person, about_nobody = [str(one.number) for one in await events.refused(tx)]
    hers, not_found = (STAFF, "operator", OFFICE, call, CASE), (STAFF, "operator", None, None, None)
    adapter = (STAFF, "operator", None, "treserva", None)
    tried = [
        (("letters", "show", call[:13], PRIVATE, *WHY), ("letter.shown", *hers, "done", None)),
        (("letters", "answered", call, PRIVATE, *WHY), ("letter.answered", *hers, "failed", "letter.not-mailed")),
        (("letters", "sent", call, PRIVATE, *WHY), ("letter.mailed", *hers, "done", None)),
        (("letters", "answered", call, PRIVATE, *WHY), ("letter.answered", *hers, "done", None)),
        (("letters", "show", NUMBER, PRIVATE, *WHY), ("letter.shown", *not_found, "failed", "letter.unknown")),
        (
            ("letters", "sent", call, PRIVATE, "--by", f"{NAME} {NUMBER}", "--reason", "Prov."),
            ("letter.mailed", "unknown", None, None, call, None, "refused", "hsa-id.form"),
        ),
        (
            ("cases", "review", CASE, "--by", STAFF, "--reason", f"Gäller {NUMBER}"),
            ("case.reviewed", STAFF, "operator", None, CASE, CASE, "refused", "by-hand.person-number"),
        ),
        (
            ("cases", "review", CASE, *WHY),
            ("case.reviewed", STAFF, "operator", None, CASE, CASE, "failed", "case.not-frozen"),
        ),
        (("adapters", "pause", "treserva", *WHY), ("adapter.paused", *adapter, "done", None)),
        (("adapters", "resume", "treserva", *WHY), ("adapter.resumed", *adapter, "done", None)),
        (("adapters", "pause", NUMBER, *WHY), ("adapter.paused", *not_found, "failed", "config.unknown-adapter")),
        (
            ("events", "show", about_person, "--content", str(tmp_path / "read"), *WHY),
            ("event.read", STAFF, "operator", None, about_person, None, "done", None),
        ),
        (
            ("events", "show", about_nobody, "--content", str(tmp_path / "unread")),
            ("event.read", "unknown", None, None, None, None, "refused", "hsa-id.form"),
        ),
        (
            ("events", "resend", about_nobody, *WHY),
            ("event.resent", STAFF, "operator", None, about_nobody, None, "failed", "json.missing"),
        ),
        (
            ("events", "resend", NUMBER[3:], *WHY),
            ("event.resent", *not_found, "failed", "event.not-refused"),
        ),
    ]
    for arguments, _ in tried:
        over_store(tmp_path, *arguments)
    found = rows(tmp_path)
    assert [told(row) for row in found] == [row for _, row in tried]
    assert {row["reason"] for row in found} == {"Utskrift till brev.", "Prov.", None}
    assert not (tmp_path / "unread").exists()
    with closing(sqlite3.connect(tmp_path / "kommun.sqlite")) as database:
        kept = repr(database.execute("SELECT * FROM audit").fetchall())
    table = over_store(tmp_path, "audit", "list").stdout
    assert "letter.shown" in table
    assert [word for word in PERSON_DATA if word in kept + table] == []

    day = datetime.fromisoformat(found[0]["at"]).astimezone(STOCKHOLM).date().isoformat()
    asked = ("--from", day, "--to", "2999-12-31", "--action", "letter.mailed", "--by")
    assert [row["outcome"] for row in rows(tmp_path, *asked, "unknown")] == ["refused"]

    # What she may know of it: her case, and the event that was never taken into one.
    (tmp_path / "person").write_text("850912-9808\n", encoding="utf-8")
    (tmp_path / "other").write_text(CHILD.identifiers[0].extension, encoding="utf-8")
    hers_by_person = over_store(tmp_path, "audit", "extract", "--person-file", tmp_path / "person", *WHY, "--json")  # type: ignore[arg-type]
    extract = json.loads(hers_by_person.stdout)
    assert extract["cases"] == [CASE]
    expected = [row["number"] for row in found if row["case"] == CASE or row["target"] in (call, about_person)]
    assert len(expected) == 8
    assert [row["number"] for row in extract["audit"]] == expected
    assert {"reason", "previous"} & set(extract["audit"][0]) == set()
    of_other = over_store(tmp_path, "audit", "extract", "--person-file", tmp_path / "other", *WHY, "--json")  # type: ignore[arg-type]
    assert json.loads(of_other.stdout) == {"cases": [], "audit": []}
    by_case = over_store(tmp_path, "audit", "extract", "--case", CASE, *WHY)
    assert ("letter.shown" in by_case.stdout, "audit.extracted" in by_case.stdout) == (True, True)
    extracted = ("audit.extracted", STAFF, "auditor", None, CASE, CASE, "done", None)
    nobody = ("audit.extracted", STAFF, "auditor", None, None, None, "done", None)
    assert [told(row) for row in rows(tmp_path, "--action", "audit.extracted")] == [extracted, nobody, extracted]


async def test_a_log_that_was_tampered_with_ends_verify_with_7(kommun: Convener, tmp_path: Path) -> None:
    for _ in range(3):
        async with kommun.context.store.writing() as tx:
            await audit.append(tx, Entry(at=NOON, by=STAFF, action=Action.LETTER_SHOWN, outcome=AuditOutcome.DONE))
    whole = over_store(tmp_path, "audit", "verify")
    anchor = whole.stdout.strip()
    assert (whole.returncode, anchor[:2], len(anchor)) == (0, "3:", 66), whole.stderr
    with closing(sqlite3.connect(tmp_path / "kommun.sqlite", isolation_level=None)) as database:
        database.execute("DROP TRIGGER audit_unchanged")
        database.execute("UPDATE audit SET \"by\" = 'SE2120001355-P000000000118' WHERE number = 2")
    broken = over_store(tmp_path, "audit", "verify", "--json")
    said = json.loads(broken.stdout)
    assert (broken.returncode, said["rows"], said["finding"]["code"]) == (7, 1, "audit.altered")
    assert "[audit.altered] Rad 2 " in broken.stderr
    unreadable = over_store(tmp_path, "audit", "verify", "--anchor", "3")
    assert (unreadable.returncode, "[audit.anchor]" in unreadable.stderr) == (5, True)


async def test_a_token_is_printed_once_and_alone_and_holds_until_it_is_revoked(
    kommun: Convener, tmp_path: Path
) -> None:
    create = ("tokens", "create", "portal", "--role", "operator")
    made = over_store(tmp_path, *create, "--unit", OFFICE, *WHY)
    assert made.returncode == 0, made.stderr
    (shown,) = made.stdout.splitlines()
    assert shown not in made.stderr
    with closing(sqlite3.connect(tmp_path / "kommun.sqlite")) as database:
        now = database.execute("SELECT at FROM audit").fetchone()[0]
    async with Store(f"sqlite+aiosqlite:///{tmp_path / 'kommun.sqlite'}") as store:
        actor = await actor_of(store, shown, datetime.fromisoformat(now))
    assert (actor.name, actor.role, actor.units) == ("portal", Role.OPERATOR, frozenset({OFFICE}))
    for arguments, code, exit_code in (
        ((*create, *WHY), "token.taken", 5),
        (("tokens", "create", "other", "--role", "reader", "--unit", CLINIC, *WHY), "token.unit-of-other-party", 5),
        (("tokens", "create", NUMBER, "--role", "reader", *WHY), "token.name", 5),
        (("tokens", "create", "other", "--role", "reader", "--by", "x", "--reason", "y"), "hsa-id.form", 5),
        (("tokens", "create", "other", "--role", "reader", "--days", "366", *WHY), "--days", 2),
        (("tokens", "revoke", "other", *WHY), "token.unknown", 5),
    ):
        done = over_store(tmp_path, *arguments)
        assert (done.returncode, code in done.stderr, done.stdout) == (exit_code, True, ""), arguments
    revoked = over_store(tmp_path, "tokens", "revoke", "portal", *WHY)
    assert (revoked.returncode, "revoked" in revoked.stdout) == (0, True)
    assert "already" in over_store(tmp_path, "tokens", "revoke", "portal", *WHY).stdout
    (one,) = json.loads(over_store(tmp_path, "tokens", "list", "--json").stdout)["tokens"]
    assert (one["role"], one["units"], one["revokedBy"]) == ("operator", [OFFICE], STAFF)
    assert one["usedAt"] is not None
    table = over_store(tmp_path, "tokens", "list").stdout
    assert (shown in table, "revoked" in table) == (False, True)
    outcomes = [(row["action"], row["target"], row["outcome"], row["code"]) for row in rows(tmp_path)]
    assert outcomes == [
        ("token.created", "portal", "done", None),
        ("token.created", "portal", "failed", "token.taken"),
        ("token.created", "other", "failed", "token.unit-of-other-party"),
        ("token.created", None, "failed", "token.name"),
        ("token.created", None, "refused", "hsa-id.form"),
        ("token.revoked", "other", "failed", "token.unknown"),
        ("token.revoked", "portal", "done", None),
        ("token.revoked", "portal", "done", None),
    ]


def test_person_numbers_come_from_a_file_or_the_input_and_are_never_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n850912-9808\n 20100304-9804 \n"))
    assert [one.value for one in _numbers(Path("-"))] == [NUMBER, CHILD.identifiers[0].extension]
    assert PersonId.parse(NUMBER) in _numbers(_file(tmp_path, NUMBER))
    for text, code in (("", "audit.person-file"), ("850912-9809", "person-id.check-digit")):
        with pytest.raises(InvalidDocumentError) as caught:
            _numbers(_file(tmp_path, text))
        assert caught.value.codes == (code,)
        assert "850912" not in str(caught.value)
    with pytest.raises(InvalidDocumentError):
        _numbers(tmp_path / "nowhere")


def _file(folder: Path, text: str) -> Path:
    (folder / "person").write_text(text, encoding="utf-8")
    return folder / "person"


async def test_an_extract_is_of_a_case_or_of_a_person(kommun: Convener, tmp_path: Path) -> None:
    for options, code, exit_code in (
        ((), "audit.case-or-person", 2),
        (("--case", CASE, "--person-file", "x"), "audit.case-or-person", 2),
        (("--case", "SIP100099"), "audit.case-unknown", 5),
        (("--case", NUMBER), "case-number.form", 5),
    ):
        done = over_store(tmp_path, "audit", "extract", *WHY, *options)
        assert (done.returncode, code in done.stderr) == (exit_code, True), done.stderr
    assert [row["target"] for row in rows(tmp_path)] == ["SIP100099", None]
