"""Functions made from text and compiled once, as the standard library makes the ``__init__`` of a dataclass.

A function that goes through the fields of a class by their descriptions calls another one for each field, and those
calls take longer than all that is done in them. A generated function has a line for each field instead. It is ordinary
Python: a traceback shows its lines, and a debugger steps through them.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Mapping, Sequence
from typing import Any


def function(name: str, parameter: str, lines: Sequence[str], known: Mapping[str, Any]) -> Callable[[Any], Any]:
    """Return the function of one parameter whose body is ``lines``; ``known`` are the names it finds outside.

    What stands in ``lines`` must come from the program alone: names of fields and elements, never a value.
    """
    text = "\n".join([f"def {name}({parameter}):", *(f"    {line}" for line in lines), ""])
    file = f"<generated {name}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    made: dict[str, Any] = dict(known)
    exec(compile(text, file, "exec"), made)  # noqa: S102 -- the text is made of the program's own class definitions
    return made[name]  # type: ignore[no-any-return]
