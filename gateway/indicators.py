"""The indicators of SIP work, computed from what was told: held meetings, lead times, replies, follow-ups, plans.

They are those that *Basnivå för SIP* of the Gothenburg area and the steering of local care cooperation (närområden,
delregioner) ask for: held SIP meetings (D), areas of life (F), a crisis plan that everyone concerned knows of (G), and
beside them whether a SIP was offered and accepted, how long it took, and whether it was followed up in time.

Nothing here is fit to be shown as it is: small numbers are hidden by :mod:`gateway.figures`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from gateway.case_log import CaseLog, Period, Told, cases_of, is_protected, is_within
from gateway.clock import local_date
from gateway.messages import (
    Closure,
    ClosureReason,
    Consent,
    ConsentDecision,
    FollowUp,
    InvitationAnswer,
    InvitationForward,
    InvitationReply,
    InviteeKind,
    LifeArea,
    MeetingBooking,
    MeetingChange,
    MeetingHeld,
    MisdirectedReport,
    ParticipantAdded,
    Plan,
    SipStart,
)

FINAL = frozenset({InvitationAnswer.CONFIRM, InvitationAnswer.DECLINE, InvitationAnswer.REDIRECT})
"""Answers after which a unit owes no other; a tentative one is not final."""


@dataclass(slots=True)
class Indicators:
    """The indicators of a period, as plain numbers.

    ``meetings`` are SIP meetings before there was a plan or from which it came, ``follow_ups`` the meetings after it;
    each is counted on the day it was held. ``offered`` are cases in which a need was told, ``accepted`` those with a
    first consent, whole or partial, ``declined`` those with a first no. ``lead_times`` are days from the need to the
    first meeting, for meetings held in the period. ``summoned`` counts each unit and each call it was sent, and
    ``replied`` those with a final reply. ``redirects`` are calls that were handed to another unit.

    ``dated_follow_ups`` are follow-ups for which the plan had set a day, ``timely_follow_ups`` those held by that day.
    ``plans`` are the plans made or revised, each case by its latest version: ``crisis_plans`` of them have a crisis
    plan, ``known_crisis_plans`` one that names everyone who was present, and ``life_areas`` tells in how many each area
    has a measure. ``closures`` are the cases that ended, by why.
    """

    meetings: int = 0
    follow_ups: int = 0
    offered: int = 0
    accepted: int = 0
    declined: int = 0
    lead_times: list[int] = field(default_factory=list)
    summoned: int = 0
    replied: int = 0
    dated_follow_ups: int = 0
    timely_follow_ups: int = 0
    plans: int = 0
    crisis_plans: int = 0
    known_crisis_plans: int = 0
    life_areas: Counter[LifeArea] = field(default_factory=Counter)
    closures: Counter[ClosureReason] = field(default_factory=Counter)
    redirects: int = 0


def indicators(
    logs: Iterable[Sequence[Told]], period: Period, *, conveners: Container[str] | None = None
) -> Indicators:
    """Return the indicators of ``period`` over the logs, each of everything that was told about one person.

    ``conveners`` are the units whose cases count, all when it is ``None``.
    """
    result = Indicators()
    for log in logs:
        count(log, period, result, conveners=conveners)
    return result


def count(log: Sequence[Told], period: Period, into: Indicators, *, conveners: Container[str] | None = None) -> None:
    """Count one person's cases; one whose identity is protected in any of them is left out of everything."""
    if is_protected(log):
        return
    for case in cases_of(log):
        if is_within(case, conveners):
            _count_offers(case, period, into)
            _count_meetings(case, period, into)
            _count_replies(case, period, into)
            _count_timeliness(case, period, into)
            _count_plans(case, period, into)
            _count_closures(case, period, into)


# --- need, consent, meeting -----------------------------------------------------------------------------------------


def _count_offers(case: CaseLog, period: Period, into: Indicators) -> None:
    into.offered += any(isinstance(told.message.body, SipStart) and told.day in period for told in case.told)
    consents = [(told.message.body, told.day) for told in case.told if isinstance(told.message.body, Consent)]
    yes = next((day for consent, day in consents if consent.permits), None)
    no = next((day for consent, day in consents if consent.decision is ConsentDecision.DECLINED), None)
    into.accepted += yes is not None and yes in period
    into.declined += no is not None and no in period


def _count_meetings(case: CaseLog, period: Period, into: Indicators) -> None:
    """Count each day with a meeting once: its note and its plan tell of the same, at times that may differ a little."""
    first, later = _meeting_days(case)
    into.meetings += sum(day in period for day in first)
    into.follow_ups += sum(day in period for day in later)
    start = next((told for told in case.told if isinstance(told.message.body, SipStart)), None)
    if start is not None and first and min(first) in period:
        # A need may be written down after the meeting it led to; there was no waiting then.
        into.lead_times.append(max(0, (min(first) - start.day).days))


def _meeting_days(case: CaseLog) -> tuple[set[date], set[date]]:
    """Return the days of the SIP meetings, up to the one that gave the plan, and those of the follow-ups."""
    first: set[date] = set()
    later: set[date] = set()
    has_plan = False
    for told in case.told:
        body = told.message.body
        if isinstance(body, ParticipantAdded):
            has_plan |= body.plan_version > 0
        elif isinstance(body, MeetingHeld):
            (later if has_plan else first).add(local_date(body.meeting.start))
        elif isinstance(body, Plan):
            has_plan |= body.version > 1
            (later if has_plan else first).add(body.meeting.day)
            has_plan = True
        elif isinstance(body, FollowUp):
            later.add(body.held_on)
    return first, later - first


# --- calls and replies ----------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Calls:
    """The calls of a case: for each one and each unit that was summoned by it, whether it has given a final reply."""

    replied: dict[tuple[str, str], bool] = field(default_factory=dict)
    sent_on: dict[str, date] = field(default_factory=dict)
    latest: dict[str, str] = field(default_factory=dict)
    changes: set[str] = field(default_factory=set)
    redirects: dict[tuple[str | None, str], date] = field(default_factory=dict)

    def call(self, told: Told, booking: MeetingBooking) -> None:
        """Note who is summoned; relatives and others who are only invited owe no reply."""
        message_id = told.message.header.message_id
        self.sent_on[message_id] = told.day
        summoned = {invitee.unit for invitee in booking.invitees if invitee.kind is InviteeKind.SUMMONS}
        for unit in told.units & summoned:
            self.replied[message_id, unit] = False
            self.latest[unit] = message_id

    def answered(self, told: Told) -> None:
        """Note the final reply of a unit to a call, or to a change of the call it was sent last."""
        key = self._key(told.message.header.in_reply_to, told.message.header.sender.unit)
        if key in self.replied:
            self.replied[key] = True

    def redirected(self, told: Told) -> None:
        """Note that a unit has handed its call to another: told in a reply or in a message of its own, it counts once.

        A redirect is final: whoever it names is called next.
        """
        self.answered(told)
        header = told.message.header
        self.redirects.setdefault((header.in_reply_to, header.sender.unit), told.day)

    def misdirected(self, told: Told, report: MisdirectedReport) -> None:
        """Forget a unit that was called by mistake."""
        self.replied.pop(self._key(report.target_message_id, told.message.header.sender.unit), None)

    def _key(self, message_id: str | None, unit: str) -> tuple[str, str]:
        call = self.latest.get(unit) if message_id in self.changes else message_id
        return call or "", unit


def _count_replies(case: CaseLog, period: Period, into: Indicators) -> None:
    calls = _Calls()
    for told in case.told:
        body = told.message.body
        if isinstance(body, MeetingBooking):
            calls.call(told, body)
        elif isinstance(body, MeetingChange):
            calls.changes.add(told.message.header.message_id)
        elif isinstance(body, InvitationForward) or (
            isinstance(body, InvitationReply) and body.answer is InvitationAnswer.REDIRECT
        ):
            calls.redirected(told)
        elif isinstance(body, InvitationReply) and body.answer in FINAL:
            calls.answered(told)
        elif isinstance(body, MisdirectedReport):
            calls.misdirected(told, body)
    answers = [answered for (call, _), answered in calls.replied.items() if calls.sent_on[call] in period]
    into.summoned += len(answers)
    into.replied += sum(answers)
    into.redirects += sum(day in period for day in calls.redirects.values())


# --- plan, follow-up, closure ---------------------------------------------------------------------------------------


def _count_timeliness(case: CaseLog, period: Period, into: Indicators) -> None:
    """Compare each day a follow-up was held with the day set by the plan, or by the follow-up before it."""
    due: date | None = None
    counted: set[date] = set()
    for told in case.told:
        body = told.message.body
        if isinstance(body, Plan):
            due = body.follow_up.on
        elif isinstance(body, FollowUp):
            if due is not None and body.held_on in period and body.held_on not in counted:
                into.dated_follow_ups += 1
                into.timely_follow_ups += body.held_on <= due
            counted.add(body.held_on)
            due = body.next_follow_up.on if body.next_follow_up is not None else None


def _count_plans(case: CaseLog, period: Period, into: Indicators) -> None:
    bodies = [told.message.body for told in case.told if told.day in period]
    plans = [body for body in bodies if isinstance(body, Plan)]
    if not plans:
        return
    plan = max(plans, key=lambda one: one.version)
    into.plans += 1
    area_of = {goal.id: goal.life_area for goal in plan.sub_goals}
    into.life_areas.update({area_of[one.sub_goal] for one in plan.measures if one.sub_goal in area_of})
    if plan.crisis_plan is not None:
        known_by = {_comparable(name) for name in plan.crisis_plan.known_by}
        present = {_comparable(attendee.name) for attendee in plan.attendees if attendee.present}
        into.crisis_plans += 1
        into.known_crisis_plans += present <= known_by


def _comparable(name: str) -> str:
    """Return a name so that letter case and spaces make no difference."""
    return " ".join(name.split()).casefold()


def _count_closures(case: CaseLog, period: Period, into: Indicators) -> None:
    """Count why the case ended, once, however many were told."""
    closure = next((told for told in case.told if isinstance(told.message.body, Closure)), None)
    if closure is not None and closure.day in period:
        into.closures[closure.message.body.reason] += 1
