"""Sources: who is heard, who is not, and why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from dash import Dash, Output, html
from dash.development.base_component import Component

from dashboard import grids, ids, live, parts, words
from dashboard.ask import Ask
from dashboard.desk import Condition, Desk
from monitor.domain.views import SourceView

__all__ = ["PATH", "TITLE", "layout", "register"]

PATH = "/sources"
TITLE = "Sources"
PAGE = "sources"

Found = tuple[tuple[SourceView, ...], tuple[Condition, ...], datetime]


def layout(ask: Ask) -> Component:
    """Return the page before anything is read."""
    del ask
    return live.frame(
        PAGE,
        html.Div(
            [html.H1(TITLE), html.Span(id=ids.SOURCES_COUNT, className="bw-hint")],
            className="bw-page-head",
        ),
        html.Div(id=ids.SOURCES_CONDITIONS),
        parts.card(
            html.Div(grids.grid(ids.SOURCES_GRID, grids.SOURCE_COLUMNS, "Sources"), className="bw-wide"),
            html.Div(id=ids.SOURCES_CARDS),
            label="Sources",
            kind="bw-flush",
        ),
    )


def register(app: Dash, desk: Desk) -> None:
    """Keep the page alive."""

    def read(ask: Ask) -> Found:
        del ask
        return desk.reader.sources(), desk.conditions(), desk.clock().replace(second=0, microsecond=0)

    outputs = [
        Output(ids.SOURCES_GRID, "rowData"),
        Output(ids.SOURCES_GRID, "style"),
        Output(ids.SOURCES_CARDS, "children"),
        Output(ids.SOURCES_COUNT, "children"),
        Output(ids.SOURCES_CONDITIONS, "children"),
    ]
    live.keep_alive(app, PAGE, outputs, read, draw)


def draw(found: Found, ask: Ask) -> Sequence[Any]:
    """Return what fills the page, in the order of its outputs."""
    sources, told, now = found
    if not sources:
        return [*grids.no_rows(), live.no_data("No source has been crawled yet."), "", conditions(told)]
    broken = sum(source.failures > 0 for source in sources)
    count = f"{words.count_of(len(sources), 'source')}, {broken} failing \u00b7 of the crawler, whatever the run"
    rows = grids.source_rows(sources, now)
    if ask.narrow:
        return [*grids.no_rows(), cards(sources, rows), count, conditions(told)]
    return [*grids.some_rows(rows), None, count, conditions(told)]


def cards(sources: Sequence[SourceView], rows: Sequence[dict[str, Any]]) -> list[Component]:
    """Return the sources as a list for a narrow screen."""
    return [_card(source, row) for source, row in zip(sources, rows, strict=True)]


def _card(source: SourceView, row: dict[str, Any]) -> Component:
    tone = {"ok": "good", "new": "info"}.get(row["health"], "bad")
    said = words.count_of(source.documents, "document")
    counts = f"{said} \u00b7 last success {row['success']} UTC \u00b7 lag {row['lag']}"
    failing = f"{words.count_of(source.failures, 'failure')} in a row: {row['reason']}" if source.failures else ""
    return html.Article(
        [
            html.Div(
                [html.Span(row["health"], className=f"bw-{tone}"), parts.outlink(row["title"], source.url)],
                className="bw-row",
            ),
            html.Div(f"{counts} \u00b7 next poll {row['next']}", className="bw-hint"),
            html.Div(failing, className="bw-hint bw-bad") if failing else None,
        ],
        className="bw-item",
    )


def conditions(told: Sequence[Condition]) -> Component | None:
    """Return how the parts of the monitor do."""
    if not told:
        return None
    rows = [
        html.Div(
            [
                html.Span("well" if one.well else "not well", className="bw-good" if one.well else "bw-bad"),
                html.Span(one.name, className="bw-strong"),
                html.Span(one.words, className="bw-hint"),
            ],
            className="bw-row",
        )
        for one in told
    ]
    return parts.card(parts.section("Parts of the monitor"), *rows, label="Parts of the monitor")
