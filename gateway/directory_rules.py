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


def check_has_inbox(directory: Directory, message: Message) -> None:
    """Refuse to give the lead of a case to a unit that gets letters only: nobody could lead a case without an inbox.

    Raises:
        CaseRuleError: the unit that is to have the overall responsibility has no inbox.
    """
    body = message.body
    if isinstance(body, ResponsibilityTransfer):
        unit, place = body.next.unit, "body/next/unit"
    elif isinstance(body, Plan):
        unit, place = body.overall_responsible.unit, "body/overallResponsible/unit"
    else:
        return
    if directory.gets_letters(unit):
        raise CaseRuleError(NO_INBOX.at(place))


def check_unit_type(contract: Contract, unit: Unit, path: str) -> None:
    """Refuse a sender that is no unit of a type that may send the message. Raises :class:`CaseRuleError`."""
    allowed = contract.sender_units
    if allowed and unit.type not in allowed:
        raise CaseRuleError(OTHER_UNIT_TYPE.at(path, allowed=", ".join(sorted(allowed))))
