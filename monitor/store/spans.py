"""Spans of time over stored windows: up to when a run has judged, and the fewest windows that fill a span."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, Select, Subquery, func, select, true, union_all

from monitor.domain.series import MARKET
from monitor.domain.timespans import WindowSize
from monitor.domain.windows import Counts
from monitor.store import schema
from monitor.store.rows import SUMS, counts_of

__all__ = ["KINDS", "SMALLEST", "Tiles", "as_of_minute", "sums_by_series", "tiles", "windows_between"]

KINDS = ("market", "topic", "entity", "entity-topic")
"""Kinds of series, as `monitor.domain.series.kind_of` names them."""

SMALLEST = WindowSize.M5
"""The size by which a run's time advances."""

_windows = schema.windows.c


class Tiles(NamedTuple):
    """Neighbouring windows of one size: they start in [start, end), half-open."""

    size: WindowSize
    start: int
    end: int


def tiles(start: int, end: int) -> list[Tiles]:
    """Return the fewest windows that fill [start, end) exactly, in order of time; both ends are cut to 5 minutes.

    Large windows know their stories as one set, so the fewer the windows, the fewer stories count twice.

    >>> [(t.size.label, t.start, t.end) for t in tiles(50, 130)]
    [('5m', 50, 60), ('1h', 60, 120), ('5m', 120, 130)]
    """
    found: list[Tiles] = []
    minute, end = SMALLEST.start_of(start), SMALLEST.start_of(end)
    while minute < end:
        size = max(size for size in WindowSize if minute % size == 0 and (minute + size <= end or size is SMALLEST))
        if found and found[-1].size is size:
            found[-1] = found[-1]._replace(end=minute + size)
        else:
            found.append(Tiles(size, minute, minute + size))
        minute += size
    return found


def as_of_minute(connection: Connection, run: str) -> int | None:
    """Return the minute up to which a run has judged, or None before the first window closed.

    It is the end of the market's last closed window, or, in a quiet market, what every partition of the trends has
    passed.
    """
    query = (
        select(_windows.start_min)
        .where(
            _windows.run == run,
            _windows.kind == MARKET,
            _windows.size_min == SMALLEST.value,
            _windows.closed == true(),
        )
        .order_by(_windows.start_min.desc())
        .limit(1)
    )
    start = connection.execute(query).scalar()
    ends = [] if start is None else [start + SMALLEST]
    passed = _passed_everywhere(connection, run)
    if passed is not None:
        ends.append(SMALLEST.start_of(passed))
    return max(ends, default=None)


def _passed_everywhere(connection: Connection, run: str) -> int | None:
    column = schema.positions.c
    query = select(func.count(column.watermark_min), func.min(column.watermark_min)).where(
        column.run == run, column.stage == "trends"
    )
    partitions = connection.execute(select(schema.runs.c.partitions).where(schema.runs.c.name == run)).scalar()
    reached, least = connection.execute(query).one()
    return least if partitions is not None and reached == partitions else None


def sums_by_series(
    connection: Connection, run: str, kind: str, span: tuple[int, int], series: Iterable[str] | None = None
) -> dict[str, Counts]:
    """Return the figures of every series of a kind over the minutes [start, end), which must have closed.

    Stories and sources are sums over the windows of `tiles`: one that spans two of them counts in both.
    """
    named = None if series is None else list(series)
    parts = [_part(run, kind, tile, named) for tile in tiles(*span)]
    if not parts or named == []:
        return {}
    together: Subquery = union_all(*parts).subquery()
    query = select(together.c.series, *(func.sum(together.c[name]).label(name) for name in SUMS))
    return {row.series: counts_of(row) for row in connection.execute(query.group_by(together.c.series))}


def _part(run: str, kind: str, tile: Tiles, series: list[str] | None) -> Select[Any]:
    query = select(_windows.series, *(_windows[name] for name in SUMS)).where(*_within(run, kind, tile))
    return query if series is None else query.where(_windows.series.in_(series))


def _within(run: str, kind: str, tile: Tiles) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions on `windows` that a run, a kind of series and neighbouring windows make."""
    return (
        _windows.run == run,
        _windows.kind == kind,
        _windows.size_min == tile.size.value,
        _windows.start_min >= tile.start,
        _windows.start_min < tile.end,
    )


def windows_between(connection: Connection, run: str, series: str, tile: Tiles) -> list[Row[Any]]:
    """Return the windows of one series, open and closed, in order of time."""
    query = (
        select(schema.windows)
        .where(
            _windows.run == run,
            _windows.series == series,
            _windows.size_min == tile.size.value,
            _windows.start_min >= tile.start,
            _windows.start_min < tile.end,
        )
        .order_by(_windows.start_min)
    )
    return list(connection.execute(query))
