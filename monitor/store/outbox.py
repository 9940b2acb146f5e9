"""What is still to be told, and the log of what was."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, exists, select, update

from monitor.ports import OutboxRow
from monitor.store import schema
from monitor.store.columns import to_us
from monitor.store.engine import reading, writing
from monitor.store.rows import outbox_row_of

__all__ = ["SqlOutbox"]


class SqlOutbox:
    """The `Outbox` in the store; filled by `SqlSink.write_alerts`. Safe to use from several threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def due(self, now: datetime, limit: int = 50) -> list[OutboxRow]:
        """Return rows whose next attempt is due, oldest first.

        Of one receiver and alert only the earliest revision still open: the next one waits until it is closed.
        """
        row, earlier = schema.outbox, schema.outbox.alias("earlier")
        waits = exists().where(
            earlier.c.run == row.c.run,
            earlier.c.alert == row.c.alert,
            earlier.c.receiver == row.c.receiver,
            earlier.c.revision < row.c.revision,
            earlier.c.closed_us.is_(None),
        )
        query = (
            select(row)
            .where(row.c.closed_us.is_(None), row.c.due_us <= to_us(now), ~waits)
            .order_by(row.c.id)
            .limit(limit)
        )
        with reading(self._engine) as connection:
            return [outbox_row_of(found) for found in connection.execute(query)]

    def waiting(self) -> int:
        """Return how many rows are neither delivered nor given up."""
        column = schema.outbox.c
        with reading(self._engine) as connection:
            return len(connection.execute(select(column.id).where(column.closed_us.is_(None))).all())

    def delivered(self, row: OutboxRow, at: datetime, detail: str) -> None:
        """Log the delivery and close the row, in one transaction; nothing happens to a row closed before."""
        with writing(self._engine) as connection:
            if _changed(connection, row, closed_us=to_us(at), attempts=row.attempts + 1):
                _record(connection, row, at, "delivered", detail)

    def failed(self, row: OutboxRow, at: datetime, reason: str, retry_at: datetime | None) -> None:
        """Log the failed attempt; None as `retry_at` gives up and says so in the log."""
        closing = {"closed_us": to_us(at)} if retry_at is None else {"due_us": to_us(retry_at)}
        with writing(self._engine) as connection:
            if _changed(connection, row, attempts=row.attempts + 1, **closing):
                _record(connection, row, at, "gave up" if retry_at is None else "failed", reason)


def _changed(connection: Connection, row: OutboxRow, **values: Any) -> bool:
    column = schema.outbox.c
    change = update(schema.outbox).where(column.id == row.id, column.closed_us.is_(None)).values(values)
    return connection.execute(change).rowcount == 1


def _record(connection: Connection, row: OutboxRow, at: datetime, outcome: str, reason: str) -> None:
    values = {
        "run": row.run,
        "alert": row.change.alert.id,
        "key": row.key,
        "receiver": row.receiver,
        "at_us": to_us(at),
        "outcome": outcome,
        "reason": reason,
        "attempt": row.attempts + 1,
    }
    connection.execute(schema.deliveries.insert(), values)
