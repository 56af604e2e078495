"""Alembic's entry: runs the migrations in the transaction that ``gateway.store.migrate`` has opened."""

from __future__ import annotations

from alembic import context

from gateway.store import adapter_tables, observation_tables

# Importing them is what makes their tables known; all stand in one and the same metadata.
assert adapter_tables.pause.metadata is observation_tables.tally.metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=adapter_tables.pause.metadata,
    render_as_batch=True,
    transaction_per_migration=False,
)
context.run_migrations()
