"""Writing one run's facts: each call is one transaction with the positions in it; a repeated bundle changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, Engine, false, select

from monitor.domain.alerts import AlertChange
from monitor.domain.runs import Run
from monitor.domain.trends import Trend
from monitor.ports import Clock, Position, StoredDocument
from monitor.store import schema
from monitor.store.columns import clean
from monitor.store.engine import reading, writing
from monitor.store.rows import (
    alert_row,
    document_row,
    mention_rows,
    outbox_row,
    position_row,
    step_row,
    window_row,
)
from monitor.store.upserts import insert_new, upsert
from monitor.store.wallclock import WallClock

__all__ = ["SqlSink"]


class SqlSink:
    """The `Sink` of one run.

    Args:
        engine: From `open_engine`.
        run: Whose rows are written. A run that does not notify fills no outbox, whatever `receivers` holds.
        receivers: Names of those who are told.
        clock: Stamps the outbox.
    """

    def __init__(self, engine: Engine, run: Run, receivers: Sequence[str], clock: Clock | None = None) -> None:
        self._engine = engine
        self._run = run.name
        self._receivers = tuple(dict.fromkeys(receivers)) if run.notifies else ()
        self._clock = clock or WallClock()

    def positions(self) -> dict[tuple[str, int], Position]:
        """Return how far this run has come, by (topic, partition)."""
        table = schema.positions
        query = select(table).where(table.c.run == self._run)
        with reading(self._engine) as connection:
            return {
                (row.topic, row.partition): Position(row.topic, row.partition, row.last_offset, row.watermark_min)
                for row in connection.execute(query)
            }

    def write_documents(self, documents: Sequence[StoredDocument], positions: Sequence[Position]) -> None:
        """Insert documents and what they mention; the first of each (id, revision) stays as it is.

        Raises:
            StoreUnavailable: The database did not answer; nothing was written.
        """
        with writing(self._engine) as connection:
            fresh = self._not_yet_there(connection, documents)
            insert_new(connection, schema.documents, [document_row(self._run, stored) for stored in fresh])
            found = [row for stored in fresh for row in mention_rows(self._run, stored)]
            insert_new(connection, schema.mentions, found)
            self._advance(connection, "documents", positions)

    def write_trends(self, trends: Sequence[Trend], positions: Sequence[Position]) -> None:
        """Upsert windows by (series, size, start); a closed one is never overwritten.

        Raises:
            StoreUnavailable: The database did not answer; nothing was written.
        """
        rows = [window_row(self._run, trend) for trend in _latest(trends)]
        with writing(self._engine) as connection:
            upsert(connection, schema.windows, rows, lambda _: schema.windows.c.closed == false())
            self._advance(connection, "trends", positions)

    def write_alerts(self, changes: Sequence[AlertChange], positions: Sequence[Position]) -> None:
        """Upsert alerts (a greater revision wins), append to their life, and fill the outbox, all in one transaction.

        Raises:
            StoreUnavailable: The database did not answer; nothing was written.
        """
        newest: dict[str, AlertChange] = {}
        for change in changes:
            held = newest.get(change.alert.id)
            if held is None or change.alert.revision > held.alert.revision:
                newest[change.alert.id] = change
        now = self._clock.now()
        told = [
            outbox_row(self._run, change, receiver, now)
            for change in changes
            if change.decision.notifies
            for receiver in self._receivers
        ]
        with writing(self._engine) as connection:
            rows = [alert_row(self._run, change.alert) for change in newest.values()]
            upsert(connection, schema.alerts, rows, lambda new: new.revision > schema.alerts.c.revision)
            insert_new(connection, schema.alert_steps, [step_row(self._run, change) for change in changes])
            insert_new(connection, schema.outbox, told)
            self._advance(connection, "alerts", positions)

    def _not_yet_there(self, connection: Connection, documents: Iterable[StoredDocument]) -> list[StoredDocument]:
        """Return the first of each (id, revision) that is new: the mentions of another text must not join it."""
        fresh: dict[tuple[str, int], StoredDocument] = {}
        for stored in documents:
            document = stored.classified.document
            fresh.setdefault((clean(document.id), document.revision), stored)
        table, ids = schema.documents, list({id_ for id_, _ in fresh})
        for first in range(0, len(ids), _IDS_AT_ONCE):
            some = ids[first : first + _IDS_AT_ONCE]
            query = select(table.c.id, table.c.revision).where(table.c.run == self._run, table.c.id.in_(some))
            for row in connection.execute(query):
                fresh.pop((row.id, row.revision), None)
        return list(fresh.values())

    def _advance(self, connection: Connection, stage: str, positions: Sequence[Position]) -> None:
        """Keep the greatest offset of each partition: a worker that woke up late moves nothing back."""
        furthest = {(position.topic, position.partition): position for position in sorted(positions, key=_offset)}
        rows = [position_row(self._run, stage, position) for position in furthest.values()]
        known = schema.positions.c.last_offset
        upsert(connection, schema.positions, rows, lambda new: new.last_offset >= known)


_IDS_AT_ONCE = 500
"""Ids in one question; SQLite limits the values in a statement."""


def _offset(position: Position) -> int:
    return position.offset


def _latest(trends: Iterable[Trend]) -> list[Trend]:
    """Return one trend per window: a closed one where there is one, else the last."""
    latest: dict[tuple[str, int, int], Trend] = {}
    for trend in trends:
        key = (trend.series, trend.size, trend.start)
        held = latest.get(key)
        if held is None or not held.closed:
            latest[key] = trend
    return list(latest.values())
