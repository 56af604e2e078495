"""What the directory says against a message: the kind of unit that sends it, and the unit it wants called. Pure."""

from __future__ import annotations

from gateway.clock import local_date
from gateway.directory import Directory, Unit
from gateway.errors import CaseRuleError, Fault
from gateway.messages import Contract, InvitationForward, InvitationReply, Message

OTHER_PRINCIPAL = Fault(
    "recipient.other-party",
    "Rätt enhet ska höra till samma part som den enhet som var kallad.",
    "The right unit must belong to the same party as the unit that was called.",
)
OTHER_UNIT_TYPE = Fault(
    "sender.unit-type",
    "Meddelandetypen skickas bara av enheter av slaget {allowed}.",
    "The message type is sent only by units of the kind {allowed}.",
)


def check_right_unit(directory: Directory, message: Message) -> None:
    """Refuse a redirect to a unit of another party than the one that redirects, or one not valid when it was written.

    Raises:
        InvalidDocumentError: the finding says which; its place is relative to the root element.
    """
    unit = _right_unit(message)
    if unit is None:
        return
    if directory.addressee(unit, "body", on=local_date(message.header.created_at)).party != message.header.sender.party:
        raise CaseRuleError(OTHER_PRINCIPAL.at("body"))


def _right_unit(message: Message) -> str | None:
    """Return the unit that ``message`` says is the right one to call, ``None`` when it says nothing of the kind."""
    body = message.body
    if isinstance(body, InvitationReply):
        return body.redirect_unit
    return body.to_unit if isinstance(body, InvitationForward) else None


def check_unit_type(contract: Contract, unit: Unit, path: str) -> None:
    """Refuse a sender that is no unit of a type that may send the message. Raises :class:`CaseRuleError`."""
    allowed = contract.sender_units
    if allowed and unit.type not in allowed:
        raise CaseRuleError(OTHER_UNIT_TYPE.at(path, allowed=", ".join(sorted(allowed))))
