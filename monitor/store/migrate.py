"""Migrations: which revision a database has, and bringing it to this release's."""

from __future__ import annotations

from pathlib import Path

import structlog
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from monitor.domain.errors import InvalidConfiguration

__all__ = ["VERSION_TABLE", "bring_up_to_date", "head", "revision_of", "take_down"]

_log = structlog.get_logger(__name__)

VERSION_TABLE = "bellwether_schema"
"""Where the revision stands; its own name, so that the database may hold other things."""

_LOCK = 0x62656C6C
"""Key of PostgreSQL's advisory lock during an upgrade ("bell")."""


def bring_up_to_date(connection: Connection) -> None:
    """Create or upgrade the schema inside the caller's transaction, which must hold the write lock on SQLite.

    Raises:
        InvalidConfiguration: The database was written by a newer release.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    found, target = revision_of(connection), head()
    if found == target:
        return
    if found is not None and found not in _known():
        msg = (
            f"`store.url` holds schema {found}, this release knows up to {target}; "
            "upgrade Bellwether, or name another database"
        )
        raise InvalidConfiguration(msg)
    configuration = _configuration()
    configuration.attributes["connection"] = connection
    command.upgrade(configuration, "head")
    _log.info("store upgraded", before=found or "empty", now=target)


def take_down(connection: Connection, revision: str = "base") -> None:
    """Undo the migrations after `revision` inside the caller's transaction; ``base`` takes every table down."""
    configuration = _configuration()
    configuration.attributes["connection"] = connection
    command.downgrade(configuration, revision)


def revision_of(connection: Connection) -> str | None:
    """Return the revision of the database, or None for an empty one."""
    return MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()


def head() -> str:
    """Return the revision that this release writes."""
    found = ScriptDirectory.from_config(_configuration()).get_current_head()
    assert found is not None
    return found


def _known() -> set[str]:
    return {script.revision for script in ScriptDirectory.from_config(_configuration()).walk_revisions()}


def _configuration() -> Config:
    configuration = Config()
    configuration.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    configuration.set_main_option("path_separator", "os")
    return configuration
