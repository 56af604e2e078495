"""Loggutdrag: from a person over their cases, messages and refused events to who has read about them alone."""

from __future__ import annotations

from build import CASE, NOON, PERSON
from sqlalchemy import insert
from stored import add, received, row

from gateway.audit import Action, AuditOutcome, Entry
from gateway.identifiers import PersonId
from gateway.log_extract import of_case, of_person
from gateway.store import Store, Transaction, audit, events, incoming
from gateway.store.events import KeptEvent
from gateway.store.tables import sip_case

HER = PersonId.parse(PERSON.identifiers[0].extension)
HER_RESERVE_NUMBER = PersonId.parse("19810829M070")
ELSEWHERE = "SIP100002"


async def keep_case(tx: Transaction, number: str, person: PersonId) -> None:
    values = {"case_number": number, "person_root": person.oid, "person_extension": person.value, "convener": "kommun"}
    at = {"opened_at": NOON, "updated_at": NOON}
    await tx.execute(insert(sip_case).values(**values, **at, state="closed", snapshot={}, revision=1))


async def keep_event(tx: Transaction, content: bytes, case_number: str | None) -> None:
    answer = {"caseNumber": case_number, "messageIds": []} if case_number is not None else None
    findings = [{"code": "c", "sv": "s", "en": "e"}] if case_number is None else None
    at = {"received_at": NOON, "answer": answer, "findings": findings}
    kept = KeptEvent(source="s", event_id=None, kind=None, content_hash=content.hex(), content=content, **at)
    await events.keep(tx, [kept])


async def keep_row(tx: Transaction, action: Action, target: str, case_number: str | None = None) -> int:
    entry = Entry(
        at=NOON, by="portal", action=action, outcome=AuditOutcome.DONE, target=target, case_number=case_number
    )
    return (await audit.append(tx, entry)).number


async def test_an_extract_has_all_that_is_about_a_person_and_nothing_about_another(store: Store) -> None:
    sent, came, of_other = row(case_number=CASE), received(case_number=CASE), row(case_number=ELSEWHERE)
    contents = [(b"850912-9808", None), (b"A-1", CASE), (b"A-2", ELSEWHERE), (b"201003049804", None)]
    async with store.writing() as tx:
        await keep_case(tx, CASE, HER)
        await keep_case(tx, ELSEWHERE, HER_RESERVE_NUMBER)
        await add(tx, sent, of_other)
        await incoming.add(tx, [came])
        for content, number in contents:
            await keep_event(tx, content, number)
        hers = [
            await keep_row(tx, Action.LETTER_SHOWN, sent.message_id, CASE),
            await keep_row(tx, Action.LETTER_MAILED, sent.message_id),
            await keep_row(tx, Action.LETTER_SHOWN, came.message_id),
            await keep_row(tx, Action.EVENT_READ, "1"),
            await keep_row(tx, Action.EVENT_RESENT, "2"),
        ]
        elsewhere = [
            await keep_row(tx, Action.LETTER_SHOWN, of_other.message_id),
            await keep_row(tx, Action.EVENT_READ, "3"),
        ]
        await keep_row(tx, Action.EVENT_READ, "4")
        await keep_row(tx, Action.ADAPTER_PAUSED, "treserva")
        await keep_row(tx, Action.TOKEN_CREATED, "1")
    async with store.reading() as tx:
        found = await of_person(tx, [HER])
        assert (found.cases, [one.number for one in found.rows]) == ((CASE,), hers)
        both = await of_person(tx, [HER, HER_RESERVE_NUMBER])
        assert ([*both.cases], [one.number for one in both.rows]) == ([CASE, ELSEWHERE], [*hers, *elsewhere])
        by_case = await of_case(tx, CASE)
        assert [one.number for one in by_case.rows] == [number for number in hers if number != hers[3]]
        nobody = await of_person(tx, [PersonId.parse("197811309819")])
        assert (nobody.cases, nobody.rows) == ((), [])
