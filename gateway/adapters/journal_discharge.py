"""A patient's stay in hospital as the regional journal tells it: admitted, planned for, ready, discharged."""

from __future__ import annotations

from typing import Final

from gateway.adapters import journal_codes as codes
from gateway.adapters.journal_event import EARLIER, ENCOUNTER, MAYBE_ORGANIZATION, ORGANIZATION, STAFF
from gateway.adapters.kinds import day, flag, line, moment, prose
from gateway.adapters.shape import Shape, every, optional, required
from gateway.messages.admission import AdmissionNotice, AdmissionUpdate
from gateway.messages.discharge import DischargeInformation, DischargeMessage, FirstVisit
from gateway.messages.discharge_ready import DischargeReady, DischargeReadyRecall
from gateway.messages.fixed_care_contact import FixedCareContact
from gateway.messages.planning_message import PlanningItem, PlanningMessage
from gateway.messages.process_interruption import ProcessInterruption

ADMISSION: Final = Shape(
    AdmissionNotice,
    encounter_id=ENCOUNTER,
    admitted_at=required("admitted", moment),
    judged_at=optional("judged", moment),
    registered_address=optional("patientAddress", line),
    expected_discharge=required("expectedDischarge", day),
    expected_needs=every("needs", codes.CARE_NEED, least=1),
    compulsory_care=optional("compulsoryCare", codes.COMPULSORY_CARE),
    contact=required("contact", STAFF),
)
"""A patient has been admitted (admission.notice), in the member ``admission``."""

ADMISSION_UPDATE: Final = Shape(
    AdmissionUpdate,
    expected_discharge=required("expectedDischarge", day),
    reason=optional("reason", prose),
)
"""The discharge is expected on another day (admission.update), in the member ``admission``."""

CARE_CONTACT: Final = Shape(
    FixedCareContact,
    kind=required("type", codes.CARE_CONTACT),
    practitioner=required("practitioner", STAFF),
    unit=ORGANIZATION,
    valid_from=required("start", day),
    valid_until=optional("end", day),
)
"""A fixed contact in open care (care.contact), in the member ``careContact``."""

_ITEM = Shape(
    PlanningItem,
    kind=required("type", codes.PLANNING_ITEM),
    text=required("description", prose),
    responsible_unit=MAYBE_ORGANIZATION,
    by=optional("date", day),
)
PLANNING: Final = Shape(
    PlanningMessage,
    topic=required("topic", line),
    assessment=optional("assessment", prose),
    proposal=optional("proposal", prose),
    items=every("items", _ITEM),
    reply_wanted=optional("replyWanted", flag, False),
    reply_by=optional("replyBy", moment),
)
"""A planning message (planning), in the member ``planning``."""

READY: Final = Shape(
    DischargeReady,
    ready_at=required("ready", moment),
    physician=optional("physician", STAFF),
    sip_needed=required("sipNeeded", flag),
    open_care_available=required("openCare", codes.OPEN_CARE),
    home_wish=optional("patientWish", prose),
)
"""A patient is ready for discharge (discharge.ready), in the member ``discharge``."""

READY_RECALL: Final = Shape(
    DischargeReadyRecall,
    ready_message_id=EARLIER,
    recalled_at=required("recalled", moment),
    reason=required("reason", codes.RECALL_REASON),
    text=optional("comment", prose),
)
"""A patient is not ready after all (discharge.ready-recalled), in the member ``discharge``."""

_VISIT = Shape(FirstVisit, what=required("description", line), at=required("start", moment), unit=MAYBE_ORGANIZATION)
PLANNED: Final = Shape(
    DischargeMessage,
    planned_at=required("planned", moment),
    destination=required("destination", codes.DESTINATION),
    destination_text=optional("destinationText", line),
    transport=optional("transport", line),
    first_visits=every("visits", _VISIT),
)
"""When and where the patient goes (discharge.planned), in the member ``discharge``."""

INFORMATION: Final = Shape(
    DischargeInformation,
    discharged_at=required("discharged", moment),
    admission_reason=required("admissionReason", prose),
    care_given=required("care", prose),
    current_state=required("condition", prose),
    risks=optional("risks", prose),
    medications=required("medications", prose),
    follow_up=required("followUp", prose),
    fixed_contact=optional("careContact", STAFF),
    planned_sip=optional("plannedSip", moment),
    plans_in_place=every("plans", line),
    patient_copy_given=required("patientCopy", flag),
)
"""What whoever takes over needs to know (discharge.information), in the member ``discharge``."""

INTERRUPTION: Final = Shape(
    ProcessInterruption,
    reason=required("reason", codes.INTERRUPTION_REASON),
    other_text=optional("reasonText", line),
    at=required("time", moment),
)
"""The end of the planning (process.interrupted), in the member ``interruption``."""
