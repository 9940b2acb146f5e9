"""Documents: search what was read, by words, label, topic, company, source and time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, html, no_update
from dash.development.base_component import Component

from dashboard import grids, ids, live, parts, words
from dashboard.ask import Ask
from dashboard.controls import one_of, pages, search, times
from dashboard.desk import Desk
from monitor.domain.errors import StoreUnavailable
from monitor.domain.sentiment import TOPICS, Label
from monitor.domain.series import entity_of, kind_of
from monitor.domain.views import DocumentFilter, DocumentPage

__all__ = ["PATH", "TITLE", "layout", "register"]

PATH = "/documents"
TITLE = "Documents"
PAGE = "documents"

SPAN_CHOICES = ("1h", "6h", "1d", "7d", "30d", "1y", "all")
ON_A_PAGE = 50
MOST_PAGES = 2_000
OFFERED = 80
"""Companies offered at once; typing finds the others."""


def layout(ask: Ask) -> Component:
    """Return the page before anything is read."""
    every = [("", "all")]
    return live.frame(
        PAGE,
        html.Div([html.H1(TITLE), html.Span(id=ids.DOCUMENTS_COUNT, className="bw-hint")], className="bw-page-head"),
        html.Div(
            [
                search("q", "Search in title and text", ask, "words"),
                one_of("label", "Label", [*every, *((one.word, one.word) for one in Label)], ask, className="bw-w110"),
                one_of("topic", "Topic", [*every, *((one, one) for one in TOPICS)], ask, searchable=True),
                one_of("company", "Company", every, ask, searchable=True, limit=100, nothingFoundMessage="none"),
                one_of("source", "Source", every, ask, searchable=True, limit=100, nothingFoundMessage="none"),
                *times(SPAN_CHOICES, "all", ask),
            ],
            className="bw-filters",
            role="search",
        ),
        parts.card(
            grids.grid(ids.DOCUMENTS_GRID, grids.DOCUMENT_COLUMNS, "Documents", selects=True),
            html.Div(id=ids.DOCUMENTS_CARDS),
            label="Documents",
            kind="bw-flush",
        ),
        pages(PAGE, ask),
        dmc.Drawer(id=ids.DOCUMENT_DRAWER, position="right", size="lg", title="Document", opened=False),
    )


def filter_of(ask: Ask, entities: tuple[str, ...], as_of: datetime | None) -> DocumentFilter:
    """Return what the address asks for; a company goes before the watch list."""
    company = ask.text("company")
    start, end = ask.span("all", as_of)
    return DocumentFilter(
        text=ask.text("q")[:200],
        label=ask.text("label"),
        topic=ask.text("topic"),
        entities=(company,) if company else entities,
        source=ask.text("source"),
        start=start,
        end=end,
    )


def register(app: Dash, desk: Desk) -> None:
    """Keep the page alive, offer companies and sources, and show one document in full."""

    def read(ask: Ask) -> DocumentPage:
        run = desk.run(ask)
        offset = (ask.number("p", 1, MOST_PAGES) - 1) * ON_A_PAGE
        return desk.reader.documents(run.name, filter_of(ask, desk.entities(ask), run.as_of), ON_A_PAGE, offset)

    outputs = [
        Output(ids.DOCUMENTS_GRID, "rowData"),
        Output(ids.DOCUMENTS_GRID, "style"),
        Output(ids.DOCUMENTS_CARDS, "children"),
        Output(ids.DOCUMENTS_COUNT, "children"),
        Output(ids.filter_id("p", "1", PAGE), "total"),
    ]
    live.keep_alive(app, PAGE, outputs, read, draw)

    @app.callback(
        Output(ids.filter_id("company"), "data"),
        Output(ids.filter_id("source"), "data"),
        Input(ids.PAGE, "children"),
        Input(ids.filter_id("run"), "value"),
        Input(ids.filter_id("company"), "searchValue"),
        State(ids.ASK, "data"),
    )
    def offer(_page: Any, _run: str, typed: str | None, asked: dict[str, Any] | None) -> list[Any]:
        ask = Ask.of(asked)
        try:
            return [companies(desk, ask, typed or ""), sources(desk, ask)]
        except StoreUnavailable:
            return [no_update, no_update]

    @app.callback(
        Output(ids.DOCUMENT_DRAWER, "children"),
        Output(ids.DOCUMENT_DRAWER, "opened"),
        Input(ids.DOCUMENTS_GRID, "selectedRows"),
        State(ids.ASK, "data"),
        prevent_initial_call=True,
    )
    def open_document(rows: list[dict[str, Any]] | None, asked: dict[str, Any] | None) -> list[Any]:
        if not rows:
            return [no_update, False]
        try:
            found = read(Ask.of(asked))
        except StoreUnavailable:
            return [live.unavailable(), True]
        row = next((row for row in found.rows if row.id == rows[0].get("id")), None)
        return [parts.document_full(row), True] if row else [no_update, False]


def companies(desk: Desk, ask: Ask, typed: str) -> list[dict[str, str]]:
    """Return companies that fit what is typed, the busiest first, and always the one that is chosen."""
    chosen = ask.text("company")
    known = {
        entity_of(one.series): one.title
        for one in desk.choices(desk.run(ask).name, desk.entities(ask))
        if kind_of(one.series) == "entity"
    }
    if typed in {"all", known.get(chosen)}:
        typed = ""
    fit = [one for one in known.items() if typed.lower() in f"{one[0]} {one[1]}".lower()][:OFFERED]
    if chosen and chosen not in dict(fit):
        fit.insert(0, (chosen, known.get(chosen, chosen)))
    return [{"value": "", "label": "all"}, *({"value": key, "label": words.clip(name, 60)} for key, name in fit)]


def sources(desk: Desk, ask: Ask) -> list[dict[str, str]]:
    """Return the crawler's sources by name, and always the one that is chosen."""
    names = sorted(
        {row.source for row in desk.reader.sources()} | {chosen for chosen in [ask.text("source")] if chosen}
    )
    return [{"value": "", "label": "all"}, *({"value": name, "label": words.clip(name, 60)} for name in names)]


def draw(found: DocumentPage, ask: Ask) -> Sequence[Any]:
    """Return what fills the page, in the order of its outputs."""
    last = max(1, min(-(-found.total // ON_A_PAGE), MOST_PAGES))
    if not found.rows:
        return [*grids.no_rows(), live.no_data("No document fits these filters."), "", last]
    first = (ask.number("p", 1, MOST_PAGES) - 1) * ON_A_PAGE + 1
    through = f"{words.number(first)}\u2013{words.number(first + len(found.rows) - 1)} of "
    count = f"{through}{words.count_of(found.total, 'document')}, newest first"
    if ask.narrow:
        return [*grids.no_rows(), parts.document_cards(found.rows), count, last]
    return [*grids.some_rows(grids.document_rows(found.rows)), None, count, last]
