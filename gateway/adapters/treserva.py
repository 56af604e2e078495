"""The municipal case system, after Treserva: its events, and how a message and a note look to it.

The real system's interface is not public. Members and event types are ours, in the Swedish of its screens and of the
regional SIP templates, without å, ä and ö in names. An event is flat: what every event has, then its own members.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from gateway.adapters import treserva_codes as codes
from gateway.adapters.adapter import EventForm, Vocabulary
from gateway.adapters.haendelse import haendelse
from gateway.adapters.kinds import (
    case_number,
    day,
    flag,
    line,
    message_id,
    moment,
    one_of,
    party,
    prose,
    unit,
    unit_or_party,
    word_for,
)
from gateway.adapters.reading import Reader
from gateway.adapters.recipients import called, named, principal_behind
from gateway.adapters.shape import Field, Shape, always, every, optional, required
from gateway.adapters.treserva_plan import MEETING, PLAN, STAFF
from gateway.clock import STOCKHOLM
from gateway.errors import InvalidDocumentError
from gateway.identifiers import PersonId
from gateway.lifecycle import Level, Outcome
from gateway.messages import Identifier, Message, Person, ProtectedLevel, duty_for
from gateway.messages.acknowledgement import Acknowledgement
from gateway.messages.binding import to_json
from gateway.messages.closure import Closure, LocalDocumentation
from gateway.messages.consent import Consent, ConsentDecision, ConsentScope
from gateway.messages.meeting import Slot
from gateway.messages.meeting_booking import Chair, Invitee, MeetingBooking
from gateway.messages.sip_start import CareSetting, SipStart, SipVariant

_UNIT: Field[str] = required("enhet", unit)
_WHEN: Field[datetime] = required("tidpunkt", moment)
_HANDLER = required("handlaggare", STAFF)


def _person_number(reader: Reader, name: str) -> Identifier:
    text = reader.text(name)
    try:
        number = PersonId.parse(text, today=reader.today) if text is not None else None
    except InvalidDocumentError as error:
        reader.place_of(error, name)
        number = None
    return Identifier(root=number.oid if number else "", extension=number.value if number else "")


_PERSON = Shape(
    Person,
    identifiers=lambda reader: (_person_number(reader, "personnummer"),),
    name=required("namn", line),
    protected_level=optional("skydd", one_of(codes.PROTECTION), ProtectedLevel.NONE),
)

_NEED = Shape(
    SipStart,
    initiated_by=required("uppmarksammatAv", one_of(codes.NOTICED_BY)),
    initiated_by_other=optional("uppmarksammatAvAnnan", line),
    variant=optional("avser", one_of(codes.VARIANT), SipVariant.NEW),
    setting=optional("situation", one_of(codes.SETTING), CareSetting.OPEN_CARE),
    need_text=required("behov", prose),
    requested_by_person=optional("begartAvDenEnskilde", flag, False),
    pre_meeting_date=optional("formote", day),
    linked_admission=optional("vardtillfalle", line),
)

_SCOPE = Shape(
    ConsentScope,
    parties=every("parter", party, least=1),
    units=every("enheter", unit),
    information_types=every("uppgifter", one_of(codes.INFORMATION), least=1),
    exclusions=optional("undantag", prose),
)
_CONSENT_COMMON: Final[dict[str, Field[Any]]] = {
    "form": required("form", one_of(codes.CONSENT_FORM)),
    "given_by": required("lamnatAv", one_of(codes.GIVEN_BY)),
    "giver_name": optional("lamnatAvNamn", line),
    "relation": optional("behorighet", line),
    "informed_how": required("informationGiven", prose),
    "document_ref": optional("dokument", line),
    "reason": optional("skal", prose),
    "taken_by": _HANDLER,
    "taken_at": _WHEN,
}
_CONSENT = Shape(
    Consent,
    decision=required("beslut", one_of(codes.DECISION)),
    scope=optional("omfattning", _SCOPE),
    valid_until=optional("gallerTillOchMed", day),
    child_attitude=optional("barnetsInstallning", prose),
    **_CONSENT_COMMON,
)
_WITHDRAWAL = Shape(Consent, decision=always(ConsentDecision.WITHDRAWN), **_CONSENT_COMMON)

_CALLED_UNIT = optional("enhet", unit)
_CALLED = Shape(
    Invitee,
    kind=required("form", one_of(codes.CALL)),
    principal=principal_behind(_CALLED_UNIT),
    unit=_CALLED_UNIT,
    name=optional("namn", line),
    role=optional("roll", line),
    requested_profession=optional("profession", line),
    reason=optional("skal", prose),
)
_BOOKING = Shape(
    MeetingBooking,
    purpose=required("syfte", prose),
    questions=every("fragestallningar", prose, least=1),
    agenda=every("dagordning", line),
    meeting=required("mote", MEETING),
    alternatives=every("alternativaTider", Shape(Slot, start=required("start", moment), end=required("slut", moment))),
    chair=required(
        "motesledare",
        Shape(
            Chair,
            name=required("namn", line),
            role=optional("roll", line),
            unit=optional("enhet", unit),
            independent=optional("oberoende", flag, False),
        ),
    ),
    invitees=every("kallade", _CALLED, least=1),
    person_attends=required("denEnskildeDeltar", flag),
    person_absent_reason=optional("skalTillFranvaro", prose),
    adaptation=optional("anpassning", prose),
    preparation=optional("forberedelse", prose),
    reply_by=optional("svaraSenast", moment),
    reply_to=_HANDLER,
)

_CLOSURE = Shape(
    Closure,
    reason=required("orsak", one_of(codes.CLOSURE_REASON)),
    other_text=optional("orsakText", line),
    closed_on=required("avslutsdatum", day),
    person_informed_how=optional("denEnskildeInformerad", prose),
    where_to_turn=optional("vandaSigTill", prose),
    superseded_by=optional("ersattAv", case_number),
    documented=every(
        "dokumenterat",
        Shape(
            LocalDocumentation,
            principal=required("huvudman", one_of(codes.PRINCIPAL)),
            documented=required("klart", flag),
            on=optional("datum", day),
        ),
    ),
)

_ANSWERED = required("meddelandeId", message_id)
_ACKNOWLEDGEMENT = Shape(
    Acknowledgement,
    message_id=_ANSWERED,
    message_type=required("galler", one_of(codes.CONCERNS)),
    unit=_UNIT,
    level=always(Level.ACKNOWLEDGED),
    outcome=always(Outcome.ACCEPTED),
    at=_WHEN,
    acknowledged_by=_HANDLER,
)


def _message(message: Message, unit: str) -> dict[str, Any]:
    """Write a message as a row of the system's inbox, with SAMSA's columns, and its content."""
    header = message.header
    duty = duty_for(message, unit)
    row: dict[str, Any] = {
        "meddelandeId": header.message_id,
        "arendenummer": header.case_number,
        "meddelandetyp": "SIP",
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
    if header.person is not None:
        row["person"] = {
            "personid": header.person.identifiers[0].extension,
            "patientNamn": header.person.name,
            "skydd": word_for(codes.PROTECTION, header.person.protected_level),
        }
    row["innehall"] = to_json(message.body)
    return row


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
    happened_at=_WHEN,
    case_reference=required("arendeId", line),
    unit=_UNIT,
    user=_HANDLER,
    person=required("person", _PERSON),
    events={
        "BEHOV_IDENTIFIERAT": EventForm(
            message_type="sipStart", body=_NEED.here, recipients=named("mottagare", unit_or_party, own=_UNIT)
        ),
        "SAMTYCKE_REGISTRERAT": EventForm(message_type="consent", body=_CONSENT.here),
        "SAMTYCKE_ATERKALLAT": EventForm(message_type="consent", body=_WITHDRAWAL.here),
        "KALLELSE_BEGARD": EventForm(
            message_type="meetingBooking",
            body=_BOOKING.here,
            recipients=called(every("kallade", lambda array, n: _CALLED_UNIT(array.inside(n))), own=_UNIT),
        ),
        "PLAN_UPPRATTAD": EventForm(message_type="plan", body=PLAN.here),
        "ARENDE_AVSLUTAT": EventForm(message_type="closure", body=_CLOSURE.here, names_person=False),
        "MEDDELANDE_KVITTERAT": EventForm(
            message_type="acknowledgement",
            body=_ACKNOWLEDGEMENT.here,
            names_case=False,
            names_person=False,
            in_reply_to=_ANSWERED,
        ),
    },
    message=_message,
    note=haendelse,
    acknowledgement=_acknowledgement,
    record_id=lambda number, at: f"TRE-{at.astimezone(STOCKHOLM).year}-{number:06}",
)
"""The vocabulary of the municipal case system."""
