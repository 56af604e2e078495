"""Drawings for pages: SVG that a screen reader reads as a picture with a name, and a table or text that says the same.

Everything that is drawn is escaped. Nothing has a style of its own, which the pages' content security policy forbids:
the classes stand in ``drawn.css``, and without it a drawing is still one, in the colour of the text around it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from markupsafe import Markup, escape

from gateway.web.language import Language

_SVG: Final = Markup(
    '<svg xmlns="http://www.w3.org/2000/svg" class="drawn {kind}" role="img" lang="{lang}" width="{width}" '
    'height="{height}" viewBox="0 0 {width} {height}" fill="currentColor" aria-labelledby="{name}-title {name}-desc">'
    '<title id="{name}-title">{title}</title><desc id="{name}-desc">{desc}</desc>{body}</svg>'
)


@dataclass(frozen=True, slots=True)
class TableTwin:
    """A table that says what a drawing shows; the first cell of each row is its header."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def picture(
    name: str, *, kind: str, language: Language, size: tuple[float, float], title: str, desc: str, body: Markup
) -> Markup:
    """Return a drawing. ``name`` stands in its ids, and is to be unique on the page; ``kind`` is its class."""
    width, height = (number(one) for one in size)
    return _SVG.format(
        name=name, kind=kind, lang=language.value, width=width, height=height, title=title, desc=desc, body=body
    )


def element(tag: str, *inside: str, **attributes: object) -> Markup:
    """Return an element around ``inside``, of which only :class:`Markup` stays as it is.

    ``class_`` is ``class``, and other underscores are hyphens. Attributes that are ``None`` are left out.
    """
    said = Markup("").join(
        Markup(' {}="{}"').format(
            name.rstrip("_").replace("_", "-"), number(value) if isinstance(value, int | float) else value
        )
        for name, value in attributes.items()
        if value is not None
    )
    if not inside:
        return Markup("<{}{}/>").format(tag, said)
    return Markup("<{0}{1}>{2}</{0}>").format(tag, said, together(*inside))


def together(*parts: str) -> Markup:
    """Return parts one after the other, escaped where they are not markup."""
    return Markup("").join(escape(part) for part in parts)


def words(x: float, y: float, text: str, class_: str | None = None, anchor: str | None = None) -> Markup:
    """Return a line of text that begins at a place; ``anchor`` is ``middle`` or ``end`` where it does not begin there.

    What steers and is no sign, which a partner may have written, is a dot.
    """
    safe = "".join(sign if sign.isprintable() or sign == "\N{NO-BREAK SPACE}" else "·" for sign in text)
    return element("text", safe, x=x, y=y, class_=class_, text_anchor=anchor)


def number(value: float) -> str:
    """Return a length as short as it may be: to a tenth."""
    return f"{value + 0.0:.1f}".removesuffix(".0")


def clipped(text: str, most: int) -> str:
    """Return ``text`` in at most ``most`` signs, with an ellipsis where it was longer."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
