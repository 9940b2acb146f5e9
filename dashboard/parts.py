"""Small pieces that pages share. Text of documents goes in as text: Dash escapes it; nothing here renders HTML."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from dashboard import words
from dashboard.ask import link, url_time
from dashboard.palette import SEVERITY_COLORS
from dashboard.security import safe_url
from monitor.domain.alerts import AlertState
from monitor.domain.views import AlertView, DocumentView

__all__ = [
    "alert_cards",
    "alert_link",
    "card",
    "colour_key",
    "document_cards",
    "document_full",
    "document_title",
    "field",
    "outlink",
    "section",
    "series_link",
    "severity_badge",
    "state_badge",
]

STATE_COLORS = {"firing": "red", "acknowledged": "blue", "resolved": "gray"}
SERIES_KEY = (
    ("line", "Polarity"),
    ("band", "95 % interval"),
    ("negative", "Negative"),
    ("neutral", "Neutral"),
    ("positive", "Positive"),
    ("mark", "Alert"),
)
"""What the signs of a series chart mean."""

LONGEST_TITLE = 220
LONGEST_TEXT = 600
LONGEST_FULL = 20_000


def card(*children: Component, label: str, kind: str = "") -> Component:
    """Return a framed part of a page; `kind` adds a class of its own."""
    return html.Section(list(children), className=f"bw-card {kind}".strip(), **{"aria-label": label})


def section(title: str, *aside: Any) -> Component:
    """Return a heading with what stands at its right."""
    return html.Div([html.H2(title), html.Div(list(aside), className="bw-aside")], className="bw-section")


def colour_key(*entries: tuple[str, str]) -> Component:
    """Return what the colours of a chart mean; an entry is the kind of a sign (see the style sheet) and its words."""
    signs = [
        html.Span([html.I(className=f"bw-sign bw-sign-{kind}", **{"aria-hidden": "true"}), text])
        for kind, text in entries
    ]
    return html.Div(signs, className="bw-key")


def field(label: str, value: Any, hint: str = "") -> Component:
    """Return a label, a figure and a word below it."""
    below = html.Div(hint, className="bw-hint") if hint else None
    return html.Div(
        [html.Div(label, className="bw-label"), html.Div(value, className="bw-value"), below], className="bw-field"
    )


def severity_badge(severity: str) -> Component:
    """Return a severity as word and colour."""
    variant = "filled" if severity == "critical" else "light"
    return dmc.Badge(severity, color=SEVERITY_COLORS.get(severity, "gray"), variant=variant, size="sm", radius="sm")


def state_badge(state: str) -> Component:
    """Return the state of an alert as word and colour."""
    return dmc.Badge(state, color=STATE_COLORS.get(state, "gray"), variant="dot", size="sm", radius="sm")


def alert_link(run: str, alert: str, watch: str = "") -> str:
    """Return the address of an alert."""
    return link(f"/alerts/{alert}", run=run, watch=watch)


def series_link(
    run: str,
    series: str,
    watch: str = "",
    *,
    size: str = "",
    start: datetime | None = None,
    end: datetime | None = None,
    span: str = "",
) -> str:
    """Return the address of a series, with a time span of its own if one is given."""
    times = {"from": url_time(start) if start else "", "to": url_time(end) if end else ""}
    return link("/series", run=run, watch=watch, series=series, size=size, span=span, **times)


def outlink(text: str, url: str) -> Component:
    """Return a link to a source, or plain text where its address must not become one."""
    safe = safe_url(url)
    if not safe:
        return html.Span(text)
    return html.A(text, href=safe, target="_blank", rel="noopener noreferrer nofollow")


def alert_cards(alerts: Sequence[AlertView], run: str, watch: str, as_of: datetime | None) -> list[Component]:
    """Return alerts as a list of links."""
    return [_alert_card(view, run, watch, as_of) for view in alerts]


def _alert_card(view: AlertView, run: str, watch: str, as_of: datetime | None) -> Component:
    alert = view.alert
    age = words.ago(view.opened_at, as_of) if as_of else ""
    state = [] if alert.state is AlertState.FIRING else [state_badge(alert.state)]
    name = html.Span(words.clip(view.series_title, 60), className="bw-strong")
    head = [severity_badge(alert.severity), *state, name]
    return dcc.Link(
        [
            html.Div(head, className="bw-row"),
            html.Div(words.clip(view.title, LONGEST_TITLE), className="bw-clip2"),
            html.Div(
                f"{words.day_time(view.opened_at)} UTC \u00b7 {age} \u00b7 {view.probability}", className="bw-hint"
            ),
        ],
        href=alert_link(run, alert.id, watch),
        className=f"bw-item bw-edge-{alert.severity}",
    )


def document_cards(rows: Sequence[DocumentView]) -> list[Component]:
    """Return documents as a list: label, confidence, title with its link, where it is from."""
    return [_document_card(row) for row in rows]


def document_title(row: DocumentView) -> str:
    """Return the title of a document, or the beginning of its text."""
    return words.clip(row.title, LONGEST_TITLE) or words.clip(row.text, 140) or "(no text)"


def _document_card(row: DocumentView) -> Component:
    facts = [row.source, row.topic]
    companies = words.company_names(row.entities)
    if companies:
        facts.append(words.clip(companies, 80))
    flags = [word for word, on in (("late", row.late), ("copy", row.copy)) if on]
    text = words.clip(row.text, LONGEST_TEXT) if row.title.strip() else ""
    told = document_title(row)
    text = text.removeprefix(told).lstrip(" .") if text.startswith(told) else text
    return html.Article(
        [
            html.Div(
                [
                    html.Span(row.label, className=f"bw-label-{row.label}"),
                    html.Span(words.percent(row.confidence), className="bw-hint", title="Confidence of the label"),
                    html.Span(f"{words.stamp(row.event_at)} UTC", className="bw-hint bw-right"),
                ],
                className="bw-row bw-doc-head",
            ),
            html.Div(outlink(told, row.url), className="bw-doc-title", dir="auto"),
            html.Div(text, className="bw-clip2 bw-doc-text", dir="auto") if text else None,
            html.Div(" \u00b7 ".join([*map(words.plain, facts), *flags]), className="bw-hint"),
        ],
        className="bw-item bw-doc",
    )


def document_full(row: DocumentView) -> Component:
    """Return one document with its text and its times."""
    facts = [
        ("Label", f"{row.label}, {words.percent(row.confidence)} sure, polarity {words.signed(row.polarity)}"),
        ("Topic", f"{row.topic}, {words.percent(row.topic_confidence)} sure"),
        ("Companies", words.company_names(row.entities) or "none found"),
        ("Source", f"{words.plain(row.source)} ({words.plain(row.source_class)})"),
        ("Voice", words.plain(row.origin)),
        ("Published", _instant(row.published_at)),
        ("First seen", _instant(row.crawled_at)),
        ("Counts at", _instant(row.effective_at) if row.effective_at else "no window (backlog, too old, or an edit)"),
        ("Notes", ", ".join(word for word, on in (("late", row.late), ("a copy", row.copy)) if on) or "none"),
        ("Story", words.clip(row.story, 40)),
    ]
    return html.Article(
        [
            html.H3(outlink(document_title(row), row.url), dir="auto"),
            html.Dl([part for name, value in facts for part in (html.Dt(name), html.Dd(value))], className="bw-facts"),
            html.Div(words.plain(row.text[:LONGEST_FULL]), className="bw-fulltext", dir="auto"),
        ]
    )


def _instant(instant: datetime | None) -> str:
    return f"{words.stamp(instant)} UTC" if instant else "not said"
