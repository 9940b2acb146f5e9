"""Pictures of views: pure functions from a view to a Plotly figure. What is missing is left out, never a zero."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import plotly.graph_objects as go

from dashboard import words
from dashboard.canvas import DEFAULT_LOOK, canvas, chart_text
from dashboard.heatmap import HEAT_COMPANIES, HEAT_TOPICS, heat, heat_axes
from dashboard.palette import Look
from monitor.domain.timespans import DAY_MIN
from monitor.domain.trends import Surprise
from monitor.domain.views import AlertView, SeriesView, TrendPoint

__all__ = ["HEAT_COMPANIES", "HEAT_TOPICS", "evidence", "heat", "heat_axes", "pulse", "series"]


def pulse(points: Sequence[TrendPoint], look: Look = DEFAULT_LOOK) -> go.Figure:
    """Draw the market's last windows: mean polarity with its interval."""
    figure = canvas(look, height=150, left=44)
    _windows(figure, points, yaxis="y")
    _polarity(figure, points, look, yaxis="y")
    bound = _bound(points)
    figure.update_yaxes(range=[-bound, bound], nticks=5, tickformat="+.1f", zerolinecolor=look.neutral, zerolinewidth=1)
    if look.narrow:
        figure.update_xaxes(nticks=4, tickangle=0)
    figure.update_layout(hovermode="x unified", uirevision="pulse", showlegend=False)
    return figure


def series(view: SeriesView, look: Look = DEFAULT_LOOK) -> go.Figure:
    """Draw a series over three panels that share the time: polarity, documents by label, share of negatives."""
    figure = canvas(look, height=460 if look.narrow else 520, left=44 if look.narrow else 64)
    points = view.points
    _windows(figure, points, yaxis="y2")
    _polarity(figure, points, look, yaxis="y")
    _volume(figure, points, look)
    _negative_share(figure, points, look)
    if look.narrow:
        figure.update_xaxes(nticks=4, tickangle=0)
    bound = _bound(points)
    _marks(figure, view.alerts, look, top=bound * 0.93)
    _uncovered(figure, points, look)
    figure.update_layout(
        hovermode="x unified",
        hoversubplots="axis",
        uirevision=f"{view.series}/{view.size.label}",
        barmode="stack",
        bargap=0.12,
        showlegend=False,
        xaxis={"anchor": "y3", "title": {"text": "Time (UTC)", "standoff": 8, "font": {"size": 11}}},
        yaxis={
            "domain": [0.50, 1],
            "title": _axis_title("Polarity", look),
            "range": [-bound, bound],
            "tickformat": "+.1f",
            "zerolinecolor": look.neutral,
        },
        yaxis2={"domain": [0.22, 0.46], "title": _axis_title("Documents", look), "rangemode": "tozero", "nticks": 4},
        yaxis3={
            "domain": [0, 0.18],
            "title": _axis_title("Negative", look),
            "tickformat": ".0%",
            "range": [0, max([0.5, *(share * 1.1 for point in points if (share := point.negative_share))])],
            "nticks": 3,
        },
    )
    return figure


def evidence(surprise: Surprise, look: Look = DEFAULT_LOOK) -> go.Figure:
    """Draw what was observed against what was expected, with the 95 % predictive interval."""
    figure = canvas(look, height=104, left=12)
    color = {"negative": look.negative, "positive": look.positive}.get(str(surprise.direction), look.strong)
    figure.add_bar(
        x=[max(surprise.high - surprise.low, 0)],
        base=[surprise.low],
        y=[0],
        orientation="h",
        width=0.5,
        marker_color=look.band,
        name="95 % predictive interval",
        hovertemplate=f"expected within {surprise.low} to {surprise.high}<extra></extra>",
    )
    _dot(figure, surprise.expected, f"expected {surprise.expected:.1f}", "line-ns-open", 18, look.strong)
    _dot(figure, surprise.observed, f"observed {surprise.observed}", "circle", 14, color)
    right = max(surprise.observed, surprise.high, surprise.expected, 1) * 1.12
    kind = "Stories" if str(surprise.family) == "volume" else f"{str(surprise.direction).capitalize()} stories"
    figure.update_layout(
        hovermode="closest",
        showlegend=False,
        margin={"l": 12, "r": 12, "t": 4, "b": 40},
        xaxis={
            "range": [-right * 0.02, right],
            "title": {"text": f"{kind} in the window", "font": {"size": 11}, "standoff": 6},
            "fixedrange": True,
        },
        yaxis={"visible": False, "range": [-0.6, 0.6], "fixedrange": True},
        uirevision="evidence",
    )
    return figure


def _dot(figure: go.Figure, x: float, name: str, symbol: str, size: int, color: str) -> None:
    figure.add_scatter(
        x=[x],
        y=[0],
        mode="markers",
        name=name,
        marker={"symbol": symbol, "size": size, "color": color, "line": {"width": 2, "color": color}},
        hovertemplate=f"{name}<extra></extra>",
    )


def _axis_title(text: str, look: Look) -> dict[str, Any]:
    return {"text": text, "font": {"size": 11, "color": look.text}, "standoff": 6}


def _bound(points: Sequence[TrendPoint]) -> float:
    """Return half the height of a polarity axis: even on both sides, at least 0.5, at most 1.05."""
    ends = [abs(end) for point in points if point.polarity for end in (point.polarity.low, point.polarity.high)]
    return min(1.05, max([0.5, *(end * 1.2 for end in ends)]))


def _middle(point: TrendPoint) -> datetime:
    return point.start + timedelta(minutes=point.size) / 2


def _stretches(points: Sequence[TrendPoint]) -> list[list[TrendPoint]]:
    """Return the unbroken stretches of windows that have a polarity."""
    found: list[list[TrendPoint]] = []
    last: TrendPoint | None = None
    for point in points:
        if point.polarity is not None:
            joins = last is not None and point.start - last.start == timedelta(minutes=point.size)
            if joins:
                found[-1].append(point)
            else:
                found.append([point])
            last = point
        else:
            last = None
    return found


def _windows(figure: go.Figure, points: Sequence[TrendPoint], *, yaxis: str) -> None:
    """Add what is said of each window when it is pointed at; nothing to see."""
    figure.add_scatter(
        x=[_middle(point) for point in points],
        y=[0] * len(points),
        mode="markers",
        marker={"opacity": 0, "size": 1},
        customdata=[f"at:{point.start.isoformat()}" for point in points],
        text=[_window_words(point) for point in points],
        hovertemplate="%{text}<extra></extra>",
        name="Window",
        yaxis=yaxis,
    )


def _polarity(figure: go.Figure, points: Sequence[TrendPoint], look: Look, *, yaxis: str) -> None:
    """Add the interval as an area and the mean as a line, broken where there is no mean."""
    stretches = _stretches(points)
    band_x: list[datetime | None] = []
    band_y: list[float | None] = []
    for stretch in stretches:
        there = [(_middle(point), point.polarity) for point in stretch]
        band_x += [x for x, _ in there] + [x for x, _ in reversed(there)] + [there[0][0], None]
        lows = [p.low for _, p in there if p]
        highs = [p.high for _, p in there if p]
        band_y += [*highs, *reversed(lows), highs[0], None]
    figure.add_scatter(
        x=band_x,
        y=band_y,
        fill="toself",
        mode="lines",
        line={"width": 1, "color": look.band},
        fillcolor=look.band,
        hoverinfo="skip",
        name="95 % interval",
        yaxis=yaxis,
    )
    line: list[TrendPoint | None] = []
    for stretch in stretches:
        line += [*stretch, None]
    figure.add_scatter(
        x=[_middle(point) if point else None for point in line],
        y=[point.polarity.mean if point and point.polarity else None for point in line],
        mode="lines+markers",
        connectgaps=False,
        line={"width": 1.8, "color": look.strong},
        marker={
            "size": [5 if point and not point.closed else 4 for point in line],
            "color": [look.ground if point and not point.closed else look.strong for point in line],
            "line": {"width": 1.2, "color": look.strong},
        },
        customdata=[f"at:{point.start.isoformat()}" if point else "" for point in line],
        text=[_tone_words(point) if point else "" for point in line],
        hovertemplate="%{text}",
        name="Polarity",
        yaxis=yaxis,
    )


def _volume(figure: go.Figure, points: Sequence[TrendPoint], look: Look) -> None:
    for name, color in (("negative", look.negative), ("neutral", look.neutral), ("positive", look.positive)):
        figure.add_bar(
            x=[_middle(point) for point in points],
            y=[getattr(point, name) for point in points],
            width=[point.size * 60_000 * 0.86 for point in points],
            marker={"color": color, "line": {"width": 0}, "opacity": [1 if p.closed else 0.55 for p in points]},
            name=name.capitalize(),
            customdata=[f"at:{point.start.isoformat()}" for point in points],
            hovertemplate="%{y}",
            yaxis="y2",
        )


def _negative_share(figure: go.Figure, points: Sequence[TrendPoint], look: Look) -> None:
    """Add the share of negatives as steps that break where a window is missing or empty."""
    x: list[datetime | None] = []
    y: list[float | None] = []
    custom: list[str] = []
    last: TrendPoint | None = None
    for point in points:
        share = point.negative_share
        if share is None:
            continue
        if last is not None and point.start - last.start != timedelta(minutes=point.size):
            x.append(None)
            y.append(None)
            custom.append("")
        x.append(_middle(point))
        y.append(share)
        custom.append(f"at:{point.start.isoformat()}")
        last = point
    figure.add_scatter(
        x=x,
        y=y,
        mode="lines+markers",
        line={"shape": "hvh", "width": 1.4, "color": look.negative},
        marker={"size": 2.5, "color": look.negative},
        connectgaps=False,
        customdata=custom,
        hovertemplate="%{y:.0%}",
        name="Share negative",
        showlegend=False,
        yaxis="y3",
    )


def _marks(figure: go.Figure, alerts: Sequence[AlertView], look: Look, *, top: float) -> None:
    """Mark alerts where they opened: a triangle to click, a line through all panels."""
    if not alerts:
        return
    colors = [look.severity(str(view.alert.severity)) for view in alerts]
    figure.add_scatter(
        x=[view.opened_at for view in alerts],
        y=[top] * len(alerts),
        mode="markers",
        marker={"symbol": "triangle-down", "size": 13, "color": colors, "line": {"width": 1, "color": look.ground}},
        customdata=[f"alert:{view.alert.id}" for view in alerts],
        text=[chart_text(f"{view.alert.severity}: {view.title}") for view in alerts],
        hovertemplate="%{text}<extra></extra>",
        name="Alert",
        yaxis="y",
    )
    for view, color in zip(alerts, colors, strict=True):
        line = {"color": color, "width": 1, "dash": "dot"}
        figure.add_shape(type="line", x0=view.opened_at, x1=view.opened_at, y0=0, y1=1, yref="paper", line=line)


def _uncovered(figure: go.Figure, points: Sequence[TrendPoint], look: Look) -> None:
    """Shade the time that nobody listened to; windows that touch become one area."""
    spans: list[list[datetime]] = []
    for point in points:
        if not point.covered:
            end = point.start + timedelta(minutes=point.size)
            if spans and spans[-1][1] == point.start:
                spans[-1][1] = end
            else:
                spans.append([point.start, end])
    look_of = {"type": "rect", "yref": "paper", "y0": 0, "y1": 1, "layer": "below", "line": {"width": 0}}
    for start, end in spans:
        figure.add_shape(x0=start, x1=end, fillcolor=look.shade, **look_of)


def _tone_words(point: TrendPoint) -> str:
    mean = point.polarity
    return f"{words.signed(mean.mean)} ({words.signed(mean.low)} to {words.signed(mean.high)})" if mean else "no data"


def _window_words(point: TrendPoint) -> str:
    end = point.start + timedelta(minutes=point.size)
    span = f"{point.start:%H:%M} to {end:%H:%M} UTC" if point.size < DAY_MIN else "the whole day, UTC"
    state = "" if point.closed else ", still filling"
    counts = f"{words.count_of(point.documents, 'document')}, {words.count_of(point.stories, 'story', 'stories')}, "
    late = f", {point.late} late" if point.late else ""
    few = "" if point.polarity else "<br>too few stories for a mean"
    return f"<b>{span}</b>{state}<br>{counts}{words.count_of(point.sources, 'source')}{late}{few}"
