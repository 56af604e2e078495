"""Both sides of the exchange: a case at the municipality and at the region, each moved by what is said in it."""

from __future__ import annotations

from typing import Any

from build import (
    CLINIC,
    HOME_CARE,
    KOMMUN,
    OFFICE,
    PARTY_OF,
    PSYCHIATRY,
    REGION,
    added,
    booking,
    cancellation,
    change,
    closure,
    consent,
    declined,
    follow_up,
    follow_up_call,
    forward,
    held,
    measure_update,
    message,
    misdirected,
    need,
    plan,
    removed,
    reply,
    retraction,
    revised,
    telling,
    transfer,
    withdrawn,
)

from gateway.errors import CaseRuleError
from gateway.messages import ClosureReason, InvitationAnswer, MeetingOutcome, Message
from gateway.process import SipCase, apply, receive, take_charge

ANSWERS = {f"{answer.value}": answer for answer in InvitationAnswer}
HELD = {"held": MeetingOutcome.PLAN, "held in vain": MeetingOutcome.NO_PLAN}
"""What only the side that leads the case knows."""


class ReceivingParty:
    """A side of the exchange that receives: its case, moved by what has come for its units."""

    def __init__(self, party: str = REGION, case: SipCase | None = None) -> None:
        self.case = case
        self._party = party
        self._seen: set[str] = set()

    def take(self, came: Message, unit: str) -> None:
        """Take a message that has come for ``unit``."""
        again = came.header.message_id in self._seen
        self.case = receive(self.case, came, unit=unit, party=self._party, again=again)
        self._seen.add(came.header.message_id)

    @property
    def units(self) -> set[str]:
        """The units that take part."""
        assert self.case is not None
        return {participant.unit for participant in self.case.participants}


class Exchange:
    """A municipality and a region that tell each other everything at once.

    What the rules of the sending side allow is sent, and must then be taken by the receiving side: a message that it
    refuses is an error of the rules, unless ``allows_refusal`` and the sender does not lead the case.
    """

    def __init__(self, *, allows_refusal: bool = False) -> None:
        self.sides = {party: ReceivingParty(party) for party in (KOMMUN, REGION)}
        self.said: list[Message] = []
        self._allows_refusal = allows_refusal
        self.say(need(), CLINIC)
        self.say(consent(), CLINIC)

    @property
    def office(self) -> SipCase:
        """The case at the municipality, which convened it."""
        return self._case(KOMMUN)

    @property
    def region(self) -> SipCase:
        """The case at the region."""
        return self._case(REGION)

    def _case(self, party: str) -> SipCase:
        case = self.sides[party].case
        assert case is not None
        return case

    def say(self, body: Any, *to: str, sender: str = OFFICE, in_reply_to: str | None = None) -> bool:
        """Send ``body`` if the rules of the sending side allow it; tell whether they did."""
        sent = message(body, *to, sender=sender, in_reply_to=in_reply_to)
        side = self.sides[PARTY_OF[sender]]
        leads = side.case is None or side.case.leader.party == PARTY_OF[sender]
        try:
            side.case = apply(side.case, sent)
        except CaseRuleError:
            return False
        for unit in to:
            try:
                self.sides[PARTY_OF[unit]].take(sent, unit)
            except CaseRuleError:
                if leads or not self._allows_refusal:
                    raise
        self.said.append(sent)
        return True

    def take_charge(self, message_id: str, unit: str) -> None:
        """Let someone at ``unit`` take charge of a message, of which both sides learn."""
        for side in self.sides.values():
            assert side.case is not None
            side.case = take_charge(side.case, message_id, unit)

    def play(self, step: str) -> None:
        """Do one of :data:`STEPS`, from the side that would do it."""
        lead = self.office.leader.unit
        others = self._others()
        if step in DECISIONS:
            if step == "plan led by the clinic" and lead != CLINIC:  # whoever is to lead is told
                others = [*dict.fromkeys((*others, CLINIC))]
            self.say(DECISIONS[step](self._case(PARTY_OF[lead])), *others, sender=lead)
        elif step in HELD:
            self.say(held(HELD[step]), sender=lead)
        elif step in BY_ANY:
            self.say(BY_ANY[step](self.office), lead, sender=others[0])
        elif step in CORRECTIONS:
            self._correct(step, lead, others)
        elif step in CHARGES:
            self._take_charge(step)
        elif step == "call the right unit":
            for one in self._case(PARTY_OF[lead]).called:
                if one.ref is None and one.party != PARTY_OF[lead]:
                    self.say(booking(one.unit), one.unit, sender=lead, in_reply_to=self.office.booking_ref)
        else:
            self._answer(step, to=lead)

    def _others(self) -> list[str]:
        """Return the units on the other side than the one that leads."""
        if self.office.leader.party == REGION:
            return [OFFICE]
        return [one.unit for one in self.office.participants] or [CLINIC]

    def _take_charge(self, step: str) -> None:
        case = self.office
        if step == "take charge of the call":
            for one in case.called:
                if one.ref is not None:
                    self.take_charge(one.ref, one.unit)
        elif case.transfer is not None:
            self.take_charge(case.transfer.message_id, case.transfer.to.unit)

    def _answer(self, step: str, *, to: str) -> None:
        other = HOME_CARE if PARTY_OF[to] == REGION else PSYCHIATRY
        for one in self._case(PARTY_OF[other]).called:
            if one.party == PARTY_OF[to] or one.ref is None:
                continue
            target = other if one.unit != other else (OFFICE if other == HOME_CARE else CLINIC)
            body: Any
            if step == "forward":
                body = forward(target, from_unit=one.unit)
            else:
                body = reply(ANSWERS[step], to=target if step == "redirect" else None)
            if self.say(body, to, sender=one.unit, in_reply_to=one.ref):
                return

    def _correct(self, step: str, lead: str, others: list[str]) -> None:
        calls = [one for one in self.said if one.type in ("meetingBooking", "followUpInvitation", "meetingChange")]
        mine = [one for one in calls if one.header.sender.unit == lead]
        if step == "wrong address of the need":
            self.say(misdirected(self.said[0]), lead, sender=others[-1], in_reply_to=self.said[0].header.message_id)
        elif mine and step == "retract the call":
            self.say(retraction(mine[-1]), *others, sender=lead)
        elif mine:
            self.say(misdirected(mine[-1]), lead, sender=others[-1], in_reply_to=mine[-1].header.message_id)


def _to_the_other_side(case: SipCase) -> Any:
    to = OFFICE if case.leader.party == REGION else CLINIC
    return transfer(to, previous=case.leader.unit)


DECISIONS: dict[str, Any] = {
    "consent": lambda case: consent(),
    "decline": lambda case: declined(),
    "book": lambda case: booking(),
    "call to a follow-up": lambda case: follow_up_call(version=case.plan_version),
    "move the meeting": lambda case: change(case.slot),
    "call the meeting off": lambda case: cancellation(case.slot),
    "plan": lambda case: plan(case.plan_version + 1, led_by=case.leader.unit),
    "plan led by the clinic": lambda case: plan(case.plan_version + 1, led_by=CLINIC),
    "plan led by the office": lambda case: revised(case.plan_version + 1, led_by=OFFICE),
    "revise": lambda case: revised(case.plan_version + 1, led_by=case.leader.unit),
    "plan of another version": lambda case: plan(case.plan_version + 2),
    "follow up": lambda case: follow_up(case.plan_version),
    "hand over": _to_the_other_side,
    "remove": lambda case: removed(PSYCHIATRY),
    "close": lambda case: closure(),
    "tell the withdrawal": lambda case: closure(ClosureReason.CONSENT_WITHDRAWN),
    "let in": lambda case: added(PSYCHIATRY),
}
"""What the side that leads the case may want to tell."""

BY_ANY: dict[str, Any] = {
    "withdraw": lambda case: withdrawn(),
    "tell of a death": lambda case: closure(ClosureReason.DIED),
    "tell": lambda case: telling(),
    "measure": lambda case: measure_update(case.plan_version),
}
"""What the other side may want to tell."""

CORRECTIONS = ("retract the call", "wrong address", "wrong address of the need")
CHARGES = ("take charge of the call", "take charge of the transfer")
ENDS = {"close", "tell the withdrawal", "withdraw", "tell of a death"}
STEPS = sorted({*DECISIONS, *BY_ANY, *ANSWERS, *CORRECTIONS, *CHARGES, "forward", "call the right unit"})
"""What may happen, in whatever order."""
