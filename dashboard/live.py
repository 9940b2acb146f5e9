"""How a page stays alive: one callback that reads, draws, and returns; that sends nothing where nothing has changed.

The browser never asks while an answer is outstanding (assets/bellwether.js), so refreshes cannot pile up.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import dash_mantine_components as dmc
import plotly.graph_objects as go
import structlog
from dash import Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component

from dashboard import ids, words
from dashboard.ask import Ask
from monitor.domain.errors import StoreUnavailable

__all__ = ["absent", "chart", "chart_outputs", "frame", "keep_alive", "no_data", "shown", "unavailable"]

log = structlog.get_logger(__name__)

CHART_CONFIG = {
    "displaylogo": False,
    "displayModeBar": "hover",
    "modeBarButtons": [["zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d"]],
    "showSendToCloud": False,
    "plotlyServerURL": "",
    "responsive": True,
    "scrollZoom": False,
    "doubleClick": "reset",
}
"""Only these buttons: Plotly's own set would offer to send a chart to its makers."""


def frame(page: str, *children: Component) -> Component:
    """Return a page with the place for its notice and the store of what it has drawn."""
    return html.Div(
        [
            html.Div(id=ids.notice_id(page), role="status", className="bw-notice"),
            dcc.Store(id=ids.seen_id(page)),
            *children,
        ],
        className="bw-page",
    )


def chart(chart_id: str, label: str, *, bar: bool = True) -> Component:
    """Return a place for a chart that says in words when there is nothing to draw."""
    config = CHART_CONFIG if bar else {**CHART_CONFIG, "displayModeBar": False}
    graph = dcc.Graph(id=chart_id, config=config, responsive=True, style={"display": "none"})
    return html.Div(
        [html.Div(graph, role="img", **{"aria-label": label}), html.Div(id=ids.empty_id(chart_id))],
        className="bw-chart",
    )


def chart_outputs(chart_id: str) -> list[Output]:
    """Return the outputs that `shown` and `absent` fill."""
    return [
        Output(chart_id, "figure"),
        Output(chart_id, "style"),
        Output(ids.empty_id(chart_id), "children"),
    ]


def shown(figure: go.Figure) -> list[Any]:
    """Return what shows a chart, at the height its figure asks for."""
    return [figure, {"height": f"{figure.layout.height}px"}, None]


def absent(text: str) -> list[Any]:
    """Return what shows words in the place of a chart."""
    return [no_update, {"display": "none"}, no_data(text)]


def no_data(text: str) -> Component:
    """Return the words that stand where there is nothing to show."""
    return html.Div([html.Strong(words.NO_DATA.capitalize()), html.Span(f" {text}")], className="bw-empty")


def keep_alive(
    app: Dash,
    page: str,
    outputs: Sequence[Output],
    read: Callable[[Ask], Any],
    draw: Callable[[Any, Ask], Sequence[Any]],
) -> None:
    """Register the callback that keeps a page up to date.

    Args:
        read: Returns the page's view, a frozen fact; asked with every tick.
        draw: Returns one value per output; asked only where the view or the question has changed.
    """

    @app.callback(
        *outputs,
        Output(ids.notice_id(page), "children"),
        Output(ids.seen_id(page), "data"),
        Input(ids.ASK, "data"),
        State(ids.seen_id(page), "data"),
    )
    def refresh(asked: dict[str, Any] | None, seen: str | None) -> Sequence[Any]:
        ask = Ask.of(asked)
        unchanged = [no_update] * len(outputs)
        try:
            view = read(ask)
        except StoreUnavailable as error:
            log.warning("page not read", page=page, reason=str(error))
            return [*unchanged, unavailable(), "unavailable"]
        digest = _digest(view, ask)
        if digest == seen:
            return [*unchanged, no_update, no_update]
        return [*draw(view, ask), None, digest]


def unavailable() -> Component:
    """Return the notice that stays while the store does not answer."""
    return dmc.Alert(
        "What is shown may be out of date. This page asks again every few seconds and recovers by itself.",
        title="The store does not answer",
        color="red",
        variant="light",
        mb="sm",
    )


def _digest(view: object, ask: Ask) -> str:
    seen = repr((view, replace(ask, tick=False)))
    return hashlib.blake2b(seen.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
