"""Ids of components, in one place: layouts, callbacks and browser tests name the same thing by the same constant."""

from __future__ import annotations

from typing import Final

URL: Final = "url"
ASK: Final = "ask"
TICK: Final = "tick"
SCHEME: Final = "scheme"
PAGE: Final = "page"

RUN_LINE: Final = "run-line"
BANNERS: Final = "banners"
RUN_FILTER: Final = "run-filter"
WATCH_FILTER: Final = "watch-filter"

OVERVIEW_MOOD: Final = "overview-mood"
OVERVIEW_PULSE: Final = "overview-pulse"
OVERVIEW_HEAT: Final = "overview-heat"
OVERVIEW_HEAT_NOTE: Final = "overview-heat-note"
OVERVIEW_MOVERS: Final = "overview-movers"
OVERVIEW_ALERTS: Final = "overview-alerts"

SERIES_CHART: Final = "series-chart"
SERIES_HEAD: Final = "series-head"
SERIES_DOCUMENTS: Final = "series-documents"
SERIES_DOCUMENTS_TITLE: Final = "series-documents-title"

ALERTS_GRID: Final = "alerts-grid"
ALERTS_CARDS: Final = "alerts-cards"
ALERTS_COUNT: Final = "alerts-count"

ALERT_BODY: Final = "alert-body"
ALERT_LIFE: Final = "alert-life"
ALERT_CHART: Final = "alert-chart"
ALERT_EVIDENCE: Final = "alert-evidence"
ALERT_DOCUMENTS: Final = "alert-documents"
ALERT_FORM: Final = "alert-form"
ALERT_NOTE: Final = "alert-note"
ALERT_ACKNOWLEDGE: Final = "alert-acknowledge"
ALERT_RESOLVE: Final = "alert-resolve"
ALERT_ANSWER: Final = "alert-answer"

DOCUMENTS_GRID: Final = "documents-grid"
DOCUMENTS_CARDS: Final = "documents-cards"
DOCUMENTS_COUNT: Final = "documents-count"
DOCUMENT_DRAWER: Final = "document-drawer"

SOURCES_GRID: Final = "sources-grid"
SOURCES_CARDS: Final = "sources-cards"
SOURCES_COUNT: Final = "sources-count"
SOURCES_CONDITIONS: Final = "sources-conditions"


def filter_id(name: str, default: str = "", of: str = "") -> dict[str, str]:
    """Return the id of a control whose value stands in the address as `name`, unless it is `default`.

    `of` tells apart the controls of two pages that have the same name and are both written to.
    """
    return {"type": "filter", "name": name, "default": default, "of": of}


def nav_id(path: str, where: str) -> dict[str, str]:
    """Return the id of a link of the navigation (`where`: top or bottom); it carries run and watch list along."""
    return {"type": "nav", "path": path, "where": where}


def notice_id(page: str) -> str:
    """Return the id of the place where a page says that it cannot read."""
    return f"{page}-notice"


def seen_id(page: str) -> str:
    """Return the id of the store that knows what a page has drawn."""
    return f"{page}-seen"


def empty_id(chart: str) -> str:
    """Return the id of the words that stand in a chart's place when there is nothing to draw."""
    return f"{chart}-empty"
