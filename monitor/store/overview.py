"""The first page: mood, pulse, heat map and movers, from stored windows and, for a watch list, from documents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, case, func, select

from monitor.domain.sentiment import Label
from monitor.domain.series import MARKET, TOPIC_SLUGS, entity_of, topic_of
from monitor.domain.timespans import DAY_MIN, WindowSize, from_minute
from monitor.domain.trends import polarity_of
from monitor.domain.views import HeatCell, Mover, TrendPoint
from monitor.domain.windows import Counts
from monitor.store import schema
from monitor.store.rows import point_of
from monitor.store.spans import SMALLEST, Tiles, sums_by_series, windows_between

__all__ = ["Mood", "heat_and_movers", "mood_of_entities", "mood_of_market", "pulse_size"]

HEAT_COMPANIES = 15
"""Rows of the heat map: the companies with the most documents."""

MOVERS = 10
"""Companies shown as movers."""

Names = Callable[[str], str]


class Mood(NamedTuple):
    """Figures over the span, over the span before it, and window by window."""

    now: Counts
    before: Counts
    pulse: tuple[TrendPoint, ...]


def pulse_size(span_min: int) -> WindowSize:
    """Return the window that cuts a span into at most some 100 points.

    >>> pulse_size(24 * 60).label
    '15m'
    """
    return next((size for size in WindowSize if span_min <= 100 * size), WindowSize.D1)


def mood_of_market(connection: Connection, run: str, as_of: int | None, span_min: int) -> Mood:
    """Return the mood of all documents; before the first window has closed, the open ones as a pulse."""
    size = pulse_size(span_min)
    end = as_of if as_of is not None else _newest(connection, run)
    if end is None:
        return Mood(Counts(), Counts(), ())
    rows = windows_between(connection, run, MARKET, Tiles(size, size.start_of(end - span_min), end + DAY_MIN))
    pulse = tuple(point_of(row) for row in rows)
    if as_of is None:
        return Mood(Counts(), Counts(), pulse)
    spans = (as_of - span_min, as_of), (as_of - 2 * span_min, as_of - span_min)
    now, before = (sums_by_series(connection, run, MARKET, span).get(MARKET, Counts()) for span in spans)
    return Mood(now, before, pulse)


def mood_of_entities(
    connection: Connection, run: str, as_of: int | None, span_min: int, entities: Sequence[str]
) -> Mood:
    """Return the mood of the documents that name any of some companies, each counted once."""
    if as_of is None:
        return Mood(Counts(), Counts(), ())
    size = pulse_size(span_min)
    start, before = SMALLEST.start_of(as_of - span_min), SMALLEST.start_of(as_of - 2 * span_min)
    document = schema.documents.c
    half = case((document.effective_min < start, 0), else_=1)
    halves = {row.bucket: _counts(row) for row in connection.execute(_summed(run, entities, (before, as_of), half))}
    bucket = document.effective_min // size.value
    uncovered = _uncovered(connection, run, size, start, as_of)
    pulse = tuple(
        _point(_counts(row), row.bucket * size, size, as_of, covered=row.bucket * size not in uncovered)
        for row in connection.execute(_summed(run, entities, (size.start_of(start), as_of + DAY_MIN), bucket))
    )
    return Mood(halves.get(1, Counts()), halves.get(0, Counts()), pulse)


def heat_and_movers(
    connection: Connection, run: str, as_of: int, span_min: int, entities: Sequence[str], names: Names
) -> tuple[tuple[HeatCell, ...], tuple[Mover, ...]]:
    """Return topics x companies over the span, and the companies that moved most against the span before."""
    series = [f"entity:{entity}" for entity in entities] or None
    span, earlier = (as_of - span_min, as_of), (as_of - 2 * span_min, as_of - span_min)
    now = sums_by_series(connection, run, "entity", span, series)
    before = sums_by_series(connection, run, "entity", earlier, series)
    busiest = sorted(now, key=lambda key: (-now[key].documents, key))[:HEAT_COMPANIES]
    keys = [f"{key}/topic:{slug}" for key in busiest for slug in TOPIC_SLUGS]
    found = sums_by_series(connection, run, "entity-topic", span, keys)
    cells = tuple(_cell(key, found[key], names) for key in keys if key in found and found[key].documents)
    return cells, _movers(now, before, names)


def _movers(now: dict[str, Counts], before: dict[str, Counts], names: Names) -> tuple[Mover, ...]:
    """Return the greatest changes, of companies with a mean in both spans."""
    movers = []
    for key, counts in now.items():
        after, earlier = polarity_of(counts), polarity_of(before.get(key, Counts()))
        if after is not None and earlier is not None:
            entity = entity_of(key)
            movers.append(
                Mover(
                    entity=entity,
                    entity_name=names(entity),
                    series=key,
                    documents=counts.documents,
                    before=earlier.mean,
                    after=after.mean,
                )
            )
    return tuple(sorted(movers, key=lambda mover: (-abs(mover.change), mover.entity))[:MOVERS])


def _cell(series: str, counts: Counts, names: Names) -> HeatCell:
    entity, polarity = entity_of(series), polarity_of(counts)
    return HeatCell(
        entity=entity,
        entity_name=names(entity),
        topic=topic_of(series),
        series=series,
        documents=counts.documents,
        polarity=None if polarity is None else polarity.mean,
    )


def _newest(connection: Connection, run: str) -> int | None:
    """Return the end of the market's newest window, open or closed."""
    column = schema.windows.c
    start = connection.execute(
        select(func.max(column.start_min)).where(
            column.run == run, column.kind == MARKET, column.size_min == SMALLEST.value
        )
    ).scalar()
    return None if start is None else start + SMALLEST


def _uncovered(connection: Connection, run: str, size: WindowSize, start: int, as_of: int) -> set[int]:
    rows = windows_between(connection, run, MARKET, Tiles(size, size.start_of(start), as_of + DAY_MIN))
    return {row.start_min for row in rows if not row.covered}


def _summed(run: str, entities: Sequence[str], span: tuple[int, int], bucket: Any) -> Select[Any]:
    """Return the query that sums counted documents naming any of `entities` by `bucket`, in order of it."""
    mention, document = schema.mentions.c, schema.documents.c
    named = (
        select(mention.document, mention.revision)
        .where(
            mention.run == run,
            mention.entity.in_(entities),
            mention.effective_min >= span[0],
            mention.effective_min < span[1],
        )
        .distinct()
        .subquery()
    )
    polarity = document.positive - document.negative
    thousandths = (polarity + 1_000_000) // 1_000 - 1_000  # rounds down, as `Sums.add` does
    labels = {label.word: func.sum(case((document.label == label.value, 1), else_=0)) for label in Label}
    at = bucket.label("bucket")
    return (
        select(
            at,
            func.count().label("documents"),
            *(number.label(word) for word, number in labels.items()),
            func.sum(polarity).label("polarity"),
            func.sum(thousandths * thousandths).label("squares"),
            func.sum(case((document.late, 1), else_=0)).label("late"),
            func.count(document.story.distinct()).label("stories"),
            func.count(document.source.distinct()).label("sources"),
        )
        .join_from(
            named,
            schema.documents,
            (document.run == run) & (document.id == named.c.document) & (document.revision == named.c.revision),
        )
        .group_by(at)
        .order_by(at)
    )


def _counts(row: Any) -> Counts:
    return Counts(
        documents=int(row.documents),
        negative=int(row.negative),
        neutral=int(row.neutral),
        positive=int(row.positive),
        polarity=int(row.polarity),
        squares=int(row.squares),
        late=int(row.late),
        stories=int(row.stories),
        sources=int(row.sources),
    )


def _point(counts: Counts, start: int, size: WindowSize, as_of: int, *, covered: bool) -> TrendPoint:
    return TrendPoint(
        start=from_minute(start),
        size=size,
        closed=start + size <= as_of,
        covered=covered,
        documents=counts.documents,
        stories=counts.stories,
        sources=counts.sources,
        negative=counts.negative,
        neutral=counts.neutral,
        positive=counts.positive,
        late=counts.late,
        polarity=polarity_of(counts),
        surprise=None,
    )
