"""The *Händelse* of the municipal case system: each step of a SIP, own or the partner's, in the file of the person.

"Göteborgs Stads rutin för SIP" wants every SIP registered as a Händelse, a refusal included. It is a line in a log: it
tells what happened and counts, and never repeats the plan.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, Final

from gateway.adapters.kinds import addressee, count, day, line, one_of, prose, staff_id
from gateway.adapters.outline import all_of
from gateway.adapters.shape import optional, required
from gateway.clock import STOCKHOLM, local_date
from gateway.messages import Message
from gateway.messages.closure import Closure, ClosureReason
from gateway.messages.consent import Consent, ConsentDecision
from gateway.messages.follow_up import FollowUp, FollowUpOutcome
from gateway.messages.follow_up_invitation import FollowUpInvitation
from gateway.messages.invitation_reply import InvitationAnswer, InvitationReply
from gateway.messages.measure import MeasureStatus
from gateway.messages.meeting_booking import MeetingBooking
from gateway.messages.meeting_change import MeetingCancellation, MeetingChange
from gateway.messages.meeting_held import MeetingHeld, MeetingOutcome
from gateway.messages.plan import Plan
from gateway.messages.responsibility_transfer import ResponsibilityTransfer
from gateway.messages.revised_plan import RevisedPlan

LONGEST_SUMMARY = 1000
"""Characters of a summary."""

KIND: Final = {
    "SIP_STARTAD": "SIP startad",
    "SAMTYCKE": "samtycke",
    "NEKAD": "nekad",
    "KALLELSE": "kallelse, och svar på den",
    "SIP_MOTE": "SIP-möte hållet",
    "SIP_UPPRATTAD": "SIP upprättad eller reviderad",
    "UPPFOLJNING": "uppföljning, och ansvaret för den",
    "AVSLUT": "avslut",
}
"""Händelsetyp."""
LINE: Final = all_of(
    required("externalId", line),
    required("arendenummer", line),
    required("handelsetyp", one_of(KIND)),
    required("datum", day),
    required("enhet", addressee),
    required("rubrik", line),
    required("sammanfattning", prose),
    required("kalla", line),
    required("versionNo", count),
    optional("registreradIEfterhand", day),
    optional("personId", line),
    optional("handlaggareHsaId", staff_id),
)
"""What stands in a Händelse."""

_Line = tuple[str, date, str, str]  # handelsetyp, datum, rubrik, sammanfattning


def haendelse(message: Message) -> dict[str, Any] | None:
    """Return the Händelse of ``message``; ``None`` for a type that is no step of a SIP, such as an acknowledgement.

    Pure: the same message gives the same Händelse, under the same ``externalId``.
    """
    write = _LINES.get(message.type)
    if write is None:
        return None
    kind, on, title, summary = write(message)
    header = message.header
    entry: dict[str, Any] = {
        "externalId": f"sip-gateway:{header.message_id}",
        "arendenummer": header.case_number,
        "handelsetyp": kind,
        "datum": on.isoformat(),
        "enhet": header.sender.unit,
        "rubrik": title,
        "sammanfattning": summary[:LONGEST_SUMMARY],
        "kalla": "gateway",
        "versionNo": message.body.version if isinstance(message.body, Plan) else 1,
    }
    if header.reserve_routine is not None:
        entry["registreradIEfterhand"] = local_date(header.created_at).isoformat()
    if header.person is not None:
        entry["personId"] = header.person.identifiers[0].extension
    if header.sender.user is not None and header.sender.user.hsa_id is not None:
        entry["handlaggareHsaId"] = header.sender.user.hsa_id
    return entry


def _start(message: Message) -> _Line:
    units = len(message.header.recipients)
    return (
        "SIP_STARTAD",
        local_date(message.header.happened_at),
        "SIP startad",
        f"Behov av samordnad individuell plan har uppmärksammats. Berörda enheter hos andra parter: {units}.",
    )


def _consent(message: Message) -> _Line:
    consent: Consent = message.body
    on = local_date(consent.taken_at)
    until = f" Gäller till och med {consent.valid_until.isoformat()}." if consent.valid_until else ""
    match consent.decision:
        case ConsentDecision.DECLINED:
            return "NEKAD", on, "Samtycke till SIP nekat", "Den enskilde samtycker inte till SIP. Inget lämnas ut."
        case ConsentDecision.WITHDRAWN:
            return "SAMTYCKE", on, "Samtycke till SIP återkallat", "Samtycket är återkallat. Inget mer lämnas ut."
        case ConsentDecision.PARTIAL:
            return "SAMTYCKE", on, "Samtycke till SIP delvis lämnat", f"Samtycket är begränsat.{until}"
    return "SAMTYCKE", on, "Samtycke till SIP lämnat", f"Samtycke är lämnat.{until}"


def _time(at: datetime) -> str:
    return f"{at.astimezone(STOCKHOLM):%Y-%m-%d kl. %H:%M}"


def _yes(said: bool) -> str:
    return "ja" if said else "nej"


def _call(message: Message) -> _Line:
    booking: MeetingBooking = message.body
    return (
        "KALLELSE",
        local_date(message.header.happened_at),
        "Kallelse till SIP-möte",
        f"SIP-möte {_time(booking.meeting.start)}. Kallade och inbjudna: {len(booking.invitees)}.",
    )


_ANSWERED = {
    InvitationAnswer.CONFIRM: "enheten kommer",
    InvitationAnswer.DECLINE: "enheten är förhindrad",
    InvitationAnswer.TENTATIVE: "preliminärt ja",
    InvitationAnswer.REDIRECT: "en annan enhet är rätt mottagare",
}


def _reply(message: Message) -> _Line:
    reply: InvitationReply = message.body
    summary = (
        f"Svar på kallelse: {_ANSWERED[reply.answer]}. Ersättare: {_yes(reply.substitute is not None)}. "
        f"Andra förslag på tid: {len(reply.alternatives)}."
    )
    return "KALLELSE", local_date(message.header.happened_at), "Svar på kallelse till SIP-möte", summary


def _change(message: Message) -> _Line:
    change: MeetingChange = message.body
    return (
        "KALLELSE",
        local_date(message.header.happened_at),
        "SIP-möte ombokat",
        f"SIP-mötet {_time(change.previous.start)} är flyttat till {_time(change.meeting.start)}.",
    )


def _cancellation(message: Message) -> _Line:
    cancellation: MeetingCancellation = message.body
    return (
        "KALLELSE",
        local_date(message.header.happened_at),
        "SIP-möte avbokat",
        f"SIP-mötet {_time(cancellation.slot.start)} är avbokat.",
    )


_CAME_OUT = {
    MeetingOutcome.PLAN: "en plan",
    MeetingOutcome.NO_PLAN: "ingen plan",
    MeetingOutcome.NEW_MEETING: "ett nytt möte",
}


def _held(message: Message) -> _Line:
    held: MeetingHeld = message.body
    present = sum(attendee.present for attendee in held.attendees)
    summary = (
        f"SIP-möte {_time(held.meeting.start)}. Närvarande: {present} av {len(held.attendees)}. "
        f"Den enskilde deltog: {_yes(held.person_present)}. Mötet ledde till {_CAME_OUT[held.outcome]}."
    )
    return "SIP_MOTE", local_date(held.meeting.start), "SIP-möte hållet", summary


def _plan(message: Message) -> _Line:
    plan: Plan = message.body
    made = "reviderad" if isinstance(plan, RevisedPlan) else "upprättad"
    summary = (
        f"SIP-möte {plan.meeting.day.isoformat()}. Delmål: {len(plan.sub_goals)}. Insatser: {len(plan.measures)}. "
        f"Krisplan: {_yes(plan.crisis_plan is not None)}. Övergripande ansvar: {plan.overall_responsible.unit}. "
        f"Uppföljning {plan.follow_up.on.isoformat()}."
    )
    return "SIP_UPPRATTAD", local_date(message.header.happened_at), f"SIP {made}, version {plan.version}", summary


def _follow_up_call(message: Message) -> _Line:
    call: FollowUpInvitation = message.body
    summary = (
        f"Uppföljning av version {call.plan_version} {_time(call.meeting.start)}. "
        f"Kallade och inbjudna: {len(call.invitees)}."
    )
    return "UPPFOLJNING", local_date(message.header.happened_at), "Kallelse till uppföljning av SIP", summary


_DECIDED = {
    FollowUpOutcome.CONTINUE: "planen fortsätter",
    FollowUpOutcome.REVISE: "planen revideras",
    FollowUpOutcome.CLOSE_AND_NEW: "planen avslutas och en ny SIP görs",
    FollowUpOutcome.CLOSE: "planen avslutas",
}


def _follow_up(message: Message) -> _Line:
    follow_up: FollowUp = message.body
    done = sum(progress.status is MeasureStatus.DONE for progress in follow_up.progress)
    after = f" Nästa uppföljning {follow_up.next_follow_up.on.isoformat()}." if follow_up.next_follow_up else ""
    summary = (
        f"Uppföljning av version {follow_up.plan_version}. Delmål: {len(follow_up.progress)}, klara: {done}. "
        f"Beslut: {_DECIDED[follow_up.outcome]}.{after}"
    )
    return "UPPFOLJNING", follow_up.held_on, "SIP uppföljd", summary


def _transfer(message: Message) -> _Line:
    transfer: ResponsibilityTransfer = message.body
    return (
        "UPPFOLJNING",  # the overall responsibility is that for the follow-up, and no kind is nearer
        local_date(message.header.happened_at),
        "Övergripande ansvar för SIP överlämnas",
        f"Från {transfer.previous.unit} till {transfer.next.unit}, från och med {transfer.effective_on.isoformat()}.",
    )


_CLOSED_BECAUSE = {
    ClosureReason.GOALS_MET: "målen är uppfyllda",
    ClosureReason.NO_COORDINATION_NEED: "samordning behövs inte längre",
    ClosureReason.CONSENT_WITHDRAWN: "samtycket har återkallats",
    ClosureReason.DIED: "den enskilde är avliden",
    ClosureReason.MOVED: "den enskilde har flyttat",
    ClosureReason.DUPLICATE: "ärendet är en dubblett",
    ClosureReason.SUPERSEDED: "ärendet är ersatt av en ny SIP",
    ClosureReason.COMPULSORY_CARE_PLAN: "en vårdplan enligt LPT eller LRV gäller i stället",
    ClosureReason.OTHER: "annan orsak",
}


def _closure(message: Message) -> _Line:
    closure: Closure = message.body
    if closure.reason is ClosureReason.REFUSED:
        return "NEKAD", closure.closed_on, "Begäran om SIP nekad", "Begäran om SIP är nekad. Skälet står i avslutet."
    return "AVSLUT", closure.closed_on, "SIP avslutad", f"SIP är avslutad: {_CLOSED_BECAUSE[closure.reason]}."


_LINES: dict[str, Callable[[Message], _Line]] = {
    "sipStart": _start,
    "consent": _consent,
    "meetingBooking": _call,
    "invitationReply": _reply,
    "meetingChange": _change,
    "meetingCancellation": _cancellation,
    "meetingHeld": _held,
    "plan": _plan,
    "followUpInvitation": _follow_up_call,
    "followUp": _follow_up,
    "revisedPlan": _plan,
    "responsibilityTransfer": _transfer,
    "closure": _closure,
}
