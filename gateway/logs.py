"""The log: JSON lines with ids and codes, or the same made pretty for whoever sits at a terminal.

What libraries log is let through as who spoke and how serious it is: their sentences may repeat content of a message.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

import structlog


class _Libraries(logging.Handler):
    """Turns the records of libraries into lines of the log."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line: the library, the kind of error, and its sentence before anything was filled into it."""
        template = record.msg if isinstance(record.msg, str) and record.args else None
        kind = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
        said = structlog.get_logger(record.name)
        said.log(record.levelno, "library.said", library=record.name, template=template, error=kind)


@contextmanager
def logging_to(stream: TextIO, form: str = "json", level: str = "info") -> Iterator[None]:
    """Write the log to ``stream`` while the block runs; ``form`` is ``auto``, ``json`` or ``pretty``.

    ``level`` is the least serious that is written: ``debug`` also tells of each message at each hop.
    """
    pretty = form == "pretty" or (form == "auto" and stream.isatty())
    last: tuple[Any, ...] = (
        (structlog.dev.ConsoleRenderer(colors=stream.isatty()),)
        if pretty
        else (structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False))
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            *last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(stream),
    )
    libraries = _Libraries(logging.WARNING)
    logging.getLogger().addHandler(libraries)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(libraries)
        structlog.reset_defaults()
