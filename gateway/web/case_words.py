"""What staff call the states of a case, what it waits for, and what its units are told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.notices import NoticeKind
from gateway.process import Awaited, CaseState
from gateway.process.case import ParticipationState
from gateway.web.state_words import BAD, GOOD, ON_ITS_WAY, WARNING, StateWord

CASE_WORDS: Final[Mapping[CaseState, StateWord]] = {
    CaseState.DRAFT: StateWord("Behov noterat, väntar på samtycke", "Need noted, waits for consent", "…", ON_ITS_WAY),
    CaseState.CONSENT_DECLINED: StateWord("Samtycke nekat", "Consent declined", "■", ON_ITS_WAY),
    CaseState.REFUSED: StateWord("Begäran nekad", "Request refused", "■", ON_ITS_WAY),
    CaseState.PREPARING: StateWord("Förbereds", "Being prepared", "…", ON_ITS_WAY),
    CaseState.INVITED: StateWord("Kallelse skickad", "Invitation sent", "→", ON_ITS_WAY),
    CaseState.MEETING_DONE: StateWord(
        "Mötet hållet, planen skrivs", "Meeting held, plan being written", "→", ON_ITS_WAY
    ),
    CaseState.ACTIVE: StateWord("Planen gäller", "Plan in force", "✓", GOOD),
    CaseState.FOLLOW_UP_CALLED: StateWord("Kallelse till uppföljning skickad", "Called to a follow-up", "→", GOOD),
    CaseState.CLOSED: StateWord("Avslutat", "Closed", "■", ON_ITS_WAY),
    CaseState.CANCELLED: StateWord("Avslutat före plan", "Closed before a plan", "■", ON_ITS_WAY),
    CaseState.ADMITTED: StateWord("Inskriven", "Admitted", "→", ON_ITS_WAY),
    CaseState.DISCHARGE_READY: StateWord("Utskrivningsklar", "Ready for discharge", "⚠", WARNING),
    CaseState.DISCHARGED: StateWord("Utskriven", "Discharged", "■", ON_ITS_WAY),
    CaseState.INTERRUPTED: StateWord("Planeringen avbruten", "Planning interrupted", "■", ON_ITS_WAY),
}
"""Where a case stands."""

PARTICIPATION_WORDS: Final[Mapping[ParticipationState, StateWord]] = {
    ParticipationState.SENT: StateWord("Kallad", "Called", "→", ON_ITS_WAY),
    ParticipationState.ACKNOWLEDGED: StateWord("Kallelsen kvitterad", "Call acknowledged", "✓", ON_ITS_WAY),
    ParticipationState.TENTATIVE: StateWord("Preliminärt ja", "Tentative", "…", ON_ITS_WAY),
    ParticipationState.CONFIRMED: StateWord("Kommer", "Comes", "✔", GOOD),
    ParticipationState.DECLINED: StateWord("Förhindrad", "Prevented", "✗", WARNING),
    ParticipationState.REDIRECTED: StateWord("Annan enhet kallas", "Another unit is called", "↩", ON_ITS_WAY),
    ParticipationState.MISDIRECTED: StateWord("Fel enhet", "Wrong unit", "⚠", WARNING),
    ParticipationState.NO_REPLY: StateWord("Svarade inte", "Did not reply", "✗", BAD),
}
"""Where a unit that was called to a meeting stands with its reply."""

AWAITED_WORDS: Final[Mapping[Awaited, tuple[str, str]]] = {
    Awaited.CONSENT: ("Samtycke", "Consent"),
    Awaited.REPLY: ("Svar på kallelsen", "Reply to the invitation"),
    Awaited.MEETING: ("Möte", "Meeting"),
    Awaited.PLAN: ("Planen", "The plan"),
    Awaited.FOLLOW_UP: ("Uppföljning", "Follow-up"),
    Awaited.CLOSURE: ("Avslut", "Closure"),
    Awaited.DISCHARGE: ("Utskrivning", "Discharge"),
    Awaited.FIXED_CONTACT: ("Fast vårdkontakt", "Fixed care contact"),
    Awaited.SIP_CALL: ("Kallelse till SIP", "Call to a SIP"),
    Awaited.PAYMENT: ("Kommunens betalningsansvar börjar", "The municipality begins to pay"),
}
"""What a clock of a case waits for."""

NOTICE_WORDS: Final[Mapping[NoticeKind, tuple[str, str]]] = {
    NoticeKind.REMINDER: ("Påminnelse", "Reminder"),
    NoticeKind.OVERDUE: ("Försenat", "Overdue"),
    NoticeKind.NOT_TAKEN: ("Ett meddelande togs inte emot", "A message was not taken"),
    NoticeKind.LETTER: ("Ett brev ska skickas", "A letter is to be sent"),
    NoticeKind.PAYMENT_BEGINS: ("Betalningsansvaret börjar", "The payment responsibility begins"),
    NoticeKind.REVIEW_NEEDED: ("Ärendet måste granskas", "The case must be reviewed"),
    NoticeKind.MEETINGS_OVERLAP: ("Två möten samtidigt", "Two meetings at the same time"),
    NoticeKind.READMITTED: ("Personen är inskriven igen", "The person has been admitted again"),
}
"""What a unit is told without being asked."""
