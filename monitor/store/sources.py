"""The crawler's cursors."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Engine, select

from monitor.domain.sources import SeenItem, SourceState
from monitor.store import schema
from monitor.store.engine import reading, writing
from monitor.store.rows import seen_of, seen_row, state_of, state_row
from monitor.store.upserts import upsert

__all__ = ["SqlSourceStore"]

_IDS_AT_ONCE = 500
"""Ids in one question; SQLite limits the values in a statement."""


class SqlSourceStore:
    """The `SourceStore` in the store."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def load(self) -> dict[str, SourceState]:
        """Return every known state by source id."""
        with reading(self._engine) as connection:
            states = [state_of(row) for row in connection.execute(select(schema.source_states))]
        return {state.source: state for state in states}

    def seen(self, source: str, documents: Sequence[str]) -> dict[str, SeenItem]:
        """Return what is known of these document ids of a source."""
        column = schema.seen_items.c
        found: dict[str, SeenItem] = {}
        with reading(self._engine) as connection:
            for first in range(0, len(documents), _IDS_AT_ONCE):
                some = documents[first : first + _IDS_AT_ONCE]
                query = select(schema.seen_items).where(column.source == source, column.document.in_(some))
                found |= {row.document: seen_of(row) for row in connection.execute(query)}
        return found

    def save(self, state: SourceState, items: Sequence[SeenItem] = ()) -> None:
        """Write a state and the items that were published with it, in one transaction.

        Raises:
            StoreUnavailable: The database did not answer; nothing was written.
        """
        newest = {item.document: item for item in items}
        with writing(self._engine) as connection:
            upsert(connection, schema.source_states, [state_row(state)])
            upsert(connection, schema.seen_items, [seen_row(state.source, item) for item in newest.values()])
