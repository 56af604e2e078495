"""*Gäller*: what a message in the inbox is about, beyond its type: the day of a meeting, the version of a plan.

Only what tells nothing of the person: times, numbers and codes. A topic that somebody has typed may say anything, and
is shown as content is. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from gateway.messages import TYPES, Message
from gateway.web.moments import written


@dataclass(frozen=True, slots=True, kw_only=True)
class Concern:
    """What a message is about, in both languages. What ``is_free_text`` is content, and stands behind a mask."""

    sv: str
    en: str
    is_free_text: bool = False


SENT: Final = Concern(sv="Skickat", en="Sent")
"""What is said of a message of which nothing more is told."""


def concern_of(message: Message) -> Concern:
    """Return what a message is about."""
    found = _OF_TYPES.get(message.type)
    return found(message.body) if found is not None else SENT


def _meeting(body: Any) -> Concern:
    at = written(body.meeting.start)
    return Concern(sv=f"Möte {at}", en=f"Meeting {at}")


def _cancelled(body: Any) -> Concern:
    at = written(body.slot.start)
    return Concern(sv=f"Möte {at} avbokat", en=f"Meeting {at} cancelled")


def _held(body: Any) -> Concern:
    at = written(body.meeting.start)
    return Concern(sv=f"Mötet {at}", en=f"The meeting {at}")


def _plan(body: Any) -> Concern:
    return Concern(sv=f"Version {body.version}", en=f"Version {body.version}")


def _topic(body: Any) -> Concern:
    return Concern(sv=body.topic, en=body.topic, is_free_text=True)


def _about_message(body: Any) -> Concern:
    kind = TYPES.get(body.target_type)
    return Concern(sv=kind.title_sv, en=kind.title_en) if kind is not None else SENT


def _on(sv: str, en: str, tell: Callable[[Any], date | datetime]) -> Callable[[Any], Concern]:
    def concern(body: Any) -> Concern:
        when = tell(body)
        at = written(when) if isinstance(when, datetime) else when.isoformat()
        return Concern(sv=f"{sv} {at}", en=f"{en} {at}")

    return concern


_OF_TYPES: Final[Mapping[str, Callable[[Any], Concern]]] = {
    "meetingBooking": _meeting,
    "meetingChange": _meeting,
    "meetingCancellation": _cancelled,
    "meetingHeld": _held,
    "followUpInvitation": _meeting,
    "followUp": _on("Uppföljt", "Followed up", lambda body: body.held_on),
    "plan": _plan,
    "revisedPlan": _plan,
    "closure": _on("Avslutas", "Closes", lambda body: body.closed_on),
    "responsibilityTransfer": _on("Gäller från", "From", lambda body: body.effective_on),
    "generalMessage": _topic,
    "planningMessage": _topic,
    "retraction": _about_message,
    "misdirectedReport": _about_message,
    "admissionNotice": _on("Beräknad utskrivning", "Expected discharge", lambda body: body.expected_discharge),
    "admissionUpdate": _on("Beräknad utskrivning", "Expected discharge", lambda body: body.expected_discharge),
    "dischargeReady": _on("Utskrivningsklar", "Ready", lambda body: body.ready_at),
    "dischargeReadyRecall": _on("Avbruten", "Recalled", lambda body: body.recalled_at),
    "dischargeMessage": _on("Planerad utskrivning", "Planned discharge", lambda body: body.planned_at),
    "dischargeInformation": _on("Utskriven", "Discharged", lambda body: body.discharged_at),
}
