"""What breaks a case, in words for staff."""

from __future__ import annotations

from typing import Final

from gateway.errors import Fault
from gateway.messages import CaseEvent

UNKNOWN_CASE: Final = Fault(
    "case.unknown",
    "Ärendet finns inte: en SIP börjar med att behovet anmäls.",
    "There is no such case: a SIP begins with its need.",
)
ALREADY_STARTED: Final = Fault(
    "case.already-started", "Ärendet är redan startat.", "The case has already been started."
)
IS_CLOSED: Final = Fault(
    "case.closed",
    "Ärendet är avslutat ({state}) och tar inte emot fler meddelanden; starta ett nytt.",
    "The case has ended ({state}) and takes no more messages; start a new one.",
)
CONSENT_MISSING: Final = Fault(
    "case.consent-missing",
    "Det finns inget giltigt samtycke i ärendet.",
    "There is no valid consent in the case.",
)
NOTHING_TO_WITHDRAW: Final = Fault(
    "case.nothing-to-withdraw",
    "Det finns inget samtycke att återkalla; registrera i stället att samtycke nekats.",
    "There is no consent to withdraw; register instead that consent was declined.",
)
CONSENT_ALREADY_GIVEN: Final = Fault(
    "case.consent-already-given",
    "Samtycke är redan lämnat; ett nej efter det registreras som återkallat samtycke.",
    "Consent has already been given; a no after that is registered as a withdrawn consent.",
)
MEETING_MISSING: Final = Fault(
    "case.meeting-missing",
    "En plan kan inte upprättas innan det finns ett bokat SIP-möte.",
    "A plan cannot be established before a SIP meeting is booked.",
)
NO_MEETING: Final = Fault(
    "case.no-meeting", "Det finns inget bokat möte i ärendet.", "There is no meeting booked in the case."
)
NO_PLAN: Final = Fault("case.no-plan", "Det finns ingen upprättad plan i ärendet.", "There is no plan in the case.")
NOT_CALLED_TO_FOLLOW_UP: Final = Fault(
    "case.not-called-to-follow-up",
    "En uppföljning registreras när det är kallat till den.",
    "A follow-up is registered when it has been called.",
)
NOT_REFUSABLE: Final = Fault(
    "case.not-refusable",
    "En begäran om SIP kan bara avslås innan samtycke är lämnat; avsluta i stället ärendet.",
    "A request for a SIP can be refused only before a consent is given; close the case instead.",
)
NOT_ALLOWED_NOW: Final = Fault(
    "case.not-now",
    "Meddelandet passar inte ärendets läge ({state}).",
    "The message does not fit where the case stands ({state}).",
)
OTHER_PERSON: Final = Fault("case.other-person", "Ärendet gäller en annan person.", "The case is about another person.")
NOT_CONVENER: Final = Fault(
    "case.not-convener",
    "Bara den som leder ärendet får skicka den här meddelandetypen: sammankallande, sedan den med övergripande ansvar.",
    "Only who leads the case may send this message type: the convener, then the one with the overall responsibility.",
)
NOT_PARTICIPANT: Final = Fault(
    "case.not-participant", "Parten deltar inte i ärendet.", "The party does not take part in the case."
)
PLAN_VERSION: Final = Fault(
    "case.plan-version",
    "Planen ska ha version {expected}.",
    "The plan must have version {expected}.",
)
PLACEMENT_CARE_MISSING: Final = Fault(
    "case.placement-care-missing",
    "Den enskilde är placerad på annan ort: planen ska ange vad regionen gör för hälso- och sjukvården under "
    "placeringen.",
    "The person is placed elsewhere: the plan must say what the region does for health care during the placement.",
)
OTHER_INVITATION: Final = Fault(
    "case.other-invitation",
    "Svaret gäller en tidigare kallelse; svara på den senaste.",
    "The reply is to an earlier invitation; answer the latest one.",
)
OTHER_MEETING: Final = Fault(
    "case.other-meeting",
    "Den tidigare tiden är inte den som mötet är bokat till.",
    "The earlier time is not the one the meeting is booked for.",
)
NOT_CALLED: Final = Fault(
    "case.not-called",
    "Enheten är inte kallad till mötet.",
    "The unit has not been called to the meeting.",
)
ALREADY_REDIRECTED: Final = Fault(
    "case.already-redirected",
    "Enheten har redan hänvisat till en annan enhet, som nu är kallad.",
    "The unit has already redirected to another unit, which has been called.",
)
SUBSTITUTE_MISSING: Final = Fault(
    "case.substitute-missing",
    "En kallad huvudman som har förhinder måste ange en ersättare.",
    "A principal that was summoned and is prevented must name a substitute.",
)
NOT_RESPONSIBLE: Final = Fault(
    "case.not-responsible",
    "Den enhet som lämnar över har inte det övergripande ansvaret.",
    "The unit that hands over does not have the overall responsibility.",
)
RESPONSIBLE_LEAVES: Final = Fault(
    "case.responsible-leaves",
    "Enheten har det övergripande ansvaret; lämna över det först.",
    "The unit has the overall responsibility; hand it over first.",
)
OTHER_NOTICE: Final = Fault(
    "case.other-notice",
    "Det återkallade meddelandet är inte det som gäller.",
    "The notice that is recalled is not the one that holds.",
)

NOT_FROZEN: Final = Fault(
    "case.not-frozen", "Ärendet väntar inte på granskning.", "The case does not wait for a review."
)

BREAKS: Final = {
    CaseEvent.BOOK: CONSENT_MISSING,
    CaseEvent.WITHDRAW: NOTHING_TO_WITHDRAW,
    CaseEvent.DECLINE: CONSENT_ALREADY_GIVEN,
    CaseEvent.PLAN: MEETING_MISSING,
    CaseEvent.REPLY: NO_MEETING,
    CaseEvent.FORWARD: NO_MEETING,
    CaseEvent.RESCHEDULE: NO_MEETING,
    CaseEvent.CALL_OFF: NO_MEETING,
    CaseEvent.HOLD: NO_MEETING,
    CaseEvent.HOLD_IN_VAIN: NO_MEETING,
    CaseEvent.CALL_FOLLOW_UP: NO_PLAN,
    CaseEvent.REVISE: NO_PLAN,
    CaseEvent.TRANSFER: NO_PLAN,
    CaseEvent.UPDATE_MEASURE: NO_PLAN,
    CaseEvent.FOLLOW_UP: NOT_CALLED_TO_FOLLOW_UP,
    CaseEvent.REFUSE: NOT_REFUSABLE,
}
"""What to say when the table has no row and the case is not closed."""
