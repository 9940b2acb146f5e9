"""Series: one curve over time, its alerts, and the documents behind any point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component

from dashboard import figures, ids, live, parts, words
from dashboard.ask import Ask
from dashboard.controls import choice, one_of, pages, times
from dashboard.desk import Desk
from dashboard.palette import Look
from monitor.domain.errors import StoreUnavailable
from monitor.domain.series import MARKET
from monitor.domain.timespans import WindowSize
from monitor.domain.views import DocumentFilter, DocumentPage, SeriesView

__all__ = ["PATH", "TITLE", "layout", "register"]

PATH = "/series"
TITLE = "Series"
PAGE = "series"

SPAN_CHOICES = ("6h", "1d", "3d", "7d", "30d", "90d", "1y")
DEFAULT_SPAN = "3d"
DEFAULT_SIZE = WindowSize.H1
MOST_WINDOWS = 1_500
"""Windows drawn at most; a longer span is drawn in larger windows, and the page says so."""

ON_A_PAGE = 20
OFFERED = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the page shows; `at` is the window that was clicked."""

    run: str
    view: SeriesView | None
    asked_size: WindowSize
    start: datetime | None
    end: datetime | None
    at: datetime | None
    documents: DocumentPage


def layout(ask: Ask) -> Component:
    """Return the page before anything is read."""
    series = ask.text("series", MARKET)
    return live.frame(
        PAGE,
        html.Div(
            [
                one_of(
                    "series",
                    "Series",
                    [(series, words.clip(series, 60))],
                    ask,
                    default=MARKET,
                    searchable=True,
                    nothingFoundMessage="no such series",
                    className="bw-w280",
                ),
                html.Div(
                    [
                        html.Div("Window", className="bw-control-label"),
                        choice("size", "Window size", [one.label for one in WindowSize], DEFAULT_SIZE.label, ask),
                    ]
                ),
                *times(SPAN_CHOICES, DEFAULT_SPAN, ask),
            ],
            className="bw-filters",
        ),
        parts.card(
            html.Div(id=ids.SERIES_HEAD),
            parts.colour_key(*parts.SERIES_KEY),
            live.chart(ids.SERIES_CHART, "Polarity, documents and share of negatives over time"),
            label="Chart",
        ),
        parts.card(
            html.Div(id=ids.SERIES_DOCUMENTS_TITLE),
            html.Div(id=ids.SERIES_DOCUMENTS),
            label="Documents",
        ),
        pages(PAGE, ask),
    )


def read_series(desk: Desk, ask: Ask) -> Found:
    """Return a series and the documents of the clicked window, else of the whole span."""
    run = desk.run(ask)
    start, end = ask.span(DEFAULT_SPAN, run.as_of)
    end = end or (start + timedelta(days=3) if start else None)
    start = start or (end - timedelta(days=3) if end else None)
    asked = ask.size(DEFAULT_SIZE)
    if start is None or end is None or start >= end:
        empty = DocumentPage(rows=(), total=0)
        return Found(run=run.name, view=None, asked_size=asked, start=start, end=end, at=None, documents=empty)
    size = fitting(asked, end - start)
    name = ask.text("series", MARKET)
    view = desk.reader.series(run.name, name, size, start - timedelta(minutes=size), end)
    at = ask.instant("at")
    wanted = DocumentFilter(series=name, start=at or start, end=at + timedelta(minutes=size) if at else end)
    offset = (ask.number("p", 1, 1_000) - 1) * ON_A_PAGE
    documents = desk.reader.documents(run.name, wanted, ON_A_PAGE, offset)
    return Found(run=run.name, view=view, asked_size=asked, start=start, end=end, at=at, documents=documents)


def fitting(asked: WindowSize, span: timedelta) -> WindowSize:
    """Return the size asked for, or the next that draws the span in at most MOST_WINDOWS windows."""
    minutes = span.total_seconds() / 60
    return next((size for size in WindowSize if size >= asked and minutes / size <= MOST_WINDOWS), WindowSize.D1)


def register(app: Dash, desk: Desk) -> None:
    """Keep the page alive, offer series, and follow clicks."""
    outputs = [
        Output(ids.SERIES_HEAD, "children"),
        *live.chart_outputs(ids.SERIES_CHART),
        Output(ids.SERIES_DOCUMENTS_TITLE, "children"),
        Output(ids.SERIES_DOCUMENTS, "children"),
        Output(ids.filter_id("p", "1", PAGE), "total"),
    ]
    live.keep_alive(app, PAGE, outputs, lambda ask: read_series(desk, ask), draw)
    app.clientside_callback(ClientsideFunction("bellwether", "pick"), Input(ids.SERIES_CHART, "clickData"))

    @app.callback(
        Output(ids.filter_id("series", MARKET), "data"),
        Input(ids.filter_id("series", MARKET), "searchValue"),
        Input(ids.filter_id("series", MARKET), "value"),
        Input(ids.filter_id("run"), "value"),
        Input(ids.filter_id("watch"), "value"),
        State(ids.ASK, "data"),
    )
    def offer(typed: str | None, value: str | None, _run: str, _watch: str, asked: dict[str, Any] | None) -> Any:
        try:
            return choices(desk, Ask.of(asked), typed or "", value or MARKET)
        except StoreUnavailable:
            return no_update


def choices(desk: Desk, ask: Ask, typed: str, chosen: str) -> list[dict[str, str]]:
    """Return series that fit what is typed, the busiest first, and always the one that is chosen."""
    known = desk.choices(desk.run(ask).name, desk.entities(ask))
    title = next((one.title for one in known if one.series == chosen), chosen)
    if typed == words.clip(title, 80):
        typed = ""
    fit = [one for one in known if typed.lower() in f"{one.title} {one.series}".lower()][:OFFERED]
    offered = {one.series: one.title for one in fit}
    offered.setdefault(chosen, title)
    return [{"value": series, "label": words.clip(name, 80)} for series, name in offered.items()]


def draw(found: Found, ask: Ask) -> Sequence[Any]:
    """Return what fills the page, in the order of its outputs."""
    last = max(1, -(-found.documents.total // ON_A_PAGE))
    view = found.view
    if view is None or not view.points:
        why = "of this series in this time span." if found.start else "in this run yet."
        chart = live.absent(why)
    else:
        chart = live.shown(figures.series(view, Look.of(ask)))
    rows = parts.document_cards(found.documents.rows) or live.no_data("No document counts in this time.")
    return [head(found), *chart, documents_title(found, ask), rows, last]


def head(found: Found) -> Component:
    """Return the title of the chart, its span, and what was changed against the wish."""
    view = found.view
    span = words.window_words(found.start, found.end) if found.start and found.end else words.NO_DATA
    title = words.clip(view.title, 100) if view else TITLE
    notes = [f"{span}"]
    if view:
        notes.append(f"windows of {view.size.label}")
        if view.size != found.asked_size:
            notes.append(f"{found.asked_size.label} would be too many to draw")
        if any(not point.covered for point in view.points):
            notes.append("grey: not covered")
    return html.Div(
        [html.H1(title), html.Span(" \u00b7 ".join(notes), className="bw-hint")], className="bw-page-head bw-chart-head"
    )


def documents_title(found: Found, ask: Ask) -> Component:
    """Return the heading of the documents: of which time, and how to leave a chosen point."""
    size = found.view.size if found.view else found.asked_size
    total = words.count_of(found.documents.total, "document")
    if found.at is None:
        return parts.section(
            "Documents", html.Span(f"{total} in the span; click a point for its own", className="bw-hint")
        )
    span = words.window_words(found.at, found.at + timedelta(minutes=size))
    whole = dcc.Link(
        "whole span",
        href=parts.series_link(
            ask.text("run"),
            ask.text("series", MARKET),
            ask.text("watch"),
            size=ask.text("size"),
            start=ask.instant("from"),
            end=ask.instant("to"),
            span=ask.text("span"),
        ),
    )
    return parts.section(f"Documents of {span}", html.Span(total, className="bw-hint"), whole)
