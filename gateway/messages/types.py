"""The table of message types. A new type is one line here, beside its module, its schema and its fixtures."""

from __future__ import annotations

from gateway.messages import (
    acknowledgement,
    admission,
    closure,
    consent,
    correction,
    discharge,
    discharge_ready,
    fixed_care_contact,
    follow_up,
    follow_up_invitation,
    general_message,
    invitation_forward,
    invitation_reply,
    measure_update,
    meeting_booking,
    meeting_change,
    meeting_held,
    participant,
    plan,
    planning_message,
    process_interruption,
    responsibility_transfer,
    revised_plan,
    sip_start,
)
from gateway.messages.contract import MessageType

TYPES: dict[str, MessageType] = {
    kind.name: kind
    for kind in (
        # the SIP process
        sip_start.TYPE,
        consent.TYPE,
        meeting_booking.TYPE,
        invitation_reply.TYPE,
        invitation_forward.TYPE,
        meeting_change.CHANGE,
        meeting_change.CANCELLATION,
        meeting_held.TYPE,
        plan.TYPE,
        follow_up_invitation.TYPE,
        follow_up.TYPE,
        revised_plan.TYPE,
        responsibility_transfer.TYPE,
        participant.ADDED,
        participant.REMOVED,
        measure_update.TYPE,
        closure.TYPE,
        # inside any case
        general_message.TYPE,
        correction.RETRACTION,
        correction.MISDIRECTED,
        acknowledgement.TYPE,
        # admission and discharge
        admission.NOTICE,
        admission.UPDATE,
        fixed_care_contact.TYPE,
        planning_message.TYPE,
        discharge_ready.READY,
        discharge_ready.RECALL,
        discharge.MESSAGE,
        discharge.INFORMATION,
        process_interruption.TYPE,
    )
}
"""Every message type by name, in the order of the process."""
