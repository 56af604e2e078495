"""The open SIP of a person: there is one, unless a reason is given for more, and a stay in hospital is linked to it."""

from __future__ import annotations

from dataclasses import replace

from gateway.errors import CaseRuleError, Fault
from gateway.messages import Message, SipStart
from gateway.process import SipCase
from gateway.store.sheet import Sheet

OPEN_ALREADY = Fault(
    "case.open-already",
    "Det finns redan en öppen SIP för personen, {number}: gå med i den, eller ange skäl till en till.",
    "There is an open SIP for the person already, {number}: join that one, or give a reason for one more.",
)


async def check_no_other(sheet: Sheet, message: Message) -> None:
    """Refuse the start of a SIP here while another is open for the person, unless it gives a reason."""
    if (others := await _others(sheet, message)) and message.header.case_number not in others:
        raise CaseRuleError(OPEN_ALREADY.at("header/person", number=others[0]))


async def check_no_other_with(sheet: Sheet, message: Message) -> None:
    """Refuse a partner's start of a SIP while the partner takes part in another, and may therefore know of it.

    When both have started one before they knew of the other's, the one that began first goes on: it is taken here, and
    the partner refuses the other, which is then closed as a duplicate.
    """
    began = (message.header.happened_at, message.header.case_number)
    numbers = [number for number in await _others(sheet, message) if number != message.header.case_number]
    await sheet.read_cases(numbers)
    for number in numbers:
        other = sheet.case(number)
        if other is None or began < (other.opened_at, other.number):
            continue
        if message.header.sender.party in other.parties:
            raise CaseRuleError(OPEN_ALREADY.at(f"/{message.type}/header/person", number=number))


async def _others(sheet: Sheet, message: Message) -> list[str]:
    body, person = message.body, message.header.person
    if not isinstance(body, SipStart) or body.parallel_reason is not None or person is None:
        return []
    return await _open_for(sheet, message)


async def _open_for(sheet: Sheet, message: Message) -> list[str]:
    assert message.header.person is not None
    person = message.header.person.identifiers[0]
    await sheet.read_open_cases([person])
    return sheet.open_cases(person)


async def linked(sheet: Sheet, case: SipCase, message: Message) -> SipCase:
    """Return a stay that ``message`` has begun, linked to the SIP that is open for the person; others as they are."""
    if case.stay is None or case.opening_ref != message.header.message_id or case.stay.open_sip is not None:
        return case
    number = next(iter(await _open_for(sheet, message)), None)
    return replace(case, stay=replace(case.stay, open_sip=number))
