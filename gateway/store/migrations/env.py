"""Alembic's entry: runs the migrations in the transaction that ``gateway.store.migrate`` has opened."""

from __future__ import annotations

from alembic import context

from gateway.store import access_tables, adapter_tables

# A module that makes some of the tables must be loaded before they are known.
(_METADATA,) = {table.metadata for table in (adapter_tables.fetch_mark, access_tables.audit)}

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=_METADATA,
    render_as_batch=True,
    transaction_per_migration=False,
)
context.run_migrations()
