"""What the directory says against a message: the kind of unit that sends it, and the unit it wants called. Pure."""

from __future__ import annotations

from gateway.clock import local_date
from gateway.directory import NO_INBOX, Directory, Unit
from gateway.errors import CaseRuleError, Fault
from gateway.messages import Contract, InvitationForward, InvitationReply, Message, Plan, ResponsibilityTransfer

OTHER_PRINCIPAL = Fault(
    "recipient.other-party",
    "Rätt enhet ska höra till samma part som den enhet som var kallad.",
    "The right unit must belong to the same party as the unit that was called.",
)
NOT_TOLD = Fault(
    "responsible.not-told",
    "Den som får det övergripande ansvaret ska vara en egen enhet eller en av mottagarna.",
    "Whoever gets the overall responsibility must be a unit of the own party or one of the recipients.",
)
OTHER_UNIT_TYPE = Fault(
    "sender.unit-type",
    "Meddelandetypen skickas bara av enheter av slaget {allowed}.",
    "The message type is sent only by units of the kind {allowed}.",
)


def check_right_unit(directory: Directory, message: Message) -> None:
    """Refuse a unit to come instead of another party than the one that says so, or not valid when it was written.

    Raises:
        InvalidDocumentError: the finding says which; its place is relative to the root element.
    """
    unit = _right_unit(message)
    if unit is None:
        return
    if directory.addressee(unit, "body", on=local_date(message.header.created_at)).party != message.header.sender.party:
        raise CaseRuleError(OTHER_PRINCIPAL.at("body"))


def check_responsible_unit(directory: Directory, message: Message) -> None:
    """Refuse to give the overall responsibility to a unit that is not known, or would not be told that it has it.

    Whoever has it leads the case, and nobody could do so without an inbox.

    Raises:
        InvalidDocumentError: the finding says which; its place is relative to the root element.
    """
    body, header = message.body, message.header
    if isinstance(body, Plan):
        unit, path = body.overall_responsible.unit, "body/overallResponsible/unit"
    elif isinstance(body, ResponsibilityTransfer):
        unit, path = body.next.unit, "body/next/unit"
    else:
        return
    is_own = directory.unit(unit, path).party == header.sender.party
    if not is_own and unit not in {to.unit for to in header.recipients}:
        raise CaseRuleError(NOT_TOLD.at(path))
    if directory.gets_letters(unit):
        raise CaseRuleError(NO_INBOX.at(path))


def _right_unit(message: Message) -> str | None:
    """Return the unit that ``message`` says is to come instead, ``None`` when it says nothing of the kind."""
    body = message.body
    if isinstance(body, InvitationReply):
        return body.redirect_unit or (body.substitute.unit if body.substitute is not None else None)
    return body.to_unit if isinstance(body, InvitationForward) else None


def check_unit_type(contract: Contract, unit: Unit, path: str) -> None:
    """Refuse a sender that is no unit of a type that may send the message. Raises :class:`CaseRuleError`."""
    allowed = contract.sender_units
    if allowed and unit.type not in allowed:
        raise CaseRuleError(OTHER_UNIT_TYPE.at(path, allowed=", ".join(sorted(allowed))))
