"""Awaited answers are shown with their levels, deadlines and owners; those that nobody expected stand below."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from build import CASE, CLINIC, HOME_CARE, OFFICE, PSYCHIATRY, message, need
from stored import row
from windows.site import Site

from gateway.access import Role
from gateway.envelope import ACKNOWLEDGEMENT, Envelope
from gateway.errors import Finding
from gateway.ledger import Dispatch
from gateway.lifecycle import Level, Outcome, OutState, Owner
from gateway.messages import Acknowledgement, Duty, Header, Message, Recipient, Sender, render_xml
from gateway.store import audit, history, outgoing, verdicts
from gateway.store.audit import Wanted
from gateway.store.verdicts import Verdict
from gateway.tracker import CONTRADICTED, ORPHAN

HOUR = timedelta(hours=1)
_CLOCKS = {
    OutState.SENT: ("sent_at",),
    OutState.RECEIVED: ("sent_at", "received_at"),
    OutState.REGISTERED: ("sent_at", "received_at", "registered_at"),
}


def sent(site: Site, state: OutState, due_in: timedelta, **changes: Any) -> Dispatch:
    """Return a message that waits in ``state``, and reached every level before it a day ago."""
    now = site.clock.now()
    owner = Owner.RECIPIENT if state is OutState.REGISTERED else Owner.PARTNER
    reached = {name: now - timedelta(days=1) for name in _CLOCKS[state]}
    kept = {"due_at": now + due_in, "owner": owner, "position": None, **reached}
    return row(state=state, queued_at=now, created_at=now, **changes)._replace(**kept)


async def put(site: Site, *rows: Dispatch, by: str = OFFICE) -> None:
    """Store messages that the unit ``by`` has sent."""
    async with site.store.writing() as tx:
        for one in rows:
            made = message(need(), one.unit, sender=by, number=one.case_number)
            made = Message(one.type, header_of(made, one.message_id), made.body)
            await outgoing.add(tx, made, b"<xml/>", [one._replace(own_unit=by)])


def header_of(made: Message, message_id: str) -> Header:
    header = made.header
    return Header(
        message_id=message_id,
        case_number=header.case_number,
        created_at=header.created_at,
        sender=header.sender,
        recipients=header.recipients,
    )


async def park(site: Site, about: Dispatch, finding: Finding, level: Level = Level.RECEIVED) -> None:
    """Keep an acknowledgement that settles nothing, as the tracker does."""
    now = site.clock.now()
    number = str(uuid4())
    body = Acknowledgement(
        message_id=about.message_id,
        message_type=about.type,
        unit=about.unit,
        level=level,
        outcome=Outcome.ACCEPTED,
        at=now,
    )
    header = Header(
        message_id=number,
        case_number=CASE,
        created_at=now,
        sender=Sender(party="region", unit=about.unit),
        recipients=(Recipient(party="kommun", unit=OFFICE, duty=Duty.NOTIFY),),
        in_reply_to=about.message_id,
    )
    envelope = Envelope(
        message_id=number,
        type=ACKNOWLEDGEMENT,
        sender="region",
        recipient="kommun",
        unit=OFFICE,
        sender_unit=about.unit,
        case_ref=CASE,
        created_at=now,
        body=render_xml(Message(ACKNOWLEDGEMENT, header, body)),
    )
    async with site.store.writing() as tx:
        await verdicts.park(tx, envelope, [finding], (about.message_id, about.unit), now)


def ids_on(page: str) -> list[str]:
    return re.findall(r'<th scope="row"><a href="/messages/([0-9a-f-]{36})"', page)


def row_of(page: str, text: str) -> str:
    """Return the row of a table that has ``text`` in it, as text."""
    (found,) = [one for one in re.findall(r"<tr>.*?</tr>", page, re.S) if text in one]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", found)).split())


async def test_what_should_have_come_first_stands_first_with_its_levels_and_whoever_owes_the_next(site: Site) -> None:
    waits = sent(site, OutState.RECEIVED, HOUR)
    late = sent(site, OutState.REGISTERED, -HOUR, duty=Duty.ACKNOWLEDGE, type="admissionNotice")
    soon = sent(site, OutState.SENT, HOUR / 2, unit=PSYCHIATRY)
    await put(site, waits, late, soon)
    await site.log_in()
    page = await site.page("/acknowledgements")
    assert ids_on(page) == [one.message_id for one in (late, soon, waits)]
    told = row_of(page, late.message_id)
    assert told.count("✓") == 3
    assert "försenat" in told
    assert "Den mottagande enheten" in told
    told = row_of(page, waits.message_id)
    assert told.count("✓") == 2
    assert "krävs inte" in told  # a notice need not be acknowledged
    assert "senast" in told
    assert told.endswith("Registrerat Driften av motpartens gateway")
    assert ids_on(await site.page("/acknowledgements?overdue=yes")) == [late.message_id]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("level=registered", ["one"]),
        ("level=acknowledged", ["two"]),
        ("type=plan", ["two"]),
        (f"unit={PSYCHIATRY}", ["three"]),
        (f"unit={HOME_CARE}", ["three"]),
        ("party=region", ["two", "one"]),
        ("party=skola", ["three"]),
        ("level=letter", []),
    ],
)
async def test_awaited_answers_are_found_by_what_is_asked_for(site: Site, query: str, found: list[str]) -> None:
    rows = {
        "one": sent(site, OutState.RECEIVED, 2 * HOUR),
        "two": sent(site, OutState.REGISTERED, HOUR, type="plan", duty=Duty.ACKNOWLEDGE),
    }
    await put(site, *rows.values())
    rows["three"] = sent(site, OutState.SENT, HOUR, unit=PSYCHIATRY, party="skola")
    await put(site, rows["three"], by=HOME_CARE)
    await site.log_in()
    assert ids_on(await site.page(f"/acknowledgements?{query}")) == [rows[name].message_id for name in found]


async def test_awaited_answers_are_read_page_by_page_and_each_once(site: Site) -> None:
    rows = [sent(site, OutState.RECEIVED, HOUR * (number // 2)) for number in range(5)]
    await put(site, *rows)
    await put(site, sent(site, OutState.RECEIVED, HOUR), by=HOME_CARE)
    for units in (None, [OFFICE]):
        who, found, cursor = await site.bearer(units=units), [], None
        for _ in range(10):
            query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
            status, told = await site.get("/api/v1/acknowledgements", who, **query)
            assert status == 200
            found += [one["id"] for one in told["acknowledgements"] if one["senderUnit"] == OFFICE]
            cursor = told["next"]
            if cursor is None:
                break
        assert found == [one.message_id for one in rows]


async def test_over_the_api_an_overdue_answer_says_who_owes_it_and_who_is_told(site: Site) -> None:
    late = sent(site, OutState.REGISTERED, -HOUR, duty=Duty.ACKNOWLEDGE, type="admissionNotice")
    await put(site, late, sent(site, OutState.SENT, HOUR))
    _, told = await site.get("/api/v1/acknowledgements", await site.bearer(Role.READER), overdue="true")
    (one,) = told["acknowledgements"]
    said = {name: one[name] for name in ("id", "awaits", "urgency", "owner", "owedBy", "acknowledgedAt")}
    assert said == {
        "id": late.message_id,
        "awaits": "acknowledged",
        "urgency": "overdue",
        "owner": "recipient",
        "owedBy": CLINIC,
        "acknowledgedAt": None,
    }
    assert one["told"] != CLINIC  # the unit had its time; the next in line is told


async def test_a_unit_sees_its_own_answers_alone(site: Site) -> None:
    mine, theirs = sent(site, OutState.SENT, HOUR), sent(site, OutState.SENT, HOUR, unit=PSYCHIATRY)
    await put(site, mine)
    await put(site, theirs, by=HOME_CARE)
    await park(site, mine, CONTRADICTED.at())
    await park(site, theirs, CONTRADICTED.at())
    await site.log_in(units=[OFFICE])
    page = await site.page("/acknowledgements")
    assert ids_on(page) == [mine.message_id]
    assert theirs.message_id[:8] not in page
    assert ids_on(await site.page(f"/acknowledgements?unit={PSYCHIATRY}")) == []
    _, told = await site.get("/api/v1/acknowledgements", await site.bearer(units=[OFFICE]))
    assert [one["id"] for one in told["acknowledgements"]] == [mine.message_id]
    status, _ = await site.send("/acknowledgements/discard", item="unexpected:2", reason="Utrett", do="discard")
    assert status == 409


async def test_what_nobody_expected_stands_below_with_its_reason_and_what_it_probably_is_about(site: Site) -> None:
    known, other = sent(site, OutState.SENT, HOUR), sent(site, OutState.SENT, HOUR)
    await put(site, known)
    await park(site, known, CONTRADICTED.at())
    await park(site, other, ORPHAN.at())
    await site.log_in()
    below = (await site.page("/acknowledgements")).partition('id="unexpected"')[2]
    told = row_of(below, "acknowledgement.contradicted")
    assert CONTRADICTED.sv in told
    assert "det meddelande som kvittensen nämner" in told
    told = row_of(below, "acknowledgement.orphan")
    assert "samma typ och enhet i samma ärende" in told  # the only one of the case that awaits that level


async def test_what_was_cleared_up_is_discarded_after_it_was_said_what_that_means_and_can_be_undone(site: Site) -> None:
    known = sent(site, OutState.SENT, HOUR)
    await put(site, known)
    await park(site, known, CONTRADICTED.at())
    await site.log_in()
    status, page = await site.send("/acknowledgements/discard", item="unexpected:1", reason="Utrett", do="try")
    assert status == 200
    assert "Kvittensen ändrar ingenting" in page
    assert 'value="unexpected:1" aria-label="Välj unexpected:1" checked' in page
    assert 'value="Utrett"' in page
    status, page = await site.send("/acknowledgements/discard", item="unexpected:1", reason="", do="discard")
    assert (status, "by-hand.reason" in page) == (422, True)
    status, where = await site.send("/acknowledgements/discard", item="unexpected:1", reason="Utrett", do="discard")
    assert status == 303
    after = await site.page(where)
    assert "acknowledgement.contradicted" not in after
    assert 'name="item" value="unexpected:1"' in after
    assert await site.send("/acknowledgements/restore", item="unexpected:1") == (303, "/acknowledgements#unexpected")
    assert "acknowledgement.contradicted" in await site.page("/acknowledgements")
    async with site.store.reading() as tx:
        done = [one.said for one in await audit.find(tx, Wanted(), limit=20) if one.said["outcome"] == "done"]
    assert {"message.discarded", "message.restored"} <= {one["action"] for one in done}


async def test_late_and_repeated_answers_are_told_of_and_ask_for_nothing(site: Site) -> None:
    known = sent(site, OutState.REGISTERED, HOUR, duty=Duty.ACKNOWLEDGE)
    await put(site, known)
    late = Verdict(
        message_id=known.message_id,
        unit=known.unit,
        level=Level.REGISTERED,
        outcome=Outcome.ACCEPTED,
        acknowledgement_id=str(uuid4()),
        at=site.clock.now(),
        arrived_at=site.clock.now(),
        record_id="J-1",
        reasons=[],
        late=True,
    )
    async with site.store.writing() as tx:
        await verdicts.add(tx, [late])
        await history.record(tx, [known], "duplicate", site.clock.now())
    await site.log_in(units=[OFFICE])
    below = (await site.page("/acknowledgements")).partition("Sena och upprepade")[2]
    assert ids_on(below) == [known.message_id] * 2
    assert "Sen : Registrerat" in row_of(below, "Sen:").replace("Sen:", "Sen :")
    assert "Upprepad" in row_of(below, "Upprepad")
    await site.send("/logout")
    await site.log_in(units=[HOME_CARE])
    assert "Sena och upprepade" not in await site.page("/acknowledgements")


async def test_where_nothing_is_awaited_the_page_says_so_in_both_languages_and_where_to_look(site: Site) -> None:
    await site.log_in(Role.READER)
    assert "Inga svar väntas" in await site.page("/acknowledgements")
    await site.send("/language", language="en", back="/")
    page = await site.page("/acknowledgements")
    assert "No answers are awaited" in page
    assert "No unexpected acknowledgements" in page
    assert (await site.send("/acknowledgements/discard", item="unexpected:1", reason="x"))[0] == 403
