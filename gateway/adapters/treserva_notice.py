"""What the municipal case system is told for its units: a *bevakning*, which it puts on the list of the unit."""

from __future__ import annotations

from typing import Any, Final

from gateway.adapters import treserva_codes as codes
from gateway.adapters.kinds import addressee, line, message_id, moment, one_of, word_for
from gateway.adapters.outline import all_of
from gateway.adapters.shape import optional, required
from gateway.clock import STOCKHOLM
from gateway.notices import Notice, NoticeKind

KIND: Final = {
    "Påminnelse": NoticeKind.REMINDER,
    "Försenat": NoticeKind.OVERDUE,
    "Inte mottaget": NoticeKind.NOT_TAKEN,
    "Brev att skicka": NoticeKind.LETTER,
    "Betalningsansvar": NoticeKind.PAYMENT_BEGINS,
    "Granskning behövs": NoticeKind.REVIEW_NEEDED,
    "Möten krockar": NoticeKind.MEETINGS_OVERLAP,
    "Inskriven igen": NoticeKind.READMITTED,
}
"""Slag: why the unit is told."""

AWAITED: Final = {
    "Samtycke": "consent",
    "Att skickas": "sent",
    "Att tas emot": "received",
    "Att registreras": "registered",
    "Kvittens": "acknowledged",
    "Beslut": "decision",
    "Brev": "letter",
    "Tidigare meddelande": "earlier message",
    "Svar på kallelse": "reply",
    "SIP-möte": "meeting",
    "SIP": "plan",
    "Uppföljning": "follow-up",
    "Avslut": "closure",
    "Besked om utskrivning": "discharge",
    "Fast vårdkontakt": "fixed-contact",
    "Kallelse till SIP efter utskrivningsklar": "sip-call",
}
"""Väntar på: what is to be done."""

_HEADING: Final = {
    NoticeKind.REMINDER: "Påminnelse: {awaited} behövs snart i {case}",
    NoticeKind.OVERDUE: "Försenat: {awaited} saknas i {case}",
    NoticeKind.NOT_TAKEN: "Ett meddelande i {case} har inte kommit fram som det skulle",
    NoticeKind.LETTER: "Ett meddelande i {case} ska skickas som brev",
    NoticeKind.PAYMENT_BEGINS: "Betalningsansvaret börjar i {case}",
    NoticeKind.REVIEW_NEEDED: "Skyddet av personuppgifterna har ändrats i {case}; en behörig behöver granska ärendet",
    NoticeKind.MEETINGS_OVERLAP: "Mötet i {case} krockar med mötet i {other}",
    NoticeKind.READMITTED: "Den enskilde i {case} är inskriven i slutenvård, {other}",
}


BEVAKNING: Final = all_of(
    required("bevakningId", line),
    required("slag", one_of(KIND)),
    required("enhet", addressee),
    required("arendenummer", line),
    required("rubrik", line),
    optional("vantarPa", one_of(AWAITED)),
    optional("hosEnhet", addressee),
    optional("senast", moment),
    optional("meddelandeId", message_id),
    optional("galler", one_of(codes.CONCERNS)),
    optional("skal", line),
    optional("annatArende", line),
)
"""What stands in a bevakning."""


def bevakning(notice: Notice) -> dict[str, Any]:
    """Write ``notice`` as a bevakning. It names no person: who is told opens the case."""
    awaited = word_for(AWAITED, notice.awaited) if notice.awaited is not None else None
    heading = _HEADING[notice.kind].format(awaited=awaited, case=notice.case_number, other=notice.other_case)
    told: dict[str, Any] = {
        "bevakningId": notice.notice_id,
        "slag": word_for(KIND, notice.kind),
        "enhet": notice.unit,
        "arendenummer": notice.case_number,
        "rubrik": heading,
        "vantarPa": awaited,
        "hosEnhet": notice.owed_by,
        "senast": notice.due_at.astimezone(STOCKHOLM).isoformat() if notice.due_at is not None else None,
        "meddelandeId": notice.message_id,
        "galler": word_for(codes.CONCERNS, notice.type) if notice.type is not None else None,
        "skal": notice.code,
        "annatArende": notice.other_case,
    }
    return {name: value for name, value in told.items() if value is not None}
