"""The municipal case system, after Treserva: its events, and how a message and a note look to it.

The real system's interface is not public. Members and event types are ours, in the Swedish of its screens and of the
regional SIP templates, without å, ä and ö in names. An event is flat: what every event has, then its own members.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from gateway.adapters import treserva_codes as codes
from gateway.adapters.haendelse import LINE, haendelse
from gateway.adapters.kinds import addressee, addressee_or_party, line, moment, one_of, party, word_for
from gateway.adapters.outline import all_of
from gateway.adapters.recipients import called, named, single
from gateway.adapters.shape import inside, optional, required
from gateway.adapters.treserva_case import ADDED, CLOSURE, CONSENT, NEED, PARTICIPANT, REMOVED, TRANSFER, WITHDRAWAL
from gateway.adapters.treserva_discharge import FIXED_CONTACT, INTERRUPTION, PLANNING
from gateway.adapters.treserva_event import (
    ACTING,
    EARLIER,
    HANDLER,
    MAYBE_EARLIER,
    RESERVE_ROUTINE,
    UNIT,
    WHEN,
    person,
    residence,
)
from gateway.adapters.treserva_meeting import (
    BOOKING,
    CALLED_UNITS,
    CANCELLATION,
    CHANGE,
    FOLLOW_UP_INVITATION,
    FORWARD,
    HELD,
    REPLY,
)
from gateway.adapters.treserva_message import ACKNOWLEDGEMENT, GENERAL_MESSAGE, MISDIRECTED_REPORT, RETRACTION
from gateway.adapters.treserva_notice import BEVAKNING, bevakning
from gateway.adapters.treserva_plan import FOLLOW_UP, MEASURE_UPDATE, PLAN, REVISED_PLAN
from gateway.adapters.vocabulary import MESSAGE, NOTE, NOTICE, EventForm, Vocabulary
from gateway.case_number import CaseNumber
from gateway.clock import STOCKHOLM
from gateway.messages import Message, duty_for
from gateway.messages.binding import to_json


def _message(message: Message, unit: str) -> dict[str, Any]:
    """Write a message as a row of the system's inbox, with SAMSA's columns, and its content."""
    header = message.header
    duty = duty_for(message, unit)
    row: dict[str, Any] = {
        "meddelandeId": header.message_id,
        "arendenummer": header.case_number,
        "meddelandetyp": word_for(codes.PROCESS, CaseNumber.parse(header.case_number).kind),
        "galler": word_for(codes.CONCERNS, message.type),
        "attGora": word_for(codes.TO_DO, duty),
        "skickat": header.created_at.astimezone(STOCKHOLM).isoformat(),
        "enhet": unit,
        "avsandare": {"part": header.sender.party, "enhet": header.sender.unit},
    }
    if header.sender.user is not None:
        row["avsandare"]["namn"] = header.sender.user.name
    if header.due_at is not None:
        row["senast"] = header.due_at.astimezone(STOCKHOLM).isoformat()
    if header.reserve_routine is not None:
        row["reservrutin"] = {
            "tidpunkt": header.reserve_routine.at.astimezone(STOCKHOLM).isoformat(),
            "satt": word_for(codes.RESERVE_WAY, header.reserve_routine.by),
        }
    if header.person is not None:
        row["person"] = {
            "personid": header.person.identifiers[0].extension,
            "patientNamn": header.person.name,
            "skydd": word_for(codes.PROTECTION, header.person.protected_level),
        }
    row["innehall"] = to_json(message.body)
    return row


_ROW: Final = all_of(
    EARLIER,
    required("arendenummer", line),
    required("meddelandetyp", one_of(codes.PROCESS)),
    required("galler", one_of(codes.CONCERNS)),
    required("attGora", one_of(codes.TO_DO)),
    required("skickat", moment),
    UNIT,
    inside("avsandare", required("part", party)),
    inside("avsandare", UNIT),
    inside("avsandare", optional("namn", line)),
    optional("senast", moment),
    RESERVE_ROUTINE,
    inside("person", required("personid", line)),
    inside("person", required("patientNamn", line)),
    inside("person", required("skydd", one_of(codes.PROTECTION))),
    required("innehall", line),
)
"""What stands in a row of the inbox. What is in its content is the message's, in the gateway's words."""


def _acknowledgement(row: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """Write the event in which a member of staff takes charge of the message in ``row``."""
    return {
        "handelseId": f"KVITTENS-{row['meddelandeId']}-{row['enhet']}",
        "typ": "MEDDELANDE_KVITTERAT",
        "tidpunkt": at.astimezone(STOCKHOLM).isoformat(),
        "enhet": row["enhet"],
        "handlaggare": {"namn": "Vera Sandahl", "roll": "Socialsekreterare", "telefon": "031-390 06 12"},
        "meddelandeId": row["meddelandeId"],
        "galler": row["galler"],
    }


TRESERVA: Final = Vocabulary(
    name="treserva",
    type_member="typ",
    event_id=required("handelseId", line),
    happened_at=WHEN,
    case_reference=required("arendeId", line),
    unit=ACTING,
    user=HANDLER,
    person=required("person", person),
    reserve_routine=RESERVE_ROUTINE,
    events={
        # the SIP process
        "BEHOV_IDENTIFIERAT": EventForm(
            message_type="sipStart",
            body=NEED.here,
            recipients=named("mottagare", addressee_or_party, own=UNIT, residence=residence),
        ),
        "SAMTYCKE_REGISTRERAT": EventForm(message_type="consent", body=CONSENT.here),
        "SAMTYCKE_ATERKALLAT": EventForm(message_type="consent", body=WITHDRAWAL.here),
        "KALLELSE_BEGARD": EventForm(
            message_type="meetingBooking", body=BOOKING.here, recipients=called(CALLED_UNITS, own=UNIT)
        ),
        "SVAR_PA_KALLELSE": EventForm(message_type="invitationReply", body=REPLY.here, in_reply_to=EARLIER),
        "KALLELSE_VIDAREBEFORDRAD": EventForm(message_type="invitationForward", body=FORWARD.here, in_reply_to=EARLIER),
        "MOTE_OMBOKAT": EventForm(message_type="meetingChange", body=CHANGE.here),
        "MOTE_AVBOKAT": EventForm(message_type="meetingCancellation", body=CANCELLATION.here),
        "MOTE_HALLET": EventForm(message_type="meetingHeld", body=HELD.here),
        "PLAN_UPPRATTAD": EventForm(message_type="plan", body=PLAN.here),
        "UPPFOLJNING_KALLAD": EventForm(
            message_type="followUpInvitation",
            body=FOLLOW_UP_INVITATION.here,
            recipients=called(CALLED_UNITS, own=UNIT),
        ),
        "UPPFOLJNING_GJORD": EventForm(message_type="followUp", body=FOLLOW_UP.here),
        "PLAN_REVIDERAD": EventForm(message_type="revisedPlan", body=REVISED_PLAN.here),
        "ANSVAR_OVERLAMNAT": EventForm(message_type="responsibilityTransfer", body=TRANSFER.here),
        "DELTAGARE_TILLAGD": EventForm(
            message_type="participantAdded", body=ADDED.here, recipients=single(PARTICIPANT, addressee, own=UNIT)
        ),
        "DELTAGARE_BORTTAGEN": EventForm(
            message_type="participantRemoved",
            body=REMOVED.here,
            names_person=False,
            recipients=single(PARTICIPANT, addressee, own=UNIT),
        ),
        "INSATS_STATUS": EventForm(message_type="measureUpdate", body=MEASURE_UPDATE.here),
        "ARENDE_AVSLUTAT": EventForm(message_type="closure", body=CLOSURE.here, names_person=False),
        # inside any case
        "MEDDELANDE_SKICKAT": EventForm(
            message_type="generalMessage", body=GENERAL_MESSAGE.here, in_reply_to=MAYBE_EARLIER
        ),
        "MEDDELANDE_ATERTAGET": EventForm(message_type="retraction", body=RETRACTION.here, names_person=False),
        "MEDDELANDE_FELSANT": EventForm(
            message_type="misdirectedReport", body=MISDIRECTED_REPORT.here, names_person=False, in_reply_to=EARLIER
        ),
        "MEDDELANDE_KVITTERAT": EventForm(
            message_type="acknowledgement",
            body=ACKNOWLEDGEMENT.here,
            names_case=False,
            names_person=False,
            in_reply_to=EARLIER,
        ),
        # before a discharge
        "FAST_KONTAKT_UTSEDD": EventForm(message_type="fixedCareContact", body=FIXED_CONTACT.here),
        "PLANERING_SKICKAD": EventForm(message_type="planningMessage", body=PLANNING.here, in_reply_to=MAYBE_EARLIER),
        "PROCESS_AVBRUTEN": EventForm(message_type="processInterruption", body=INTERRUPTION.here, names_person=False),
    },
    message=_message,
    outlines={MESSAGE: _ROW, NOTE: LINE, NOTICE: BEVAKNING},
    note=haendelse,
    notice=bevakning,
    acknowledgement=_acknowledgement,
    record_id=lambda number, at: f"TRE-{at.astimezone(STOCKHOLM).year}-{number:06}",
)
"""The vocabulary of the municipal case system."""
