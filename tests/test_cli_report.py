"""``gateway report`` on a real store: which messages are read, how the report looks, and what it never shows."""

from __future__ import annotations

import asyncio
import csv
import json
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from blank import blank_store
from build import (
    CLINIC,
    KOMMUN,
    NOON,
    OFFICE,
    PSYCHIATRY,
    REGION,
    WARD,
    booking,
    closure,
    consent,
    declined,
    message,
    need,
    plan,
    reply,
)
from build_discharge import discharge, notice, ready
from command import in_folder
from service_process import DIRECTORY
from stored import received, row

from gateway.case_log import Told
from gateway.lifecycle import InState, OutState
from gateway.messages import Identifier, Message, Person, ProtectedLevel, render_xml
from gateway.process import apply, receive
from gateway.replay.people import invented
from gateway.store import Store, Transaction, case_logs, cases, incoming, outgoing

DAYS = ("--from", "2026-11-01", "--to", "2026-11-30")
PEOPLE = [invented(count) for count in range(8)]


def after(days: float) -> datetime:
    return NOON + timedelta(days=days)


def someone(number: int, level: ProtectedLevel = ProtectedLevel.NONE) -> Person:
    """Return one of several persons."""
    person = PEOPLE[number]
    identifier = Identifier(root="1.2.752.129.2.1.3.1", extension=person.number.replace("-", ""))
    return Person(identifiers=(identifier,), name=person.name, protected_level=level)


async def keep(tx: Transaction, own: Sequence[Message], *, came: Sequence[Message] = (), at: datetime = NOON) -> None:
    """Keep messages of one case as a gateway does that has sent and received all of them."""
    case = None
    for one in sorted((*own, *came), key=lambda each: each.header.created_at):
        if one in own:
            case = apply(case, one)
        else:
            here = one.header.recipients[0]
            case = receive(case, one, unit=here.unit, party=here.party, again=False)
    assert case is not None
    await cases.save_all(tx, [(case, 0)], at)
    for one in own:
        header = one.header
        rows = [
            row(
                message_id=header.message_id,
                type=one.type,
                case_number=header.case_number,
                party=to.party,
                unit=to.unit,
                state=OutState.RECEIVED,
                sent_at=header.created_at,
            )
            for to in header.recipients
        ]
        await outgoing.add(tx, one, render_xml(one), rows)
    await incoming.add(tx, [_inbound(one, InState.REGISTERED) for one in came])


def _inbound(one: Message, state: InState) -> Any:
    header = one.header
    return received(
        type=one.type,
        party=header.sender.party,
        message_id=header.message_id,
        unit=header.recipients[0].unit,
        case_number=header.case_number,
        sequence=None,
        sender_unit=header.sender.unit,
        xml=render_xml(one),
        state=state,
    )


def sip(number: int, person: Person, *, lead_time: int = 10) -> tuple[list[Message], list[Message]]:
    """Return the own and the incoming messages of a whole SIP."""
    case = {"person": person, "number": f"SIP1000{number:02}"}
    call = message(booking(CLINIC, at=after(1)), CLINIC, at=after(1), **case)
    own = [
        message(need(), CLINIC, **case),
        message(consent(at=NOON), CLINIC, at=after(0.5), **case),
        call,
        message(plan(at=after(lead_time)), CLINIC, at=after(lead_time), **case),
        message(closure(at=after(20)), CLINIC, at=after(20), **case),
    ]
    replied = {"sender": CLINIC, "at": after(2), "in_reply_to": call.header.message_id}
    return own, [message(reply(), OFFICE, **case, **replied)]


async def _fill(store: Path) -> None:
    async with Store(blank_store(store)) as opened, opened.writing() as tx:
        for number in range(5):
            own, came = sip(number, someone(number))
            await keep(tx, own, came=came, at=after(20))
        hidden = someone(5, ProtectedLevel.CONFIDENTIALITY_MARKED)
        own, came = sip(5, hidden)
        await keep(tx, own, came=came, at=after(20))
        case: dict[str, Any] = {"person": someone(6), "number": "SIP100006"}
        own = [message(need(), CLINIC, **case), message(declined(), at=after(1), **case)]
        await keep(tx, own, at=after(1))
        of_stay: dict[str, Any] = {"person": someone(7), "number": "M200001", "sender": WARD}
        bodies = (notice(), replace(ready(at=after(3)), sip_needed=False), discharge(at=after(10)))
        came = [message(body, OFFICE, at=after(at), **of_stay) for body, at in zip(bodies, (0, 3, 10), strict=True)]
        await keep(tx, [], came=came, at=after(10))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the store of a municipality: five whole cases, a no, a stay, and someone protected."""
    folder = tmp_path_factory.mktemp("report")
    asyncio.run(_fill(folder / "gateway.sqlite"))
    (folder / "directory.toml").write_bytes(DIRECTORY.read_bytes())
    return folder


def report(place: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return in_folder(place, "report", *arguments, **settings)


def lines_of(done: subprocess.CompletedProcess[str]) -> dict[tuple[str, str | None], dict[str, Any]]:
    assert done.returncode == 0, done.stderr
    return {(line["indicator"], line["detail"]): line for line in json.loads(done.stdout)["figures"]}


# --- the command ----------------------------------------------------------------------------------------------------


def test_the_report_counts_what_the_store_holds_and_hides_what_is_small(place: Path) -> None:
    done = report(place, *DAYS, "--format", "json")
    lines = lines_of(done)
    values = {name: line["value"] for (name, detail), line in lines.items() if detail is None}
    assert values["meetings.held"] == values["sip.accepted"] == values["plans"] == values["calls.units"] == 5
    assert values["sip.offered"] == 6  # five and the one who said no; never the protected one
    assert values["calls.replied"] == values["lead-time.within-target"] == 100
    assert values["lead-time.median"] == 10
    assert lines["plans.life-area", "physical-health"]["value"] == 5
    assert lines["closures", "goals-met"]["value"] == 5
    assert lines["sip.declined", None] == {
        "indicator": "sip.declined",
        "detail": None,
        "month": None,
        "unit": "count",
        "value": None,
        "suppressed": True,
    }
    assert "protected identity" in json.loads(done.stdout)["note"]["en"]


def test_a_stay_is_shown_by_municipality_and_month(place: Path) -> None:
    hidden = lines_of(report(place, *DAYS, "--format", "json"))
    assert hidden["payment.patients", KOMMUN]["suppressed"]
    lines = lines_of(report(place, *DAYS, "--format", "json", smallest_count_shown="1", payment_day_amount="1000"))
    values = {name: line["value"] for (name, detail), line in lines.items() if detail == KOMMUN}
    # Ready on the 5th at noon sharp, so that the responsibility begins on the 8th; home on the 12th.
    assert (values["payment.patients"], values["payment.days"], values["payment.mean"]) == (1, 4, 4)
    assert (values["payment.overshoot"], values["payment.amount"]) == (1, 1000)
    assert {line["month"] for (_, detail), line in lines.items() if detail == KOMMUN} == {"2026-11"}


def test_the_terms_are_settings(place: Path) -> None:
    settings = {"smallest_count_shown": "1", "payment_cutoff": "11:00", "payment_mean_from": "ready"}
    lines = lines_of(report(place, *DAYS, "--format", "json", payment_individually_after_days="2", **settings))
    assert lines["payment.days", KOMMUN]["value"] == 3
    assert lines["payment.mean", KOMMUN]["value"] == 7
    assert lines["payment.individually", KOMMUN]["value"] == 1


def test_a_csv_has_a_header_and_semicolons_and_the_note_stands_beside_it(place: Path) -> None:
    done = report(place, *DAYS, "--format", "csv")
    rows = list(csv.reader(done.stdout.splitlines(), delimiter=";"))
    assert rows[0] == ["indicator", "detail", "month", "unit", "value"]
    assert ["meetings.held", "", "", "count", "5"] in rows
    assert ["sip.declined", "", "", "count", "<5"] in rows
    assert {len(row) for row in rows} == {5}
    assert "skyddade personuppgifter" in done.stderr


def test_a_table_speaks_both_languages(place: Path) -> None:
    done = report(place, *DAYS)
    assert "Hållna SIP-möten / Held SIP meetings" in done.stdout
    assert "<5" in done.stdout
    assert "skyddade personuppgifter" in done.stdout


def test_nothing_about_a_person_is_in_a_report(place: Path) -> None:
    for form in ("table", "csv", "json"):
        done = report(place, *DAYS, "--format", form)
        told = [part for person in PEOPLE for part in (person.name, person.number, person.number.replace("-", ""))]
        assert not any(word in done.stdout for word in ("SIP1000", "M200001", *told))


def test_a_period_without_anything_shows_zeros(place: Path) -> None:
    lines = lines_of(report(place, "--from", "2020-01-01", "--to", "2020-01-31", "--format", "json"))
    assert {line["value"] for line in lines.values() if line["unit"] == "count"} == {0}
    assert not any(line["suppressed"] for line in lines.values())


def test_cases_are_chosen_by_the_area_of_the_unit_that_convened_them(place: Path) -> None:
    other = (place / "directory.toml").read_text(encoding="utf-8").replace("Göteborgsområdet", "Hisingen", 1)
    (place / "areas.toml").write_text(other, encoding="utf-8")
    arguments = (*DAYS, "--format", "json", "--directory", "areas.toml")
    here = lines_of(report(place, *arguments, "--area", "hisingen"))
    there = lines_of(report(place, *arguments, "--area", "Göteborgsområdet"))
    assert (here["meetings.held", None]["value"], there["meetings.held", None]["value"]) == (5, 0)
    assert ("payment.patients", KOMMUN) not in here
    assert ("payment.patients", KOMMUN) in there


@pytest.mark.parametrize(
    ("arguments", "exit_code", "code"),
    [
        (("--from", "2026-11-31", "--to", "2026-12-01"), 2, "report.date"),
        (("--from", "2026-11-01", "--to", "20261130"), 2, "report.date"),
        (("--from", "0001-01-01", "--to", "9999-12-31"), 2, "report.date"),
        (("--from", "2026-12-01", "--to", "2026-11-30"), 2, "report.order"),
        ((*DAYS, "--area", "Nowhere"), 2, "report.unknown-area"),
        ((*DAYS, "--store", "nowhere.sqlite"), 3, "store.missing"),
    ],
)
def test_what_cannot_be_reported_is_refused_with_a_code(
    place: Path, arguments: tuple[str, ...], exit_code: int, code: str
) -> None:
    done = report(place, *arguments)
    assert (done.returncode, done.stdout) == (exit_code, "")
    assert f"[{code}]" in done.stderr


def test_a_period_must_be_named(place: Path) -> None:
    assert report(place, "--from", "2026-11-01").returncode == 2


# --- what is read, on each database ---------------------------------------------------------------------------------


async def read(tx: Transaction, since: float = -1, until: float = 30, **more: int) -> list[list[Told]]:
    return [log async for log in case_logs.logs(tx, since=after(since), until=after(until), **more)]


async def test_own_messages_tell_where_they_have_come_and_incoming_ones_to_whom(tx: Transaction) -> None:
    own, came = sip(0, someone(0))
    await keep(tx, own, came=came)
    [log] = await read(tx)
    assert [told.message for told in log] == sorted([*own, *came], key=lambda one: one.header.created_at)
    assert {(told.message.header.sender.party, told.units) for told in log} == {
        (KOMMUN, frozenset({CLINIC})),
        (REGION, frozenset({OFFICE})),
    }


async def test_a_message_that_came_to_two_units_is_told_once(tx: Transaction) -> None:
    made = message(notice(), OFFICE, "SE2120001355-HSLHISINGEN", sender=WARD, number="M200001")
    await cases.save_all(tx, [(apply(None, made), 0)], NOON)
    await incoming.add(tx, [_inbound(made, InState.REGISTERED)._replace(unit=to.unit) for to in made.header.recipients])
    [[told]] = await read(tx)
    assert told.units == {to.unit for to in made.header.recipients}


@pytest.mark.parametrize("state", [InState.STORED, InState.REJECTED, InState.RETRACTED, InState.MISDIRECTED])
async def test_what_was_not_taken_or_may_not_be_read_is_not_told(tx: Transaction, state: InState) -> None:
    own, came = sip(0, someone(0))
    await keep(tx, own)
    await incoming.add(tx, [_inbound(came[0], state)])
    [log] = await read(tx)
    assert [told.message for told in log] == own


async def test_a_need_that_waits_for_a_consent_is_told_and_has_reached_nobody(tx: Transaction) -> None:
    made = message(need(), PSYCHIATRY)
    await cases.save_all(tx, [(apply(None, made), 0)], NOON)
    waiting = row(message_id=made.header.message_id, unit=PSYCHIATRY, state=OutState.HELD, position=None)
    await outgoing.add(tx, made, render_xml(made), [waiting], applied=False)
    [[told]] = await read(tx)
    assert (told.message, told.units) == (made, frozenset())


@pytest.mark.parametrize("state", [OutState.REJECTED, OutState.MISDIRECTED])
async def test_a_unit_that_has_sent_a_message_back_does_not_have_it(tx: Transaction, state: OutState) -> None:
    made = message(need(), CLINIC, PSYCHIATRY)
    await cases.save_all(tx, [(apply(None, made), 0)], NOON)
    about = {"message_id": made.header.message_id, "sent_at": NOON, "position": None}
    rows = [row(unit=CLINIC, state=state, **about), row(unit=PSYCHIATRY, state=OutState.SENT, **about)]
    await outgoing.add(tx, made, render_xml(made), rows)
    [[told]] = await read(tx)
    assert told.units == {PSYCHIATRY}


async def test_a_case_is_read_while_it_goes_on_and_no_longer_when_it_ended_before(tx: Transaction) -> None:
    await keep(tx, sip(0, someone(0))[0], at=after(20))
    await keep(tx, sip(1, someone(1))[0][:3], at=after(1))
    assert len(await read(tx, since=15)) == 2
    [log] = await read(tx, since=100, until=200)
    assert {told.message.header.case_number for told in log} == {"SIP100001"}
    assert await read(tx, since=-200, until=-100) == []


async def test_all_cases_of_a_person_are_one_log_and_one_protected_hides_them_all(tx: Transaction) -> None:
    for number in (0, 1):
        await keep(tx, sip(number, someone(0))[0])
    [log] = await read(tx)
    assert {told.message.header.case_number for told in log} == {"SIP100000", "SIP100001"}
    await keep(tx, sip(2, someone(0, ProtectedLevel.PROTECTED_REGISTRATION))[0], at=after(-400))
    assert await read(tx) == []


async def test_more_persons_than_are_read_at_a_time_are_each_read_once(tx: Transaction) -> None:
    for number in range(5):
        await keep(tx, sip(number, someone(number))[0])
    logs = await read(tx, page=2)
    assert sorted(log[0].message.header.case_number for log in logs) == [f"SIP10000{number}" for number in range(5)]
