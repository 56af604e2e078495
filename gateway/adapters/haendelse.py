"""The *Händelse* of the municipal case system: each step of a SIP, own or the partner's, in the file of the person.

"Göteborgs Stads rutin för SIP" wants every SIP registered as a Händelse, a refusal included. It is a line in a log: it
tells what happened and counts, and never repeats the plan.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from gateway.clock import STOCKHOLM, local_date
from gateway.messages import Message
from gateway.messages.closure import Closure, ClosureReason
from gateway.messages.consent import Consent, ConsentDecision
from gateway.messages.meeting_booking import MeetingBooking
from gateway.messages.plan import Plan

LONGEST_SUMMARY = 1000
"""Characters of a summary."""

_Line = tuple[str, date, str, str]  # handelsetyp, datum, rubrik, sammanfattning


def haendelse(message: Message) -> dict[str, Any] | None:
    """Return the Händelse of ``message``; ``None`` for a type that is no step of a case, such as an acknowledgement.

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
    if header.person is not None:
        entry["personId"] = header.person.identifiers[0].extension
    if header.sender.user is not None and header.sender.user.hsa_id is not None:
        entry["handlaggareHsaId"] = header.sender.user.hsa_id
    return entry


def _start(message: Message) -> _Line:
    units = len(message.header.recipients)
    return (
        "SIP_STARTAD",
        local_date(message.header.created_at),
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


def _call(message: Message) -> _Line:
    booking: MeetingBooking = message.body
    start = booking.meeting.start.astimezone(STOCKHOLM)
    return (
        "KALLELSE",
        local_date(message.header.created_at),
        "Kallelse till SIP-möte",
        f"SIP-möte {start:%Y-%m-%d} kl. {start:%H:%M}. Kallade och inbjudna: {len(booking.invitees)}.",
    )


def _plan(message: Message) -> _Line:
    plan: Plan = message.body
    summary = (
        f"SIP-möte {plan.meeting.day.isoformat()}. Delmål: {len(plan.sub_goals)}. Insatser: {len(plan.measures)}. "
        f"Krisplan: {'ja' if plan.crisis_plan else 'nej'}. Övergripande ansvar: {plan.overall_responsible.unit}. "
        f"Uppföljning {plan.follow_up.on.isoformat()}."
    )
    return "SIP_UPPRATTAD", local_date(message.header.created_at), f"SIP upprättad, version {plan.version}", summary


_CLOSED_BECAUSE = {
    ClosureReason.GOALS_MET: "målen är uppfyllda",
    ClosureReason.NO_COORDINATION_NEED: "samordning behövs inte längre",
    ClosureReason.CONSENT_WITHDRAWN: "samtycket har återkallats",
    ClosureReason.DIED: "den enskilde är avliden",
    ClosureReason.MOVED: "den enskilde har flyttat",
    ClosureReason.DUPLICATE: "ärendet är en dubblett",
    ClosureReason.SUPERSEDED: "ärendet är ersatt av en ny SIP",
    ClosureReason.OTHER: "annan orsak",
}


def _closure(message: Message) -> _Line:
    closure: Closure = message.body
    return "AVSLUT", closure.closed_on, "SIP avslutad", f"SIP är avslutad: {_CLOSED_BECAUSE[closure.reason]}."


_LINES: dict[str, Callable[[Message], _Line]] = {
    "sipStart": _start,
    "consent": _consent,
    "meetingBooking": _call,
    "plan": _plan,
    "closure": _closure,
}
