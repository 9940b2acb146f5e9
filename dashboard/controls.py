"""Filters: each stands in the address under its name, so that what one sees can be sent to somebody else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from dashboard import ids
from dashboard.ask import Ask, picker_time

__all__ = ["choice", "many", "one_of", "pages", "search", "times"]

SPAN_LABELS = {
    "1h": "1 hour",
    "6h": "6 hours",
    "1d": "1 day",
    "3d": "3 days",
    "7d": "7 days",
    "30d": "30 days",
    "90d": "90 days",
    "1y": "1 year",
    "all": "All time",
}


def choice(name: str, label: str, values: Sequence[str], default: str, ask: Ask) -> Component:
    """Return a control that shows all its values side by side."""
    value = ask.text(name, default)
    return dmc.SegmentedControl(
        id=ids.filter_id(name, default),
        data=list(values),
        value=value if value in values else default,
        size="xs",
        **{"aria-label": label},
    )


def one_of(
    name: str, label: str, options: Iterable[tuple[str, str]], ask: Ask, *, default: str = "", **props: Any
) -> Component:
    """Return a list to choose one of; the empty choice stands for all."""
    return dmc.Select(
        id=ids.filter_id(name, default),
        data=[{"value": value, "label": text} for value, text in options],
        value=ask.text(name, default),
        allowDeselect=False,
        label=label,
        size="xs",
        **props,
    )


def many(name: str, label: str, values: Sequence[str], ask: Ask, default: str = "") -> Component:
    """Return a list to choose several of; none stands for all."""
    return dmc.MultiSelect(
        id=ids.filter_id(name, default),
        data=list(values),
        value=[word for word in ask.text(name, default).split(",") if word],
        label=label,
        placeholder="all" if not ask.text(name, default) else "",
        size="xs",
        clearable=True,
        hidePickedOptions=True,
    )


def search(name: str, label: str, ask: Ask, placeholder: str = "") -> Component:
    """Return a field for words; takes effect half a second after the last key."""
    return dmc.TextInput(
        id=ids.filter_id(name),
        value=ask.text(name),
        label=label,
        placeholder=placeholder,
        debounce=500,
        size="xs",
        inputProps={"type": "search", "maxLength": 200},
    )


def times(spans: Sequence[str], default: str, ask: Ask) -> list[Component]:
    """Return the choice of a span, and two fields for times of one's own, which go before it."""
    options = [(span, SPAN_LABELS[span]) for span in spans]
    return [
        one_of("span", "Time span", options, ask, default=default, className="bw-w110"),
        _time("from", "From (UTC)", ask),
        _time("to", "To (UTC)", ask),
    ]


def _time(name: str, label: str, ask: Ask) -> Component:
    return dmc.DateTimePicker(
        id=ids.filter_id(name),
        value=picker_time(ask.instant(name)),
        label=label,
        valueFormat="YYYY-MM-DD HH:mm",
        placeholder="as span",
        clearable=True,
        size="xs",
        className="bw-w160",
    )


def pages(page: str, ask: Ask) -> Component:
    """Return the choice of a page of a long list; shown only where there is more than one."""
    return html.Div(
        dmc.Pagination(
            id=ids.filter_id("p", "1", page),
            total=1,
            value=ask.number("p", 1, 10_000),
            size="sm",
            siblings=1,
            hideWithOnePage=True,
        ),
        className="bw-pages",
    )
