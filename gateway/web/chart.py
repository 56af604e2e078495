"""The charts of the overview: what was sent, came and was acknowledged hour by hour, and how long answers took.

Each is a drawing and the table that says the same. Every series has a panel of its own with its name beside it, and
marks differ by shape, so that nothing is told by colour alone. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from markupsafe import Markup

from gateway.hour import Hour, all_waits, busiest, in_full, name_of, percentile
from gateway.lifecycle import Level
from gateway.metrics import WAIT_BUCKETS
from gateway.web.drawing import TableTwin, element, number, picture, together, words
from gateway.web.language import Language
from gateway.web.spans import about, count

HALF: Final = 0.5
MOST: Final = 0.95
"""The shares of answers that are told of: half of them, and all but a few."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart, and the table that says the same."""

    svg: Markup
    table: TableTwin


Draw = Callable[[Sequence[Hour], Language], Chart]
"""Draws a chart of hours that follow on each other."""

_SERIES: Final = (
    ("sent", "Skickade", "Sent"),
    ("acknowledged", "Kvitterade av mottagaren", "Acknowledged by the recipient"),
    ("received", "Mottagna", "Received"),
    ("taken", "Kvitterade här", "Acknowledged here"),
)
"""What is counted, in the order of its panels: the names of :class:`Hour`."""
_LEVELS: Final = {
    Level.RECEIVED: ("Mottaget", "Received"),
    Level.REGISTERED: ("Registrerat", "Registered"),
    Level.ACKNOWLEDGED: ("Kvitterat", "Acknowledged"),
}

_WIDTH: Final = 720.0
_LEFT, _RIGHT = 62.0, 712.0
_HEADING = 28.0
_BARS, _WAITS = 36.0, 96.0
_GAP = 8.0
_AXIS = 20.0


# --- messages -------------------------------------------------------------------------------------------------------


def traffic(hours: Sequence[Hour], language: Language, *, name: str = "traffic") -> Chart:
    """Return the chart of what was sent, received and acknowledged in each of ``hours``, which follow on each other."""
    say = language.say
    title = say("Meddelanden per timme", "Messages per hour") + _from_to(hours, language)
    body = [_hatch(name)]
    for place, (series, sv, en) in enumerate(_SERIES):
        top = place * (_HEADING + _BARS + _GAP)
        body.append(_bars(hours, series, say(sv, en), top, language, f"{name}-hatch"))
    bottom = len(_SERIES) * (_HEADING + _BARS + _GAP) - _GAP
    body.append(_axis(hours, bottom))
    svg = picture(
        name,
        kind="traffic",
        language=language,
        size=(_WIDTH, bottom + _AXIS),
        title=title,
        desc=" ".join(_told(hours, language)),
        body=together(*body),
    )
    columns = (say("Timme", "Hour"), *(say(sv, en) for _, sv, en in _SERIES))
    rows = tuple(
        (in_full(hour.at), *(count(getattr(hour, series), language) for series, _, _ in _SERIES)) for hour in hours
    )
    return Chart(svg, TableTwin(title, columns, rows))


def _told(hours: Sequence[Hour], language: Language) -> Iterator[str]:
    for series, sv, en in _SERIES:
        total = count(sum(getattr(hour, series) for hour in hours), language)
        most = busiest(hours, series)
        peak = (
            language.say(", flest kl. {hour} ({number})", ", most at {hour} ({number})").format(
                hour=name_of(most.at), number=count(getattr(most, series), language)
            )
            if most is not None
            else ""
        )
        yield f"{language.say(sv, en)}: {total}{peak}."
    yield language.say("Siffrorna står i tabellen.", "The table has the numbers.")


def _bars(hours: Sequence[Hour], series: str, title: str, top: float, language: Language, hatch: str) -> Markup:
    """Draw one panel: its heading with the sum, a bar for each hour, and the number of the tallest one above it."""
    values = [getattr(hour, series) for hour in hours]
    base, most, slot = top + _HEADING + _BARS, max(values, default=0), _slot(hours)
    path = "".join(
        f"M{number(_LEFT + place * slot + 3)} {number(base)}v{number(-_tall(value, most))}"
        f"h{number(slot - 6)}v{number(_tall(value, most))}z"
        for place, value in enumerate(values)
        if value
    )
    # What was acknowledged is hatched, beside what it is an answer to.
    is_answer = series in ("acknowledged", "taken")
    parts = [words(0, top + 12, f"{title}: {count(sum(values), language)}", "drawn-heading")]
    if path:
        fill = f"url(#{hatch})" if is_answer else None
        parts.append(element("path", d=path, class_=f"drawn-bar {series}", fill=fill))
        tallest = values.index(most)
        at = _LEFT + (tallest + 0.5) * slot
        parts.append(words(at, base - _BARS - 3, count(most, language), "drawn-number", "middle"))
    parts.append(element("path", d=f"M{number(_LEFT)} {number(base)}H{number(_RIGHT)}", class_="drawn-line"))
    return together(*parts)


def _tall(value: int, most: int) -> float:
    """Return how tall a bar is: at least so that one sees it."""
    return max(1.5, _BARS * value / most)


def _hatch(name: str) -> Markup:
    stripe = element("path", d="M0 4L4 0M-1 1L1 -1M3 5L5 3", class_="drawn-stripe")
    pattern = element("pattern", stripe, id=f"{name}-hatch", width=4, height=4, patternUnits="userSpaceOnUse")
    return element("defs", pattern)


# --- waits ----------------------------------------------------------------------------------------------------------

_TICKS: Final = (1, 60, 3_600, 86_400, WAIT_BUCKETS[-1])
_LONGEST: Final = WAIT_BUCKETS[-1]


def waits(hours: Sequence[Hour], language: Language, *, name: str = "waits") -> Chart:
    """Return the chart of how long answers took at each level, for those that came in each of ``hours``.

    It tells in how long half of them came, and 95 % of them, on a logarithmic scale from a second to seven days; what
    took longer stands at its end.
    """
    say = language.say
    title = say("Tid till svar per nivå", "Time to answer by level") + _from_to(hours, language)
    body = [_legend(language)]
    told = []
    top = 20.0  # below the legend
    for level in Level:
        heading = _summary(hours, level, language)
        told.append(f"{heading}.")
        body += [words(0, top + 12, heading, "drawn-heading"), _scale(top + _HEADING, language)]
        body.append(_marks(hours, level, top + _HEADING))
        top += _HEADING + _WAITS + _GAP
    bottom = top - _GAP
    body.append(_axis(hours, bottom))
    told.append(say("Siffrorna står i tabellen.", "The table has the numbers."))
    svg = picture(
        name,
        kind="waits",
        language=language,
        size=(_WIDTH, bottom + _AXIS),
        title=title,
        desc=" ".join(told),
        body=together(*body),
    )
    return Chart(svg, TableTwin(title, _wait_columns(language), tuple(_wait_rows(hours, language))))


def _wait_columns(language: Language) -> tuple[str, ...]:
    columns = [language.say("Timme", "Hour")]
    for sv, en in _LEVELS.values():
        level = language.say(sv, en)
        columns += [
            language.say(f"{level}: antal", f"{level}: number"),
            language.say(f"{level}: hälften inom", f"{level}: half within"),
            language.say(f"{level}: 95 % inom", f"{level}: 95% within"),
        ]
    return tuple(columns)


def _wait_rows(hours: Sequence[Hour], language: Language) -> Iterator[tuple[str, ...]]:
    each = [(in_full(hour.at), {level: hour.waits.get(level, {}) for level in Level}) for hour in hours]
    whole = (language.say("Alla timmar", "All hours"), {level: all_waits(hours, level) for level in Level})
    for name, steps in (*each, whole):
        cells = [
            cell
            for level in Level
            for cell in (
                count(sum(steps[level].values()), language),
                about(percentile(steps[level], HALF), language),
                about(percentile(steps[level], MOST), language),
            )
        ]
        yield (name, *cells)


def _summary(hours: Sequence[Hour], level: Level, language: Language) -> str:
    title, steps = language.say(*_LEVELS[level]), all_waits(hours, level)
    if not steps:
        return language.say("{level}: inga svar", "{level}: no answers", level=title)
    return language.say(
        "{level}: hälften inom {half}, 95 % inom {most}",
        "{level}: half within {half}, 95% within {most}",
        level=title,
        half=about(percentile(steps, HALF), language),
        most=about(percentile(steps, MOST), language),
    )


def _legend(language: Language) -> Markup:
    """Draw what the two marks mean."""
    half, most = language.say("hälften inom", "half within"), language.say("95 % inom", "95% within")
    return together(
        element("path", d=_dot(_LEFT + 6, 8), class_="drawn-half"),
        words(_LEFT + 16, 12, half, "drawn-number"),
        element("path", d=_triangle(_LEFT + 126, 8), class_="drawn-most", fill="none", stroke="currentColor"),
        words(_LEFT + 136, 12, most, "drawn-number"),
    )


def _scale(top: float, language: Language) -> Markup:
    """Draw the lines of a scale, with their names to the left."""
    lines = "".join(f"M{number(_LEFT)} {number(top + _depth(tick))}H{number(_RIGHT)}" for tick in _TICKS)
    names = [
        words(_LEFT - 6, top + _depth(tick) + 4, about(timedelta(seconds=tick), language), "drawn-number", "end")
        for tick in _TICKS
    ]
    return together(element("path", d=lines, class_="drawn-line"), *names)


def _marks(hours: Sequence[Hour], level: Level, top: float) -> Markup:
    """Draw for each hour a dot at half of its answers, and on a stem above it a triangle at most of them."""
    dots, triangles, stems = [], [], []
    for place, hour in enumerate(hours):
        half, most = hour.wait(level, HALF), hour.wait(level, MOST)
        if half is None or most is None:
            continue
        x = _LEFT + (place + 0.5) * _slot(hours)
        low, high = top + _depth(half.total_seconds()), top + _depth(most.total_seconds())
        dots.append(_dot(x, low))
        triangles.append(_triangle(x, high))
        stems.append(f"M{number(x)} {number(low)}V{number(high)}")
    if not dots:
        return Markup("")
    return together(
        element("path", d="".join(stems), class_="drawn-stem", stroke="currentColor"),
        element("path", d="".join(dots), class_="drawn-half"),
        element("path", d="".join(triangles), class_="drawn-most", fill="none", stroke="currentColor"),
    )


def _depth(seconds: float) -> float:
    """Return how far below the top of its panel a length of time stands."""
    share = math.log(max(1.0, min(seconds, _LONGEST))) / math.log(_LONGEST)
    return _WAITS * (1 - share)


def _dot(x: float, y: float) -> str:
    return f"M{number(x - 3)} {number(y)}a3 3 0 1 0 6 0a3 3 0 1 0-6 0z"


def _triangle(x: float, y: float) -> str:
    return f"M{number(x - 4)} {number(y + 3)}h8l-4-7z"


# --- hours ----------------------------------------------------------------------------------------------------------


def _from_to(hours: Sequence[Hour], language: Language) -> str:
    if not hours:
        return ""
    first, last = in_full(hours[0].at), in_full(hours[-1].at)
    return language.say(f", från {first} till och med {last}", f", from {first} up to and including {last}")


def _slot(hours: Sequence[Hour]) -> float:
    """Return how wide an hour is."""
    return (_RIGHT - _LEFT) / max(1, len(hours))


def _axis(hours: Sequence[Hour], top: float) -> Markup:
    """Draw the names of every third hour."""
    names = [name_of(hour.at) for hour in hours]
    return together(
        *(
            words(_LEFT + (place + 0.5) * _slot(hours), top + 14, name, "drawn-number", "middle")
            for place, name in enumerate(names)
            if place % 3 == 0
        )
    )
