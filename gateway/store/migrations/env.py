"""Alembic's entry: runs the migrations in the transaction that ``gateway.store.migrate`` has opened."""

from __future__ import annotations

from alembic import context

from gateway.store import adapter_tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=adapter_tables.fetch_mark.metadata,
    render_as_batch=True,
    transaction_per_migration=False,
)
context.run_migrations()
