"""Opening, creating and upgrading the store."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, MetaData, inspect, text

from monitor.domain.errors import InvalidConfiguration, StoreUnavailable
from monitor.store import migrate, schema
from monitor.store.engine import connect, open_engine, reading, upgrade, writing


def _shape(engine: Engine) -> dict[str, object]:
    """What a database holds, as plain comparable text."""
    seen = MetaData()
    seen.reflect(engine)
    return {
        name: (
            sorted((c.name, str(c.type), getattr(c.type, "collation", None), c.nullable) for c in table.columns),
            [c.name for c in table.primary_key],
            sorted((index["name"], tuple(index["column_names"])) for index in inspect(engine).get_indexes(name)),
            sorted(str(unique["column_names"]) for unique in inspect(engine).get_unique_constraints(name)),
        )
        for name, table in seen.tables.items()
        if name != migrate.VERSION_TABLE
    }


def test_the_migrations_make_the_tables_of_the_schema_and_take_them_down_again(empty_url: str) -> None:
    engine = open_engine(empty_url)
    migrated = _shape(engine)
    assert migrated.keys() == schema.metadata.tables.keys()
    with writing(engine) as connection:
        migrate.take_down(connection)
    assert _shape(engine) == {}
    schema.metadata.create_all(engine)
    assert _shape(engine) == migrated
    engine.dispose()


def test_the_first_start_creates_and_the_second_changes_nothing(empty_url: str) -> None:
    assert upgrade(empty_url) == migrate.head()
    before = open_engine(empty_url)
    try:
        with writing(before) as connection:
            connection.execute(schema.audit_log.insert(), _AUDIT)
        assert upgrade(empty_url) == migrate.head()
        with reading(before) as connection:
            assert connection.execute(schema.audit_log.select()).one().actor == "ann"
    finally:
        before.dispose()


def test_a_store_of_the_first_release_is_upgraded_with_all_that_is_in_it(empty_url: str) -> None:
    engine = open_engine(empty_url)
    newest = _shape(engine)
    with writing(engine) as connection:
        migrate.take_down(connection, "0001")
        connection.execute(schema.audit_log.insert(), _AUDIT)
    assert _shape(engine) != newest
    open_engine(empty_url).dispose()
    assert _shape(engine) == newest
    with reading(engine) as connection:
        assert connection.execute(schema.audit_log.select()).one().actor == "ann"
    engine.dispose()


_AUDIT = {"at_us": 1, "actor": "ann", "action": "looked", "subject": "", "detail": ""}


def test_several_first_starts_at_once_create_it_once(empty_url: str) -> None:
    found: list[str | Exception] = []

    def start() -> None:
        try:
            found.append(upgrade(empty_url))
        except Exception as error:
            found.append(error)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [migrate.head()] * 4


def test_a_store_of_a_newer_release_is_refused_with_the_way_out(empty_url: str) -> None:
    engine = open_engine(empty_url)
    with writing(engine) as connection:
        connection.execute(text(f"UPDATE {migrate.VERSION_TABLE} SET version_num = '9999'"))
    with pytest.raises(InvalidConfiguration, match=r"schema 9999.*upgrade Bellwether, or name another database"):
        open_engine(empty_url)
    engine.dispose()


@pytest.mark.parametrize(
    "url",
    ["", "store.db", "mysql://host/db", "sqlite://", "sqlite:///:memory:", "postgresql://user:secret@host:port/db"],
)
def test_what_is_no_address_is_refused_by_name_and_never_shown(url: str) -> None:
    with pytest.raises(InvalidConfiguration, match=r"store\.url") as refused:
        open_engine(url)
    assert "secret" not in str(refused.value)


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "store.db").write_text("not a database, whatever its name says" * 100)
    with pytest.raises(StoreUnavailable, match=r"store\.db.*not a database"):
        open_engine(f"sqlite:///{tmp_path / 'store.db'}")


@pytest.mark.postgres
def test_a_server_that_does_not_answer_is_named_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="did not answer") as away:
        open_engine(f"postgresql://bellwether:secret@/bellwether?host={tmp_path}")
    assert "secret" not in str(away.value)


@pytest.mark.postgres
def test_a_restarted_connection_is_replaced_without_an_error(postgres_server: str) -> None:
    engine = connect(postgres_server)
    try:
        with reading(engine) as connection:
            own = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        other = connect(postgres_server)
        with writing(other) as connection:
            connection.execute(text("SELECT pg_terminate_backend(:own)"), {"own": own})
        other.dispose()
        with reading(engine) as connection:
            assert connection.execute(text("SELECT 1")).scalar_one() == 1
    finally:
        engine.dispose()


def test_what_fails_halfway_leaves_nothing(engine: Engine) -> None:
    def fail(connection: Connection) -> None:
        connection.execute(schema.audit_log.insert(), _AUDIT)
        msg = "killed"
        raise RuntimeError(msg)

    with pytest.raises(RuntimeError, match="killed"), writing(engine) as connection:
        fail(connection)
    with reading(engine) as connection:
        assert connection.execute(schema.audit_log.select()).all() == []


def test_sqlite_keeps_a_write_ahead_log_so_that_readers_never_wait(sqlite_template: Path, tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(sqlite_template.read_bytes())
    engine = open_engine(f"sqlite:///{path}")
    try:
        with writing(engine) as writer:
            writer.execute(schema.audit_log.insert(), _AUDIT)
            with reading(engine) as reader:
                assert reader.execute(schema.audit_log.select()).all() == []
    finally:
        engine.dispose()
    with sqlite3.connect(path) as plain:
        assert plain.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    plain.close()
