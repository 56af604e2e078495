"""The conversation of a case as a sequence diagram, and as sentences that say the same. Pure.

Lanes are units, arrows the messages between them, receipts dashed arrows. What did not go as it should has a sign and
a word. It is as wide as its lanes are many; on a narrow screen it is scrolled sideways.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from markupsafe import Markup

from gateway.web.drawing import clipped, element, number, picture, together, words
from gateway.web.language import Language
from gateway.web.moments import written

MOST_STEPS: Final = 60
"""How many messages are drawn, the latest ones; the sentences tell of all."""


class Mark(StrEnum):
    """What is to be seen about a message at once."""

    HELD = "held"
    RETRYING = "retrying"
    LATE = "late"
    PARTIAL = "partial"
    REJECTED = "rejected"
    FAILED = "failed"
    STOPPED = "stopped"
    RETRACTED = "retracted"
    MISDIRECTED = "misdirected"
    LETTER = "letter"


_WORDS: Final = {
    Mark.HELD: ("hålls kvar", "held back"),
    Mark.RETRYING: ("försöks igen", "tried again"),
    Mark.LATE: ("försenat", "overdue"),
    Mark.PARTIAL: ("delvis mottaget", "taken in part"),
    Mark.REJECTED: ("avvisat", "rejected"),
    Mark.FAILED: ("uppgivet", "given up"),
    Mark.STOPPED: ("stoppat", "stopped"),
    Mark.RETRACTED: ("återtaget", "taken back"),
    Mark.MISDIRECTED: ("felsänt", "sent to the wrong unit"),
    Mark.LETTER: ("per brev", "by letter"),
}
_ICONS: Final = {
    Mark.HELD: "M2 0V10M7 0V10",
    Mark.RETRYING: "M9 5A4 4 0 1 1 7 1.5M7-1V2H4",
    Mark.LATE: "M5 0A5 5 0 1 0 5 10A5 5 0 1 0 5 0M5 2V5L8 6",
    Mark.PARTIAL: "M5 0A5 5 0 1 0 5 10A5 5 0 1 0 5 0M5 0V10",
    Mark.REJECTED: "M5 0A5 5 0 1 0 5 10A5 5 0 1 0 5 0M1.5 1.5L8.5 8.5",
    Mark.FAILED: "M0 0L10 10M10 0L0 10",
    Mark.STOPPED: "M0 0H10V10H0z",
    Mark.RETRACTED: "M10 8V4H1M4 1L1 4L4 7",
    Mark.MISDIRECTED: "M1 1L9 9M9 3V9H3",
    Mark.LETTER: "M0 1H10V9H0zM0 1L5 6L10 1",
}
"""The signs, each in a square of ten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A message, or a receipt for one, from one lane to another.

    ``label`` is what it is called in Swedish and in English, ``is_receipt`` whether it answers that a message came.
    ``message_id`` is the id of what was sent; only its first eight signs are shown.
    """

    at: datetime
    from_lane: str
    to_lane: str
    label: tuple[str, str]
    message_id: str
    is_receipt: bool = False
    mark: Mark | None = None


@dataclass(frozen=True, slots=True)
class Diagram:
    """A drawing, the sentences that say the same and more, and how many of the earliest steps are not drawn."""

    svg: Markup
    sentences: tuple[str, ...]
    left_out: int


_TIMES, _LANE, _TOP, _ROW, _SIGN = 116.0, 190.0, 44.0, 46.0, 7.2


def diagram(
    steps: Iterable[Step], titles: Mapping[str, str], language: Language, *, name: str = "conversation"
) -> Diagram:
    """Return the conversation of ``steps``, the earliest first; ``titles`` are what the lanes are called.

    Lanes stand in the order in which they take part. One without a title is called by its own name.
    """
    every = sorted(steps, key=lambda step: step.at)
    shown = every[-MOST_STEPS:]
    left_out = len(every) - len(shown)
    lanes = list(dict.fromkeys(lane for step in shown for lane in (step.from_lane, step.to_lane)))
    top = _TOP + (20 if left_out else 0)
    bottom = top + _ROW * len(shown)
    note = _left_out(left_out, language)
    body = [words(0, 12, note, "drawn-number") if left_out else Markup("")]
    body += [_lane(place, titles.get(lane, lane), top, bottom) for place, lane in enumerate(lanes)]
    body += [_step(step, lanes, top + _ROW * place, language) for place, step in enumerate(shown)]
    svg = picture(
        name,
        kind="sequence",
        language=language,
        size=(_TIMES + _LANE * max(1, len(lanes)), bottom + 8),
        title=language.say("Ärendets meddelanden i ordning", "The messages of the case in order"),
        desc=" ".join(part for part in (_summary(every, language), note) if part),
        body=together(*body),
    )
    return Diagram(svg, tuple(_sentence(step, titles, language) for step in every), left_out)


# --- in words -------------------------------------------------------------------------------------------------------


def _left_out(many: int, language: Language) -> str:
    if not many:
        return ""
    if many == 1:
        return language.say(
            "1 tidigare meddelande är inte ritat; det står i listan.",
            "1 earlier message is not drawn; the list has it.",
        )
    return language.say(
        "{many} tidigare meddelanden är inte ritade; de står i listan.",
        "{many} earlier messages are not drawn; the list has them.",
        many=many,
    )


def _summary(steps: Sequence[Step], language: Language) -> str:
    if not steps:
        return language.say("Inga meddelanden än.", "No messages yet.")
    receipts = sum(step.is_receipt for step in steps)
    marked = sum(step.mark is not None for step in steps)
    return language.say(
        "Meddelanden: {messages}. Kvittenser: {receipts}. Med anmärkning: {marked}. Listan säger detsamma i ord.",
        "Messages: {messages}. Receipts: {receipts}. With a remark: {marked}. The list says the same in words.",
        messages=len(steps) - receipts,
        receipts=receipts,
        marked=marked,
    )


def _sentence(step: Step, titles: Mapping[str, str], language: Language) -> str:
    said = {
        "at": written(step.at),
        "sender": titles.get(step.from_lane, step.from_lane),
        "recipient": titles.get(step.to_lane, step.to_lane),
        "label": language.say(*step.label),
        "id": step.message_id[:8],
    }
    if step.is_receipt:
        text = language.say(
            "{at}: {sender} svarade {recipient}: {label} (id {id}).",
            "{at}: {sender} answered {recipient}: {label} (id {id}).",
            **said,
        )
    else:
        text = language.say(
            "{at}: {sender} till {recipient}: {label} (id {id}).",
            "{at}: {sender} to {recipient}: {label} (id {id}).",
            **said,
        )
    if step.mark is None:
        return text
    return text + language.say(" Läge: {word}.", " State: {word}.", word=language.say(*_WORDS[step.mark]))


# --- drawn ----------------------------------------------------------------------------------------------------------


def _middle(place: int) -> float:
    return _TIMES + _LANE * (place + 0.5)


def _lane(place: int, title: str, top: float, bottom: float) -> Markup:
    x = _middle(place)
    return together(
        words(x, top - 18, clipped(title, int(_LANE / 8)), "drawn-heading", "middle"),
        element("path", d=f"M{number(x)} {number(top - 10)}V{number(bottom)}", class_="drawn-lane"),
    )


def _step(step: Step, lanes: Sequence[str], top: float, language: Language) -> Markup:
    """Draw one step: its time to the left, what it is above its arrow, and below that what is to be seen about it."""
    first, last = lanes.index(step.from_lane), lanes.index(step.to_lane)
    start, end, y = _middle(first), _middle(last), top + 18
    middle = (start + end) / 2 if first != last else start
    short = step.message_id[:8]
    room = int(max(abs(end - start), _LANE) / _SIGN) - len(short) - 3
    label = f"{clipped(language.say(*step.label), room)} · {short}"
    parts = [
        words(0, y + 4, written(step.at), "drawn-number"),
        _arrow(start, end, y, is_receipt=step.is_receipt),
        words(middle, y - 6, label, "drawn-label", "middle"),
    ]
    if step.mark is not None:
        said = language.say(*_WORDS[step.mark])
        left = middle - (len(said) * _SIGN + 14) / 2
        icon = element("path", d=_ICONS[step.mark], class_="drawn-icon", fill="none", stroke="currentColor")
        parts.append(element("g", icon, transform=f"translate({number(left)} {number(y + 6)})"))
        parts.append(words(left + 14, y + 16, said, "drawn-label drawn-mark"))
    return together(*parts)


def _arrow(start: float, end: float, y: float, *, is_receipt: bool) -> Markup:
    """Draw an arrow with a filled head; that of a receipt is dashed, with an open one."""
    back = -7.0 if start < end else 7.0  # from the tip to where the head begins
    if start == end:  # to itself
        line, at = f"M{number(start)} {number(y)}h26v10h-19", y + 10
    else:
        line, at = f"M{number(start)} {number(y)}H{number(end + back)}", y
    dashes = "5 4" if is_receipt else None
    head = f"M{number(end + back)} {number(at - 4)}L{number(end)} {number(at)}L{number(end + back)} {number(at + 4)}"
    return together(
        element("path", d=line, class_="drawn-arrow", fill="none", stroke="currentColor", stroke_dasharray=dashes),
        element("path", d=head, class_="drawn-arrow", fill="none", stroke="currentColor")
        if is_receipt
        else element("path", d=f"{head}z", class_="drawn-head"),
    )
