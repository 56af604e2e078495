"""Who comes to a meeting when the unit that was called does not, and who may be told what: edge cases by their rows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from build import (
    CLINIC,
    NOON,
    OFFICE,
    PERSON,
    PSYCHIATRY,
    WARD,
    added,
    booking,
    closure,
    consent,
    misdirected,
    need,
    plan,
    reply,
    revised,
    telling,
)
from scripted import DIRECTORY
from talk import Party, settle, talking

from gateway.clock import ManualClock
from gateway.directory import Directory
from gateway.errors import InvalidDocumentError
from gateway.lifecycle import OutState
from gateway.messages import (
    ClosureReason,
    ConsentScope,
    InformationType,
    InvitationAnswer,
    OverallResponsible,
    Principal,
    ProtectedLevel,
    Substitute,
)
from gateway.messages.correction import MisdirectedReason
from gateway.notices import NoticeKind
from gateway.process import Awaited, CaseState, ParticipationState, apply, deadlines

CENTRE = "SE2321000131-E000000000404"
"""A vårdcentral that does not take in what no other does; :data:`CLINIC` does."""


@pytest.fixture
async def both(tmp_path: Path) -> AsyncIterator[tuple[Party, Party]]:
    async with talking(tmp_path, ManualClock(NOON)) as parties:
        parties["region"].case = "SIP100001"
        yield parties["kommun"], parties["region"]


async def invited(kommun: Party, region: Party, unit: str) -> str:
    """Bring the case to where ``unit`` has been called; return the id of the invitation."""
    await kommun.says(need(), unit)
    await kommun.says(consent())
    call = await kommun.says(booking(unit), unit)
    await settle(kommun, region)
    assert call is not None
    return call


async def codes(saying: object) -> tuple[str, ...]:
    with pytest.raises(InvalidDocumentError) as caught:
        await saying  # type: ignore[misc]
    return tuple(caught.value.codes)


async def states(side: Party) -> dict[str, ParticipationState]:
    return {one.unit: one.state for one in (await side.standing()).called}


# --- substitute -----------------------------------------------------------------------------------------------------


async def test_substitute(both: tuple[Party, Party]) -> None:
    """The unit of the substitute is called, and so comes to know of the case; it says itself that it comes."""
    kommun, region = both
    call = await invited(kommun, region, CLINIC)
    substitute = Substitute(name="Sara Prövlund", role="sjuksköterska", unit=WARD)
    await region.says(replace(reply(InvitationAnswer.DECLINE), substitute=substitute), unit=CLINIC, reply=call)
    await settle(kommun, region)
    (row,) = [row for row in await kommun.sent("meetingBooking") if row.unit == WARD]
    assert row.state is OutState.REGISTERED
    assert [one.unit for one in (await region.standing()).participants] == [CLINIC, WARD]
    await region.says(reply(), unit=WARD, reply=row.message_id)
    await settle(kommun, region)
    for side in both:
        assert await states(side) == {CLINIC: ParticipationState.DECLINED, WARD: ParticipationState.CONFIRMED}


async def test_substitute_from_the_unit_itself_needs_no_other_call(both: tuple[Party, Party]) -> None:
    kommun, region = both
    call = await invited(kommun, region, CLINIC)
    substitute = Substitute(name="Sara Prövlund", role="sjuksköterska", unit=CLINIC)
    await region.says(replace(reply(InvitationAnswer.DECLINE), substitute=substitute), unit=CLINIC, reply=call)
    await settle(kommun, region)
    for side in both:
        assert await states(side) == {CLINIC: ParticipationState.DECLINED}


async def test_substitute_from_another_principal_is_refused(both: tuple[Party, Party]) -> None:
    kommun, region = both
    call = await invited(kommun, region, CLINIC)
    substitute = Substitute(name="Karin Övningsson", role="socialsekreterare", unit=OFFICE)
    said = region.says(replace(reply(InvitationAnswer.DECLINE), substitute=substitute), unit=CLINIC, reply=call)
    assert await codes(said) == ("recipient.other-party",)


# --- person unknown at the unit -------------------------------------------------------------------------------------


async def astray(
    both: tuple[Party, Party], reason: MisdirectedReason, suggested: str | None = None
) -> list[tuple[str, OutState]]:
    """Let a vårdcentral say that its invitation went astray; return who has been called after that."""
    kommun, region = both
    call = await invited(kommun, region, CENTRE)
    report = misdirected(await kommun.content(call), suggested)
    await region.says(replace(report, reason=reason), unit=CENTRE, reply=call)
    await settle(kommun, region)
    return [(row.unit, row.state) for row in await kommun.sent("meetingBooking") if row.message_id != call]


async def test_person_unknown_at_unit(both: tuple[Party, Party]) -> None:
    """The duty to come lies on the principal: its intake unit is called, which decides who comes."""
    called = await astray(both, MisdirectedReason.PERSON_UNKNOWN)
    assert called == [(CLINIC, OutState.REGISTERED)]
    for side in both:
        assert await states(side) == {CENTRE: ParticipationState.MISDIRECTED, CLINIC: ParticipationState.SENT}
        owed = [one.unit for one in deadlines(await side.standing()) if one.awaited is Awaited.REPLY]
        assert owed == [CLINIC]


async def test_person_unknown_at_unit_that_knows_where_the_person_is_known(both: tuple[Party, Party]) -> None:
    assert await astray(both, MisdirectedReason.PERSON_UNKNOWN, PSYCHIATRY) == [(PSYCHIATRY, OutState.REGISTERED)]


@pytest.mark.parametrize("suggested", [OFFICE, "SE2321000131-E000000009999"])
async def test_person_unknown_at_unit_that_names_one_of_another_party_or_none_there_is(
    both: tuple[Party, Party], suggested: str
) -> None:
    assert await astray(both, MisdirectedReason.WRONG_UNIT, suggested) == [(CLINIC, OutState.REGISTERED)]


@pytest.mark.parametrize("reason", [MisdirectedReason.WRONG_PRINCIPAL, MisdirectedReason.MOVED])
async def test_when_the_whole_principal_is_wrong_a_person_decides(
    both: tuple[Party, Party], reason: MisdirectedReason
) -> None:
    assert await astray(both, reason) == []


async def test_person_unknown_at_the_intake_unit_is_for_a_person_to_decide(both: tuple[Party, Party]) -> None:
    kommun, region = both
    assert await astray(both, MisdirectedReason.PERSON_UNKNOWN) == [(CLINIC, OutState.REGISTERED)]
    (call,) = [row for row in await kommun.sent("meetingBooking") if row.unit == CLINIC]
    await region.says(misdirected(await kommun.content(call.message_id)), unit=CLINIC, reply=call.message_id)
    await settle(kommun, region)
    assert len(await kommun.sent("meetingBooking")) == 2
    report = (await kommun.came("misdirectedReport"))[-1]
    assert (report.due_at is not None, report.owner) == (True, "recipient")


async def test_person_unknown_at_unit_with_a_protected_identity_is_told_of_to_no_unit_that_nobody_has_named(
    both: tuple[Party, Party],
) -> None:
    kommun, region = both
    hidden = replace(PERSON, protected_level=ProtectedLevel.PROTECTED_REGISTRATION)
    await kommun.says(need(), CENTRE, person=hidden)
    await kommun.says(consent(), person=hidden)
    call = await kommun.says(booking(CENTRE), CENTRE, person=hidden)
    await settle(kommun, region)
    await region.says(misdirected(await kommun.content(str(call))), unit=CENTRE, reply=call)
    await settle(kommun, region)
    assert [row.unit for row in await kommun.sent("meetingBooking")] == [CENTRE]


async def test_nobody_is_called_in_a_frozen_case_and_the_reply_is_still_owed(both: tuple[Party, Party]) -> None:
    kommun, region = both
    call = await invited(kommun, region, CLINIC)
    hidden = replace(PERSON, protected_level=ProtectedLevel.CONFIDENTIALITY_MARKED)
    await kommun.says(telling(), CLINIC, person=hidden)
    await region.says(reply(InvitationAnswer.REDIRECT, to=PSYCHIATRY), unit=CLINIC, reply=call)
    await settle(kommun, region)
    assert [row.unit for row in await kommun.sent("meetingBooking")] == [CLINIC]
    owed = [one.unit for one in deadlines(await kommun.standing()) if one.awaited is Awaited.REPLY]
    assert owed == [CLINIC]


# --- emergency information ------------------------------------------------------------------------------------------


async def test_emergency_info_needed_without_consent(both: tuple[Party, Party]) -> None:
    """It is refused at once: what is held could be taken for told."""
    kommun, region = both
    await kommun.says(need(), CLINIC)
    assert await codes(kommun.says(telling(), CLINIC)) == ("case.consent-missing",)
    await kommun.says(consent(CLINIC))
    assert await codes(kommun.says(telling(), PSYCHIATRY)) == ("consent.does-not-cover",)
    assert await codes(kommun.says(telling(), CLINIC, PSYCHIATRY)) == ("consent.does-not-cover",)
    assert await kommun.sent("generalMessage") == []
    await kommun.says(telling(), CLINIC)
    await settle(kommun, region)
    assert [row.unit for row in await region.came("generalMessage")] == [CLINIC]


# --- who joins, and who is responsible ------------------------------------------------------------------------------


async def test_a_party_that_joins_an_active_case_knows_who_is_responsible_and_when_it_is_followed_up(
    both: tuple[Party, Party],
) -> None:
    kommun, region = both
    await invited(kommun, region, CLINIC)
    await kommun.says(plan())
    joins = await kommun.says(added(PSYCHIATRY), PSYCHIATRY)
    mine = await kommun.standing()
    assert joins is not None
    theirs = apply(None, await kommun.content(joins))  # as a party makes it that knew nothing of the case
    assert (theirs.responsible_unit, theirs.follow_up_on) == (OFFICE, mine.follow_up_on)
    assert [(one.awaited, one.unit) for one in deadlines(theirs)] == [(Awaited.FOLLOW_UP, OFFICE)]


@pytest.mark.parametrize(
    ("unit", "code"),
    [("SE2321000131-E000000009999", "unit.unknown-near"), (WARD, "responsible.not-told")],
)
async def test_nobody_is_made_responsible_who_is_not_told(both: tuple[Party, Party], unit: str, code: str) -> None:
    kommun, region = both
    await invited(kommun, region, CLINIC)
    made = plan()
    responsible = OverallResponsible(principal=Principal.REGION, unit=unit, user=made.overall_responsible.user)
    came = replace(made.attendees[-1], unit=unit)
    made = replace(made, overall_responsible=responsible, attendees=(*made.attendees, came))
    assert await codes(kommun.says(made)) == (code,)


# --- duplicates, and a side that has fallen behind ------------------------------------------------------------------


@pytest.mark.parametrize("first", ["kommun", "region"])
async def test_duplicate_sip_case_that_both_start_at_once(tmp_path: Path, first: str) -> None:
    """The one that began first goes on at both; the other is refused, its sender told, and closed with a link."""
    clock = ManualClock(NOON)
    async with talking(tmp_path, clock) as parties:
        starts = {"kommun": ("SIP100001", OFFICE, CLINIC), "region": ("SIP200001", CLINIC, OFFICE)}
        order = (first, *(name for name in starts if name != first))
        for name in order:
            _, unit, to = starts[name]
            parties[name].case = f"{name}-1"
            await parties[name].says(need(), to, unit=unit)
            scope = ConsentScope(parties=tuple(set(starts) - {name}), information_types=tuple(InformationType))
            await parties[name].says(replace(consent(), scope=scope), unit=unit)
            clock.advance(timedelta(seconds=1))
        await settle(*parties.values())
        winner, loser = (parties[name] for name in order)
        number, lost = starts[order[0]][0], starts[order[1]][0]
        for side in (winner, loser):
            assert (await side.standing(number)).state is CaseState.PREPARING
        refused = {row.state for row in await loser.sent("sipStart")}
        assert refused == {OutState.REJECTED}
        told = [(one.kind, one.case_number, one.code) for one in await loser.looks_over()]
        assert (NoticeKind.NOT_TAKEN, lost, "case.open-already") in told
        assert await winner.looks_over() == []
        await loser.says(replace(closure(ClosureReason.DUPLICATE), superseded_by=number), unit=starts[order[1]][1])
        assert (await loser.standing(lost)).state is CaseState.CANCELLED


async def test_a_side_that_has_refused_a_plan_is_brought_up_to_date_by_joining_anew(tmp_path: Path) -> None:
    units = {**DIRECTORY.units, CLINIC: DIRECTORY.units[CLINIC].model_copy(update={"valid_to": date(2026, 1, 1)})}
    clock = ManualClock(NOON)
    async with talking(tmp_path, clock) as parties:
        parties["region"].case = "SIP100001"
        await invited(parties["kommun"], parties["region"], CLINIC)
    async with talking(tmp_path, clock, region=Directory(DIRECTORY.parties, units)) as parties:
        await parties["kommun"].says(plan())
        await settle(*parties.values())
        (row,) = await parties["kommun"].sent("plan")
        assert (row.state, (await parties["region"].standing()).plan_version) == (OutState.REJECTED, 0)
    async with talking(tmp_path, clock) as parties:
        kommun, region = parties["kommun"], parties["region"]
        await kommun.says(added(CLINIC), CLINIC)
        await settle(kommun, region)
        mine, its = await kommun.standing(), await region.standing()
        assert (its.state, its.plan_version, its.responsible_unit) == (CaseState.ACTIVE, 1, OFFICE)
        assert (its.follow_up_on, its.booking_version) == (mine.follow_up_on, mine.booking_version)
        await kommun.says(revised(2))
        await settle(kommun, region)
        assert (await region.standing()).plan_version == 2
