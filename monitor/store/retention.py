"""Deleting what is older than the operator wants to keep, in batches that let writers through."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Engine, Table, and_, delete, exists, select, true, tuple_

from monitor.domain.alerts import AlertState
from monitor.domain.entities import Mention
from monitor.domain.timespans import DAY_MIN, WindowSize, from_minute
from monitor.store import schema
from monitor.store.alert_views import OPEN_STATES
from monitor.store.columns import clean, from_json, to_us
from monitor.store.engine import reading, writing
from monitor.store.rows import alert_of
from monitor.store.spans import KINDS, as_of_minute

__all__ = ["Keep", "Pruned", "prune"]

_AT_ONCE = 2_000
"""Rows deleted in one transaction: some 20 ms on a laptop."""


class Keep(NamedTuple):
    """Days to keep; None keeps for ever."""

    documents: int | None = None
    windows: int | None = None
    alerts: int | None = None


class Pruned(NamedTuple):
    """Rows deleted."""

    documents: int
    windows: int
    alerts: int


def prune(engine: Engine, run: str, keep: Keep) -> Pruned:
    """Delete what is older than `keep` says, counted back from the run's own as-of: a replay of 2014 has its own time.

    Documents go by the time they were crawled, windows by their end, alerts by their last change. Open windows, open
    alerts with the documents they cite, and alerts with something undelivered stay.
    """
    with reading(engine) as connection:
        as_of = as_of_minute(connection, run)
        cited = _cited_by_open_alerts(connection, run)
    if as_of is None:
        return Pruned(0, 0, 0)
    return Pruned(
        documents=0 if keep.documents is None else _documents(engine, run, as_of - keep.documents * DAY_MIN, cited),
        windows=0 if keep.windows is None else _windows(engine, run, as_of - keep.windows * DAY_MIN),
        alerts=0 if keep.alerts is None else _alerts(engine, run, as_of - keep.alerts * DAY_MIN),
    )


def _documents(engine: Engine, run: str, before: int, cited: list[str]) -> int:
    column, limit = schema.documents.c, to_us(from_minute(before))
    old = and_(
        column.run == run,
        column.event_us < limit,  # never after `crawled_us`; the index is by this one
        column.crawled_us < limit,
        column.id.not_in(cited),
    )
    gone = 0
    while True:
        with writing(engine) as connection:
            rows = connection.execute(
                select(column.id, column.revision, column.event_us, column.found).where(old).limit(_AT_ONCE)
            ).all()
            _delete_some(
                connection, run, schema.mentions, _MENTION_KEY, [key for row in rows for key in _mentions(row)]
            )
            _delete_some(connection, run, schema.documents, _DOCUMENT_KEY, [(row.id, row.revision) for row in rows])
        gone += len(rows)
        if len(rows) < _AT_ONCE:
            return gone


_MENTION_KEY = ("entity", "event_us", "document", "revision")
_DOCUMENT_KEY = ("id", "revision")
_KEYS_AT_ONCE = 200
"""Keys named in one statement; SQLite limits the values in it."""


def _mentions(row: Any) -> list[tuple[Any, ...]]:
    found = {clean(mention.entity) for mention in from_json(row.found, tuple[Mention, ...])}
    return [(entity, row.event_us, row.id, row.revision) for entity in found]


def _delete_some(
    connection: Connection, run: str, table: Table, names: tuple[str, ...], keys: list[tuple[Any, ...]]
) -> None:
    columns = [table.c[name] for name in names]
    for first in range(0, len(keys), _KEYS_AT_ONCE):
        some = keys[first : first + _KEYS_AT_ONCE]
        connection.execute(delete(table).where(table.c.run == run, tuple_(*columns).in_(some)))


def _windows(engine: Engine, run: str, before: int) -> int:
    column = schema.windows.c
    gone = 0
    for kind in KINDS:
        for size in WindowSize:
            gone += _in_batches(
                engine,
                schema.windows,
                and_(
                    column.run == run,
                    column.kind == kind,
                    column.size_min == size.value,
                    column.start_min < before - size + 1,
                    column.closed == true(),
                ),
            )
    return gone


def _alerts(engine: Engine, run: str, before: int) -> int:
    column, outbox = schema.alerts.c, schema.outbox.c
    undelivered = exists().where(outbox.run == run, outbox.alert == column.id, outbox.closed_us.is_(None))
    old = and_(column.run == run, column.state == AlertState.RESOLVED.value, column.updated_min < before, ~undelivered)
    gone = 0
    while True:
        with writing(engine) as connection:
            ids = list(connection.execute(select(column.id).where(old).limit(_KEYS_AT_ONCE)).scalars())
            for table in (schema.alert_steps, schema.deliveries, schema.outbox):
                connection.execute(delete(table).where(table.c.run == run, table.c.alert.in_(ids)))
            connection.execute(delete(schema.alerts).where(column.run == run, column.id.in_(ids)))
        gone += len(ids)
        if len(ids) < _KEYS_AT_ONCE:
            return gone


def _in_batches(engine: Engine, table: Table, old: ColumnElement[bool]) -> int:
    keys, gone = list(table.primary_key), 0
    while True:
        with writing(engine) as connection:
            some = select(*keys).where(old).limit(_AT_ONCE)
            rows = connection.execute(delete(table).where(tuple_(*keys).in_(some))).rowcount
        gone += rows
        if rows < _AT_ONCE:
            return gone


def _cited_by_open_alerts(connection: Connection, run: str) -> list[str]:
    column = schema.alerts.c
    query = select(column.body).where(column.run == run, column.state.in_(OPEN_STATES))
    alerts = [alert_of(row.body) for row in connection.execute(query)]
    return sorted({id_ for alert in alerts for id_ in (*alert.against, *alert.in_favour)})
