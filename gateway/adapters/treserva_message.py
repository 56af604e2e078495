"""What the municipal case system says about earlier messages, and free messages inside a case."""

from __future__ import annotations

from typing import Final

from gateway.adapters import treserva_codes as codes
from gateway.adapters.kinds import addressee, flag, line, mark, moment, one_of, prose
from gateway.adapters.shape import Shape, always, optional, required
from gateway.adapters.treserva_event import EARLIER, EARLIER_TYPE, HANDLER, UNIT, WHEN
from gateway.lifecycle import Level, Outcome
from gateway.messages.acknowledgement import Acknowledgement
from gateway.messages.correction import MisdirectedReport, Retraction
from gateway.messages.general_message import GeneralMessage

ACKNOWLEDGEMENT: Final = Shape(
    Acknowledgement,
    message_id=EARLIER,
    message_type=EARLIER_TYPE,
    unit=UNIT,
    level=always(Level.ACKNOWLEDGED),
    outcome=always(Outcome.ACCEPTED),
    at=WHEN,
    acknowledged_by=HANDLER,
    not_concerned=optional("ejBerord", mark),
)
"""Somebody takes charge of a message (MEDDELANDE_KVITTERAT)."""

GENERAL_MESSAGE: Final = Shape(
    GeneralMessage,
    topic=required("amne", line),
    text=required("text", prose),
    reply_wanted=optional("onskarSvar", flag, False),
    reply_by=optional("svaraSenast", moment),
)
"""A free message (MEDDELANDE_SKICKAT)."""

RETRACTION: Final = Shape(
    Retraction,
    target_message_id=EARLIER,
    target_type=EARLIER_TYPE,
    reason=required("orsak", one_of(codes.RETRACTION_REASON)),
)
"""A message that its sender takes back (MEDDELANDE_ATERTAGET)."""

MISDIRECTED_REPORT: Final = Shape(
    MisdirectedReport,
    target_message_id=EARLIER,
    target_type=EARLIER_TYPE,
    reason=required("orsak", one_of(codes.MISDIRECTED_REASON)),
    suggested_unit=optional("rattEnhet", addressee),
)
"""A message that came to the wrong unit (MEDDELANDE_FELSANT)."""
