"""The one sentence of the overview: all is in order, or what is most urgent, how much of it, and where to go. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gateway.silence import Sentence
from gateway.store.standing import MOST, Facts
from gateway.web.language import Language
from gateway.web.spans import count


class Severity(StrEnum):
    """How bad something is; the words are those of the style sheet."""

    GOOD = "good"
    WARNING = "warning"
    """Somebody has to see to it."""
    BAD = "bad"
    """It has gone wrong, or will not go on by itself."""


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence in both languages, the page that shows what it is about (``None``: none), and how bad that is."""

    sv: str
    en: str
    link: str | None
    severity: Severity


ALL_IN_ORDER: Final = Line("Allt är i ordning.", "All is in order.", None, Severity.GOOD)


@dataclass(frozen=True, slots=True)
class _Kind:
    """Something that is counted: what is said of one, and of several, and where they are shown."""

    one_sv: str
    many_sv: str
    one_en: str
    many_en: str
    link: str
    severity: Severity = Severity.BAD

    def line(self, number: int) -> Line:
        sv, en = (self.one_sv, self.one_en) if number == 1 else (self.many_sv, self.many_en)
        return Line(
            sv.format(number=_counted(number, Language.SWEDISH)),
            en.format(number=_counted(number, Language.ENGLISH)),
            self.link,
            self.severity,
        )


def _counted(number: int, language: Language) -> str:
    if number <= MOST:
        return count(number, language)
    return language.say("Fler än {most}", "More than {most}", most=count(MOST, language))


_OWED = _Kind(
    "1 mottaget meddelande skulle ha kvitterats eller besvarats.",
    "{number} mottagna meddelanden skulle ha kvitterats eller besvarats.",
    "1 message received should have been acknowledged or answered.",
    "{number} messages received should have been acknowledged or answered.",
    "/inbox?overdue=yes",
)
_ANSWERS = _Kind(
    "1 svar från en mottagare är försenat.",
    "{number} svar från mottagare är försenade.",
    "1 answer from a recipient is overdue.",
    "{number} answers from recipients are overdue.",
    "/acknowledgements?overdue=yes",
)
_FAILURES = _Kind(
    "1 fel väntar på att någon tar hand om det.",
    "{number} fel väntar på att någon tar hand om dem.",
    "1 failure waits for somebody to see to it.",
    "{number} failures wait for somebody to see to them.",
    "/failures",
)
_UNDELIVERED = _Kind(
    "1 mottaget meddelande har inte nått verksamhetssystemet i tid.",
    "{number} mottagna meddelanden har inte nått verksamhetssystemet i tid.",
    "1 message received has not reached the case system in time.",
    "{number} messages received have not reached the case system in time.",
    "/messages?direction=received&overdue=yes",
)
_UNSENT = _Kind(
    "1 meddelande har inte kunnat skickas i tid.",
    "{number} meddelanden har inte kunnat skickas i tid.",
    "1 message could not be sent in time.",
    "{number} messages could not be sent in time.",
    "/messages?direction=sent&overdue=yes",
)
_HELD = _Kind(
    "1 meddelande har väntat för länge på samtycke.",
    "{number} meddelanden har väntat för länge på samtycke.",
    "1 message has waited too long for a consent.",
    "{number} messages have waited too long for a consent.",
    "/messages?direction=sent&state=held",
    Severity.WARNING,
)
_DEAD_LETTERS = _Kind(
    "1 leverans har getts upp av meddelandeväxeln och försöks igen.",
    "{number} leveranser har getts upp av meddelandeväxeln och försöks igen.",
    "1 delivery was given up by the exchange and is tried again.",
    "{number} deliveries were given up by the exchange and are tried again.",
    "/failures?kind=dead-letter",
    Severity.WARNING,
)
_LETTERS = _Kind(
    "1 brev väntar på att skickas.",
    "{number} brev väntar på att skickas.",
    "1 letter waits to be sent.",
    "{number} letters wait to be sent.",
    "/messages?direction=sent&state=letter",
    Severity.WARNING,
)
_ADAPTERS = "/adapters"


def lines(facts: Facts, *, silent: Sequence[Sentence], sees_all: bool) -> list[Line]:
    """Return what needs somebody, the most urgent first; that all is in order, where nothing does.

    ``silent`` is what is told of silent partners, and ``sees_all`` whether whoever reads may go to the pages of the
    whole party.
    """
    found = list(_said(facts, silent, sees_all=sees_all))
    order = list(reversed(Severity))
    return sorted(found, key=lambda line: order.index(line.severity)) or [ALL_IN_ORDER]


def _said(facts: Facts, silent: Sequence[Sentence], *, sees_all: bool) -> Iterator[Line]:
    for kind, number in ((_OWED, facts.owed), (_ANSWERS, facts.answers), (_FAILURES, facts.failures)):
        if number:
            yield kind.line(number)
    for sentence in silent:
        yield Line(sentence.sv, sentence.en, _ADAPTERS if sees_all else _ANSWERS.link, Severity.BAD)
    for name in facts.down:
        yield Line(
            f"Systemet bakom {name} svarar inte.", f"The system behind {name} does not answer.", _ADAPTERS, Severity.BAD
        )
    for kind, number in (
        (_UNDELIVERED, facts.undelivered),
        (_UNSENT, facts.unsent),
        (_DEAD_LETTERS, facts.dead_letters),
        (_HELD, facts.held),
        (_LETTERS, facts.letters),
    ):
        if number:
            yield kind.line(number)
    for name in facts.paused:
        yield Line(f"Kopplingen {name} är pausad.", f"The connection {name} is paused.", _ADAPTERS, Severity.WARNING)
