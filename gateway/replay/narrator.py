"""Telling a play as it happens: a table that fills in on a terminal, a line at a time elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from rich.console import Console
from rich.live import Live
from rich.table import Table

from gateway.clock import STOCKHOLM
from gateway.directory import Directory
from gateway.envelope import ACKNOWLEDGEMENT
from gateway.messages import TYPES
from gateway.progress import Hop, Passage
from gateway.replay.scenario import Step

_SAID = {
    Hop.EVENT_STORED: "event kept, message promised",
    Hop.EVENT_REFUSED: "event refused, kept with its reasons",
    Hop.SENT: "sent: the exchange confirmed and routed it",
    Hop.RECEIVED: "received: validated and stored",
    Hop.REGISTERED: "registered: the case system gave its record id",
    Hop.VERDICT: "the answer has come",
    Hop.NOTED: "step written in the case system's log",
}

_COLUMNS = ("sent", "received", "registered", "acknowledged")


class Narrator:
    """Observes a play and tells it to a console."""

    def __init__(self, console: Console, directory: Directory) -> None:
        self._console = console
        self._directory = directory
        self._live: Live | None = None
        self._told = ""
        self._reached: dict[tuple[str, str, str], set[str]] = {}

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Keep the table up to date while the block runs, where the console is a terminal."""
        if not self._console.is_terminal:
            yield
            return
        with Live(self._table(), console=self._console, refresh_per_second=10, transient=True) as self._live:
            yield

    def step(self, step: Step) -> None:
        """Tell that a case system is about to say something."""
        at: datetime = step.at.astimezone(STOCKHOLM)
        self._told = f"{at:%Y-%m-%d %H:%M} {step.system} → {step.file_name}"
        if self._live is None:
            self._console.print(self._told, highlight=False, style="bold")

    def observe(self, passage: Passage) -> None:
        """Tell what a message has passed. Acknowledgements are told as what they say, not as messages."""
        if passage.type == ACKNOWLEDGEMENT or passage.hop not in _SAID:
            return
        if self._live is None:
            self._say(passage)
        else:
            self._mark(passage)
            self._live.update(self._table())

    def _say(self, passage: Passage) -> None:
        unit = self._directory.units.get(passage.unit or "")
        about = " → ".join(part for part in (passage.type, unit.title if unit else None) if part)
        answer = f": {passage.detail}" if passage.hop is Hop.VERDICT else ""
        self._console.print(
            f"  {passage.party:<7} {_SAID[passage.hop]}{answer}  {about}", highlight=False, markup=False
        )

    def _mark(self, passage: Passage) -> None:
        if passage.message_id is None or passage.type is None or passage.unit is None:
            return
        level = "sent" if passage.hop is Hop.SENT else None
        if passage.hop is Hop.VERDICT and passage.detail is not None:
            level, _, verdict = passage.detail.partition("/")
            level = level if verdict == "accepted" else None
        if level is not None:
            self._reached.setdefault((passage.message_id, passage.type, passage.unit), set()).add(level)

    def _table(self) -> Table:
        table = Table("Meddelande", "Mottagare", "Skickat", "Mottaget", "Registrerat", "Kvitterat", title=self._told)
        for (_, type_name, unit), levels in self._reached.items():
            known = self._directory.units.get(unit)
            ticks = ("[green]✓[/]" if column in levels else "[dim]…[/]" for column in _COLUMNS)
            table.add_row(TYPES[type_name].title_sv, known.title if known else unit, *ticks)
        return table
