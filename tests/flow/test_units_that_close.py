"""Units that are not known, have closed or not opened yet: what is refused, and which unit is named instead."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from build import CLINIC, NOON, OFFICE, PSYCHIATRY, booking, closure, consent, need, removed, reply, telling, withdrawn
from scripted import DIRECTORY
from talk import Party, settle, talking

from gateway.clock import ManualClock
from gateway.directory import Directory
from gateway.errors import InvalidDocumentError
from gateway.lifecycle import InState, Level, OutState
from gateway.messages import InvitationAnswer
from gateway.store import verdicts

CASE = "SIP100001"
LAST_DAY = date(2026, 11, 2)
"""The day of NOON."""
MISSPELT = CLINIC[:-1] + "9"


def with_unit(hsa_id: str, *, like: str = CLINIC, **changes: Any) -> Directory:
    """Return the directory with one unit more, or changed."""
    unit = DIRECTORY.units[like].model_copy(update={"hsa_id": hsa_id, **changes})
    return Directory(DIRECTORY.parties, {**DIRECTORY.units, hsa_id: unit})


@asynccontextmanager
async def both(folder: Path, clock: ManualClock, **directories: Directory) -> AsyncIterator[tuple[Party, Party]]:
    async with talking(folder, clock, **directories) as parties:
        parties["region"].case = CASE
        yield parties["kommun"], parties["region"]


async def refusal(saying: Any) -> tuple[str, str]:
    """Return code and sentence of the one reason for which something cannot be said."""
    with pytest.raises(InvalidDocumentError) as caught:
        await saying
    [finding] = caught.value.findings
    return finding.code, finding.en


async def reasons(party: Party, message_id: str, unit: str) -> list[dict[str, Any]]:
    """Return why a message was refused at the first level, as it stands in the ledger of its sender."""
    async with party.context.store.reading() as tx:
        found = (await tx.execute(verdicts.verdict.select())).mappings().all()
    [row] = [one for one in found if (one["message_id"], one["unit"]) == (message_id, unit)]
    assert row["level"] == Level.RECEIVED.value
    return list(row["reasons"])


async def prepared(kommun: Party, region: Party, *units: str) -> None:
    await kommun.says(need(), *units)
    await kommun.says(consent())
    await settle(kommun, region)


async def test_unknown_unit_is_refused_with_the_nearest_one(tmp_path: Path) -> None:
    """The sender's copy of the directory has a unit that the receiver does not know."""
    async with both(tmp_path, ManualClock(NOON), kommun=with_unit(MISSPELT)) as (kommun, region):
        await prepared(kommun, region, MISSPELT)
        (row,) = await kommun.sent("sipStart")
        assert row.state is OutState.REJECTED
        (why,) = await reasons(kommun, row.message_id, MISSPELT)
        assert why["code"] == "unit.unknown-near"
        assert CLINIC in why["sv"]
        assert CLINIC in why["en"]
        assert "Alva" not in str(why)


async def test_a_unit_nobody_knows_is_refused_where_it_is_said_with_the_nearest_one(tmp_path: Path) -> None:
    async with both(tmp_path, ManualClock(NOON)) as (kommun, _):
        code, sentence = await refusal(kommun.says(need(), MISSPELT))
        assert (code, CLINIC in sentence) == ("unit.unknown-near", True)


async def test_a_unit_that_has_closed_is_refused_where_it_is_said_with_the_one_that_takes_over(tmp_path: Path) -> None:
    closed = with_unit(MISSPELT, valid_to=LAST_DAY, fallback=PSYCHIATRY)
    clock = ManualClock(NOON)
    async with both(tmp_path, clock, kommun=closed, region=closed) as (kommun, region):
        await prepared(kommun, region, MISSPELT)
        assert (await kommun.sent("sipStart"))[0].state is OutState.REGISTERED
        clock.advance(timedelta(hours=12, minutes=30))  # half past midnight in Sweden: not yet tomorrow in UTC
        for saying in (kommun.says(booking(MISSPELT), MISSPELT), kommun.says(telling())):
            code, sentence = await refusal(saying)
            assert code == "unit.not-valid"
            assert MISSPELT in sentence
            assert PSYCHIATRY in sentence
        await kommun.says(removed(MISSPELT), MISSPELT)  # it may be parted with, and it is told
        await settle(kommun, region)
        (row,) = await kommun.sent("participantRemoved")
        assert row.state is OutState.REGISTERED


async def test_a_receiver_names_who_has_taken_over_from_a_unit_that_was_closed_when_the_message_was_made(
    tmp_path: Path,
) -> None:
    closed = with_unit(MISSPELT, valid_to=LAST_DAY - timedelta(days=1), fallback=PSYCHIATRY)
    async with both(tmp_path, ManualClock(NOON), kommun=with_unit(MISSPELT), region=closed) as (kommun, region):
        await prepared(kommun, region, MISSPELT)
        (row,) = await kommun.sent("sipStart")
        (why,) = await reasons(kommun, row.message_id, MISSPELT)
        assert (row.state, why["code"], PSYCHIATRY in why["sv"]) == (OutState.REJECTED, "unit.not-valid", True)


async def test_what_was_sent_while_the_unit_was_there_is_taken_after_it_has_closed(tmp_path: Path) -> None:
    closed = with_unit(MISSPELT, valid_to=LAST_DAY, fallback=PSYCHIATRY)
    clock = ManualClock(NOON)
    async with both(tmp_path, clock, kommun=closed, region=closed) as (kommun, region):
        await kommun.says(need(), MISSPELT)
        await kommun.says(consent())
        clock.advance(timedelta(days=1))
        await settle(kommun, region)
        (came,) = await region.came("sipStart")
        assert (came.unit, came.state) == (MISSPELT, InState.REGISTERED)


async def test_who_was_called_still_answers_after_the_office_that_called_has_closed(tmp_path: Path) -> None:
    closed = with_unit(OFFICE, like=OFFICE, valid_to=LAST_DAY)
    clock = ManualClock(NOON)
    async with both(tmp_path, clock, kommun=closed, region=closed) as (kommun, region):
        await prepared(kommun, region, CLINIC)
        call = await kommun.says(booking(CLINIC), CLINIC)
        await settle(kommun, region)
        clock.advance(timedelta(days=1))
        await region.says(reply(), unit=CLINIC, reply=call)
        await region.says(telling(), unit=CLINIC)  # to who leads the case, whom a participant does not choose
        await settle(kommun, region)
        for type_name in ("invitationReply", "generalMessage"):
            (row,) = await region.sent(type_name)
            assert (row.unit, row.state) == (OFFICE, OutState.REGISTERED)
        code, _ = await refusal(kommun.says(telling()))
        assert code == "unit.not-valid"  # the closed office itself says no more …
        await kommun.says(withdrawn(at=clock.now()))  # … than that something ends
        await settle(kommun, region)
        assert (await kommun.sent("closure"))[0].state is OutState.REGISTERED


async def test_a_unit_that_has_closed_still_answers_what_it_was_asked(tmp_path: Path) -> None:
    closed = with_unit(MISSPELT, valid_to=LAST_DAY)
    clock = ManualClock(NOON)
    async with both(tmp_path, clock, kommun=closed, region=closed) as (kommun, region):
        await prepared(kommun, region, MISSPELT)
        call = await kommun.says(booking(MISSPELT), MISSPELT)
        await settle(kommun, region)
        clock.advance(timedelta(days=1))
        await region.says(reply(InvitationAnswer.REDIRECT, to=CLINIC), unit=MISSPELT, reply=call)
        await settle(kommun, region)
        (row,) = await region.sent("invitationReply")
        assert row.state is OutState.REGISTERED


async def test_nobody_is_redirected_to_a_unit_that_has_closed(tmp_path: Path) -> None:
    closed = with_unit(MISSPELT, valid_to=LAST_DAY - timedelta(days=1), fallback=PSYCHIATRY)
    async with both(tmp_path, ManualClock(NOON), region=closed) as (kommun, region):
        await prepared(kommun, region, CLINIC)
        call = await kommun.says(booking(CLINIC), CLINIC)
        await settle(kommun, region)
        redirect = reply(InvitationAnswer.REDIRECT, to=MISSPELT)
        code, sentence = await refusal(region.says(redirect, unit=CLINIC, reply=call))
        assert (code, PSYCHIATRY in sentence) == ("unit.not-valid", True)


async def test_a_case_with_a_unit_that_has_closed_can_end(tmp_path: Path) -> None:
    closed = with_unit(MISSPELT, valid_to=LAST_DAY)
    clock = ManualClock(NOON)
    async with both(tmp_path, clock, kommun=closed, region=closed) as (kommun, region):
        await prepared(kommun, region, MISSPELT)
        clock.advance(timedelta(days=1))
        await kommun.says(closure(at=clock.now()))
        await settle(kommun, region)
        (row,) = await kommun.sent("closure")
        assert (row.unit, row.state) == (MISSPELT, OutState.REGISTERED)
