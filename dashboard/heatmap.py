"""The heat map of companies by topic: a pure function from cells to a figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from dashboard import words
from dashboard.canvas import DEFAULT_LOOK, canvas, chart_text
from dashboard.palette import Look
from monitor.domain.views import HeatCell

__all__ = ["HEAT_COMPANIES", "HEAT_TOPICS", "heat", "heat_axes"]

HEAT_COMPANIES = (20, 12)
"""Rows of the heat map on a wide and on a narrow screen."""

HEAT_TOPICS = (13, 5)
"""Columns of the heat map on a wide and on a narrow screen."""


def heat(cells: Sequence[HeatCell], look: Look = DEFAULT_LOOK) -> go.Figure:
    """Draw mean polarity by company (rows, the busiest on top) and topic (columns, the busiest first)."""
    companies, topics = heat_axes(cells, look)
    by_place = {(cell.entity, cell.topic): cell for cell in cells}
    grid = [[by_place.get((entity, topic)) for topic in topics] for entity in companies]
    names = [chart_text(name, 16 if look.narrow else 24) for name in companies.values()]
    shown = [cell for row in grid for cell in row if cell]
    bound = max([0.4, *(abs(cell.polarity) for cell in shown if cell.polarity is not None)])
    columns = list(range(len(topics)))
    rows = list(range(len(names)))
    few = [[1 if cell and cell.polarity is None else None for cell in row] for row in grid]
    place: dict[str, Any] = {
        "x": columns,
        "y": rows,
        "customdata": [[cell.series if cell else "" for cell in row] for row in grid],
        "hovertext": [[_cell_words(cell) for cell in row] for row in grid],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "hoverongaps": False,
        "xgap": 2,
        "ygap": 2,
    }
    figure = canvas(look, height=130 + 26 * len(names) if names else 200, left=8)
    figure.add_heatmap(z=few, colorscale=[(0, look.shade), (1, look.shade)], showscale=False, **place)
    figure.add_heatmap(
        z=[[cell.polarity if cell else None for cell in row] for row in grid],
        text=[[_cell_text(cell) for cell in row] for row in grid],
        texttemplate="%{text}",
        textfont={"size": 11},
        colorscale=[list(step) for step in look.diverging],
        zmin=-bound,
        zmax=bound,
        showscale=False,
        **place,
    )
    ticks = {"tickfont": {"size": 11}, "showgrid": False, "zeroline": False, "fixedrange": True, "ticks": ""}
    labels = [chart_text(topic, 14 if look.narrow else 26) for topic in topics]
    figure.update_xaxes(side="top", tickvals=columns, ticktext=labels, tickangle=-38, **ticks)
    figure.update_yaxes(
        autorange="reversed", tickvals=rows, ticktext=names, automargin=True, ticklabelstandoff=6, **ticks
    )
    figure.update_layout(uirevision="heat", margin={"l": 8, "r": 44, "t": 8, "b": 8}, hovermode="closest")
    return figure


def heat_axes(cells: Sequence[HeatCell], look: Look) -> tuple[dict[str, str], list[str]]:
    """Return the companies (id to name) and the topics that are drawn, the busiest first, ties by name."""
    by_company: dict[str, int] = {}
    by_topic: dict[str, int] = {}
    names = {cell.entity: cell.entity_name for cell in cells}
    for cell in cells:
        by_company[cell.entity] = by_company.get(cell.entity, 0) + cell.documents
    companies = sorted(by_company, key=lambda key: (-by_company[key], key))[: HEAT_COMPANIES[look.narrow]]
    kept = set(companies)
    for cell in cells:
        if cell.entity in kept:
            by_topic[cell.topic] = by_topic.get(cell.topic, 0) + cell.documents
    topics = sorted(by_topic, key=lambda key: (-by_topic[key], key))[: HEAT_TOPICS[look.narrow]]
    return {entity: names[entity] for entity in companies}, topics


def _cell_text(cell: HeatCell | None) -> str:
    return words.signed(cell.polarity).replace("0.", ".") if cell and cell.polarity is not None else ""


def _cell_words(cell: HeatCell | None) -> str:
    if cell is None:
        return ""
    tone = f"polarity {words.signed(cell.polarity)}" if cell.polarity is not None else "too few stories for a mean"
    name = chart_text(f"{cell.entity_name}, {cell.topic}")
    return f"<b>{name}</b><br>{tone}<br>{words.count_of(cell.documents, 'document')}"
