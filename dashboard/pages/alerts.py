"""Alerts: what fired, open ones first, to be filtered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dash import Dash, Output, html
from dash.development.base_component import Component

from dashboard import grids, ids, live, parts, words
from dashboard.ask import Ask
from dashboard.controls import many, search, times
from dashboard.desk import Desk
from monitor.domain.alerts import AlertState, Severity
from monitor.domain.trends import Family
from monitor.domain.views import AlertFilter, AlertView

__all__ = ["PATH", "TITLE", "layout", "register"]

PATH = "/alerts"
TITLE = "Alerts"
PAGE = "alerts"

SPAN_CHOICES = ("1d", "7d", "30d", "90d", "1y", "all")
MOST = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the page shows; `any_alert` tells a quiet run from filters that let nothing through."""

    run: str
    as_of: datetime | None
    alerts: tuple[AlertView, ...]


def layout(ask: Ask) -> Component:
    """Return the page before anything is read."""
    return live.frame(
        PAGE,
        html.Div([html.H1(TITLE), html.Span(id=ids.ALERTS_COUNT, className="bw-hint")], className="bw-page-head"),
        html.Div(
            [
                many("state", "State", [str(one) for one in AlertState], ask),
                many("severity", "Severity", [str(one) for one in Severity], ask),
                many("family", "Kind", [str(one) for one in Family], ask),
                search("q", "Series or title", ask, "words"),
                *times(SPAN_CHOICES, "all", ask),
            ],
            className="bw-filters",
            role="search",
        ),
        parts.card(
            grids.grid(ids.ALERTS_GRID, grids.ALERT_COLUMNS, "Alerts"),
            html.Div(id=ids.ALERTS_CARDS),
            label="Alerts",
            kind="bw-flush",
        ),
    )


def filter_of(ask: Ask, entities: tuple[str, ...], as_of: datetime | None) -> AlertFilter:
    """Return what the address asks for."""
    start, end = ask.span("all", as_of)
    return AlertFilter(
        states=ask.words("state"),
        severities=ask.words("severity"),
        families=ask.words("family"),
        series=ask.text("series"),
        entities=entities,
        start=start,
        end=end,
    )


def register(app: Dash, desk: Desk) -> None:
    """Keep the page alive."""

    def read(ask: Ask) -> Found:
        run = desk.run(ask)
        alerts = desk.reader.alerts(run.name, filter_of(ask, desk.entities(ask), run.as_of), MOST)
        wanted = ask.text("q").lower().strip()
        fit = tuple(one for one in alerts if wanted in f"{one.title} {one.series_title} {one.alert.series}".lower())
        return Found(run=run.name, as_of=run.as_of, alerts=fit)

    outputs = [
        Output(ids.ALERTS_GRID, "rowData"),
        Output(ids.ALERTS_GRID, "style"),
        Output(ids.ALERTS_CARDS, "children"),
        Output(ids.ALERTS_COUNT, "children"),
    ]
    live.keep_alive(app, PAGE, outputs, read, draw)


def draw(found: Found, ask: Ask) -> Sequence[Any]:
    """Return what fills the page, in the order of its outputs."""
    alerts, watch = found.alerts, ask.text("watch")
    if not alerts:
        narrowed = any(ask.text(name) for name in ("state", "severity", "family", "q", "span", "from", "to", "watch"))
        quiet = "No alert has fired in this run." if found.as_of else "Nothing has been judged in this run yet."
        return [*grids.no_rows(), live.no_data("No alert fits these filters." if narrowed else quiet), ""]
    count = f"{words.count_of(len(alerts), 'alert')}, {sum(one.alert.is_open for one in alerts)} open"
    if len(alerts) == MOST:
        count += f"; the first {MOST} are shown, narrow the filters to see others"
    if ask.narrow:
        return [*grids.no_rows(), parts.alert_cards(alerts[:100], found.run, watch, found.as_of), count]
    return [*grids.some_rows(grids.alert_rows(alerts, found.run, watch)), None, count]
