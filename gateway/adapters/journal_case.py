"""How a case of the regional journal begins and ends, who takes part in it, and who leads it."""

from __future__ import annotations

from typing import Final

from gateway.adapters import journal_codes as codes
from gateway.adapters.case_facts import case_facts
from gateway.adapters.journal_coding import organization
from gateway.adapters.journal_event import ACTING, ORGANIZATION, PERFORMER, RECORDED, happened
from gateway.adapters.journal_plan import CUSTODIAN
from gateway.adapters.kinds import case_number, day, flag, line, municipality, party, prose
from gateway.adapters.outline import reads
from gateway.adapters.reading import Reader
from gateway.adapters.recipients import principal_behind
from gateway.adapters.shape import Shape, every, inside, of_event, optional, required
from gateway.messages.closure import Closure, LocalDocumentation
from gateway.messages.consent import Consent, ConsentScope, GuardianConsent
from gateway.messages.participant import ParticipantAdded, ParticipantRemoved
from gateway.messages.responsibility_transfer import ResponsibilityTransfer
from gateway.messages.sip_start import CareSetting, Placement, SipStart, SipVariant


@reads(inside("encounter", required("id", line)), inside("encounter", required("class", codes.ENCOUNTER)))
def _admission(reader: Reader) -> str | None:
    """Return the id of the encounter, where the need was seen in one that is to end."""
    encounter = reader.inside("encounter")
    admission = line(encounter, "id")
    return admission if codes.ENCOUNTER(encounter, "class") is CareSetting.DISCHARGE else None


_PLACEMENT = Shape(
    Placement,
    municipality=optional("municipality", municipality),
    kind=required("type", codes.PLACEMENT),
    since=optional("since", day),
)
NEED: Final = Shape(
    SipStart,
    initiated_by=required("noticedBy", codes.NOTICED_BY),
    initiated_by_other=optional("noticedByOther", line),
    variant=optional("intent", codes.INTENT, SipVariant.NEW),
    setting=of_event(inside("encounter", required("class", codes.ENCOUNTER))),
    need_text=required("description", prose),
    requested_by_person=optional("requestedByPatient", flag, False),
    pre_meeting_date=optional("preparation", day),
    linked_admission=of_event(_admission),
    parallel_reason=optional("parallelReason", prose),
    placement=optional("placement", _PLACEMENT),
)
"""A need (sip.need), in the member ``need``."""

_PROVISION = Shape(
    ConsentScope,
    parties=every("party", party, least=1),
    units=every("organization", organization),
    information_types=every("topic", codes.TOPIC, least=1),
    exclusions=optional("exclusion", prose),
)
_GUARDIAN = Shape(
    GuardianConsent,
    name=required("name", line),
    consents=required("consents", flag),
    waiver=optional("waiver", codes.WAIVER),
)
CONSENT: Final = Shape(
    Consent,
    decision=required("decision", codes.DECISION),
    form=required("mode", codes.CONSENT_MODE),
    given_by=inside("grantor", required("type", codes.GRANTOR)),
    giver_name=inside("grantor", optional("name", line)),
    relation=inside("grantor", optional("relation", line)),
    scope=optional("provision", _PROVISION),
    valid_until=optional("validUntil", day),
    informed_how=required("information", prose),
    child_attitude=optional("childAttitude", prose),
    guardians=every("guardians", _GUARDIAN),
    document_ref=optional("sourceReference", line),
    reason=optional("reason", prose),
    taken_by=PERFORMER,
    taken_at=happened,
)
"""A decision about consent (sip.consent), in the member ``consent``."""

CLOSURE: Final = Shape(
    Closure,
    reason=required("reason", codes.CLOSURE_REASON),
    other_text=optional("reasonText", line),
    closed_on=required("date", day),
    person_informed_how=optional("patientInformed", prose),
    where_to_turn=optional("contactPoint", prose),
    superseded_by=optional("replacedBy", case_number),
    documented=every(
        "documentation",
        Shape(
            LocalDocumentation,
            principal=required("principal", codes.PRINCIPAL),
            documented=required("done", flag),
            on=optional("date", day),
        ),
    ),
)
"""The end of a case (sip.closed), in the member ``closure``."""

TRANSFER: Final = Shape(
    ResponsibilityTransfer,
    previous=required("previous", CUSTODIAN),
    next=required("next", CUSTODIAN),
    reason=required("reason", prose),
    effective_on=required("date", day),
)
"""The overall responsibility handed over (sip.custodian-changed), in the member ``custodian``."""

ADDED: Final = Shape(
    ParticipantAdded,
    unit=ORGANIZATION,
    principal=principal_behind(ORGANIZATION),
    role=required("role", line),
    reason=optional("reason", prose),
    **case_facts(ACTING, RECORDED),
)
"""An organization joins (sip.participant-added), in the member ``participant``."""

REMOVED: Final = Shape(ParticipantRemoved, unit=ORGANIZATION, reason=required("reason", codes.REMOVAL_REASON))
"""An organization no longer takes part (sip.participant-removed), in the member ``participant``."""
