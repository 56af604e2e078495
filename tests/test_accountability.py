"""Whoever acts answers for it: what is done and what is kept of it stand or fall together; attempts are kept too."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from blank import blank_store
from build import CLINIC, NOON, OFFICE
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from gateway.access import AccessRefusedError, Actor, Role
from gateway.accountability import Attempt, acting
from gateway.audit import Action
from gateway.by_hand import holds_person_number
from gateway.clock import ManualClock
from gateway.errors import CaseRuleError
from gateway.store import Store, adapters, audit
from gateway.store.audit import Wanted

CLOCK = ManualClock(NOON)
PORTAL = Actor(name="portal", role=Role.OPERATOR, units=frozenset({OFFICE}), assignment="Vård och omsorg, Hisingen")
ADMIN = Actor(name="ops", role=Role.OPERATOR)
PAUSE = adapters.Pause("treserva", NOON, "portal", "Byte av server.")
MESSAGE = "0f8fad5b-d9cb-469f-a165-70867728950e"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """Return a store on one product: what differs between them is tested where rows are added."""
    async with Store(blank_store(tmp_path / "store.sqlite")) as opened:
        yield opened


def attempt(**changes: Any) -> Attempt:
    values: dict[str, Any] = {"action": Action.ADAPTER_PAUSED, "by": ADMIN, "reason": " Byte av server. "}
    return Attempt(**{**values, **changes})


async def kept(store: Store, *names: str) -> list[tuple[str | None, ...]]:
    async with store.reading() as tx:
        return [tuple(row.said[name] for name in names) for row in await audit.find(tx, Wanted(), limit=10)]


async def paused(store: Store) -> bool:
    async with store.reading() as tx:
        return await adapters.is_paused(tx, "treserva")


async def test_what_is_done_is_kept_with_who_in_which_assignment_for_which_unit_and_why(store: Store) -> None:
    await _reads(store, attempt(action=Action.LETTER_SHOWN, by=PORTAL), OFFICE)
    names = ("at", "by", "assignment", "role", "unit", "action", "target", "reason", "outcome", "code")
    assert await kept(store, *names) == [
        (
            "2026-11-02T11:00:00.000000+00:00", "portal", PORTAL.assignment, "operator", OFFICE,
            "letter.shown", MESSAGE, "Byte av server.", "done", None,
        )
    ]  # fmt: skip


async def test_what_cannot_be_kept_is_not_done(store: Store) -> None:
    async with store.writing() as tx:
        await tx.execute(text("ALTER TABLE audit RENAME TO audit_elsewhere"))
    with pytest.raises(DBAPIError):
        await _pauses(store, attempt())
    assert not await paused(store)


async def _pauses(store: Store, one: Attempt, error: Exception | None = None) -> None:
    async with acting(store, CLOCK, one) as tx:
        await adapters.put_on_hold(tx, PAUSE)
        if error is not None:
            raise error


async def test_what_fails_is_kept_by_its_code_and_undone(store: Store) -> None:
    with pytest.raises(ZeroDivisionError):
        await _pauses(store, attempt(named=MESSAGE), ZeroDivisionError("of Alva Testberg"))
    with pytest.raises(CaseRuleError):
        await _pauses(store, attempt(reason=""))
    assert not await paused(store)
    await _pauses(store, attempt())
    assert await paused(store)
    assert await kept(store, "by", "target", "reason", "outcome", "code") == [
        ("ops", MESSAGE, "Byte av server.", "failed", "ZeroDivisionError"),
        ("ops", None, None, "refused", "by-hand.reason"),
        ("ops", None, "Byte av server.", "done", None),
    ]


async def test_whoever_has_not_the_right_or_the_unit_is_refused_and_that_is_kept(store: Store) -> None:
    reader = Actor(name="wall", role=Role.READER)
    with pytest.raises(AccessRefusedError):
        await _pauses(store, attempt(by=reader))
    with pytest.raises(AccessRefusedError):
        await _reads(store, attempt(action=Action.LETTER_SHOWN, by=PORTAL), CLINIC)
    with pytest.raises(AccessRefusedError):  # nobody has said which unit that is
        await _pauses(store, attempt(by=PORTAL))
    assert not await paused(store)
    assert await kept(store, "by", "role", "unit", "case_number", "outcome", "code") == [
        ("wall", "reader", None, None, "refused", "access.refused"),
        ("portal", "operator", CLINIC, "SIP100001", "refused", "access.refused"),
        ("portal", "operator", OFFICE, None, "refused", "access.refused"),
    ]


async def _reads(store: Store, one: Attempt, unit: str) -> None:
    async with acting(store, CLOCK, one):
        one.about(MESSAGE, unit=unit, case_number="SIP100001")


@pytest.mark.parametrize(
    ("written", "names_a_person"),
    [
        ("Gäller 850912-9808.", True),
        ("Gäller 198509129808.", True),
        ("19850912-9808", True),
        ("Gäller 850912 9808", True),
        ("Gäller 19850912 – 9808", True),
        ("850912-9809", False),
        ("2026-11-28 15:30", False),
        (f"{OFFICE} {CLINIC} {MESSAGE}", False),
        ("Ärende SIP100001, 2026-11-02 kl. 09.00, se 031-365 00 00", False),
    ],
)
def test_a_person_number_in_a_reason_is_recognised(written: str, names_a_person: bool) -> None:
    assert holds_person_number(written) is names_a_person
