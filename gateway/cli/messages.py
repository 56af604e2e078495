"""``gateway messages resend|discard|restore``: what people decide about messages that have failed or are stuck."""

from __future__ import annotations

from typing import Final

from gateway.actions import Verb
from gateway.cli.console import ConfigOption, DirectoryOption, DryRun, Json, StoreOption
from gateway.cli.items import ByOption, ItemsArgument, ReasonOption, UnitOption, carry_out
from gateway.cli.ledger import app as ledger_app
from gateway.cli.ledger import existing
from gateway.discarding import discard, restore
from gateway.sending_again import resend

app = ledger_app
"""The commands of the ledger, which these are among."""

_COMMANDS: Final[tuple[tuple[str, Verb, str, str], ...]] = (
    (
        "resend",
        resend,
        "message.resent",
        """Send again what was given up or is stuck, under the same id, at most three times each.

        What waits for the own case system is handed over at once. Ends with 5 when all is refused, with 8 when some is.
        """,
    ),
    (
        "discard",
        discard,
        "message.discarded",
        """Let nobody look at failures any more: they are kept, and have no deadline until they are restored.

        A dry run says what that means for each. Ends with 5 when all is refused, with 8 when some is.
        """,
    ),
    (
        "restore",
        restore,
        "message.restored",
        (
            "Show again what was discarded, with the deadline it had. "
            "Ends with 5 when all is refused, with 8 when some is."
        ),
    ),
)
"""Each command: its name, what it does, the word of the log, and its help."""


def _add(name: str, verb: Verb, word: str, told: str) -> None:
    """Add a command that does ``verb`` to the items that are named."""

    @app.command(name, help=told)
    def command(
        ids: ItemsArgument,
        by: ByOption,
        reason: ReasonOption,
        unit: UnitOption = None,
        dry_run: DryRun = False,
        store: StoreOption = None,
        config: ConfigOption = None,
        directory: DirectoryOption = None,
        as_json: Json = False,
    ) -> None:
        settings = existing(store, config, directory=directory)
        carry_out(settings, verb, ids, word=word, unit=unit, by=by, reason=reason, dry_run=dry_run, as_json=as_json)


for _command in _COMMANDS:
    _add(*_command)
