"""Alembic's entry: runs the migrations in the transaction that ``gateway.store.migrate`` has opened."""

from __future__ import annotations

from alembic import context

from gateway.store import (
    access_tables,
    adapter_tables,
    answer_tables,
    decision_tables,
    observation_tables,
    operation_tables,
)

# A module that makes some of the tables must be loaded before they are known; all stand in one and the same metadata.
_TABLES = (
    adapter_tables.pause,
    access_tables.audit,
    observation_tables.tally,
    decision_tables.decision,
    answer_tables.kept_answer,
    operation_tables.operation,
)
(_METADATA,) = {table.metadata for table in _TABLES}

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=_METADATA,
    render_as_batch=True,
    transaction_per_migration=False,
)
context.run_migrations()
