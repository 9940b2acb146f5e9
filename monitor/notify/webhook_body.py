"""The body of a webhook; `webhook.schema.json` beside this file is its JSON Schema, made from these types."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Annotated, Literal

import msgspec

from monitor.domain.timespans import utc_text
from monitor.notify.notices import Evidence, Notice

__all__ = ["VERSION", "AlertBody", "DocumentBody", "HeartbeatBody", "RunBody", "WebhookBody", "body_of", "schema"]

VERSION: Literal[1] = 1
"""Raised when a field changes its meaning or goes; new fields alone do not raise it, so readers skip unknown ones."""

Instant = Annotated[str, msgspec.Meta(description="ISO 8601 in UTC, to the second", pattern=r"^\d{4}-\d\d-\d\dT.*Z$")]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class RunBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The run that judged. `simulated` is true if its documents are invented."""

    name: str
    title: str
    simulated: bool


class AlertBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The alert as of the revision told. (id, revision) is what it is; a greater revision replaces a smaller one."""

    id: str
    revision: Annotated[int, msgspec.Meta(ge=1)]
    family: str
    direction: str
    series: Annotated[str, msgspec.Meta(description="Key of the series, such as entity:AAPL")]
    series_title: str
    title: str
    severity: str
    state: str
    window_start: Annotated[Instant, msgspec.Meta(description="Start of the window that fired")]
    opened_at: Annotated[Instant, msgspec.Meta(description="End of the window that fired, not included")]
    updated_at: Instant
    window: Annotated[str, msgspec.Meta(description="Length of the window that fired: 5m, 15m, 1h, 4h or 1d")]
    observed: Annotated[int, msgspec.Meta(description="Stories of the direction; of any, if the family is volume")]
    total: Annotated[int, msgspec.Meta(description="Stories in the window")]
    expected: float
    interval: Annotated[tuple[int, int], msgspec.Meta(description="95 % predictive interval of observed")]
    once_in_days: Annotated[float | None, msgspec.Meta(description="Null if too rare for a number")]
    probability: Annotated[str, msgspec.Meta(description="The same in words")]
    stories: int
    origins: Annotated[int, msgspec.Meta(description="Publishers and authors who spoke")]
    flags: Annotated[tuple[str, ...], msgspec.Meta(description="What lowers its weight")]
    actor: Annotated[str, msgspec.Meta(description="Who resolved it by hand, or empty")]
    note: str


class DocumentBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One document of the evidence. Its title is untrusted text: show it as text, never as HTML."""

    id: str
    title: str
    url: Annotated[str | None, msgspec.Meta(description="http or https, else null")]
    source: str
    label: Annotated[str, msgspec.Meta(description="negative, neutral or positive")]
    confidence: Share
    at: Instant
    side: Annotated[Literal["for", "against"], msgspec.Meta(description="Whether it speaks for the alert or against")]


class WebhookBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What Bellwether posts when an alert fires, escalates or ends (type alert), or to try a receiver (type test)."""

    type: Literal["alert", "test"]
    version: Literal[1]
    run: RunBody
    simulated: Annotated[bool, msgspec.Meta(description="True if nothing in it is real")]
    decision: Annotated[str, msgspec.Meta(description="fired, escalated, resolved or resolved by hand")]
    summary: Annotated[str, msgspec.Meta(description="One line for people, marks included")]
    alert: AlertBody
    documents: tuple[DocumentBody, ...]
    link: Annotated[str | None, msgspec.Meta(description="The alert on the dashboard, at its own time")]


class HeartbeatBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Posted every minute while all three steps progress; if it stays away for three minutes, the monitor is down."""

    type: Literal["heartbeat"]
    version: Literal[1]
    run: str
    at: Instant
    ticks_at: Instant
    classified_at: Instant
    outbox_at: Instant


def body_of(notice: Notice) -> WebhookBody:
    """Return the body that tells a notice: the same in every attempt."""
    return WebhookBody(
        type="test" if notice.test else "alert",
        version=VERSION,
        run=RunBody(name=notice.run, title=notice.run_title, simulated=notice.simulated),
        simulated=notice.simulated or notice.test,
        decision=notice.decision.value,
        summary=notice.subject,
        alert=_alert_of(notice),
        documents=(
            *(_document_of(document, "for") for document in notice.evidence),
            *(_document_of(document, "against") for document in notice.counter),
        ),
        link=notice.alert_link or None,
    )


def schema() -> dict[str, object]:
    """Return the JSON Schema (2020-12) of everything that is posted."""
    bodies, parts = msgspec.json.schema_components([WebhookBody, HeartbeatBody], ref_template="#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Bellwether webhook, version 1",
        "oneOf": list(bodies),
        "$defs": {name: _open(part) for name, part in sorted(parts.items())},
    }


def _open(part: dict[str, object]) -> dict[str, object]:
    """Return a definition that lets fields be added: readers are to skip what they do not know."""
    return {key: value for key, value in part.items() if key != "additionalProperties"}


def _alert_of(notice: Notice) -> AlertBody:
    alert, surprise = notice.alert, notice.alert.surprise
    return AlertBody(
        id=alert.id,
        revision=alert.revision,
        family=alert.family.value,
        direction=alert.direction.value,
        series=alert.series,
        series_title=notice.series_title,
        title=notice.title,
        severity=alert.severity.value,
        state=alert.state.value,
        window_start=_text(notice.window_start),
        opened_at=_text(notice.opened_at),
        updated_at=_text(notice.updated_at),
        window=alert.size.label,
        observed=surprise.observed,
        total=surprise.total,
        expected=round(surprise.expected, 2),
        interval=(surprise.low, surprise.high),
        once_in_days=round(surprise.once_in_days, 2) if math.isfinite(surprise.once_in_days) else None,
        probability=notice.probability,
        stories=alert.stories,
        origins=alert.origins,
        flags=alert.flags,
        actor=notice.actor,
        note=notice.note,
    )


def _document_of(document: Evidence, side: Literal["for", "against"]) -> DocumentBody:
    return DocumentBody(
        id=document.id,
        title=document.title,
        url=document.url or None,
        source=document.source,
        label=document.label,
        confidence=round(document.confidence, 4),
        at=_text(document.at),
        side=side,
    )


def _text(instant: datetime) -> str:
    return utc_text(instant)
