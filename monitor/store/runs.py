"""The runs themselves: registering, finding, deleting, and the ids of their topics."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Engine, Table, delete, select, tuple_, update

from monitor.domain.errors import InvalidConfiguration
from monitor.domain.runs import Run
from monitor.ports import Clock
from monitor.store import schema
from monitor.store.columns import to_us
from monitor.store.engine import reading, writing
from monitor.store.upserts import insert_new
from monitor.store.wallclock import WallClock

__all__ = ["SqlRuns"]

_AT_ONCE = 5_000
"""Rows deleted in one transaction, so that writers need not wait long."""


class SqlRuns:
    """What the store knows of runs.

    Args:
        engine: From `open_engine`.
        clock: Stamps the registration.
    """

    def __init__(self, engine: Engine, clock: Clock | None = None) -> None:
        self._engine = engine
        self._clock = clock or WallClock()

    def register(self, run: Run) -> Run:
        """Write a run down, or bring its title and switches up to date; return it.

        Raises:
            InvalidConfiguration: It was begun with another number of partitions, which never changes in its life.
        """
        row = {
            "name": run.name,
            "title": run.title,
            "simulated": run.simulated,
            "notifies": run.notifies,
            "partitions": run.partitions,
            "state": "running",
            "topics": "{}",
            "created_us": to_us(self._clock.now()),
        }
        column = schema.runs.c
        with writing(self._engine) as connection:
            insert_new(connection, schema.runs, [row])
            began = connection.execute(select(column.partitions).where(column.name == run.name)).scalar_one()
            if began != run.partitions:
                msg = (
                    f"run {run.name} was begun with {began} partitions, `partitions` is {run.partitions} now; "
                    f"set it back, or delete the run, or choose another name"
                )
                raise InvalidConfiguration(msg)
            kept = {key: row[key] for key in ("title", "simulated", "notifies", "state")}
            connection.execute(update(schema.runs).where(column.name == run.name).values(kept))
        return run

    def find(self, name: str) -> Run | None:
        """Return a run, or None."""
        query = select(schema.runs).where(schema.runs.c.name == name)
        with reading(self._engine) as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else _run_of(row)

    def list(self) -> tuple[Run, ...]:
        """Return all runs, the oldest first."""
        query = select(schema.runs).order_by(schema.runs.c.created_us, schema.runs.c.name)
        with reading(self._engine) as connection:
            return tuple(_run_of(row) for row in connection.execute(query))

    def state(self, name: str) -> str:
        """Return ``running``, ``finished`` or another word set by `set_state`; empty for an unknown run."""
        query = select(schema.runs.c.state).where(schema.runs.c.name == name)
        with reading(self._engine) as connection:
            return connection.execute(query).scalar() or ""

    def set_state(self, name: str, state: str) -> None:
        """Write how a run stands, in one word."""
        self._change(name, state=state)

    def remember_topics(self, name: str, ids: Mapping[str, str]) -> None:
        """Write down Kafka's ids of a run's topics, by topic."""
        self._change(name, topics=json.dumps(dict(ids), sort_keys=True))

    def topics(self, name: str) -> dict[str, str]:
        """Return the ids that were written down, by topic; empty for an unknown run."""
        query = select(schema.runs.c.topics).where(schema.runs.c.name == name)
        with reading(self._engine) as connection:
            text = connection.execute(query).scalar()
        known: dict[str, str] = json.loads(text) if text else {}
        return known

    def delete(self, name: str) -> int:
        """Remove a run and all its rows, a batch at a time; return how many rows went.

        Positions go in the first transaction, so that what is half deleted is never taken for whole.
        """
        gone = 0
        for table in (schema.positions, *schema.RUN_TABLES):
            while (some := self._delete_some(table, name)) > 0:
                gone += some
        with writing(self._engine) as connection:
            return gone + connection.execute(delete(schema.runs).where(schema.runs.c.name == name)).rowcount

    def _delete_some(self, table: Table, name: str) -> int:
        keys = list(table.primary_key)
        some = select(*keys).where(table.c.run == name).limit(_AT_ONCE)
        with writing(self._engine) as connection:
            return connection.execute(delete(table).where(tuple_(*keys).in_(some))).rowcount

    def _change(self, name: str, **values: Any) -> None:
        with writing(self._engine) as connection:
            changed = connection.execute(update(schema.runs).where(schema.runs.c.name == name).values(values)).rowcount
        if changed == 0:
            msg = f"there is no run {name!r}; register it first"
            raise InvalidConfiguration(msg)


def _run_of(row: Any) -> Run:
    return Run(
        name=row.name,
        title=row.title,
        simulated=bool(row.simulated),
        notifies=bool(row.notifies),
        partitions=row.partitions,
    )
