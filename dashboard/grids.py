"""Tables: columns, rows and the look of AG Grid. No renderer that takes HTML or Markdown is used."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import dash_ag_grid as dag
from dash import html
from dash.development.base_component import Component

from dashboard import words
from dashboard.parts import alert_link, document_title
from dashboard.security import safe_url
from monitor.domain.views import AlertView, DocumentView, SourceView

__all__ = [
    "ALERT_COLUMNS",
    "DOCUMENT_COLUMNS",
    "SOURCE_COLUMNS",
    "alert_rows",
    "document_rows",
    "grid",
    "no_rows",
    "some_rows",
    "source_rows",
]

_THEME = """themeQuartz.withParams({
  backgroundColor: 'var(--bw-card)', foregroundColor: 'var(--bw-text)', headerTextColor: 'var(--bw-dim)',
  headerBackgroundColor: 'var(--bw-head)', borderColor: 'var(--bw-line)', accentColor: 'var(--bw-focus)',
  rowHoverColor: 'var(--bw-hover)', selectedRowBackgroundColor: 'var(--bw-hover)', fontFamily: 'inherit',
  fontSize: 13, headerFontSize: 12, headerFontWeight: 600, rowHeight: 36, headerHeight: 34, spacing: 6,
  wrapperBorder: false, browserColorScheme: 'inherit', columnBorder: false
})"""

_LABEL_CLASSES = {
    "bw-label-negative": "params.value == 'negative'",
    "bw-label-neutral": "params.value == 'neutral'",
    "bw-label-positive": "params.value == 'positive'",
}
_SEVERITY_CLASSES = {
    "bw-critical": "params.value == 'critical'",
    "bw-warning": "params.value == 'warning'",
    "bw-info": "params.value == 'info'",
}
_HEALTH_CLASSES = {
    "bw-bad": "params.value == 'failing' || params.value == 'refused'",
    "bw-good": "params.value == 'ok'",
    "bw-info": "params.value == 'new'",
}
_PERCENT = {"function": "params.value == null ? '' : d3.format('.0%')(params.value)"}
_COUNT = {"function": "params.value == null ? '' : d3.format(',')(params.value)"}

_WRAPPED = {"wrapText": True, "autoHeight": True, "cellClass": "bw-wrapped"}
"""A cell that shows all its words, over several lines."""

DOCUMENT_COLUMNS: list[dict[str, Any]] = [
    {"field": "at", "headerName": "Event time (UTC)", "width": 158},
    {"field": "label", "headerName": "Label", "width": 96, "cellClassRules": _LABEL_CLASSES},
    {
        "field": "confidence",
        "headerName": "Conf.",
        "headerTooltip": "Calibrated probability of the label",
        "width": 68,
        "type": "rightAligned",
        "valueFormatter": _PERCENT,
    },
    {
        "field": "title",
        "headerName": "Document",
        "flex": 1,
        "minWidth": 280,
        "cellRenderer": "BwLink",
        "tooltipField": "title",
    },
    {"field": "topic", "headerName": "Topic", "width": 172, "tooltipField": "topic"},
    {"field": "companies", "headerName": "Companies", "width": 168, "tooltipField": "companies"},
    {"field": "source", "headerName": "Source", "width": 140, "tooltipField": "source"},
    {"field": "flags", "headerName": "Notes", "width": 88},
]

ALERT_COLUMNS: list[dict[str, Any]] = [
    {"field": "opened", "headerName": "Opened (UTC)", "width": 158, "sortable": True},
    {
        "field": "severity",
        "headerName": "Severity",
        "width": 96,
        "sortable": True,
        "cellClassRules": _SEVERITY_CLASSES,
        "comparator": {"function": "bwSeverityOrder(valueA) - bwSeverityOrder(valueB)"},
    },
    {"field": "state", "headerName": "State", "width": 124, "sortable": True},
    {"field": "series", "headerName": "Series", "width": 180, "sortable": True, "tooltipField": "series"},
    {
        "field": "title",
        "headerName": "What happened",
        "flex": 1,
        "minWidth": 280,
        **_WRAPPED,
        "cellRenderer": "BwPageLink",
        "tooltipField": "title",
    },
    {"field": "window", "headerName": "Window", "width": 82, "sortable": True},
    {
        "field": "observed",
        "headerName": "Obs. / exp.",
        "headerTooltip": "Stories observed, and expected",
        "width": 104,
        "type": "rightAligned",
    },
    {"field": "probability", "headerName": "How rare", "width": 190, "tooltipField": "probability", **_WRAPPED},
    {"field": "actor", "headerName": "By", "width": 90},
]

SOURCE_COLUMNS: list[dict[str, Any]] = [
    {
        "field": "title",
        "headerName": "Source",
        "flex": 1,
        "minWidth": 220,
        "cellRenderer": "BwLink",
        "tooltipField": "url",
    },
    {"field": "health", "headerName": "State", "width": 92, "sortable": True, "cellClassRules": _HEALTH_CLASSES},
    {"field": "success", "headerName": "Last success (UTC)", "width": 168, "sortable": True},
    {"field": "lag", "headerName": "Lag", "headerTooltip": "Since the last good poll", "width": 88},
    {"field": "next", "headerName": "Next poll", "width": 104},
    {"field": "document", "headerName": "Last document (UTC)", "width": 176, "sortable": True},
    {
        "field": "documents",
        "headerName": "Documents",
        "width": 110,
        "type": "rightAligned",
        "sortable": True,
        "valueFormatter": _COUNT,
    },
    {"field": "failures", "headerName": "Failures", "width": 90, "type": "rightAligned", "sortable": True},
    {"field": "reason", "headerName": "Reason", "flex": 1, "minWidth": 220, "tooltipField": "reason", **_WRAPPED},
]


def grid(grid_id: str, columns: list[dict[str, Any]], label: str, *, selects: bool = False) -> Component:
    """Return an empty table; rows come with the first refresh."""
    options = {
        "theme": {"function": _THEME},
        "domLayout": "autoHeight",
        "tooltipShowDelay": 400,
        "suppressCellFocus": False,
        "enableCellTextSelection": True,
        "ensureDomOrder": True,
        "animateRows": False,
        "suppressMovableColumns": True,
        **(
            {"rowSelection": {"mode": "singleRow", "checkboxes": False, "enableClickSelection": True}}
            if selects
            else {}
        ),
    }
    table = dag.AgGrid(
        id=grid_id,
        columnDefs=columns,
        rowData=[],
        getRowId="params.data.id",
        defaultColDef={"sortable": False, "resizable": True, "suppressHeaderMenuButton": True, "cellDataType": False},
        dashGridOptions=options,
        className="bw-grid",
        style={"display": "none"},
        dangerously_allow_code=False,
    )
    return html.Div(table, role="region", **{"aria-label": label})


def no_rows() -> list[Any]:
    """Return rows and style of a table that is not shown."""
    return [[], {"display": "none"}]


def some_rows(rows: list[dict[str, Any]]) -> list[Any]:
    """Return rows and style of a table that is shown."""
    return [rows, {"height": None, "width": "100%"}]


def document_rows(rows: Sequence[DocumentView]) -> list[dict[str, Any]]:
    """Return documents as rows of a table."""
    return [
        {
            "id": row.id,
            "at": words.stamp(row.event_at),
            "label": row.label,
            "confidence": row.confidence,
            "title": document_title(row),
            "url": safe_url(row.url),
            "topic": row.topic,
            "companies": words.company_names(row.entities),
            "source": words.plain(row.source),
            "flags": ", ".join(word for word, on in (("late", row.late), ("copy", row.copy)) if on),
        }
        for row in rows
    ]


def alert_rows(views: Sequence[AlertView], run: str, watch: str) -> list[dict[str, Any]]:
    """Return alerts as rows of a table."""
    return [
        {
            "id": view.alert.id,
            "opened": words.stamp(view.opened_at),
            "severity": str(view.alert.severity),
            "state": str(view.alert.state),
            "series": words.clip(view.series_title, 80),
            "title": words.clip(view.title, 220),
            "url": alert_link(run, view.alert.id, watch),
            "window": view.alert.size.label,
            "observed": f"{view.alert.surprise.observed} / {view.alert.surprise.expected:.1f}",
            "probability": words.plain(view.probability),
            "actor": words.clip(view.alert.actor, 40),
        }
        for view in views
    ]


def source_rows(sources: Sequence[SourceView], now: datetime) -> list[dict[str, Any]]:
    """Return sources as rows of a table."""
    return [
        {
            "id": row.source,
            "title": words.clip(row.title, 120) or words.plain(row.source),
            "url": safe_url(row.url),
            "health": str(row.health),
            "success": words.stamp(row.last_success_at),
            "lag": words.duration(now - row.last_success_at) if row.last_success_at else "\u2013",
            "next": words.ago(row.next_poll_at, now) if row.next_poll_at else "\u2013",
            "document": words.stamp(row.last_document_at),
            "documents": row.documents,
            "failures": row.failures,
            "reason": words.clip(row.reason, 300),
        }
        for row in sources
    ]
