"""What a system is told for its units: every kind of notice in its own words, once, and about no person."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from case_events import MakeAdapter

from gateway.adapters.simulated import SimulatedCaseSystem
from gateway.adapters.table import VOCABULARIES
from gateway.clock import ManualClock
from gateway.duties import AWAITED
from gateway.notices import Notice, NoticeKind

NOON = datetime(2026, 11, 2, 11, 0, tzinfo=UTC)
MESSAGE = "5b1f5c5e-2c1b-4c5e-8f5a-6f4f3f1d2a10"


def notice(kind: NoticeKind = NoticeKind.REMINDER, **more: Any) -> Notice:
    values = {"unit": "SE2120001355-SOCHISINGEN", "case_number": "SIP100001", "at": NOON, "occasion": "1"}
    return Notice(kind=kind, **{**values, **more})


@pytest.mark.parametrize("system", VOCABULARIES)
class TestEachSystem:
    @pytest.mark.parametrize("kind", NoticeKind)
    def test_every_kind_has_a_word(self, system: str, kind: NoticeKind) -> None:
        shown = VOCABULARIES[system].notice(notice(kind, other_case="M200001", awaited="reply"))
        assert "SIP100001" in str(shown)

    @pytest.mark.parametrize("awaited", sorted(AWAITED))
    def test_everything_that_can_be_awaited_has_a_word(self, system: str, awaited: str) -> None:
        assert VOCABULARIES[system].notice(notice(awaited=awaited))

    def test_a_message_is_named_as_the_system_names_it(self, system: str) -> None:
        shown = str(VOCABULARIES[system].notice(notice(type="meetingBooking", message_id=MESSAGE, code="case.closed")))
        assert ("meetingBooking" in shown, MESSAGE in shown, "case.closed" in shown) == (False, True, True)

    async def test_it_is_told_once_however_often_it_is_tried(
        self, system: str, tmp_path: Path, make_adapter: MakeAdapter
    ) -> None:
        adapter = make_adapter(system)
        async with SimulatedCaseSystem(tmp_path / system, system, ManualClock(NOON)) as other_side:
            for _ in range(2):
                await adapter.notify(notice(awaited="reply", owed_by="SE2321000131-E000000000101", due_at=NOON))
            (taken,) = await other_side.notices()
            assert (await other_side.records(), await other_side.haendelser()) == ([], [])
        assert "2026-11-02T12:00:00+01:00" in str(taken)


def test_a_bevakning_says_what_is_missing_and_where() -> None:
    shown = VOCABULARIES["treserva"].notice(
        notice(NoticeKind.OVERDUE, awaited="reply", owed_by="SE2321000131-E000000000101", due_at=NOON)
    )
    assert shown == {
        "bevakningId": shown["bevakningId"],
        "slag": "Försenat",
        "enhet": "SE2120001355-SOCHISINGEN",
        "arendenummer": "SIP100001",
        "rubrik": "Försenat: Svar på kallelse saknas i SIP100001",
        "vantarPa": "Svar på kallelse",
        "hosEnhet": "SE2321000131-E000000000101",
        "senast": "2026-11-02T12:00:00+01:00",
    }
