"""The edge cases of the process as two gateways meet them: what leaves, what is refused, what each side then knows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from build import CHILD, CLINIC, NOON, OFFICE, PSYCHIATRY, WARD, added, booking, consent, need, plan, reply
from build_discharge import notice, ready
from sides import Passages, ScriptedArrival, open_side, story, told
from talk import Party, settle, talking

from gateway.clock import ManualClock
from gateway.errors import Finding, InvalidDocumentError
from gateway.lifecycle import OutState
from gateway.messages import (
    Consent,
    ConsentDecision,
    GuardianConsent,
    GuardianWaiver,
    InvitationAnswer,
    Placement,
    PlacementCare,
    PlacementKind,
    ReserveRoutine,
    ReserveWay,
)
from gateway.ports import Event
from gateway.process import Awaited, CaseState, deadlines
from gateway.store import ledger

STAY = "M200001"


@pytest.fixture
async def both(tmp_path: Path) -> AsyncIterator[tuple[Party, Party]]:
    async with talking(tmp_path, ManualClock(NOON)) as parties:
        yield parties["kommun"], parties["region"]


async def codes(saying: object) -> tuple[str, ...]:
    """Return the codes for which what is said is refused."""
    with pytest.raises(InvalidDocumentError) as caught:
        await saying  # type: ignore[misc]
    return tuple(caught.value.codes)


# --- the systems were down ------------------------------------------------------------------------------------------


async def test_system_down(both: tuple[Party, Party]) -> None:
    kommun, region = both
    region.case = "VT-1"
    await region.says(notice(), OFFICE, unit=WARD)
    await settle(kommun, region)
    faxed = ReserveRoutine(at=NOON - timedelta(hours=1), by=ReserveWay.FAX)
    region.context.clock.advance(timedelta(hours=3))
    sent = await region.says(ready(at=faxed.at), unit=WARD, reserve_routine=faxed)
    await settle(kommun, region)
    assert sent is not None
    header = (await region.content(sent)).header
    assert (header.created_at, header.happened_at) == (NOON + timedelta(hours=3), faxed.at)
    assert header.reserve_routine == faxed
    for side in both:
        stay = (await side.standing(STAY)).stay
        assert stay is not None
        assert stay.ready_sent_at == faxed.at


async def test_what_is_said_by_fax_was_not_said_later_than_it_is_registered(both: tuple[Party, Party]) -> None:
    _, region = both
    region.case = "VT-1"
    later = ReserveRoutine(at=NOON + timedelta(minutes=1), by=ReserveWay.FAX)
    refused = region.says(notice(), OFFICE, unit=WARD, reserve_routine=later)
    assert await codes(refused) == ("header.original-time-later",)


async def test_what_the_gateway_says_by_itself_was_not_said_by_telephone(both: tuple[Party, Party]) -> None:
    kommun, region = both
    region.case = "SIP100001"
    await kommun.says(need(), CLINIC)
    await kommun.says(consent())
    by_telephone = ReserveRoutine(at=NOON, by=ReserveWay.TELEPHONE)
    kommun.context.clock.advance(timedelta(hours=3))
    call = await kommun.says(booking(CLINIC), CLINIC, reserve_routine=by_telephone)
    await settle(kommun, region)
    await region.says(reply(InvitationAnswer.REDIRECT, to=PSYCHIATRY), unit=CLINIC, reply=call)
    await settle(kommun, region)
    await kommun.says(added(WARD), WARD, reserve_routine=by_telephone)
    await settle(kommun, region)
    rows = [*await kommun.sent("meetingBooking"), *await kommun.sent("consent")]
    routines = {(row.type, row.unit): (await kommun.content(row.message_id)).header.reserve_routine for row in rows}
    assert routines == {
        ("meetingBooking", CLINIC): by_telephone,
        ("meetingBooking", PSYCHIATRY): None,
        ("consent", CLINIC): None,
        ("consent", WARD): None,
    }


async def test_what_is_owed_counts_from_when_it_was_asked_by_telephone(both: tuple[Party, Party]) -> None:
    kommun, region = both
    await kommun.says(need(), CLINIC)
    await kommun.says(consent())
    kommun.context.clock.advance(timedelta(days=1))
    by_telephone = ReserveRoutine(at=NOON, by=ReserveWay.TELEPHONE)
    call = await kommun.says(booking(CLINIC), CLINIC, reserve_routine=by_telephone)
    await settle(kommun, region)
    header = (await kommun.content(str(call))).header
    for side in both:
        (reply_owed,) = [one for one in deadlines(await side.standing()) if one.awaited is Awaited.REPLY]
        assert reply_owed.due_at == header.due_at == NOON + timedelta(days=3)


async def test_whoever_replied_by_telephone_took_charge_then(both: tuple[Party, Party]) -> None:
    kommun, region = both
    region.case = "SIP100001"
    await kommun.says(need(), CLINIC)
    await kommun.says(consent())
    call = await kommun.says(booking(CLINIC), CLINIC)
    await settle(kommun, region)
    by_telephone = ReserveRoutine(at=NOON + timedelta(hours=1), by=ReserveWay.TELEPHONE)
    region.context.clock.advance(timedelta(hours=4))
    await region.says(reply(), unit=CLINIC, reply=call, reserve_routine=by_telephone)
    await settle(kommun, region)
    (row,) = await kommun.sent("meetingBooking")
    assert (row.state, row.acknowledged_at) == (OutState.ACKNOWLEDGED, by_telephone.at)


# --- the person is placed elsewhere ---------------------------------------------------------------------------------


async def test_placement_in_another_region_changes_neither_who_leads_nor_who_is_called(
    both: tuple[Party, Party],
) -> None:
    kommun, region = both
    region.case = "SIP100001"
    await kommun.says(replace(need(), placement=Placement(municipality="0581", kind=PlacementKind.HVB)), CLINIC)
    await kommun.says(consent())
    await kommun.says(booking(CLINIC), CLINIC)
    await kommun.says(added(PSYCHIATRY), PSYCHIATRY)
    await settle(kommun, region)
    assert await codes(kommun.says(plan())) == ("case.placement-care-missing",)
    await kommun.says(replace(plan(), placement=PlacementCare(health_care="Psykiatrin följer upp per video.")))
    await settle(kommun, region)
    for side in both:
        case = await side.standing()
        assert (case.state, case.is_placed, case.leader.unit) == (CaseState.ACTIVE, True, OFFICE)
    assert {row.unit for row in await kommun.sent("plan")} == {CLINIC, PSYCHIATRY}
    (joined,) = await kommun.sent("participantAdded")
    assert (await kommun.content(joined.message_id)).body.person_placed is True


# --- a child --------------------------------------------------------------------------------------------------------


def of_guardians(*, waiver: GuardianWaiver | None = None, agree: bool = False) -> Consent:
    """Return the consent of a child's guardians, of whom the second agrees or does not, or need not."""
    second = GuardianConsent(name="Bo Testberg", consents=agree, waiver=waiver)
    return replace(consent(guardian=True), guardians=(GuardianConsent(name="Alva Testberg", consents=True), second))


async def reached(region: Party) -> list[str]:
    """Return the types of everything that has come to the region."""
    async with region.context.store.reading() as tx:
        return [row.type for row in await ledger.received_messages(tx)]


async def test_child_whose_guardians_disagree(both: tuple[Party, Party]) -> None:
    kommun, region = both
    await kommun.says(need(), CLINIC, person=CHILD)
    before = await kommun.standing()
    assert await codes(kommun.says(of_guardians(), person=CHILD)) == ("consent.guardians-disagree",)
    await kommun.says(booking(CLINIC), CLINIC, person=CHILD)
    await settle(kommun, region)
    assert await kommun.standing() == before
    assert [(row.type, row.state) for row in await kommun.sent_at_all()] == [
        ("sipStart", OutState.HELD),
        ("meetingBooking", OutState.HELD),
    ]
    assert await reached(region) == []
    await kommun.says(of_guardians(waiver=GuardianWaiver.SOCIAL_WELFARE_BOARD), person=CHILD)
    await settle(kommun, region)
    assert sorted(await reached(region)) == ["consent", "meetingBooking", "sipStart"]
    for side in both:
        case = await side.standing()
        assert case.state is CaseState.INVITED
        assert case.consent is not None
        assert case.consent.guardians[1].waiver is GuardianWaiver.SOCIAL_WELFARE_BOARD


async def test_child_whose_guardians_disagree_after_they_had_agreed(both: tuple[Party, Party]) -> None:
    kommun, region = both
    await kommun.says(need(), CLINIC, person=CHILD)
    await kommun.says(of_guardians(agree=True), person=CHILD)
    await kommun.says(booking(CLINIC), CLINIC, person=CHILD)
    await settle(kommun, region)
    assert await codes(kommun.says(of_guardians(), person=CHILD)) == ("consent.guardians-disagree",)
    over = replace(of_guardians(), decision=ConsentDecision.WITHDRAWN, scope=None)
    await kommun.says(over, person=CHILD)
    await settle(kommun, region)
    for side in both:
        assert (await side.standing()).state is CaseState.CLOSED
    assert await codes(kommun.says(plan(), person=CHILD)) == ("case.closed",)


@dataclass(eq=False, slots=True)
class Told(ScriptedArrival):
    """An event whose case system reads the whole of the answer."""

    async def refuse(self, findings: Sequence[Finding]) -> None:
        """Take no for an answer."""
        self.answered.set_result([finding.as_json() for finding in findings])


async def test_child_whose_guardians_disagree_is_explained_to_the_case_system(tmp_path: Path) -> None:
    begins, agreed = story("two-guardians")[:2]
    one, other = agreed["vardnadshavare"]
    torn = told(agreed, handelseId="TRV-2026-09-0799", vardnadshavare=[one, {**other, "samtycker": False}])
    events = [Told(Event(source="treserva", content=content)) for content in (told(begins), torn)]
    clock = ManualClock(datetime.fromisoformat("2026-09-09T16:35:00+02:00"))
    async with open_side("kommun", tmp_path, clock, Passages()) as kommun, kommun.at_work(), asyncio.timeout(20):
        for event in events:
            kommun.system.says.put_nowait(event)
        accepted, refused = [await event.answered for event in events]
        rows = await kommun.ledger()
        kept = [row["state"] for row in await kommun.table("event")]
    assert accepted["caseNumber"] == "SIP100001"
    (why,) = refused
    assert (why["code"], why["path"]) == (
        "consent.guardians-disagree",
        "/consent/body/guardian[2]/consents",
    )
    assert "undantag" in why["sv"]
    assert "exception" in why["en"]
    assert [name for name in (one["namn"], other["namn"]) if name in str(why)] == []
    assert [(row.type, row.state) for row in rows] == [("sipStart", OutState.HELD)]
    assert kept == ["accepted", "refused"]
