"""Reading views: each call is one transaction, so that all on a page is of one moment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection, Engine, func, select

from monitor.domain.runs import LIVE
from monitor.domain.series import entity_of
from monitor.domain.sources import SourceHealth
from monitor.domain.timespans import DAY_MIN, WindowSize, from_minute, minute_of
from monitor.domain.trends import polarity_of
from monitor.domain.views import (
    AlertDetail,
    AlertFilter,
    AlertView,
    DocumentFilter,
    DocumentPage,
    Overview,
    RunView,
    SeriesChoice,
    SeriesView,
    SourceView,
)
from monitor.domain.wording import series_title
from monitor.store import schema
from monitor.store.alert_views import OPEN_STATES, alert_detail, find_alerts
from monitor.store.columns import from_us_or_none
from monitor.store.document_views import find_documents
from monitor.store.engine import reading
from monitor.store.overview import heat_and_movers, mood_of_entities, mood_of_market
from monitor.store.rows import point_of, state_of
from monitor.store.spans import KINDS, SMALLEST, Tiles, as_of_minute, windows_between

__all__ = ["SqlViewReader"]

_CHOICE_DAYS = 400
"""Days before the newest window over which series are counted for the chooser."""

_OPEN_SHOWN = 100
"""Open alerts on the first page."""

_HEALTH_ORDER = (SourceHealth.FAILING, SourceHealth.REFUSED, SourceHealth.NEW, SourceHealth.OK)


class SqlViewReader:
    """The `ViewReader` on the store.

    Args:
        engine: From `open_engine`.
        names: Gives the name of a company by its id; an unknown id should come back as it is.
    """

    def __init__(self, engine: Engine, names: Callable[[str], str]) -> None:
        self._engine = engine
        self._names = names

    def runs(self) -> tuple[RunView, ...]:
        """Return all runs: live first, then the newest."""
        column = schema.runs.c
        query = select(schema.runs).order_by(column.name != LIVE, column.created_us.desc(), column.name)
        with reading(self._engine) as connection:
            return tuple(
                _run_view(connection, row.name, row.title, simulated=bool(row.simulated))
                for row in connection.execute(query).all()
            )

    def overview(self, run: str, span_min: int = DAY_MIN, entities: tuple[str, ...] = ()) -> Overview:
        """Return the first page over the `span_min` minutes that end at the run's as-of; `entities` narrows it."""
        span_min = max(span_min, SMALLEST)
        open_alerts = AlertFilter(states=OPEN_STATES, entities=entities)
        with reading(self._engine) as connection:
            as_of = as_of_minute(connection, run)
            if entities:
                mood = mood_of_entities(connection, run, as_of, span_min, entities)
            else:
                mood = mood_of_market(connection, run, as_of, span_min)
            heat, movers = (
                ((), ()) if as_of is None else heat_and_movers(connection, run, as_of, span_min, entities, self._names)
            )
            return Overview(
                as_of=None if as_of is None else from_minute(as_of),
                span_min=span_min,
                documents=mood.now.documents,
                late=mood.now.late,
                mood=polarity_of(mood.now),
                before=polarity_of(mood.before),
                pulse=mood.pulse,
                heat=heat,
                movers=movers,
                alerts=find_alerts(connection, run, open_alerts, _OPEN_SHOWN, self._names),
            )

    def choices(self, run: str, entities: tuple[str, ...] = ()) -> tuple[SeriesChoice, ...]:
        """Return the series of a run (of `entities` only, where given), the busiest first."""
        with reading(self._engine) as connection:
            busy = _documents_by_series(connection, run, WindowSize.D1)
            busy = busy or _documents_by_series(connection, run, SMALLEST)
        wanted = frozenset(entities)
        return tuple(
            SeriesChoice(series=series, title=series_title(series, self._names), documents=documents)
            for series, documents in sorted(busy.items(), key=lambda pair: (-pair[1], pair[0]))
            if not wanted or entity_of(series) in wanted
        )

    def series(self, run: str, series: str, size: WindowSize, start: datetime, end: datetime) -> SeriesView:
        """Return the windows of a series that start in [start, end), and the alerts that opened in it."""
        with reading(self._engine) as connection:
            rows = windows_between(connection, run, series, Tiles(size, minute_of(start), minute_of(end)))
            opened = AlertFilter(series=series, start=start, end=end)
            return SeriesView(
                series=series,
                title=series_title(series, self._names),
                size=size,
                points=tuple(point_of(row) for row in rows),
                alerts=find_alerts(connection, run, opened, 500, self._names),
            )

    def documents(self, run: str, filter_: DocumentFilter, limit: int = 100, offset: int = 0) -> DocumentPage:
        """Return a page of documents, newest first."""
        with reading(self._engine) as connection:
            return find_documents(connection, run, filter_, limit, offset, self._names)

    def alerts(self, run: str, filter_: AlertFilter, limit: int = 500) -> tuple[AlertView, ...]:
        """Return alerts, open ones first, then the newest."""
        with reading(self._engine) as connection:
            return find_alerts(connection, run, filter_, limit, self._names)

    def alert(self, run: str, alert: str) -> AlertDetail | None:
        """Return one alert with evidence, life and deliveries, or None."""
        with reading(self._engine) as connection:
            return alert_detail(connection, run, alert, self._names)

    def sources(self) -> tuple[SourceView, ...]:
        """Return the crawler's sources, failing ones first."""
        with reading(self._engine) as connection:
            states = [state_of(row) for row in connection.execute(select(schema.source_states))]
        states.sort(key=lambda state: (_HEALTH_ORDER.index(state.health), state.title.casefold(), state.source))
        return tuple(
            SourceView(
                source=state.source,
                title=state.title,
                url=state.url,
                health=state.health,
                last_success_at=state.last_success_at,
                last_document_at=state.last_document_at,
                next_poll_at=state.next_poll_at,
                failures=state.failures,
                reason=state.reason,
                documents=state.documents,
            )
            for state in states
        )


def _run_view(connection: Connection, name: str, title: str, *, simulated: bool) -> RunView:
    column = schema.documents.c
    mine = column.run == name
    as_of = as_of_minute(connection, name)
    return RunView(
        name=name,
        title=title,
        simulated=simulated,
        documents=connection.execute(select(func.count()).where(mine, column.revision == 0)).scalar_one(),
        as_of=None if as_of is None else from_minute(as_of),
        last_document_at=from_us_or_none(connection.execute(select(func.max(column.event_us)).where(mine)).scalar()),
    )


def _documents_by_series(connection: Connection, run: str, size: WindowSize) -> dict[str, int]:
    column = schema.windows.c
    found: dict[str, int] = {}
    for kind in KINDS:
        mine = (column.run == run, column.kind == kind, column.size_min == size.value)
        newest = connection.execute(select(func.max(column.start_min)).where(*mine)).scalar()
        if newest is not None:
            query = select(column.series, func.sum(column.documents)).where(
                *mine, column.start_min > newest - _CHOICE_DAYS * DAY_MIN
            )
            found |= {series: int(total) for series, total in connection.execute(query.group_by(column.series))}
    return found
