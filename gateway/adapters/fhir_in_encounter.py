"""An Encounter becomes what a ward tells of a stay in hospital: admitted, expected to leave, ready, discharged."""

from __future__ import annotations

from typing import Any, Final, cast

from gateway.adapters.fhir_codes import (
    DISPOSITION,
    ENCOUNTER_CLASS,
    ENCOUNTER_CLASS_SYSTEM,
    ENCOUNTER_STEPS,
    INPATIENT,
    codes_of,
)
from gateway.adapters.fhir_extensions import url
from gateway.adapters.fhir_form import Form, acting_unit, maybe_recipients, performer, recipients, status, subject
from gateway.adapters.fhir_parts import coded, extra, first, maybe, organization, staff
from gateway.adapters.fhir_patient import protection
from gateway.adapters.fhir_reader import ResourceReader
from gateway.adapters.kinds import day, flag, line, message_id, moment, one_of, prose
from gateway.adapters.reading import Reader
from gateway.adapters.shape import Field, Shape, every, inside, of_event, optional, required
from gateway.messages import (
    AdmissionNotice,
    AdmissionUpdate,
    CareNeed,
    CompulsoryCare,
    DischargeInformation,
    DischargeMessage,
    DischargeReady,
    DischargeReadyRecall,
    FirstVisit,
    OpenCareAvailable,
    ProtectedLevel,
    RecallReason,
    User,
)

_UNIT: Final = acting_unit("serviceProvider")
_INDIVIDUAL: Final = first("participant", lambda array, index: staff(array.inside(index), "individual"))


def _user(reader: Reader) -> User:
    root = reader.root
    own: Field[User] = performer()
    if not root.has(url("performer")) and root.has("participant"):
        return _INDIVIDUAL(root) or User(name="")
    return own(root)


def encounter_id(reader: Reader) -> str:
    """Read what the journal calls the stay: the first identifier of the Encounter, else its id."""
    root = reader.root
    if root.has("identifier"):
        return first("identifier", lambda array, index: line(array.inside(index), "value"))(root) or ""
    return line(root, "id")


def _case(reader: Reader) -> str:
    """Read what the case is called: by its own name, else as the stay is."""
    name = url("case-reference")
    return line(reader.root, name) if reader.root.has(name) else encounter_id(reader)


def _contact(reader: Reader) -> User:
    name = url("contact")
    return staff(reader.root, name) if reader.root.has(name) else _user(reader)


def _registered_address(reader: Reader) -> str | None:
    """Read where the patient is registered (Patient.address, ``home``), which a notice of admission has to tell.

    It is left out of what is read, not refused, when the identity is protected: the journal may hold it all the same.
    """
    told = reader.root.inside("subject")
    if told.members.get("reference") is None:
        return None
    patient = cast(ResourceReader, reader.root).target("subject", "Patient")
    if patient is None or protection(reader.root) is not ProtectedLevel.NONE:
        return None
    if protection(patient) is not ProtectedLevel.NONE or not patient.has("address"):
        return None
    array, indices = patient.array("address", least=1)
    for index in indices:
        address = array.inside(index)
        if address.members.get("use") == "home":
            return _written_out(address)
    return None


def _written_out(address: Reader) -> str:
    """Read an Address on one line: its text, else its lines, postal code and city."""
    if address.has("text") or not address.has("line"):
        return line(address, "text")
    lines, indices = address.array("line", least=1)
    place = [line(address, name) for name in ("postalCode", "city") if address.has(name)]
    return ", ".join([*(line(lines, index) for index in indices), *([" ".join(place)] if place else [])])


_NOTICE: Final = Shape(
    AdmissionNotice,
    encounter_id=encounter_id,
    admitted_at=inside("period", required("start", moment)),
    judged_at=maybe("judged-at", moment),
    registered_address=_registered_address,
    expected_discharge=extra("expected-discharge", day),
    expected_needs=every(url("expected-need"), one_of(codes_of(CareNeed)), least=1),
    compulsory_care=maybe("compulsory-care", one_of(codes_of(CompulsoryCare))),
    contact=_contact,
)
_UPDATE: Final = Shape(
    AdmissionUpdate,
    expected_discharge=extra("expected-discharge", day),
    reason=maybe("change-reason", prose),
)
_READY: Final = Shape(
    DischargeReady,
    ready_at=extra("ready-at", moment),
    physician=maybe("physician", staff),
    sip_needed=extra("sip-needed", flag),
    open_care_available=extra("open-care", one_of(codes_of(OpenCareAvailable))),
    home_wish=maybe("home-wish", prose),
)
_RECALL: Final = Shape(
    DischargeReadyRecall,
    ready_message_id=extra("ready-message", message_id),
    recalled_at=extra("recalled-at", moment),
    reason=extra("recall-reason", one_of(codes_of(RecallReason))),
    text=maybe("recall-text", prose),
)
_VISIT: Final = Shape(
    FirstVisit, what=required("what", line), at=required("at", moment), unit=optional("unit", organization)
)
_PLANNED: Final = Shape(
    DischargeMessage,
    planned_at=extra("planned-at", moment),
    destination=inside("hospitalization", required("dischargeDisposition", coded(DISPOSITION))),
    destination_text=maybe("destination-text", line),
    transport=maybe("transport", line),
    first_visits=every(url("first-visit"), _VISIT),
)
_INFORMATION: Final = Shape(
    DischargeInformation,
    discharged_at=inside("period", required("end", moment)),
    admission_reason=extra("admission-reason", prose),
    care_given=extra("care-given", prose),
    current_state=extra("current-state", prose),
    risks=maybe("risks", prose),
    medications=extra("medications", prose),
    follow_up=extra("discharge-follow-up", prose),
    fixed_contact=maybe("fixed-contact", staff),
    planned_sip=maybe("planned-sip", moment),
    plans_in_place=every(url("plan-in-place"), line),
    patient_copy_given=extra("patient-copy", flag),
)


def _form(message_type: str, body: Field[Any], to: Field[tuple[str, ...]]) -> Form:
    return Form(
        message_type=message_type,
        body=body,
        patient=subject("subject"),
        unit=_UNIT,
        user=_user,
        case_reference=of_event(_case),
        recipients=to,
    )


_FORMS: Final = {
    "admissionNotice": _form("admissionNotice", _NOTICE.here, recipients(_UNIT, or_party=True)),
    "admissionUpdate": _form("admissionUpdate", _UPDATE.here, maybe_recipients(_UNIT)),
    "dischargeReady": _form("dischargeReady", _READY.here, maybe_recipients(_UNIT)),
    "dischargeReadyRecall": _form("dischargeReadyRecall", _RECALL.here, maybe_recipients(_UNIT)),
    "dischargeMessage": _form("dischargeMessage", _PLANNED.here, maybe_recipients(_UNIT)),
    "dischargeInformation": _form("dischargeInformation", _INFORMATION.here, maybe_recipients(_UNIT)),
}


def encounter(reader: Reader) -> Form | None:
    """Return what an Encounter becomes; ``None`` where it is kept and nothing is sent."""
    known = one_of({code: code for code in ENCOUNTER_CLASS})
    kind = reader.inside("class")
    one_of({ENCOUNTER_CLASS_SYSTEM: ENCOUNTER_CLASS_SYSTEM})(kind, "system")
    if known(kind, "code") not in INPATIENT:
        return None
    steps = status(reader, ENCOUNTER_STEPS) or ()
    step = url("step")
    if reader.has(step) and steps:
        return _FORMS[one_of({name: name for name in steps})(reader, step)]
    return _FORMS[steps[0]] if len(steps) == 1 else None
