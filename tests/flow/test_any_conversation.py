"""Two gateways through whatever is said, allowed or not: what must hold after every step.

Nothing about the person crosses without a consent; whatever waits has a deadline and an owner, a message as well as a
case; no verdict flips; both sides agree on the case; and each party tells its own units, each once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Set as AbstractSet
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from build import (
    CLINIC,
    NOON,
    OFFICE,
    PARTY_OF,
    PERSON,
    PSYCHIATRY,
    added,
    booking,
    cancellation,
    change,
    closure,
    consent,
    declined,
    follow_up,
    follow_up_call,
    held,
    measure_update,
    misdirected,
    need,
    plan,
    removed,
    reply,
    retraction,
    revised,
    telling,
    transfer,
    withdrawn,
)
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import select
from talk import Party, settle, talking

from gateway.clock import ManualClock, local_date
from gateway.errors import InvalidDocumentError, NotYetError
from gateway.ledger import Dispatch
from gateway.lifecycle import NEVER_LEFT, InState, OutState
from gateway.messages import (
    TYPES,
    ClosureReason,
    Consent,
    Duty,
    InformationType,
    InvitationAnswer,
    MeetingOutcome,
    ProtectedLevel,
)
from gateway.process import ENDING, TERMINAL, CaseState, SipCase, deadlines
from gateway.store import cases, ledger
from gateway.store.tables import verdict

CASE = "SIP100001"
UNITS = (CLINIC, PSYCHIATRY)
THIRD = "SE2321000131-E000000000404"
"""A unit that is called only when another redirects to it."""
LONG = timedelta(days=6)
"""Longer than any unit is closed, weekends and holidays together."""
ENDS = {
    OutState.ACKNOWLEDGED,
    OutState.REJECTED,
    OutState.STOPPED,
    OutState.RETRACTED,
    OutState.MISDIRECTED,
}
"""States of an outgoing message that wait for nothing."""

SAID_BY_KOMMUN = {
    "consent": lambda at, _: consent(at=at),
    "consent for the clinic alone": lambda at, _: consent(CLINIC, at=at),
    "consent to the meeting alone": lambda at, _: consent(kinds=[InformationType.MEETING], at=at),
    "no": lambda at, _: declined(at),
    "withdrawal": lambda at, _: withdrawn(at),
    "call": lambda at, _: booking(*UNITS, at=at),
    "call of the clinic": lambda at, _: booking(CLINIC, at=at),
    "change": lambda _, case: change(case.slot if case else None),
    "cancellation": lambda _, case: cancellation(case.slot if case else None),
    "held": lambda at, _: held(at=at),
    "held, without a plan": lambda at, _: held(MeetingOutcome.NO_PLAN, at=at),
    "plan": lambda at, case: plan((case.plan_version if case else 0) + 1, at=at),
    "plan of another version": lambda at, case: plan((case.plan_version if case else 0) + 2, at=at),
    "revised plan": lambda at, case: revised((case.plan_version if case else 0) + 1, at=at),
    "call to follow up": lambda at, case: follow_up_call(*UNITS, version=case.plan_version if case else 1, at=at),
    "follow-up": lambda at, case: follow_up(version=case.plan_version if case else 1, at=at),
    "transfer": lambda at, _: transfer(CLINIC, at=at),
    "joining": lambda *_: added(PSYCHIATRY),
    "leaving": lambda *_: removed(PSYCHIATRY),
    "message": lambda *_: telling(),
    "closure": lambda at, _: closure(at=at),
}
SAID_BY_REGION = {
    "measure": lambda at, case: measure_update(max(case.plan_version, 1) if case else 1, at=at),
    "message": lambda *_: telling(),
    "withdrawal": lambda at, _: withdrawn(at),
    "plan": lambda at, case: plan((case.plan_version if case else 0) + 1, at=at),
    "death": lambda at, _: closure(ClosureReason.DIED, at=at),
    "closure": lambda at, _: closure(at=at),
}
NAMES_ITS_UNITS = {
    "call": UNITS,
    "call of the clinic": (CLINIC,),
    "call to follow up": UNITS,
    "joining": (PSYCHIATRY,),
    "leaving": (PSYCHIATRY,),
}


class Conversation(RuleBasedStateMachine):
    """A municipality and a region, one case, and whatever they say."""

    def __init__(self) -> None:
        super().__init__()
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self._folder = TemporaryDirectory()
        self._clock = ManualClock(NOON)
        self._verdicts: set[tuple[Any, ...]] = set()
        self._consents: dict[str, Consent | None] = {}
        self._left: set[tuple[str, str]] = set()
        self._settled = True
        self._frozen = False
        self._person = PERSON
        self._said: AbstractSet[tuple[str, str]] = set()

    @initialize()
    def opens(self) -> None:
        parties = self._run(self._stack.enter_async_context(talking(Path(self._folder.name), self._clock)))
        self.kommun, self.region = parties["kommun"], parties["region"]
        self.region.case = CASE
        self._run(self.kommun.says(need(), *UNITS))

    @rule(what=st.sampled_from(sorted(SAID_BY_KOMMUN)))
    def the_municipality_says(self, what: str) -> None:
        case = self._run(self._case(self.kommun))
        body = SAID_BY_KOMMUN[what](self._clock.now(), case)
        self._say(self.kommun, body, *NAMES_ITS_UNITS.get(what, ()))

    @rule(what=st.sampled_from(sorted(SAID_BY_REGION)), unit=st.sampled_from(UNITS))
    def the_region_says(self, what: str, unit: str) -> None:
        case = self._run(self._case(self.region))
        self._say(self.region, SAID_BY_REGION[what](self._clock.now(), case), unit=unit)

    @rule(
        answer=st.sampled_from(InvitationAnswer),
        unit=st.sampled_from((*UNITS, THIRD)),
        latest=st.booleans(),
        elsewhere=st.booleans(),
    )
    def the_region_replies(self, answer: InvitationAnswer, unit: str, latest: bool, elsewhere: bool) -> None:
        calls = [row for kind in ("meetingBooking", "meetingChange", "followUpInvitation")
                 for row in self._run(self.region.came(kind, unit))]  # fmt: skip
        if calls:
            other = THIRD if elsewhere and unit != THIRD else next(one for one in UNITS if one != unit)
            body = reply(answer, to=other if answer is InvitationAnswer.REDIRECT else None)
            self._say(self.region, body, unit=unit, reply=calls[-1 if latest else 0].message_id)

    @rule(unit=st.sampled_from(UNITS))
    def the_region_says_that_a_call_went_astray(self, unit: str) -> None:
        for call in self._run(self.region.came("meetingBooking", unit))[-1:]:
            target = self._run(self.kommun.content(call.message_id))
            self._say(self.region, misdirected(target), unit=unit, reply=call.message_id)

    @rule()
    def the_municipality_takes_its_call_back(self) -> None:
        for row in self._run(self.kommun.sent("meetingBooking"))[-1:]:
            self._say(self.kommun, retraction(self._run(self.kommun.content(row.message_id))))

    @rule(unit=st.sampled_from(UNITS))
    def staff_take_charge(self, unit: str) -> None:
        for kind in ("meetingBooking", "responsibilityTransfer"):
            for row in self._run(self.region.came(kind, unit)):
                if row.state is InState.REGISTERED:
                    self._settled = False
                    self._run(self.region.takes_charge(row))

    @rule()
    def the_protection_of_the_person_changes(self) -> None:
        hidden = replace(PERSON, protected_level=ProtectedLevel.CONFIDENTIALITY_MARKED)
        self._say(self.kommun, telling(), person=hidden)
        self._person = hidden

    @rule()
    def both_review_the_case(self) -> None:
        self._settled = False
        for party in (self.kommun, self.region):
            with suppress(InvalidDocumentError):
                self._run(party.reviews())

    @rule(hours=st.one_of(st.integers(1, 40), st.just(24 * 14)))
    def time_passes(self, hours: int) -> None:
        self._clock.advance(timedelta(hours=hours))

    @rule()
    def both_look_over_what_is_open(self) -> None:
        for party in (self.kommun, self.region):
            self._run(party.looks_over())
            case = self._run(self._case(party))
            if case is None or case.state in TERMINAL:
                continue
            told = {(notice.awaited, notice.due_at) for notice in party.told}
            owed = [one for one in deadlines(case) if PARTY_OF.get(one.unit, "region") == party.context.party]
            late = {(one.awaited.value, one.due_at) for one in owed if one.due_at + LONG <= self._clock.now()}
            assert late <= told, "whoever is late, somebody has been told"

    @rule()
    def everything_arrives(self) -> None:
        self._run(settle(self.kommun, self.region))
        self._settled = True

    @invariant()
    def nothing_about_the_person_crosses_without_consent(self) -> None:
        self._run(self._check_consents())

    @invariant()
    def nothing_but_an_end_is_said_in_a_frozen_case(self) -> None:
        case = self._run(self._case(self.kommun))
        said = {(row.message_id, row.unit): row.type for row in self._run(self.kommun.sent_at_all())}
        is_frozen = case is not None and case.is_frozen
        if self._frozen and is_frozen:
            new = {TYPES[said[key]].moves for key in said.keys() - self._said}
            assert all(callable(moves) or moves in ENDING for moves in new), new
        self._said, self._frozen = said.keys(), is_frozen

    @invariant()
    def whatever_waits_has_a_deadline_and_an_owner(self) -> None:
        for row in self._run(self._rows()):
            waits = row.state not in ENDS and not (row.state is OutState.REGISTERED and row.duty is Duty.NOTIFY)
            assert (row.due_at is not None, row.owner is not None) == (waits, waits), row

    @invariant()
    def a_case_that_goes_on_has_a_deadline_and_an_owner(self) -> None:
        for party in (self.kommun, self.region):
            case = self._run(self._case(party))
            if case is not None and case.state not in TERMINAL and case.concerns(party.context.party):
                clocks = deadlines(case)
                assert clocks, case
                assert all(clock.unit in (*PARTY_OF, THIRD) for clock in clocks), case

    @invariant()
    def each_party_tells_its_own_units_and_each_once(self) -> None:
        for party in (self.kommun, self.region):
            units = party.context.directory.units
            assert {units[notice.unit].party for notice in party.told} <= {party.context.party}
            ids = [notice.notice_id for notice in party.told]
            assert len(ids) == len(set(ids))

    @invariant()
    def no_verdict_flips(self) -> None:
        now = self._run(self._standing_verdicts())
        assert self._verdicts <= now
        self._verdicts = now

    @invariant()
    def both_sides_agree_once_everything_has_arrived(self) -> None:
        if self._settled:
            ours, theirs = self._run(self._case(self.kommun)), self._run(self._case(self.region))
            if theirs is not None:
                assert ours is not None
                mine, its = _shared(ours), _shared(theirs)
                for name in _apart(ours):
                    del mine[name], its[name]
                assert mine == its

    def teardown(self) -> None:
        self._run(self._stack.aclose())
        self._runner.close()
        self._folder.cleanup()

    # --- how ----------------------------------------------------------------------------------------------------------

    def _run(self, work: Any) -> Any:
        async def done() -> Any:
            return await work

        return self._runner.run(done())

    def _say(self, party: Party, body: Any, *to: str, unit: str = OFFICE, **more: Any) -> None:
        self._settled = False
        more.setdefault("person", self._person)
        with suppress(InvalidDocumentError, NotYetError):
            self._run(party.says(body, *to, unit=unit, **more))

    async def _rows(self) -> list[Dispatch]:
        found = []
        for party in (self.kommun, self.region):
            async with party.context.store.reading() as tx:
                found += await ledger.sent_messages(tx)
        return found

    async def _case(self, party: Party) -> SipCase | None:
        async with party.context.store.reading() as tx:
            return (await cases.load(tx, CASE)).case

    async def _standing_verdicts(self) -> set[tuple[Any, ...]]:
        columns = (verdict.c.message_id, verdict.c.unit, verdict.c.level, verdict.c.outcome, verdict.c.record_id)
        found: set[tuple[Any, ...]] = set()
        for party in (self.kommun, self.region):
            async with party.context.store.reading() as tx:
                found |= {tuple(row) for row in (await tx.execute(select(*columns))).all()}
        return found

    async def _check_consents(self) -> None:
        """Whatever may leave since the last step is covered by the consent in force before it, or after it.

        A unit of the region may tell the convener what it may be told itself.
        """
        on = local_date(self._clock.now())
        for party in (self.kommun, self.region):
            name = party.context.party
            case = await self._case(party)
            before, self._consents[name] = self._consents.get(name), case.consent if case is not None else None
            in_force = [one for one in (before, self._consents[name]) if one is not None]
            for row in await party.sent_at_all():
                information = TYPES[row.type].contract.consent
                if row.state in NEVER_LEFT or information is None or (row.message_id, row.unit) in self._left:
                    continue
                self._left.add((row.message_id, row.unit))
                sender = (await party.content(row.message_id)).header.sender
                told = (row.party, row.unit) if name == "kommun" else (sender.party, sender.unit)
                covers = (one.covers(party=told[0], unit=told[1], information=information, on=on) for one in in_force)
                assert any(covers), row


def _shared(case: SipCase) -> dict[str, Any]:
    """Return what both sides know of a case."""
    over = case.state in (CaseState.CLOSED, CaseState.CANCELLED)
    return {
        "over": over,
        "state": None if over else case.state,
        "booking": case.booking_version,
        "plan": case.plan_version,
        "responsible": case.responsible_unit,
        "leader": case.leader,
        "called": sorted((one.unit, one.state) for one in case.called),
        "frozen": case.is_frozen,
        "protected": case.protected_level,
    }


def _apart(ours: SipCase) -> tuple[str, ...]:
    """Return what the sides may see differently: the note of a meeting stays at home until something comes of it."""
    if ours.state in TERMINAL:
        return ("called",)
    return ("state", "called") if ours.held_by is not None else ()


TestAnyConversation = Conversation.TestCase
TestAnyConversation.settings = settings(
    max_examples=10,
    stateful_step_count=22,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
