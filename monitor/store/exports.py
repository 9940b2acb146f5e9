"""Whole runs as sorted plain facts: for comparing two runs, for files, and for warming up after a restart."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Engine, Select, select, true, tuple_

from monitor.store import schema
from monitor.store.columns import from_us, to_us
from monitor.store.engine import reading
from monitor.store.rows import SUMS

__all__ = [
    "Comparison",
    "Fact",
    "RecentStory",
    "Tally",
    "compare_runs",
    "export_alerts",
    "export_documents",
    "export_windows",
    "recent_stories",
]

_PAGE = 2_000
_EXAMPLES = 5


class Fact(NamedTuple):
    """A row of an export: what names it within its run, and what is said of it."""

    key: tuple[str | int, ...]
    values: dict[str, Any]


class RecentStory(NamedTuple):
    """A document and the story it was given; `source_class` as in the message."""

    document: str
    title: str
    text: str
    source_class: str
    event_at: datetime
    story: str


class Tally(NamedTuple):
    """How the facts of two runs compare; `examples` are keys of facts that differ or are missing, the first few."""

    equal: int
    different: int
    only_first: int
    only_second: int
    examples: tuple[tuple[str | int, ...], ...]

    @property
    def agree(self) -> bool:
        """Return whether nothing differs and nothing is missing."""
        return not (self.different or self.only_first or self.only_second)


class Comparison(NamedTuple):
    """Two runs side by side."""

    windows: Tally
    alerts: Tally
    documents: Tally

    @property
    def agree(self) -> bool:
        """Return whether the two runs hold the same."""
        return self.windows.agree and self.alerts.agree and self.documents.agree


def compare_runs(engine: Engine, first: str, second: str) -> Comparison:
    """Compare closed windows, alerts and documents of two runs, fact by fact; memory does not grow with them."""
    return Comparison(*(_tally(export(engine, first), export(engine, second)) for export in _EXPORTS))


def export_windows(engine: Engine, run: str) -> Iterator[Fact]:
    """Yield closed windows by (series, size, start)."""
    column = schema.windows.c
    query = select(schema.windows).where(column.run == run, column.closed == true())
    for row in _paged(engine, query, (column.series, column.size_min, column.start_min)):
        values: dict[str, Any] = {name: getattr(row, name) for name in SUMS}
        values |= {"covered": bool(row.covered), "surprises": json.loads(row.surprises) if row.surprises else []}
        yield Fact((row.series, row.size_min, row.start_min), values)


def export_alerts(engine: Engine, run: str) -> Iterator[Fact]:
    """Yield alerts, as they stand, by id."""
    column = schema.alerts.c
    for row in _paged(engine, select(schema.alerts).where(column.run == run), (column.id,)):
        yield Fact((row.id,), json.loads(row.body))


def export_documents(engine: Engine, run: str) -> Iterator[Fact]:
    """Yield documents by (id, revision): where they count and what the classifier said, without their text."""
    column = schema.documents.c
    told = ("effective_min", "late", "story", "copy", "negative", "neutral", "positive", "topic", "topic_confidence")
    query = select(column.id, column.revision, column.found, *(column[name] for name in told)).where(column.run == run)
    for row in _paged(engine, query, (column.id, column.revision)):
        values = {name: getattr(row, name) for name in told} | {"mentions": json.loads(row.found)}
        values |= {"late": bool(row.late), "copy": bool(row.copy)}
        yield Fact((row.id, row.revision), values)


def recent_stories(engine: Engine, run: str, since: datetime) -> Iterator[RecentStory]:
    """Yield first revisions said at or after `since`, in order of time: what a story assigner learns at its start."""
    column = schema.documents.c
    chosen = (column.id, column.title, column.text, column.source_class, column.event_us, column.story)
    query = select(*chosen).where(column.run == run, column.event_us >= to_us(since), column.revision == 0)
    for row in _paged(engine, query, (column.event_us, column.id)):
        yield RecentStory(row.id, row.title, row.text, row.source_class, from_us(row.event_us), row.story)


_EXPORTS: tuple[Callable[[Engine, str], Iterator[Fact]], ...] = (export_windows, export_alerts, export_documents)


def _paged(engine: Engine, query: Select[Any], keys: tuple[Any, ...]) -> Iterator[Any]:
    """Yield rows in order of `keys`, a page per transaction; texts are ordered by code point, as Python does."""
    page = query.order_by(*keys).limit(_PAGE)
    after: tuple[Any, ...] | None = None
    while True:
        here = page if after is None else page.where(tuple_(*keys) > after)
        with reading(engine) as connection:
            rows = connection.execute(here).all()
        yield from rows
        if len(rows) < _PAGE:
            return
        after = tuple(getattr(rows[-1], key.name) for key in keys)


def _tally(first: Iterator[Fact], second: Iterator[Fact]) -> Tally:
    equal = different = only_first = only_second = 0
    examples: list[tuple[str | int, ...]] = []
    ours, theirs = next(first, None), next(second, None)
    while ours is not None or theirs is not None:
        if theirs is None or (ours is not None and ours.key < theirs.key):
            assert ours is not None
            only_first, odd, ours = only_first + 1, ours.key, next(first, None)
        elif ours is None or theirs.key < ours.key:
            only_second, odd, theirs = only_second + 1, theirs.key, next(second, None)
        else:
            same, odd = ours.values == theirs.values, ours.key
            equal, different = equal + same, different + (not same)
            ours, theirs = next(first, None), next(second, None)
            if same:
                continue
        if len(examples) < _EXAMPLES:
            examples.append(odd)
    return Tally(equal, different, only_first, only_second, tuple(examples))
