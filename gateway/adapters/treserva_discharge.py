"""What the municipal case system says while a patient is in hospital: the planning before the discharge."""

from __future__ import annotations

from typing import Final

from gateway.adapters import treserva_codes as codes
from gateway.adapters.kinds import day, flag, line, moment, one_of, prose, unit
from gateway.adapters.shape import Shape, every, optional, required
from gateway.adapters.treserva_event import MAYBE_UNIT, STAFF, happened
from gateway.messages.fixed_care_contact import FixedCareContact
from gateway.messages.planning_message import PlanningItem, PlanningMessage
from gateway.messages.process_interruption import ProcessInterruption

FIXED_CONTACT: Final = Shape(
    FixedCareContact,
    kind=required("kontaktslag", one_of(codes.FIXED_CONTACT)),
    practitioner=required("kontakt", STAFF),
    unit=required("kontaktenhet", unit),
    valid_from=required("franOchMed", day),
    valid_until=optional("tillOchMed", day),
)
"""A fixed contact in municipal care (FAST_KONTAKT_UTSEDD)."""

_ITEM = Shape(
    PlanningItem,
    kind=required("slag", one_of(codes.PLANNING_ITEM)),
    text=required("text", prose),
    responsible_unit=MAYBE_UNIT,
    by=optional("senast", day),
)
PLANNING: Final = Shape(
    PlanningMessage,
    topic=required("amne", line),
    assessment=optional("bedomning", prose),
    proposal=optional("forslag", prose),
    items=every("planering", _ITEM),
    reply_wanted=optional("onskarSvar", flag, False),
    reply_by=optional("svaraSenast", moment),
)
"""A planning message (PLANERING_SKICKAD)."""

INTERRUPTION: Final = Shape(
    ProcessInterruption,
    reason=required("orsak", one_of(codes.INTERRUPTION_REASON)),
    other_text=optional("orsakText", line),
    at=happened,
)
"""The end of the planning (PROCESS_AVBRUTEN), when the event happened."""
