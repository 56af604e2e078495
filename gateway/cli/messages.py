"""``gateway messages resend|discard|restore``: what people decide about messages that have failed or are stuck."""

from __future__ import annotations

from gateway.cli.console import ConfigOption, DirectoryOption, DryRun, Json, StoreOption
from gateway.cli.items import ByOption, ItemsArgument, ReasonOption, UnitOption, carry_out
from gateway.cli.ledger import app as ledger_app
from gateway.cli.ledger import existing
from gateway.discarding import discard, restore
from gateway.sending_again import resend

app = ledger_app
"""The commands of the ledger, which these are among."""


@app.command("resend")
def messages_resend(
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
    """Send again what was given up or is stuck, under the same id, at most three times each.

    What waits for the own case system is handed over at once. Ends with 5 when all is refused, with 8 when some is.
    """
    settings = existing(store, config, directory=directory)
    carry_out(
        settings,
        resend,
        ids,
        word="message.resent",
        unit=unit,
        by=by,
        reason=reason,
        dry_run=dry_run,
        as_json=as_json,
    )


@app.command("discard")
def messages_discard(
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
    """Let nobody look at failures any more: they are kept, and have no deadline until they are restored.

    A dry run says what that means for each. Ends with 5 when all is refused, with 8 when some is.
    """
    settings = existing(store, config, directory=directory)
    carry_out(
        settings,
        discard,
        ids,
        word="message.discarded",
        unit=unit,
        by=by,
        reason=reason,
        dry_run=dry_run,
        as_json=as_json,
    )


@app.command("restore")
def messages_restore(
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
    """Show again what was discarded, with the deadline it had. Ends with 5 when all is refused, with 8 when some is."""
    settings = existing(store, config, directory=directory)
    carry_out(
        settings,
        restore,
        ids,
        word="message.restored",
        unit=unit,
        by=by,
        reason=reason,
        dry_run=dry_run,
        as_json=as_json,
    )
