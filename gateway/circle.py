"""The circle of a case: who takes part, who knows of it, and whom a message is for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gateway import process
from gateway.context import Context
from gateway.errors import CaseRuleError, Fault, InvalidDocumentError
from gateway.ledger import Dispatch, Inbound
from gateway.lifecycle import MAY_HAVE_LEFT, NEVER_LEFT, OutState
from gateway.messages import (
    TYPES,
    CaseConvener,
    Closure,
    ClosureReason,
    Consent,
    ParticipantAdded,
    Retraction,
    SharedCaseState,
)
from gateway.messages.admission import AdmissionUpdate
from gateway.ports import Draft
from gateway.process import CaseState, SipCase
from gateway.store.sheet import Sheet

OWN_UNIT = Fault(
    "recipient.own-party",
    "Mottagaren är en egen enhet; meddelanden går bara till andra parter.",
    "The recipient is a unit of the own party; messages go to other parties only.",
)
PARTED = Fault(
    "case.unit-parted-with",
    "Samtycket omfattar en enhet som redan fått veta att ärendet är avslutat; starta ett nytt ärende för den.",
    "The consent covers a unit that has been told that the case is closed; start a new case for it.",
)
NOT_AN_ANSWER = Fault(
    "answer.not-allowed",
    "Meddelandet kan inte besvaras med den här meddelandetypen; möjliga är {allowed}.",
    "The message cannot be answered with this message type; possible are {allowed}.",
)
NOT_RETRACTABLE = Fault(
    "retraction.not-retractable",
    "Meddelandet kan inte återtas: det är inte skickat härifrån i ärendet, eller av en typ som rättas på annat sätt.",
    "The message cannot be retracted: it was not sent from here in the case, or its type is corrected in another way.",
)

NOTHING_IN_FORCE = Fault(
    "case.nothing-in-force",
    "Det finns inget gällande i ärendet som händelsen kan avse: inget bokat möte, ingen gällande utskrivningsklar.",
    "Nothing is in force in the case that the event can be about: no booked meeting, no notice of ready for discharge.",
)

Address = tuple[str, str]
"""Party and unit."""


def passes_always(draft: Draft) -> bool:
    """Tell whether ``draft`` may come from, or be for, a unit that has closed: an answer, or that something ends.

    Who was asked still answers, and who was told still learns that it is over.
    """
    return draft.in_reply_to is not None or TYPES[draft.type].event_of(draft.body) in process.WINDING_UP


class Circle:
    """Those around one case, as it now stands on a sheet."""

    def __init__(self, context: Context, sheet: Sheet, number: str) -> None:
        self._context = context
        self._sheet = sheet
        self._number = number

    @property
    def case(self) -> SipCase | None:
        """The case as it now is; ``None`` before it is opened."""
        return self._sheet.case(self._number)

    @property
    def rows(self) -> list[Dispatch]:
        """The case's ledger rows as they now are, in the order they were made; they must have been read."""
        return self._sheet.ledger(self._number)

    @property
    def leads(self) -> bool:
        """Whether this party leads the case."""
        return self.case is not None and self.case.leader.party == self._context.party

    def body_of(self, draft: Draft) -> Any:
        """Return the body of ``draft``; where a case stands when a unit joins is known here alone.

        Raises:
            CaseRuleError: it is about something in force in the case, and there is no such thing.
        """
        case = self.case
        if draft.from_case:
            return replace(draft.body, **{name: self._in_force(name) for name in draft.from_case})
        if not isinstance(draft.body, ParticipantAdded) or case is None:
            return draft.body
        return replace(
            draft.body,
            convener=CaseConvener(party=case.convener, unit=case.convening_unit),
            opened_at=case.opened_at,
            state=_SHARED_STATE.get(case.state, SharedCaseState.PREPARING),
            booking_version=case.booking_version,
            plan_version=case.plan_version,
            responsible_unit=case.responsible_unit,
            follow_up_on=case.follow_up_on,
            person_placed=case.is_placed or None,
        )

    def _in_force(self, name: str) -> Any:
        """Return what an attribute of a body is, in which the case itself knows what is meant."""
        case = self.case
        found: Any = None
        if case is not None and name == "previous":
            found = case.slot
        elif case is not None and case.stay is not None and name == "ready_message_id":
            found = case.stay.ready_ref
        if found is None:
            raise CaseRuleError(NOTHING_IN_FORCE.at())
        return found

    def is_news(self, draft: Draft) -> bool:
        """Tell whether ``draft`` says something that the case, which must be open, does not say already."""
        case, body = self.case, draft.body
        if case is None or case.state in process.TERMINAL:
            return False
        if not isinstance(body, AdmissionUpdate) or case.stay is None:
            return True
        is_protected_anew = draft.person is not None and draft.person.protected_level is not case.protected_level
        return body.expected_discharge != case.stay.expected_discharge or is_protected_anew

    def recipients(self, draft: Draft) -> list[Address]:
        """Return party and unit of everyone ``draft`` is for; one that names nobody is for the case's participants.

        Who may know of a decision about consent, or that the case is over, follows from the case alone: naming others
        adds none. An answer is for the unit that sent what it answers, and a retraction for those who have what it
        takes back.
        """
        if TYPES[draft.type].contract.stays_home:
            return []
        found = [self._context.directory.unit(unit, "header/recipient/unit") for unit in draft.recipients]
        if any(unit.party == self._context.party for unit in found):
            raise InvalidDocumentError(OWN_UNIT.at("header/recipient/unit"))
        named = [(unit.party, unit.hsa_id) for unit in found]
        if self.case is None:
            return self._valid_today(named)
        if isinstance(draft.body, Retraction):
            return self._those_who_have(draft.body)
        if (answered := self.answered(draft)) is not None:
            return [(answered.party, answered.sender_unit)]
        if not self.leads:  # a participant speaks to who leads the case
            return [(self.case.leader.party, self.case.leader.unit)]
        match draft.body:
            case Closure() as closure:
                open_to = self._open_to(closure)
            case Consent() as consent:
                open_to = self._covered_by(consent)
            case _:
                open_to = named or self.others()
                if not passes_always(draft):
                    self._valid_today(open_to)
        return open_to

    def _valid_today(self, units: list[Address]) -> list[Address]:
        """Return ``units``, each of which is valid today. The directory is not asked about one it no longer has.

        Raises:
            InvalidDocumentError: one is not; the finding names it, and the one that takes over.
        """
        for _, unit in units:
            if unit in self._context.directory.units:
                self._context.directory.addressee(unit, "header/recipient/unit", on=self._sheet.today)
        return units

    def _open_to(self, closure: Closure) -> list[Address]:
        """Return who is told why the case closed: after a withdrawal nobody, who learn only that it did."""
        told = [] if closure.reason is ClosureReason.CONSENT_WITHDRAWN else self.told()
        return [one for one in told if self.is_covered(*one)]

    def _covered_by(self, consent: Consent) -> list[Address]:
        """Return who is told of a decision about consent: those who take part or wait, as far as it covers them."""
        if any(self.covers(consent, *one) for one in self.parted()):
            raise CaseRuleError(PARTED.at("body/scope"))
        waiting = [(row.party, row.unit) for row in self.rows if row.state is OutState.HELD]
        return [one for one in dict.fromkeys((*self.others(), *waiting)) if self.covers(consent, *one)]

    def others(self) -> list[Address]:
        """Return party and unit of everyone of another party that takes part in the case."""
        assert self.case is not None
        case = self.case
        units = [(case.convener, case.convening_unit), *((one.party, one.unit) for one in case.participants)]
        return [one for one in dict.fromkeys(units) if one[0] != self._context.party]

    def answered(self, draft: Draft) -> Inbound | None:
        """Return the message that ``draft`` answers, which came for the unit that sends it."""
        if draft.in_reply_to is None:
            return None
        about = self._sheet.inbound_about(draft.in_reply_to)
        row = next((row for row in about if row.unit == draft.unit and row.case_number == self._number), None)
        if row is None:
            return None
        allowed = TYPES[row.type].contract.answers
        if draft.type not in allowed:
            raise CaseRuleError(NOT_AN_ANSWER.at("header/inReplyTo", allowed=", ".join(allowed)))
        return row

    def _those_who_have(self, retraction: Retraction) -> list[Address]:
        """Return party and unit of everyone who may have the message that is taken back."""
        rows = [row for row in self.rows if row.message_id == retraction.target_message_id]
        kind = TYPES.get(retraction.target_type)
        if not rows or kind is None or rows[0].type != kind.name or not kind.contract.retractable:
            raise CaseRuleError(NOT_RETRACTABLE.at("body/targetMessageId"))
        return [(row.party, row.unit) for row in rows if row.state in MAY_HAVE_LEFT]

    def covers(self, consent: Consent, party: str, unit: str) -> bool:
        """Tell whether ``consent`` lets a unit be told anything at all today."""
        scope = consent.scope.information_types if consent.scope is not None else ()
        today = self._sheet.today
        return any(consent.covers(party=party, unit=unit, information=kind, on=today) for kind in scope)

    def told(self) -> list[Address]:
        """Return party and unit of everyone who knows of the case: something left, or is about to, and no closure.

        A letter does not leave by itself: as long as it is not sent, its unit knows nothing.
        When this party has taken the lead over from another, they are those who take part, whoever told them.
        """
        unaware = NEVER_LEFT | {OutState.LETTER}
        left = [(row.party, row.unit) for row in self.rows if row.state not in unaware]
        if self.case is not None and self.case.convener != self._context.party and self.leads:
            left += self.others()
        gone = self.parted() | self._removed()
        return [one for one in dict.fromkeys(left) if one not in gone]

    def _removed(self) -> set[Address]:
        """Return party and unit of everyone whose last message was that they no longer take part."""
        last = {(row.party, row.unit): row.type for row in self.rows if row.state not in NEVER_LEFT}
        return {one for one, type_name in last.items() if type_name == "participantRemoved"}

    def parted(self) -> set[Address]:
        """Return party and unit of everyone who is told that the case has closed."""
        rows = (row for row in self.rows if row.type == "closure" and row.state not in NEVER_LEFT)
        return {(row.party, row.unit) for row in rows}

    def is_covered(self, party: str, unit: str) -> bool:
        """Tell whether the consent in force covers a unit for anything at all."""
        consent = self.case.consent if self.case is not None else None
        return consent is not None and self.covers(consent, party, unit)


_SHARED_STATE = {
    CaseState.PREPARING: SharedCaseState.PREPARING,
    CaseState.INVITED: SharedCaseState.INVITED,
    CaseState.MEETING_DONE: SharedCaseState.INVITED,
    CaseState.ACTIVE: SharedCaseState.ACTIVE,
    CaseState.FOLLOW_UP_CALLED: SharedCaseState.FOLLOW_UP_CALLED,
}
