"""The first page: how the market feels now, where, what moved, and what wants attention."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, dcc, html
from dash.development.base_component import Component

from dashboard import figures, ids, live, parts, words
from dashboard.ask import SPANS, Ask, link
from dashboard.controls import choice
from dashboard.desk import Desk
from dashboard.palette import Look
from monitor.domain.trends import Polarity
from monitor.domain.views import Mover, Overview

__all__ = ["PATH", "TITLE", "layout", "register"]

PATH = "/"
TITLE = "Overview"
PAGE = "overview"

SPAN_CHOICES = ("1h", "6h", "1d", "3d", "7d")
DEFAULT_SPAN = "1d"
SHOWN_ALERTS = 8
SHOWN_MOVERS = 5
STEADY = 0.02
"""Change of mean polarity below which the arrow lies flat."""


def layout(ask: Ask) -> Component:
    """Return the page before anything is read."""
    return live.frame(
        PAGE,
        html.Div(
            [html.H1(TITLE), choice("span", "Time span", SPAN_CHOICES, DEFAULT_SPAN, ask)],
            className="bw-page-head",
        ),
        html.Div(
            [
                parts.card(html.Div(id=ids.OVERVIEW_MOOD), label="Market mood", kind="bw-mood"),
                parts.card(
                    parts.section("Market polarity", html.Span("mean and 95 % interval, UTC", className="bw-hint")),
                    live.chart(ids.OVERVIEW_PULSE, "Market polarity over time", bar=False),
                    label="Market pulse",
                ),
            ],
            className="bw-split bw-split-left",
        ),
        html.Div(
            [
                parts.card(
                    parts.section("Companies by topic", html.Span(id=ids.OVERVIEW_HEAT_NOTE, className="bw-hint")),
                    live.chart(ids.OVERVIEW_HEAT, "Mean polarity by company and topic", bar=False),
                    label="Companies by topic",
                ),
                html.Div(
                    [
                        parts.card(html.Div(id=ids.OVERVIEW_ALERTS), label="Open alerts"),
                        parts.card(html.Div(id=ids.OVERVIEW_MOVERS), label="Movers"),
                    ],
                    className="bw-stack",
                ),
            ],
            className="bw-split bw-split-right",
        ),
    )


def register(app: Dash, desk: Desk) -> None:
    """Keep the page alive."""

    def read(ask: Ask) -> tuple[str, Overview]:
        run = desk.run(ask).name
        span = SPANS.get(ask.text("span", DEFAULT_SPAN), SPANS[DEFAULT_SPAN])
        return run, desk.reader.overview(run, int(span.total_seconds() // 60), desk.entities(ask))

    outputs = [
        Output(ids.OVERVIEW_MOOD, "children"),
        *live.chart_outputs(ids.OVERVIEW_PULSE),
        *live.chart_outputs(ids.OVERVIEW_HEAT),
        Output(ids.OVERVIEW_HEAT_NOTE, "children"),
        Output(ids.OVERVIEW_ALERTS, "children"),
        Output(ids.OVERVIEW_MOVERS, "children"),
    ]
    live.keep_alive(app, PAGE, outputs, read, draw)
    app.clientside_callback(ClientsideFunction("bellwether", "open"), Input(ids.OVERVIEW_HEAT, "clickData"))


def draw(found: tuple[str, Overview], ask: Ask) -> Sequence[Any]:
    """Return what fills the page, in the order of its outputs."""
    run, view = found
    look, watch = Look.of(ask), ask.text("watch")
    has_pulse = any(point.polarity for point in view.pulse)
    return [
        mood(view),
        *(live.shown(figures.pulse(view.pulse, look)) if has_pulse else live.absent("in this span yet.")),
        *(live.shown(figures.heat(view.heat, look)) if view.heat else live.absent(_why_empty(watch))),
        _heat_note(view, look),
        alerts(view, run, watch),
        movers(view, run, watch),
    ]


def _why_empty(watch: str) -> str:
    return "on a company of this watch list in this span." if watch else "on any company in this span."


def _heat_note(view: Overview, look: Look) -> str:
    if not view.heat:
        return ""
    companies, topics = figures.heat_axes(view.heat, look)
    every, themes = len({cell.entity for cell in view.heat}), len({cell.topic for cell in view.heat})
    shown = f"{len(companies)} busiest of {words.count_of(every, 'company', 'companies')}"
    cut = f", {len(topics)} of {themes} topics" if len(topics) < themes else ""
    return f"{shown}{cut}; grey: too few stories"


def mood(view: Overview) -> Component:
    """Return the market's mood in figures and words."""
    now = view.mood
    head = parts.section("Market mood")
    if now is None:
        return html.Div([head, live.no_data(f"({words.count_of(view.documents, 'document')} in this span).")])
    tone = "neutral" if abs(now.mean) < 0.04 else "negative" if now.mean < 0 else "positive"
    late = f"{words.number(view.late)} late" if view.late else "none late"
    critical = sum(one.alert.severity == "critical" for one in view.alerts)
    return html.Div(
        [
            head,
            html.Div(
                [
                    html.Span(words.signed(now.mean), className=f"bw-big bw-tone-{tone}"),
                    html.Span(words.mood(now.mean), className="bw-mood-word"),
                ],
                className="bw-row bw-baseline",
            ),
            html.Div(
                f"95 % interval {words.signed(now.low)} to {words.signed(now.high)}",
                className="bw-hint",
            ),
            _arrow(now, view.before),
            html.Div(
                [
                    parts.field("Documents", words.number(view.documents), late),
                    parts.field("Open alerts", words.number(len(view.alerts)), f"{critical} critical"),
                ],
                className="bw-fields",
            ),
        ]
    )


def _arrow(now: Polarity, before: Polarity | None) -> Component:
    if before is None:
        return html.Div("no data in the span before", className="bw-hint")
    change = now.mean - before.mean
    sign, word = (
        ("\u2192", "steady") if abs(change) < STEADY else ("\u2191", "up") if change > 0 else ("\u2193", "down")
    )
    tone = "neutral" if word == "steady" else "positive" if change > 0 else "negative"
    return html.Div(
        [
            html.Span(sign, className=f"bw-arrow bw-tone-{tone}", **{"aria-hidden": "true"}),
            f" {word} {words.signed(change)} against the span before ({words.signed(before.mean)})",
        ],
        className="bw-change",
    )


def alerts(view: Overview, run: str, watch: str) -> list[Component]:
    """Return the open alerts, the worst first."""
    ranks = {"critical": 0, "warning": 1, "info": 2}
    worst = sorted(view.alerts, key=lambda one: (ranks.get(one.alert.severity, 3), -one.opened_at.timestamp()))
    rest = len(worst) - SHOWN_ALERTS
    more = f"all {len(worst)}" if rest > 0 else "all alerts"
    head = parts.section("Open alerts", dcc.Link(more, href=link("/alerts", run=run, watch=watch)))
    if not worst:
        quiet = "No alert is open." if view.as_of else "Nothing has been judged yet."
        return [head, html.Div(quiet, className="bw-empty")]
    return [head, *parts.alert_cards(worst[:SHOWN_ALERTS], run, watch, view.as_of)]


def movers(view: Overview, run: str, watch: str) -> list[Component]:
    """Return the companies that fell and rose most against the span before."""
    falls = sorted((one for one in view.movers if one.change < 0), key=lambda one: one.change)[:SHOWN_MOVERS]
    rises = sorted((one for one in view.movers if one.change > 0), key=lambda one: -one.change)[:SHOWN_MOVERS]
    head = parts.section("Movers", html.Span("against the span before", className="bw-hint"))
    if not falls and not rises:
        return [head, live.no_data("to compare with the span before.")]
    heads = dmc.TableThead(
        dmc.TableTr(
            [dmc.TableTh("Company"), *(dmc.TableTh(t, ta="right") for t in ("Docs", "Before", "Now", "Change"))]
        )
    )
    body = dmc.TableTbody([_mover(one, run, watch) for one in (*falls, *reversed(rises))])
    return [head, dmc.Table([heads, body], className="bw-table", verticalSpacing=5, horizontalSpacing=6)]


def _mover(one: Mover, run: str, watch: str) -> Component:
    tone = "negative" if one.change < 0 else "positive"
    name = dcc.Link(words.clip(one.entity_name, 26), href=parts.series_link(run, one.series, watch))
    return dmc.TableTr(
        [
            dmc.TableTd(name),
            dmc.TableTd(words.number(one.documents), ta="right"),
            dmc.TableTd(words.signed(one.before), ta="right", className="bw-dim"),
            dmc.TableTd(words.signed(one.after), ta="right"),
            dmc.TableTd(words.signed(one.change), ta="right", className=f"bw-tone-{tone} bw-strong"),
        ]
    )
