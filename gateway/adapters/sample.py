"""A draft as the message it could become: what an integrator looks at before anything is connected."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from gateway.case_number import CaseKind
from gateway.directory import Directory
from gateway.messages import TYPES, Header, Message, Recipient, Sender
from gateway.ports import Draft

MESSAGE_ID: Final = "00000000-0000-4000-8000-000000000000"
"""Stands for the id that a message gets when it is kept."""

_NUMBERS: Final = {True: "SIP100001", False: "M200001"}


def sample_of(draft: Draft, directory: Directory, now: datetime) -> Message:
    """Return ``draft`` as a message of no case: its id and number stand for those that are given out later.

    What is for all who take part in a case, which only the case knows, is for one unit of each other party here.

    Raises:
        InvalidDocumentError: the unit that acts, or one it is for, is not in the directory.
    """
    kind = TYPES[draft.type]
    sender = directory.unit(draft.unit, "header/sender/unit", on=None)
    named = [hsa_id for hsa_id in draft.recipients if hsa_id in directory.units]
    named += [
        next(hsa_id for hsa_id, unit in directory.units.items() if unit.party == party)
        for party in draft.recipients
        if party in directory.parties
    ]
    if not named and not kind.contract.stays_home:
        first = {unit.party: hsa_id for hsa_id, unit in reversed(directory.units.items()) if unit.party != sender.party}
        named = list(first.values())
    duty = kind.duty_of(draft.body)
    return Message(
        draft.type,
        Header(
            message_id=MESSAGE_ID,
            case_number=_NUMBERS[CaseKind.SIP in kind.contract.process],
            created_at=now,
            sender=Sender(party=sender.party, unit=draft.unit, user=draft.user),
            recipients=tuple(Recipient(party=directory.units[unit].party, unit=unit, duty=duty) for unit in named),
            in_reply_to=draft.in_reply_to,
            consent_ref=MESSAGE_ID if kind.contract.consent is not None else None,
            reserve_routine=draft.reserve_routine,
            person=draft.person,
        ),
        draft.body,
    )
