"""Units without an inbox: what is for them waits for a consent like all else, and then goes by letter, by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from build import (
    CLINIC,
    NOON,
    OFFICE,
    added,
    booking,
    closure,
    consent,
    need,
    plan,
    removed,
    reply,
    retraction,
    telling,
    transfer,
    withdrawn,
)
from sides import HandedOver
from talk import Party, settle, talking

from gateway.by_hand import LONGEST_REASON
from gateway.clock import ManualClock
from gateway.envelope import Envelope
from gateway.errors import InvalidDocumentError
from gateway.letters import state
from gateway.lifecycle import Level, Outcome, OutEvent, OutState, Owner
from gateway.messages import (
    Acknowledgement,
    ClosureReason,
    Duty,
    Header,
    InvitationAnswer,
    Message,
    Principal,
    Recipient,
    Sender,
    render_xml,
)
from gateway.process import ParticipationState
from gateway.store import ledger, letters
from gateway.tracker import Tracker

CASE = "SIP100001"
PRIVATE = "SE2321000131-E000000000606"
"""A private provider of the region's party, which has no inbox."""
STAFF = "SE2120001355-P000000000117"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
async def both(tmp_path: Path, clock: ManualClock) -> AsyncIterator[tuple[Party, Party]]:
    async with talking(tmp_path, clock) as parties:
        parties["region"].case = CASE
        yield parties["kommun"], parties["region"]


async def prepared(kommun: Party, region: Party) -> None:
    """Bring the case to where the clinic and the private provider may be called to a meeting."""
    await kommun.says(need(), CLINIC, PRIVATE)
    await kommun.says(consent())
    await settle(kommun, region)


async def states(party: Party, unit: str = PRIVATE) -> dict[str, str]:
    """Return the state of what is for a unit, by type; the last of each type."""
    return {row.type: row.state.value for row in await party.sent_at_all() if row.unit == unit}


async def tells(
    party: Party, happens: OutEvent, type_name: str, *, unit: str = PRIVATE, by: str = STAFF, reason: str = "Rek."
) -> bool:
    """Let staff state what became of the letter of a type; return whether that was new."""
    [row] = [row for row in await party.sent(type_name) if row.unit == unit]
    async with party.context.store.writing() as tx:
        return await state(tx, happens, row.message_id, unit, by=by, reason=reason, now=party.context.clock.now())


async def codes(saying: Any) -> tuple[str, ...]:
    with pytest.raises(InvalidDocumentError) as caught:
        await saying
    return tuple(caught.value.codes)


async def test_private_provider_without_inbox(both: tuple[Party, Party], clock: ManualClock) -> None:
    kommun, region = both
    await kommun.says(need(), CLINIC, PRIVATE)
    assert await states(kommun) == {"sipStart": "held"}  # the same consent gate as for everyone
    await kommun.says(consent())
    call = await kommun.says(booking(CLINIC, PRIVATE), CLINIC, PRIVATE)
    await settle(kommun, region)
    assert await states(kommun) == {"sipStart": "letter", "consent": "letter", "meetingBooking": "letter"}
    assert set((await states(kommun, CLINIC)).values()) == {"registered"}
    # The private provider is a unit of the region's party, whose gateway has no part in its letters.
    for type_name in ("sipStart", "consent", "meetingBooking"):
        assert {one.unit for one in await region.came(type_name)} == {CLINIC}

    [letter] = [row for row in await kommun.sent("meetingBooking") if row.unit == PRIVATE]
    wednesday = datetime(2026, 11, 4, 11, tzinfo=UTC)  # two working days after Monday noon
    assert (letter.due_at, letter.owner) == (wednesday, Owner.CONVENER)
    assert (letter.attempts, letter.position, letter.sequence, letter.sent_at) == (0, None, None, None)

    clock.advance(timedelta(days=5))  # neither the relay nor the tracker has anything to do with a letter
    await kommun.sweeps()
    await settle(kommun, region)
    assert (await states(kommun))["meetingBooking"] == "letter"

    assert await tells(kommun, OutEvent.MAILED, "meetingBooking", reason="Rekommenderat.")
    clock.advance(timedelta(days=1))
    assert not await tells(kommun, OutEvent.MAILED, "meetingBooking", reason="En gång till.")
    [letter] = [row for row in await kommun.sent("meetingBooking") if row.unit == PRIVATE]
    assert (letter.state, letter.due_at, letter.owner) == (OutState.MAILED, None, None)
    assert letter.sent_at == NOON + timedelta(days=5)

    assert await tells(kommun, OutEvent.ANSWERED, "meetingBooking", reason="Mottagningsbevis.")
    assert not await tells(kommun, OutEvent.ANSWERED, "meetingBooking")
    assert not await tells(kommun, OutEvent.MAILED, "meetingBooking")
    [letter] = [row for row in await kommun.sent("meetingBooking") if row.unit == PRIVATE]
    assert (letter.state, letter.acknowledged_at) == (OutState.ACKNOWLEDGED, NOON + timedelta(days=6))
    taken = {one.unit: one.state for one in (await kommun.standing()).called}
    assert (taken[PRIVATE], taken[CLINIC]) == (ParticipationState.ACKNOWLEDGED, ParticipationState.SENT)

    async with kommun.context.store.reading() as tx:
        life = [line for line in await ledger.life_of(tx, str(call)) if line["unit"] == PRIVATE]
        kept = await letters.stated(tx, str(call), PRIVATE)
    assert [(line["event"], line["state"], line["code"]) for line in life[-2:]] == [
        ("mailed", "mailed", STAFF),
        ("answered", "acknowledged", STAFF),
    ]
    assert [(one.by, one.reason) for one in kept.values()] == [(STAFF, "Rekommenderat."), (STAFF, "Mottagningsbevis.")]


async def test_a_letter_waits_for_a_consent_that_covers_its_unit(both: tuple[Party, Party]) -> None:
    kommun, region = both
    await kommun.says(need(), CLINIC, PRIVATE)
    await kommun.says(consent(CLINIC))
    await settle(kommun, region)
    assert await states(kommun) == {"sipStart": "held"}
    assert await codes(tells(kommun, OutEvent.MAILED, "sipStart")) == ("letter.held",)
    await kommun.says(consent())
    assert await states(kommun) == {"sipStart": "letter", "consent": "letter"}
    async with kommun.context.store.reading() as tx:
        (start,) = [row for row in await kommun.sent("sipStart") if row.unit == PRIVATE]
        life = [line["event"] for line in await ledger.life_of(tx, start.message_id) if line["unit"] == PRIVATE]
    assert life == ["submit", "by_letter"]


@pytest.mark.parametrize("mailed", [False, True])
async def test_what_was_not_mailed_is_stopped_when_the_consent_is_withdrawn(
    both: tuple[Party, Party], mailed: bool
) -> None:
    kommun, region = both
    await prepared(kommun, region)
    if mailed:
        await tells(kommun, OutEvent.MAILED, "sipStart")
    await kommun.says(withdrawn())
    await settle(kommun, region)
    # Who has had a letter is told by letter that the case closed, and who has had none is told nothing.
    told = {"closure": "letter"} if mailed else {}
    assert await states(kommun) == {"sipStart": "mailed" if mailed else "stopped", "consent": "stopped", **told}
    assert await codes(tells(kommun, OutEvent.MAILED, "consent")) == ("letter.stopped",)


@pytest.mark.parametrize("mailed", [False, True])
@pytest.mark.parametrize("reason", [ClosureReason.GOALS_MET, ClosureReason.DIED])
async def test_what_was_not_mailed_is_stopped_when_the_case_ends_and_the_end_is_a_letter_to_who_knew(
    both: tuple[Party, Party], mailed: bool, reason: ClosureReason
) -> None:
    kommun, region = both
    await prepared(kommun, region)
    if mailed:
        await tells(kommun, OutEvent.MAILED, "sipStart")
    # A death may be told by anyone who takes part.
    if reason is ClosureReason.DIED:
        await region.says(closure(reason), unit=CLINIC)
    else:
        await kommun.says(closure(reason))
    await settle(kommun, region)
    told = {"closure": "letter"} if mailed else {}
    assert await states(kommun) == {"sipStart": "mailed" if mailed else "stopped", "consent": "stopped", **told}


async def test_a_letter_whose_consent_runs_out_before_it_is_mailed_is_stopped(
    both: tuple[Party, Party], clock: ManualClock
) -> None:
    kommun, region = both
    await kommun.says(need(), CLINIC, PRIVATE)
    await kommun.says(consent(until=date(2026, 11, 10)))
    await settle(kommun, region)
    await tells(kommun, OutEvent.MAILED, "sipStart")
    clock.advance(timedelta(days=10))
    await kommun.sweeps()
    assert await states(kommun) == {"sipStart": "mailed", "consent": "stopped"}


async def test_a_letter_that_a_new_consent_no_longer_covers_is_stopped(both: tuple[Party, Party]) -> None:
    kommun, region = both
    await prepared(kommun, region)
    await kommun.says(consent(CLINIC))
    assert await states(kommun) == {"sipStart": "stopped", "consent": "stopped"}


@pytest.mark.parametrize("mailed", [False, True])
async def test_taking_back_stops_a_letter_or_is_a_letter_itself(both: tuple[Party, Party], mailed: bool) -> None:
    kommun, region = both
    await prepared(kommun, region)
    call = await kommun.says(booking(PRIVATE), PRIVATE)
    if mailed:
        await tells(kommun, OutEvent.MAILED, "meetingBooking")
    await kommun.says(retraction(await kommun.content(str(call))))
    found = await states(kommun)
    assert found["meetingBooking"] == ("retracted" if mailed else "stopped")
    assert found.get("retraction") == ("letter" if mailed else None)


async def test_a_unit_without_inbox_joins_and_leaves_by_letter(both: tuple[Party, Party]) -> None:
    kommun, region = both
    await kommun.says(need(), CLINIC)
    await kommun.says(consent())
    await kommun.says(added(PRIVATE), PRIVATE)
    await settle(kommun, region)
    assert await states(kommun) == {"participantAdded": "letter", "consent": "letter"}
    await kommun.says(telling())
    await kommun.says(removed(PRIVATE), PRIVATE)
    await settle(kommun, region)
    assert (await states(kommun))["generalMessage"] == (await states(kommun))["participantRemoved"] == "letter"


async def test_a_call_that_is_redirected_to_a_unit_without_inbox_becomes_a_letter(both: tuple[Party, Party]) -> None:
    kommun, region = both
    await prepared(kommun, region)
    call = await kommun.says(booking(CLINIC), CLINIC)
    await settle(kommun, region)
    await region.says(reply(InvitationAnswer.REDIRECT, to=PRIVATE), unit=CLINIC, reply=call)
    await settle(kommun, region)
    assert (await states(kommun))["meetingBooking"] == "letter"


async def test_who_has_no_inbox_cannot_lead_a_case(both: tuple[Party, Party]) -> None:
    kommun, region = both
    await prepared(kommun, region)
    await kommun.says(booking(CLINIC, PRIVATE), CLINIC, PRIVATE)
    whole = plan()
    by_private = replace(whole.overall_responsible, unit=PRIVATE, principal=Principal.REGION)
    there = (whole.attendees[0], replace(whole.attendees[1], unit=PRIVATE))
    led = replace(whole, overall_responsible=by_private, attendees=there)
    assert await codes(kommun.says(led)) == ("unit.no-inbox",)
    await kommun.says(whole)
    await settle(kommun, region)
    handed = replace(transfer(CLINIC), next=by_private)
    assert await codes(kommun.says(handed)) == ("unit.no-inbox",)


async def test_a_unit_without_inbox_says_nothing_over_the_exchange(both: tuple[Party, Party]) -> None:
    _, region = both
    region.case = "B-1"
    assert await codes(region.says(need(), OFFICE, unit=PRIVATE)) == ("unit.no-inbox",)


async def test_only_a_letter_is_stated_to_be_one_and_only_when_it_was_sent_to_be_answered(
    both: tuple[Party, Party],
) -> None:
    kommun, region = both
    await prepared(kommun, region)
    assert await codes(tells(kommun, OutEvent.ANSWERED, "sipStart")) == ("letter.not-mailed",)
    for happens in (OutEvent.MAILED, OutEvent.ANSWERED):
        assert await codes(tells(kommun, happens, "sipStart", unit=CLINIC)) == ("letter.unknown",)
    for reason in ("", " \n", "x" * (LONGEST_REASON + 1)):
        assert await codes(tells(kommun, OutEvent.MAILED, "sipStart", reason=reason)) == ("by-hand.reason",)
    assert await codes(tells(kommun, OutEvent.MAILED, "sipStart", by="Karin")) == ("hsa-id.form",)
    assert await states(kommun) == {"sipStart": "letter", "consent": "letter"}


async def test_an_answer_that_comes_over_the_exchange_settles_no_letter(both: tuple[Party, Party]) -> None:
    kommun, region = both
    await prepared(kommun, region)
    [row] = [row for row in await kommun.sent("sipStart") if row.unit == PRIVATE]
    body = Acknowledgement(
        message_id=row.message_id,
        message_type=row.type,
        unit=PRIVATE,
        level=Level.RECEIVED,
        outcome=Outcome.ACCEPTED,
        at=NOON,
    )
    header = Header(
        message_id="00000000-0000-4000-8000-000000000001",
        case_number=CASE,
        created_at=NOON,
        sender=Sender(party="region", unit=PRIVATE),
        recipients=(Recipient(party="kommun", unit=OFFICE, duty=Duty.NOTIFY),),
        in_reply_to=row.message_id,
    )
    envelope = Envelope(
        message_id=header.message_id,
        type="acknowledgement",
        sender="region",
        recipient="kommun",
        unit=OFFICE,
        sender_unit=PRIVATE,
        case_ref=CASE,
        created_at=NOON,
        body=render_xml(Message("acknowledgement", header, body)),
    )
    await Tracker(kommun.context).take([HandedOver(envelope)])
    [after] = [row for row in await kommun.sent("sipStart") if row.unit == PRIVATE]
    async with kommun.context.store.reading() as tx:
        [aside] = await ledger.set_aside(tx)
    assert (after, aside["code"]) == (row, "acknowledgement.orphan")
