"""One alert: what happened, how sure, which documents, what was done about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import dash_mantine_components as dmc
import structlog
from dash import ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from dashboard import figures, ids, live, parts, words
from dashboard.ask import Ask, link
from dashboard.auth import person
from dashboard.desk import Desk, Recorder
from dashboard.palette import Look
from monitor.domain.alerts import Action, Alert, AlertState, Feedback
from monitor.domain.errors import PublishFailed, StoreUnavailable
from monitor.domain.timespans import from_minute
from monitor.domain.trends import Family
from monitor.domain.views import AlertDetail, AlertStep, Delivery, SeriesView

__all__ = ["PATH", "TITLE", "layout", "register"]

PATH = "/alerts/"
TITLE = "Alert"
PAGE = "alert"

log = structlog.get_logger(__name__)

AROUND = 24
"""Windows shown before and after an alert."""

LONGEST_NOTE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the page shows; `detail` is None where the run has no such alert."""

    run: str
    alert: str
    detail: AlertDetail | None
    series: SeriesView | None


def layout(ask: Ask) -> Component:
    """Return the page before anything is read."""
    back = link("/alerts", run=ask.text("run"), watch=ask.text("watch"))
    return live.frame(
        PAGE,
        html.Div(dcc.Link("\u2190 All alerts", href=back), className="bw-back"),
        html.Div(id=ids.ALERT_BODY),
        html.Div(
            [
                html.Div(
                    [
                        parts.card(
                            parts.section("Evidence"),
                            parts.colour_key(
                                ("dot", "Observed"), ("expected", "Expected"), ("band", "95 % predictive interval")
                            ),
                            live.chart(ids.ALERT_EVIDENCE, "Observed against expected", bar=False),
                            parts.colour_key(*parts.SERIES_KEY),
                            live.chart(ids.ALERT_CHART, "The series around the alert"),
                            label="Evidence",
                        ),
                        html.Div(id=ids.ALERT_DOCUMENTS),
                    ],
                    className="bw-stack",
                ),
                html.Div([_form(), html.Div(id=ids.ALERT_LIFE, className="bw-stack")], className="bw-stack"),
            ],
            className="bw-split bw-split-right bw-split-alert",
        ),
    )


def _form() -> Component:
    """Return the place to act; shown while the alert is open, to those who may."""
    buttons = [
        dmc.Button("Acknowledge", id=ids.ALERT_ACKNOWLEDGE, size="xs"),
        dmc.Button("Resolve", id=ids.ALERT_RESOLVE, size="xs", variant="default"),
    ]
    note = dmc.Textarea(
        id=ids.ALERT_NOTE,
        label="Note",
        placeholder="What you know, what you did",
        autosize=True,
        minRows=2,
        maxRows=8,
        size="xs",
        inputProps={"maxLength": LONGEST_NOTE},
    )
    return html.Div(
        [
            html.Div(
                parts.card(
                    parts.section("Act on it"), note, html.Div(buttons, className="bw-buttons"), label="Act on it"
                ),
                id=ids.ALERT_FORM,
                style={"display": "none"},
            ),
            html.Div(id=ids.ALERT_ANSWER, role="status"),
        ],
        className="bw-stack",
    )


def read_alert(desk: Desk, ask: Ask) -> Found:
    """Return an alert and its series around it."""
    run = desk.run(ask).name
    name = ask.path.removeprefix(PATH).strip("/")[:64]
    detail = desk.reader.alert(run, name)
    if detail is None:
        return Found(run=run, alert=name, detail=None, series=None)
    start, end = around(detail.view.alert)
    shown = desk.reader.series(run, detail.view.alert.series, detail.view.alert.size, start, end)
    return Found(run=run, alert=name, detail=detail, series=shown)


def around(alert: Alert) -> tuple[Any, Any]:
    """Return the span to look at: before the alert enough to see what was usual, after it to its last change."""
    margin = timedelta(minutes=AROUND * alert.size)
    return from_minute(alert.opened_at) - margin, from_minute(alert.updated_at) + margin / 4


def register(app: Dash, desk: Desk, recorder: Recorder) -> None:
    """Keep the page alive, and carry what people do into the log."""
    outputs = [
        Output(ids.ALERT_BODY, "children"),
        *live.chart_outputs(ids.ALERT_EVIDENCE),
        *live.chart_outputs(ids.ALERT_CHART),
        Output(ids.ALERT_DOCUMENTS, "children"),
        Output(ids.ALERT_LIFE, "children"),
        Output(ids.ALERT_FORM, "style"),
        Output(ids.ALERT_ACKNOWLEDGE, "disabled"),
    ]
    live.keep_alive(app, PAGE, outputs, lambda ask: read_alert(desk, ask), draw)
    app.clientside_callback(ClientsideFunction("bellwether", "pick"), Input(ids.ALERT_CHART, "clickData"))

    @app.callback(
        Output(ids.ALERT_ANSWER, "children"),
        Output(ids.ALERT_NOTE, "value"),
        Input(ids.ALERT_ACKNOWLEDGE, "n_clicks"),
        Input(ids.ALERT_RESOLVE, "n_clicks"),
        State(ids.ALERT_NOTE, "value"),
        State(ids.ASK, "data"),
        running=[(Output(ids.ALERT_RESOLVE, "disabled"), True, False)],
        prevent_initial_call=True,
    )
    def act(
        _acknowledge: int | None, _resolve: int | None, note: str | None, asked: dict[str, Any] | None
    ) -> list[Any]:
        if not ctx.triggered or not ctx.triggered[0]["value"]:
            raise PreventUpdate
        action = Action.RESOLVE if ctx.triggered_id == ids.ALERT_RESOLVE else Action.ACKNOWLEDGE
        return answer(desk, recorder, Ask.of(asked), action, note or "")


def answer(desk: Desk, recorder: Recorder, ask: Ask, action: Action, note: str) -> list[Any]:
    """Do what a person asks, if that person may, and return the answer and what stays in the note."""
    who = person()
    if not who.may_act:
        log.warning("action refused", actor=who.name, role=who.role, action=str(action))
        return [_told("Your role is viewer: ask an analyst to do this.", "red"), no_update]
    try:
        run = desk.run(ask).name
        name = ask.path.removeprefix(PATH).strip("/")[:64]
        detail = desk.reader.alert(run, name)
        if detail is None or not detail.view.alert.is_open:
            return [_told("This alert is not open any more; nothing was changed.", "gray"), no_update]
        said = words.plain(note).strip()[:LONGEST_NOTE]
        at_ms = int(desk.clock().timestamp() * 1000)
        feedback = Feedback(id=uuid4().hex, alert=name, action=action, actor=who.name, note=said, at_ms=at_ms)
        recorder(who.name, str(action), f"{run}/{name}", said)
        try:
            desk.feedback.send(run, feedback)
        except PublishFailed:
            recorder(who.name, f"{action} failed", f"{run}/{name}", "not acknowledged by Kafka")
            raise
    except PublishFailed as error:
        log.warning("action not sent", actor=who.name, action=str(action), reason=str(error))
        return [_told("Kafka did not acknowledge; nothing was changed. Try again shortly.", "red"), no_update]
    except StoreUnavailable as error:
        log.warning("action not sent", actor=who.name, action=str(action), reason=str(error))
        return [_told("The store does not answer; nothing was changed. Try again shortly.", "red"), no_update]
    log.info("action sent", actor=who.name, action=str(action), run=run, alert=name)
    done = "Resolved" if action is Action.RESOLVE else "Acknowledged"
    return [_told(f"{done}: sent. It shows here as soon as the monitor has taken it.", "teal"), ""]


def _told(text: str, color: str) -> Component:
    return dmc.Alert(text, color=color, variant="light", py="xs")


def draw(found: Found, ask: Ask) -> Sequence[Any]:
    """Return what fills the page, in the order of its outputs."""
    hidden = {"display": "none"}
    if found.detail is None:
        gone = html.Div(
            [html.H1("No such alert"), live.no_data(f"in run {found.run} under {words.clip(found.alert, 64)}.")]
        )
        return [gone, *live.absent("to show."), *live.absent("to show."), None, None, hidden, True]
    detail, look = found.detail, Look.of(ask)
    alert = detail.view.alert
    has_points = found.series is not None and found.series.points
    chart = live.shown(figures.series(found.series, look)) if has_points else live.absent("of the series around it.")
    return [
        body(detail, found.run, ask),
        *live.shown(figures.evidence(alert.surprise, look)),
        *chart,
        documents(detail),
        [life(detail.steps), deliveries(detail.deliveries)],
        {} if alert.is_open and person().may_act else hidden,
        alert.state is AlertState.ACKNOWLEDGED,
    ]


def body(detail: AlertDetail, run: str, ask: Ask) -> Component:
    """Return what happened, in words and figures."""
    view = detail.view
    alert, surprise = view.alert, view.alert.surprise
    start, end = around(alert)
    opens = parts.series_link(run, alert.series, ask.text("watch"), size=alert.size.label, start=start, end=end)
    of = (
        "stories"
        if alert.family is Family.VOLUME
        else f"{alert.direction} of {words.count_of(surprise.total, 'story', 'stories')}"
    )
    window = words.duration(timedelta(minutes=surprise.span_min)) if surprise.span_min else alert.size.label
    facts = [
        parts.field("Observed", words.number(surprise.observed), of),
        parts.field("Expected", f"{surprise.expected:.1f}", f"95 % within {surprise.low} to {surprise.high}"),
        parts.field("How rare", words.plain(view.probability)),
        parts.field("Voices", words.number(alert.origins), words.count_of(alert.stories, "story", "stories")),
        parts.field("Window", window, f"ending {words.day_time(view.opened_at)} UTC"),
        parts.field("Last change", f"{words.day_time(view.updated_at)} UTC"),
    ]
    flags = [
        dmc.Badge(words.plain(flag), color="yellow", variant="light", size="sm", radius="sm") for flag in alert.flags
    ]
    return html.Div(
        [
            html.Div(
                [parts.severity_badge(alert.severity), parts.state_badge(alert.state), *flags], className="bw-row"
            ),
            html.H1(words.clip(view.title, 240), dir="auto"),
            html.Div(
                [
                    html.Span(words.clip(view.series_title, 100), className="bw-strong"),
                    dcc.Link("Open the series at this time", href=opens),
                ],
                className="bw-row bw-gap",
            ),
            html.Div(facts, className="bw-fields bw-card bw-facts-row"),
        ],
        className="bw-alert-head",
    )


def documents(detail: AlertDetail) -> Component:
    """Return what speaks for the alert, and the strongest on the other side."""
    direction = str(detail.view.alert.direction)
    if direction == "positive":
        first, second = ("Contribute most", detail.in_favour), ("Strongest on the other side", detail.against)
    elif direction == "negative":
        first, second = ("Contribute most", detail.against), ("Strongest on the other side", detail.in_favour)
    else:
        first, second = ("Most clearly negative", detail.against), ("Most clearly positive", detail.in_favour)
    columns = [
        parts.card(
            parts.section(title, html.Span(words.count_of(len(rows), "document"), className="bw-hint")),
            *(parts.document_cards(rows) or [live.no_data("on this side.")]),
            label=title,
        )
        for title, rows in (first, second)
    ]
    return html.Div(columns, className="bw-split bw-split-even")


def life(steps: Sequence[AlertStep]) -> Component:
    """Return what became of the alert, the latest first."""
    if not steps:
        return parts.card(parts.section("Life"), live.no_data("about its steps."), label="Life")
    rows = [
        html.Li(
            [
                html.Div(
                    [html.Span(step.decision, className="bw-strong"), parts.severity_badge(step.severity)],
                    className="bw-row",
                ),
                html.Div(
                    f"{words.day_time(step.at)} UTC" + (f" \u00b7 {words.clip(step.actor, 60)}" if step.actor else ""),
                    className="bw-hint",
                ),
                html.Div(words.plain(step.note), className="bw-note", dir="auto") if step.note else None,
            ]
        )
        for step in reversed(steps)
    ]
    return parts.card(parts.section("Life"), html.Ol(rows, className="bw-life"), label="Life")


def deliveries(sent: Sequence[Delivery]) -> Component:
    """Return who was told, and with what success."""
    if not sent:
        return parts.card(
            parts.section("Who was told"), html.Div("Nobody was told.", className="bw-empty"), label="Who was told"
        )
    rows = [
        html.Li(
            [
                html.Div(
                    [
                        html.Span(words.clip(one.receiver, 60), className="bw-strong"),
                        html.Span(one.outcome, className="bw-good" if one.outcome == "delivered" else "bw-bad"),
                    ],
                    className="bw-row",
                ),
                html.Div(f"{words.day_time(one.at)} UTC \u00b7 attempt {one.attempt}", className="bw-hint"),
                html.Div(words.clip(one.reason, 300), className="bw-note") if one.reason else None,
            ]
        )
        for one in sent
    ]
    return parts.card(parts.section("Who was told"), html.Ul(rows, className="bw-life"), label="Who was told")
