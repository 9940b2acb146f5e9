"""Opening the database: pragmas, transactions, clear errors, and the upgrade at the first start."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError, OperationalError

from monitor.domain.errors import InvalidConfiguration, StoreUnavailable
from monitor.store.migrate import bring_up_to_date

__all__ = ["connect", "open_engine", "reading", "upgrade", "writing"]

_BUSY_MS = 30_000
"""How long a SQLite writer waits for another one."""

_CONNECT_S = 10
"""How long opening a connection to PostgreSQL may take."""

_NO_ADDRESS = "`store.url` must be an address such as sqlite:///state/store.db or postgresql://user@host/bellwether"

_DRIVERS = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}


def open_engine(url: str) -> Engine:
    """Return an engine on a database that is there and up to date; the first start creates or upgrades it.

    Args:
        url: ``sqlite:///folder/store.db`` or ``postgresql://user:password@host/name``.

    Raises:
        InvalidConfiguration: `url` is no such address, or the database was written by a newer release.
        StoreUnavailable: The database did not answer.
    """
    engine = connect(url)
    try:
        with writing(engine) as connection:
            bring_up_to_date(connection)
    except BaseException:
        engine.dispose()
        raise
    return engine


def upgrade(url: str) -> str:
    """Create or upgrade the database and return its revision; what `bellwether db upgrade` does."""
    from monitor.store.migrate import revision_of

    engine = open_engine(url)
    try:
        with reading(engine) as connection:
            return revision_of(connection) or ""
    finally:
        engine.dispose()


def connect(url: str) -> Engine:
    """Return an engine without looking at what is in the database.

    Raises:
        InvalidConfiguration: `url` is no address of SQLite or PostgreSQL.
    """
    address = _address(url)
    if address.get_backend_name() == "sqlite":
        return _sqlite(address)
    engine = create_engine(address, pool_pre_ping=True, pool_recycle=1800, connect_args={"connect_timeout": _CONNECT_S})
    event.listen(engine, "connect", _plan_afresh)
    return engine


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Give a connection within one transaction that only reads: all its queries see the same moment."""
    with _translated(engine), _snapshot(engine).connect() as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Give a connection within one transaction; it is committed at the end, rolled back on any error.

    On SQLite it takes the write lock at once, so that two writers wait for each other instead of failing.
    """
    with _translated(engine), engine.connect() as connection:
        connection.execution_options(bellwether_writes=True)
        with connection.begin():
            yield connection


def _snapshot(engine: Engine) -> Engine:
    if engine.dialect.name == "sqlite":
        return engine
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


@contextmanager
def _translated(engine: Engine) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        broken = type(error) is DatabaseError  # SQLite: the file is no database, or malformed
        if broken or isinstance(error, OperationalError) or error.connection_invalidated:
            reason = " ".join(str(error.orig).split())
            msg = f"store {engine.url.render_as_string(hide_password=True)} did not answer: {reason}"
            raise StoreUnavailable(msg) from error
        raise


def _address(url: str) -> URL:
    try:
        address = make_url(url)
    except (ArgumentError, ValueError):
        raise InvalidConfiguration(_NO_ADDRESS) from None  # the cause would show what was written, passwords and all
    if address.get_backend_name() not in _DRIVERS:
        raise InvalidConfiguration(_NO_ADDRESS)
    return address.set(drivername=_DRIVERS.get(address.drivername, address.drivername))


def _sqlite(address: URL) -> Engine:
    database = address.database
    if not database or database == ":memory:":
        msg = "`store.url` must name a file for SQLite, such as sqlite:///state/store.db"
        raise InvalidConfiguration(msg)
    try:
        Path(database).expanduser().parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"the folder of `store.url` cannot be made: {error}"
        raise StoreUnavailable(msg) from error
    engine = create_engine(
        address.set(database=str(Path(database).expanduser())), connect_args={"timeout": _BUSY_MS / 1e3}
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
    _keep_a_log_ahead(cursor)
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA cache_size=-32000")
    cursor.execute("PRAGMA temp_store=MEMORY")
    cursor.close()


def _keep_a_log_ahead(cursor: Any) -> None:
    """Switch a new database to WAL; SQLite does not wait for others here, whatever its busy timeout."""
    deadline = time.monotonic() + _BUSY_MS / 1e3
    while True:
        try:
            if cursor.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def _plan_afresh(connection: Any, _record: Any) -> None:
    """Have plans made for the values asked for: one kept from when a table was empty would read all of it for ever."""
    connection.execute("SET plan_cache_mode = force_custom_plan")
    connection.commit()


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("bellwether_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
