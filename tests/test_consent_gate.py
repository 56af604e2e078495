"""Nothing about a person leaves the party before a consent that covers the recipient, whatever happens in between."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from build import (
    CLINIC,
    HOME_CARE,
    NOON,
    OFFICE,
    PSYCHIATRY,
    REGION,
    WARD,
    booking,
    closure,
    consent,
    declined,
    need,
    plan,
    withdrawn,
)
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from scripted import Convener, open_convener

from gateway.clock import ManualClock, local_date
from gateway.errors import InvalidDocumentError
from gateway.ledger import Dispatch
from gateway.lifecycle import NEVER_LEFT, Owner
from gateway.messages import ClosureReason, Consent, InformationType, parse_xml
from gateway.process import CaseState

BOTH = (CLINIC, PSYCHIATRY)


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Convener]:
    async with open_convener(tmp_path, ManualClock(NOON)) as convener:
        yield convener


async def refusal(office: Convener, body: object, *to: str, unit: str = OFFICE) -> tuple[str, ...]:
    """Say something that is refused; return the codes."""
    before = await office.rows()
    with pytest.raises(InvalidDocumentError) as caught:
        await office.says(body, *to, unit=unit)
    assert await office.rows() == before
    return caught.value.codes


async def in_line(office: Convener) -> list[Dispatch]:
    """Return what may leave, in line order."""
    return sorted((row for row in await office.rows() if row.position is not None), key=lambda row: row.position or 0)


# --- before a consent -----------------------------------------------------------------------------------------------


async def test_nothing_leaves_before_the_person_has_decided(office: Convener) -> None:
    await office.says(need(), *BOTH)
    await office.says(booking(), CLINIC)
    assert await office.publishes() == []
    rows = await office.rows()
    assert [(row.type, row.unit, row.state) for row in rows] == [
        ("sipStart", CLINIC, "held"),
        ("sipStart", PSYCHIATRY, "held"),
        ("meetingBooking", CLINIC, "held"),
    ]
    for row in rows:
        assert (row.position, row.sequence, row.queued_at, row.sent_at) == (None, None, None, None)
        assert (row.due_at, row.owner) == (NOON + timedelta(days=21), Owner.CONVENER)


async def test_a_booking_that_waits_does_not_move_the_case(office: Convener) -> None:
    await office.says(need(), CLINIC)
    await office.says(booking(), CLINIC)
    assert (await office.case()).state is CaseState.DRAFT
    await office.says(consent())
    assert (await office.case()).state is CaseState.INVITED


async def test_what_was_held_is_released_in_the_order_of_the_process(office: Convener) -> None:
    await office.says(need(), *BOTH)
    await office.says(booking(), *BOTH)
    await office.says(consent())
    order = [(type_name, unit) for type_name in ("sipStart", "consent", "meetingBooking") for unit in BOTH]
    assert [(row.type, row.unit) for row in await in_line(office)] == order
    assert await office.publishes() == order
    assert [envelope.sequence for envelope in office.published] == [1, 1, 2, 2, 3, 3]


async def test_a_released_message_names_the_consent_it_leaves_under_and_keeps_its_own_time(office: Convener) -> None:
    await office.says(need(), CLINIC)
    office.waits(hours=2)
    await office.says(booking(at=office.clock.now()), CLINIC)
    office.waits(hours=2)
    [consent_id] = (await office.says(consent())).message_ids
    await office.publishes()
    start, told, call = (parse_xml(envelope.body).header for envelope in office.published)
    assert (start.consent_ref, told.consent_ref, call.consent_ref) == (consent_id, None, consent_id)
    assert [start.created_at, call.created_at] == [NOON, NOON + timedelta(hours=2)]


async def test_messages_after_the_consent_name_it_too(office: Convener) -> None:
    await office.says(need(), CLINIC)
    [consent_id] = (await office.says(consent())).message_ids
    await office.says(booking())
    await office.says(plan())
    rows = [*await office.rows("meetingBooking"), *await office.rows("plan")]
    assert [(await office.content(row)).header.consent_ref for row in rows] == [consent_id] * 2


# --- a no -----------------------------------------------------------------------------------------------------------


async def test_after_a_no_everything_stays_at_home_for_good(office: Convener) -> None:
    await office.says(need(), *BOTH)
    await office.says(booking(), CLINIC)
    await office.says(declined())
    assert [row.state for row in await office.rows()] == ["stopped"] * 3
    assert await office.publishes() == []
    assert await refusal(office, consent()) == ("case.closed",)
    assert await refusal(office, booking(), CLINIC) == ("case.closed",)


@pytest.mark.parametrize("body", [declined(), closure()])
async def test_a_case_that_ends_before_a_consent_is_told_to_nobody_even_by_name(office: Convener, body: object) -> None:
    await office.says(need(), *BOTH)
    await office.says(body, *BOTH)
    assert [row.state for row in await office.rows() if row.state != "stopped"] == []
    assert await office.publishes() == []


async def test_a_closure_before_a_consent_is_kept_at_home(office: Convener) -> None:
    await office.says(need(), *BOTH)
    await office.says(closure())
    assert await office.states("sipStart") == dict.fromkeys(BOTH, "stopped")
    assert await office.rows("closure") == []
    assert (await office.case()).state is CaseState.CANCELLED


# --- a yes to some --------------------------------------------------------------------------------------------------


async def test_a_partial_consent_releases_what_is_for_the_units_it_names(office: Convener) -> None:
    await office.says(need(), *BOTH)
    await office.says(booking(), *BOTH)
    await office.says(consent(CLINIC))
    assert await office.publishes() == [("sipStart", CLINIC), ("consent", CLINIC), ("meetingBooking", CLINIC)]
    for type_name in ("sipStart", "meetingBooking"):
        assert await office.states(type_name) == {CLINIC: "sent", PSYCHIATRY: "held"}


async def test_a_wider_consent_releases_the_rest_in_the_order_of_the_process(office: Convener) -> None:
    await office.says(need(), *BOTH)
    await office.says(booking(), *BOTH)
    await office.says(consent(CLINIC))
    await office.publishes()
    await office.says(consent())
    assert [told for told in await office.publishes() if told[1] == PSYCHIATRY] == [
        ("sipStart", PSYCHIATRY),
        ("consent", PSYCHIATRY),
        ("meetingBooking", PSYCHIATRY),
    ]
    assert await office.publishes() == []
    sequences = [envelope.sequence for envelope in office.published if envelope.unit == PSYCHIATRY]
    assert sequences == [1, 2, 3]


async def test_a_consent_releases_only_the_kinds_of_information_it_names(office: Convener) -> None:
    await office.says(need(), CLINIC)
    await office.says(booking(), CLINIC)
    await office.says(consent(kinds=[InformationType.NEED]))
    assert await office.publishes() == [("sipStart", CLINIC), ("consent", CLINIC)]
    assert await office.states("meetingBooking") == {CLINIC: "held"}
    await office.says(consent())
    assert await office.publishes() == [("consent", CLINIC), ("meetingBooking", CLINIC)]


async def test_a_consent_that_names_a_unit_it_does_not_cover_is_never_told_there(office: Convener) -> None:
    await office.says(need(), *BOTH)
    await office.says(consent(CLINIC), *BOTH)
    await office.says(consent())
    told = [(type_name, unit) for type_name, unit in await office.publishes() if unit == PSYCHIATRY]
    assert told == [("sipStart", PSYCHIATRY), ("consent", PSYCHIATRY)]
    [last] = [envelope for envelope in office.published if (envelope.type, envelope.unit) == ("consent", PSYCHIATRY)]
    assert parse_xml(last.body).body == consent()


async def test_a_message_that_was_overtaken_while_it_waited_is_stopped(office: Convener) -> None:
    await office.says(need(), *BOTH)
    await office.says(consent(CLINIC))
    await office.says(booking(), CLINIC)
    await office.says(plan(), PSYCHIATRY)
    await office.says(plan(), CLINIC)
    await office.says(consent())
    assert [(row.unit, row.state) for row in await office.rows("plan")] == [
        (PSYCHIATRY, "stopped"),
        (CLINIC, "queued"),
    ]


# --- a yes that ends ------------------------------------------------------------------------------------------------


async def test_a_withdrawal_stops_what_has_not_left_and_tells_only_those_who_know(office: Convener) -> None:
    await office.says(need(), *BOTH)
    await office.says(consent(CLINIC))
    await office.publishes()
    await office.says(booking(), *BOTH)
    await office.says(withdrawn())
    assert await office.publishes() == [("closure", CLINIC)]
    assert await office.states("meetingBooking") == dict.fromkeys(BOTH, "stopped")
    assert await office.states("sipStart") == {CLINIC: "expired", PSYCHIATRY: "stopped"}  # answered late, or never
    assert (await office.case()).state is CaseState.CLOSED


async def test_those_who_know_learn_that_the_case_is_closed_and_nothing_else(office: Convener) -> None:
    await office.says(need(), CLINIC)
    await office.says(consent())
    await office.publishes()
    await office.says(withdrawn())
    await office.publishes()
    end = parse_xml(office.published[-1].body)
    assert end.header.person is None
    assert end.header.sender.user is None
    assert end.body == closure(ClosureReason.CONSENT_WITHDRAWN)


@pytest.mark.parametrize("body", [withdrawn(), closure(ClosureReason.CONSENT_WITHDRAWN)])
async def test_a_withdrawal_tells_nobody_new_even_by_name(office: Convener, body: object) -> None:
    await office.says(need(), CLINIC)
    await office.says(consent())
    await office.publishes()
    await office.says(booking(), PSYCHIATRY)
    await office.says(body, WARD)
    assert await office.publishes() == [("closure", CLINIC)]


async def test_the_end_of_a_case_is_not_told_to_a_unit_whose_consent_ran_out_before_it_knew(office: Convener) -> None:
    await office.says(need(), *BOTH)
    await office.says(consent(until=local_date(office.clock.now()) + timedelta(days=1)))
    await office.says(closure())
    office.waits(hours=72)
    await office.tracker.sweep()
    assert await office.publishes() == []
    assert {row.state for row in await office.rows()} == {"stopped"}


async def test_a_withdrawal_that_nobody_needs_to_hear_of_is_told_to_nobody(office: Convener) -> None:
    await office.says(need(), *BOTH)
    await office.says(consent())
    await office.says(withdrawn())
    assert await office.publishes() == []
    assert {row.state for row in await office.rows()} == {"stopped"}


async def test_nothing_is_sent_after_a_withdrawal_though_a_try_was_under_way(office: Convener) -> None:
    await office.says(need(), CLINIC)
    await office.says(consent())
    await office.publishes()
    await office.says(booking())
    assert await office.dies_while_publishing() == 1
    await office.says(withdrawn())
    await office.starts_again()
    assert await office.publishes() == [("closure", CLINIC)]
    [call] = await office.rows("meetingBooking")
    assert (call.state, call.owner) == ("expired", Owner.OPERATIONS)


async def test_a_message_without_an_answer_is_not_sent_again_after_a_withdrawal(office: Convener) -> None:
    await office.says(need(), CLINIC)
    await office.says(consent())
    await office.publishes()
    await office.says(withdrawn())
    assert await office.publishes() == [("closure", CLINIC)]
    office.waits(minutes=31)
    await office.tracker.sweep()
    assert await office.publishes() == [("closure", CLINIC)]


async def test_a_unit_that_a_try_may_have_reached_is_told_of_the_withdrawal(office: Convener) -> None:
    await office.says(need(), *BOTH)
    await office.says(consent(CLINIC))
    assert await office.dies_while_publishing() == 2
    await office.starts_again()
    await office.says(withdrawn())
    assert await office.publishes() == [("closure", CLINIC)]


async def test_a_narrowed_consent_parts_with_the_units_it_leaves_out(office: Convener) -> None:
    await office.says(need(), *BOTH)
    await office.says(consent())
    await office.publishes()
    await office.says(booking(), *BOTH)
    await office.says(consent(CLINIC))
    assert await office.publishes() == [("meetingBooking", CLINIC), ("consent", CLINIC), ("closure", PSYCHIATRY)]
    assert await office.states("meetingBooking") == {CLINIC: "sent", PSYCHIATRY: "stopped"}
    await office.says(plan())
    assert await office.publishes() == [("plan", CLINIC)]
    assert (await office.case()).state is CaseState.ACTIVE


async def test_a_consent_that_has_run_out_holds_what_comes_after_until_there_is_a_new_one(office: Convener) -> None:
    last_day = local_date(NOON) + timedelta(days=1)
    await office.says(need(), CLINIC)
    await office.says(consent(until=last_day))
    await office.publishes()
    office.waits(days=2)
    await office.says(booking(at=office.clock.now()))
    assert await office.publishes() == []
    assert await office.states("meetingBooking") == {CLINIC: "held"}
    await office.says(consent(at=office.clock.now()))
    assert await office.publishes() == [("consent", CLINIC), ("meetingBooking", CLINIC)]


async def test_a_closure_is_told_to_those_who_know_and_what_waited_is_stopped(office: Convener) -> None:
    await office.says(need(), *BOTH)
    await office.says(consent(CLINIC))
    await office.says(closure())
    assert await office.publishes() == [("sipStart", CLINIC), ("consent", CLINIC), ("closure", CLINIC)]
    assert await office.states("sipStart") == {CLINIC: "sent", PSYCHIATRY: "stopped"}


# --- what is refused ------------------------------------------------------------------------------------------------


async def test_a_plan_without_a_meeting_is_refused_though_it_would_have_been_held(office: Convener) -> None:
    await office.says(need(), CLINIC)
    assert await refusal(office, plan(), CLINIC) == ("case.meeting-missing",)
    await office.says(booking(), CLINIC)
    await office.says(plan(), CLINIC)
    assert await office.states("plan") == {CLINIC: "held"}


async def test_a_document_that_is_wrong_in_itself_is_refused_before_the_case_is_asked(office: Convener) -> None:
    await office.says(need(), CLINIC)
    late = booking(at=NOON - timedelta(days=30))
    assert await refusal(office, late, CLINIC) == ("meeting-booking.meeting-in-the-past",)


async def test_a_message_to_the_own_party_is_refused(office: Convener) -> None:
    assert await refusal(office, need(), CLINIC, HOME_CARE) == ("recipient.own-party",)


async def test_a_message_from_another_party_is_refused(office: Convener) -> None:
    assert await refusal(office, need(), CLINIC, unit=WARD) == ("sender.other-party",)


async def test_an_unknown_recipient_is_refused_with_the_nearest_one_there_is(office: Convener) -> None:
    with pytest.raises(InvalidDocumentError) as caught:
        await office.says(need(), f"{CLINIC}1")
    [finding] = caught.value.findings
    assert (finding.code, finding.path) == ("unit.unknown-near", "header/recipient/unit")
    assert CLINIC in finding.sv
    assert CLINIC in finding.en


async def test_a_case_has_one_need(office: Convener) -> None:
    await office.says(need(), CLINIC)
    assert await refusal(office, need(), PSYCHIATRY) == ("case.already-started",)


async def test_what_is_refused_takes_no_case_number(office: Convener) -> None:
    await refusal(office, need(), HOME_CARE)
    await office.says(need(), CLINIC)
    assert (await office.case()).number == "SIP100001"
    assert (await office.case()).participants[0].party == REGION


# --- whatever happens, in whatever order ----------------------------------------------------------------------------

UNITS = (CLINIC, PSYCHIATRY, WARD)
some_units = st.lists(st.sampled_from(UNITS), unique=True).map(tuple)
some_kinds = st.just(tuple(InformationType)) | st.lists(st.sampled_from(InformationType), min_size=1, unique=True)
AT_THEIR_END = {"acknowledged", "rejected", "stopped"}


class AnyOrder(RuleBasedStateMachine):
    """One case, with everything that can be said about it, tries that are cut off, and time that passes."""

    def __init__(self) -> None:
        super().__init__()
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        folder = self._stack.enter_context(tempfile.TemporaryDirectory())
        opened = open_convener(Path(folder), ManualClock(NOON))
        self.office: Convener = self._do(self._stack.enter_async_context(opened))
        self.in_force: Consent | None = None
        self.is_open = True
        self.released: set[int] = set()
        self.looked_at = 0

    def teardown(self) -> None:
        self._do(self._stack.aclose())
        self._runner.close()

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        self._rows: list[Dispatch] | None = None
        return self._runner.run(work)

    @property
    def rows(self) -> list[Dispatch]:
        """The ledger after the latest step, read once."""
        if self._rows is None:
            self._rows = self._do(self.office.rows())
        return self._rows

    def _say(self, body: object, *to: str) -> bool:
        try:
            self._do(self.office.says(body, *to))
        except InvalidDocumentError:
            return False
        return True

    @initialize(to=some_units.filter(bool), is_agreed=st.booleans(), is_published=st.booleans())
    def a_need_is_seen(self, to: tuple[str, ...], is_agreed: bool, is_published: bool) -> None:
        assert self._say(need(), *to)
        if is_agreed:
            self.in_force = consent()
            assert self._say(self.in_force)
        if is_published:
            self._do(self.office.publishes())

    # --- what the case system says

    @precondition(lambda self: self.is_open)
    @rule(units=some_units, named=some_units, kinds=some_kinds, days=st.none() | st.integers(0, 5))
    def a_consent_is_given(
        self, units: tuple[str, ...], named: tuple[str, ...], kinds: list[InformationType], days: int | None
    ) -> None:
        now = self.office.clock.now()
        until = None if days is None else local_date(now) + timedelta(days=days)
        said = consent(*units, kinds=kinds, until=until, at=now)
        parted_with = {row.unit for row in self.rows if row.type == "closure" and row.state not in NEVER_LEFT}
        is_too_late = any(
            said.covers(party=REGION, unit=unit, information=kind, on=local_date(now))
            for unit in parted_with
            for kind in kinds
        )
        assert self._say(said, *named) is not is_too_late
        if not is_too_late:
            self.in_force = said

    @precondition(lambda self: self.is_open)
    @rule(to=some_units)
    def a_meeting_is_booked(self, to: tuple[str, ...]) -> None:
        self._say(booking(at=self.office.clock.now()), *to)

    @precondition(lambda self: self.is_open)
    @rule(to=some_units, version=st.integers(1, 2))
    def a_plan_is_made(self, to: tuple[str, ...], version: int) -> None:
        self._say(plan(version, at=self.office.clock.now()), *to)

    @precondition(lambda self: self.is_open and self.in_force is not None)
    @rule(named=some_units)
    def the_consent_is_withdrawn(self, named: tuple[str, ...]) -> None:
        assert self._say(withdrawn(self.office.clock.now()), *named)
        self.is_open, self.in_force = False, None

    @precondition(lambda self: self.is_open and self.in_force is not None)
    @rule(named=some_units)
    def the_case_is_closed_because_the_consent_is_withdrawn(self, named: tuple[str, ...]) -> None:
        assert self._say(closure(ClosureReason.CONSENT_WITHDRAWN, at=self.office.clock.now()), *named)
        self.is_open, self.in_force = False, None

    @precondition(lambda self: self.is_open and len(self.rows) > 4)
    @rule(named=some_units)
    def the_case_is_closed(self, named: tuple[str, ...]) -> None:
        body = declined(self.office.clock.now()) if self.in_force is None else closure(at=self.office.clock.now())
        assert self._say(body, *named)
        self.is_open = False

    # --- what happens to what was said

    @rule()
    def what_is_due_is_published(self) -> None:
        self._do(self.office.publishes())

    @rule(starts_again=st.booleans())
    def a_try_is_cut_off(self, starts_again: bool) -> None:
        self._do(self.office.dies_while_publishing())
        if starts_again:
            self._do(self.office.starts_again())

    @rule(hours=st.sampled_from([1, 24, 100]))
    def time_passes(self, hours: int) -> None:
        self.office.waits(hours=hours)
        self._do(self.office.tracker.sweep())

    # --- what holds all the same

    def _is_covered(self, row: Dispatch) -> bool:
        kind = {"sipStart": InformationType.NEED, "meetingBooking": InformationType.MEETING}.get(
            row.type, InformationType.PLAN
        )
        if self.in_force is None or self.in_force.scope is None:
            return False
        units, last_day = self.in_force.scope.units or UNITS, self.in_force.valid_until
        return (
            row.unit in units
            and kind in self.in_force.scope.information_types
            and (last_day is None or local_date(self.office.clock.now()) <= last_day)
        )

    @invariant()
    def only_what_the_consent_in_force_covers_is_released(self) -> None:
        for row in self.rows:
            if row.position is None:
                assert row.state in NEVER_LEFT
                assert (row.sequence, row.sent_at, row.attempts) == (None, None, 0)
            elif row.id not in self.released:
                self.released.add(row.id)
                assert row.type in ("consent", "closure") or self._is_covered(row)

    @invariant()
    def nothing_but_its_end_is_told_of_a_case_whose_consent_has_ended(self) -> None:
        new = self.office.published[self.looked_at :]
        self.looked_at = len(self.office.published)
        assert self.in_force is not None or {envelope.type for envelope in new} <= {"closure"}
        assert all(parse_xml(envelope.body).header.person is None for envelope in new if envelope.type == "closure")

    @invariant()
    def whoever_may_know_of_a_case_is_told_that_it_ended_and_nobody_else(self) -> None:
        left = [row for row in self.rows if row.state not in NEVER_LEFT]
        told = {row.unit for row in left if row.type == "closure"}
        may_know = {row.unit for row in left if row.type != "closure"}
        assert told <= may_know
        assert self.is_open or told == may_know

    @invariant()
    def the_copies_for_a_unit_lie_on_the_exchange_in_their_order(self) -> None:
        for unit in UNITS:
            first = dict.fromkeys(envelope.sequence for envelope in self.office.published if envelope.unit == unit)
            assert list(first) == sorted(first)

    @invariant()
    def every_message_that_is_not_at_its_end_has_a_deadline_and_an_owner(self) -> None:
        for row in self.rows:
            at_its_end = row.state.value in AT_THEIR_END
            assert (row.due_at is None, row.owner is None) == (at_its_end, at_its_end)


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(
    max_examples=30,
    stateful_step_count=12,
    deadline=None,
    phases=[Phase.reuse, Phase.generate],  # a story is short as it is, and to shrink it would take minutes
    suppress_health_check=[HealthCheck.too_slow],
)
