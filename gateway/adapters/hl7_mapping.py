"""What each HL7 v2 message becomes, as tables: trigger, event, member, place.

A message becomes events of the regional journal (:mod:`gateway.adapters.journal`), whose rules then hold. What HL7 has
a field for is read from that field; what only a SIP has is told in observations, ``OBX-3`` with a code of ours and
``OBX-5`` with the value, which every ADT and SIU may carry. Nothing is guessed: what a type requires and the message
does not tell is refused, by its place.

ADT (HL7 v2.5 chapter 3) is about a stay, known by its visit number (PV1-19). A transfer (A02) within the region goes on
with the same stay and the same planning: the units learn only of a new expected discharge. A cancelled admission (A11)
interrupts the process and does not retract the notice, of which the journal knows no message id. SIU (chapter 10) is
about a meeting of a SIP that has been started already; SCH-4 names its case.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from gateway.adapters import journal_codes as codes
from gateway.adapters.hl7_kinds import (
    Names,
    coded,
    day,
    moment,
    person_name,
    person_number,
    phone,
    registered_address,
    staff_id,
    staff_name,
    text,
    unit,
    word,
    yes_no,
)
from gateway.adapters.hl7_rows import EachSegment, Fixed, Row, Rows, every, lines, one
from gateway.adapters.words import Codes


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One event that a message becomes, and its rows.

    It becomes one when each place in ``given`` has a value, and each in ``said`` one of its codes; after a ``last``
    one it becomes no other. ``if_news`` and ``from_case`` are those of :class:`~gateway.ports.Draft`. An event that is
    ``None`` is none: there is nothing to tell.
    """

    event: str | None
    rows: Rows = field(default_factory=dict)
    given: tuple[str, ...] = ()
    said: Mapping[str, frozenset[str]] = field(default_factory=dict)
    last: bool = False
    if_news: bool = False
    from_case: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """What a message type (MSH-9) becomes, and which places must have a value whatever it becomes.

    ``renumbers`` are the places of the numbers of a person that are no longer used, and of the one that is.
    """

    steps: tuple[Step, ...]
    needs: tuple[str, ...] = ()
    renumbers: tuple[str, str] | None = None


DISPOSITION: Final = {code: code for code in codes.DESTINATION} | {"01": "home", "02": "hospital", "06": "home"}
"""PV1-36 (table 0112), as far as it says where in Sweden the patient goes, and our own codes beside it."""
PROTECTION: Final = {code: code for code in codes.PROTECTION} | {"Y": "SEK"}
"""PD1-12 says no more than yes, which is a sekretessmarkering; an observation tells the other grades."""
NEVER: Final = "00000000-0000-0000-0000-000000000000"
"""Stands where the case itself knows the message that is meant."""
_EPOCH: Final = "1970-01-01T00:00:00Z"
_YES: Final = frozenset({"Y"})

_PROTECTED: Final = ("OBX(PROTECTION)-5", "PD1-12")

PATIENT: Final[Rows] = {
    "patient.identifier": every("PID-3", person_number),
    "patient.name.text": one("PID-5", kind=person_name),
    "patient.protection": one(*_PROTECTED, kind=coded(codes.PROTECTION, PROTECTION)),
}
RECORDED: Final = one("EVN-2", "MSH-7", kind=moment)
_BY_OPERATOR: Final[Rows] = {
    "recorded": RECORDED,
    "organization": one("PV1-3", kind=unit),
    "performer.name": one("EVN-5", kind=staff_name),
    "performer.identifier": one("EVN-5", kind=staff_id),
}
STAY: Final[Rows] = {**_BY_OPERATOR, **PATIENT, "encounter.id": one("PV1-19", kind=word)}
STOP: Final[Rows] = {**_BY_OPERATOR, "caseReference": one("PV1-19", kind=word)}

ADMISSION: Final[Rows] = {
    **STAY,
    "recipients": every("OBX(RECIPIENT)-5", unit),
    "admission.admitted": one("PV1-44", kind=moment),
    "admission.judged": one("OBX(JUDGED-AT)-5", kind=moment),
    # A journal may have the address of someone whose identity is protected; no message may.
    "admission.patientAddress": one("PID-11", kind=registered_address, unless=_PROTECTED),
    "admission.expectedDischarge": one("PV2-9", kind=day),
    "admission.needs": every("OBX(CARE-NEED)-5", coded(codes.CARE_NEED)),
    "admission.compulsoryCare": one("OBX(COMPULSORY-CARE)-5", kind=coded(codes.COMPULSORY_CARE)),
    "admission.contact.name": one("ROL(CONTACT)-4", kind=staff_name),
    "admission.contact.identifier": one("ROL(CONTACT)-4", kind=staff_id),
    "admission.contact.phone": one("ROL(CONTACT)-12", kind=phone),
}
UPDATE: Final[Rows] = {
    **STAY,
    "admission.expectedDischarge": one("PV2-9", kind=day),
    "admission.reason": lines("OBX(REASON)-5"),
}
DISCHARGE_CANCELLED: Final[Rows] = {
    **UPDATE,
    "admission.reason": lines("OBX(REASON)-5", otherwise="Utskrivningen är återtagen i journalen (ADT A13)."),
}
READY: Final[Rows] = {
    **STAY,
    "discharge.ready": one("EVN-6", kind=moment),
    "discharge.physician.name": one("ROL(PHYSICIAN)-4", kind=staff_name),
    "discharge.physician.identifier": one("ROL(PHYSICIAN)-4", kind=staff_id),
    "discharge.sipNeeded": one("OBX(SIP-NEEDED)-5", kind=yes_no),
    "discharge.openCare": one("OBX(OPEN-CARE)-5", kind=coded(codes.OPEN_CARE)),
    "discharge.patientWish": lines("OBX(HOME-WISH)-5"),
}
RECALL: Final[Rows] = {
    **STAY,
    "message.id": Fixed(NEVER),
    "discharge.recalled": one("EVN-6", kind=moment),
    "discharge.reason": one("EVN-4", kind=coded(codes.RECALL_REASON)),
    "discharge.comment": lines("OBX(REASON)-5"),
}
DISCHARGE: Final[Rows] = {
    **STAY,
    "discharge.planned": one("PV1-45", kind=moment),
    "discharge.destination": one("PV1-36", kind=coded(codes.DESTINATION, DISPOSITION)),
    "discharge.destinationText": one("OBX(DESTINATION)-5", kind=text),
    "discharge.transport": one("OBX(TRANSPORT)-5", kind=text),
}
INFORMATION: Final[Rows] = {
    **STAY,
    "discharge.discharged": one("PV1-45", kind=moment),
    "discharge.admissionReason": lines("OBX(ADMISSION-REASON)-5"),
    "discharge.care": lines("OBX(CARE-GIVEN)-5"),
    "discharge.condition": lines("OBX(CONDITION)-5"),
    "discharge.risks": lines("OBX(RISKS)-5"),
    "discharge.medications": lines("OBX(MEDICATIONS)-5"),
    "discharge.followUp": lines("OBX(FOLLOW-UP)-5"),
    "discharge.plannedSip": one("OBX(PLANNED-SIP)-5", kind=moment),
    "discharge.plans": every("OBX(PLAN-IN-PLACE)-5", text),
    "discharge.patientCopy": one("OBX(PATIENT-COPY)-5", kind=yes_no),
}
_OTHER: Final = Fixed({"system": codes.INTERRUPTION_REASON.system, "code": "other"})
ADMISSION_CANCELLED: Final[Rows] = {
    **STOP,
    "interruption.reason": _OTHER,
    "interruption.reasonText": Fixed("Inskrivningen är återtagen i journalen (ADT A11)."),
    "interruption.time": one("EVN-6", kind=moment),
}
DEATH: Final[Rows] = {
    **STOP,
    "interruption.reason": Fixed({"system": codes.INTERRUPTION_REASON.system, "code": "deceased"}),
    "interruption.time": one("PID-29", kind=moment),
}

_BY_CONTACT: Final[Rows] = {
    **PATIENT,
    "recorded": one("MSH-7", kind=moment),
    "caseReference": one("SCH-4", kind=word),
    "organization": one("SCH-19", kind=unit),
    "performer.name": one("SCH-16", kind=staff_name),
    "performer.identifier": one("SCH-16", kind=staff_id),
    "performer.phone": one("SCH-17", kind=phone),
}
_PERIOD: Final[Rows] = {
    "appointment.period.start": one("SCH-11.4", "TQ1-7", kind=moment),
    "appointment.period.end": one("SCH-11.5", "TQ1-8", kind=moment),
}
_MEETING: Final[Rows] = {
    **_PERIOD,
    "appointment.location": one("AIL-3.9", "AIL-3.1", kind=text),
    "appointment.virtualService": one("OBX(ONLINE-LINK)-5", kind=text),
    "appointment.phone": one("OBX(MEETING-PHONE)-5", kind=text),
    "appointment.replyBy": one("OBX(REPLY-BY)-5", kind=moment),
}
_CALLED: Final[Mapping[str, Rows]] = {
    "AIG": {
        "type": one("AIG-4", kind=coded(codes.PARTICIPATION)),
        "organization": one("AIG-3", kind=unit),
        "specialty": one("AIG-5.2", "AIG-5.1", kind=text),
        "reason": lines("NTE-3"),
    },
    "AIP": {
        "type": one("AIP-4", kind=coded(codes.PARTICIPATION)),
        "name": one("AIP-3", kind=staff_name),
        "role": one("AIP-5.2", "AIP-5.1", kind=text),
        "reason": lines("NTE-3"),
    },
}
BOOKING: Final[Rows] = {
    **_BY_CONTACT,
    **_MEETING,
    "appointment.purpose": lines("OBX(PURPOSE)-5"),
    "appointment.questions": every("OBX(QUESTION)-5", text),
    "appointment.agenda": every("OBX(AGENDA)-5", text),
    "appointment.chair.name": one("AIP(chair)-3", kind=staff_name),
    "appointment.chair.role": one("AIP(chair)-5.2", "AIP(chair)-5.1", kind=text),
    "appointment.participants": EachSegment(_CALLED, but=("AIP(chair)",)),
    "appointment.patientAttends": one("OBX(PATIENT-ATTENDS)-5", kind=yes_no),
    "appointment.patientAbsenceReason": lines("OBX(ABSENCE-REASON)-5"),
    "appointment.adaptation": lines("OBX(ADAPTATION)-5"),
    "appointment.instruction": lines("OBX(PREPARATION)-5"),
}
_REASON: Final[dict[str, Row]] = {
    "appointment.reason": one("SCH-6", kind=coded(codes.CHANGE_REASON)),
    "appointment.comment": one("SCH-6.2", kind=text),
}
CHANGE: Final[Rows] = {
    **_BY_CONTACT,
    **_MEETING,
    **_REASON,
    "appointment.previousPeriod": Fixed({"start": _EPOCH, "end": _EPOCH}),
}
CANCELLATION: Final[Rows] = {**_BY_CONTACT, **_PERIOD, **_REASON}
NO_SHOW: Final[Rows] = {
    **_BY_CONTACT,
    **_PERIOD,
    "appointment.reason": Fixed({"system": codes.CHANGE_REASON.system, "code": "other"}),
    "appointment.comment": Fixed("Patienten kom inte till mötet (SIU S26)."),
}

_DIED: Final = Step(
    event="process.interrupted", rows=DEATH, said={"PID-30": _YES}, given=("PV1-19",), last=True, if_news=True
)
_EXPECTED: Final = Step(event="admission.update", rows=UPDATE, given=("PV1-19", "PV2-9"), if_news=True)
_INFORMED: Final = (
    "OBX(ADMISSION-REASON)-5",
    "OBX(CARE-GIVEN)-5",
    "OBX(CONDITION)-5",
    "OBX(MEDICATIONS)-5",
    "OBX(FOLLOW-UP)-5",
    "OBX(PATIENT-COPY)-5",
)
"""Of these an A03 has all or none: with any of them it is the information of 2017:612, 3 kap. 2 §, as well."""
_MOVED: Final = Trigger(
    steps=(Step(event="sip.appointment-changed", rows=CHANGE, from_case=("previous",)),), needs=("SCH-2",)
)

TRIGGERS: Final[Mapping[str, Trigger]] = {
    "ADT^A01": Trigger(
        steps=(
            Step(event=None, said={"OBX(CARE-NEED)-5": frozenset({"none"})}, last=True),
            Step(event="admission.notice", rows=ADMISSION),
        ),
    ),
    "ADT^A02": Trigger(steps=(_EXPECTED,), needs=("PV1-3", "PV1-19")),
    "ADT^A03": Trigger(
        steps=(
            _DIED,
            Step(event="discharge.planned", rows=DISCHARGE, if_news=True),
            *(
                Step(event="discharge.information", rows=INFORMATION, given=(place,), if_news=True, last=True)
                for place in _INFORMED
            ),
        ),
        needs=("PV1-19",),
    ),
    "ADT^A08": Trigger(steps=(_DIED, _EXPECTED), needs=("PID-3",)),
    "ADT^A11": Trigger(
        steps=(Step(event="process.interrupted", rows=ADMISSION_CANCELLED, if_news=True),), needs=("PV1-19",)
    ),
    "ADT^A13": Trigger(steps=(Step(event="admission.update", rows=DISCHARGE_CANCELLED),)),
    "ADT^A16": Trigger(steps=(Step(event="discharge.ready", rows=READY),)),
    "ADT^A25": Trigger(
        steps=(Step(event="discharge.ready-recalled", rows=RECALL, from_case=("ready_message_id",)),),
    ),
    "ADT^A31": Trigger(steps=(_DIED, _EXPECTED), needs=("PID-3",)),
    # No message tells that two numbers are one person's; what is sent of an open case afterwards names both.
    "ADT^A40": Trigger(steps=(), needs=("PID-3", "MRG-1"), renumbers=("MRG-1", "PID-3")),
    "SIU^S12": Trigger(steps=(Step(event="sip.appointment", rows=BOOKING),)),
    "SIU^S13": _MOVED,
    "SIU^S14": _MOVED,
    "SIU^S15": Trigger(steps=(Step(event="sip.appointment-cancelled", rows=CANCELLATION),)),
    "SIU^S26": Trigger(
        steps=(
            Step(event="sip.appointment-cancelled", rows=CANCELLATION, given=("SCH-6",), last=True),
            Step(event="sip.appointment-cancelled", rows=NO_SHOW),
        ),
    ),
}
"""Every message that is understood. All others are refused and kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hl7Mapping:
    """How the messages of one sender are understood; an integrator gives what differs from the standard.

    ``units`` maps the sender's codes of locations to HSA-ids and ``authorities`` its names of who gives out numbers of
    persons to OIDs; ``codes`` are its own codes, by the place they stand in, and what each is in the tables.
    ``processing_ids`` (MSH-11) are taken: those of training and of debugging are not, unless named.
    """

    triggers: Mapping[str, Trigger] = field(default_factory=lambda: TRIGGERS)
    units: Mapping[str, str] = field(default_factory=dict)
    authorities: Mapping[str, str] = field(default_factory=dict)
    codes: Codes = field(default_factory=dict)
    processing_ids: frozenset[str] = frozenset({"P"})

    @property
    def names(self) -> Names:
        """What the sender calls things."""
        return Names(units=self.units, authorities=self.authorities)
