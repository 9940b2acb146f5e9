"""Bulk writes by key, the same on both databases."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

__all__ = ["Row", "insert_new", "upsert"]

Row: TypeAlias = dict[str, Any]
"""Values by the name of their column."""

Guard: TypeAlias = Callable[[Any], ColumnElement[bool]]
"""Given what would be inserted, tells whether the row that is there may be replaced."""


def insert_new(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows; one whose key is there already is left as it is."""
    if rows:
        connection.execute(_insert(connection, table).on_conflict_do_nothing(), _sorted(table, rows))


def upsert(connection: Connection, table: Table, rows: Sequence[Row], guard: Guard | None = None) -> None:
    """Insert rows, or replace what has the same primary key where `guard` allows it."""
    if not rows:
        return
    statement = _insert(connection, table)
    keys = [column.name for column in table.primary_key]
    statement = statement.on_conflict_do_update(
        index_elements=keys,
        set_={name: statement.excluded[name] for name in rows[0] if name not in keys},
        where=None if guard is None else guard(statement.excluded),
    )
    connection.execute(statement, _sorted(table, rows))


def _insert(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)


def _sorted(table: Table, rows: Sequence[Row]) -> list[Row]:
    """Order rows by key: concurrent writers then take PostgreSQL's row locks in one order and cannot deadlock."""
    keys = [column.name for column in table.primary_key if column.name in rows[0]]
    return sorted(rows, key=lambda row: tuple(row[key] for key in keys))
