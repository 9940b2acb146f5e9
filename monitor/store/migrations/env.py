"""Alembic's entry: runs on the connection that `monitor.store.migrate` gives, inside its transaction."""

from __future__ import annotations

from alembic import context

from monitor.store.migrate import VERSION_TABLE
from monitor.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=True,
    render_as_batch=True,
)
context.run_migrations()
