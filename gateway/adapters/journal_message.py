"""What the regional journal says about earlier messages, and free messages inside a case."""

from __future__ import annotations

from typing import Final

from gateway.adapters import journal_codes as codes
from gateway.adapters.journal_event import ACTING, EARLIER, EARLIER_TYPE, MAYBE_ORGANIZATION, PERFORMER, RECORDED
from gateway.adapters.kinds import flag, line, mark, moment, prose
from gateway.adapters.shape import Shape, always, of_event, optional, required
from gateway.lifecycle import Level, Outcome
from gateway.messages.acknowledgement import Acknowledgement
from gateway.messages.correction import MisdirectedReport, Retraction
from gateway.messages.general_message import GeneralMessage

SIGNED: Final = Shape(
    Acknowledgement,
    message_id=EARLIER,
    message_type=EARLIER_TYPE,
    unit=ACTING,
    level=always(Level.ACKNOWLEDGED),
    outcome=always(Outcome.ACCEPTED),
    at=RECORDED,
    acknowledged_by=PERFORMER,
    not_concerned=of_event(optional("notConcerned", mark)),
)
"""Somebody takes charge of a message (message.signed), in the event itself."""

COMMUNICATION: Final = Shape(
    GeneralMessage,
    topic=required("topic", line),
    text=required("text", prose),
    reply_wanted=optional("replyWanted", flag, False),
    reply_by=optional("replyBy", moment),
)
"""A free message (message.sent), in the member ``communication``."""

RETRACTION: Final = Shape(
    Retraction,
    target_message_id=EARLIER,
    target_type=EARLIER_TYPE,
    reason=required("reason", codes.RETRACTION_REASON),
)
"""A message that its sender takes back (message.retracted), in the member ``retraction``."""

MISDIRECTION: Final = Shape(
    MisdirectedReport,
    target_message_id=EARLIER,
    target_type=EARLIER_TYPE,
    reason=required("reason", codes.MISDIRECTED_REASON),
    suggested_unit=MAYBE_ORGANIZATION,
)
"""A message that came to the wrong organization (message.misdirected), in the member ``misdirection``."""
