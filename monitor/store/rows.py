"""Facts to rows and back: the one place that knows both shapes."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from typing import Any

from monitor.domain.alerts import Alert, AlertChange, Decision
from monitor.domain.series import entity_of, kind_of
from monitor.domain.sources import SeenItem, SourceHealth, SourceState
from monitor.domain.timespans import WindowSize, from_minute
from monitor.domain.trends import Trend, polarity_of
from monitor.domain.views import TrendPoint
from monitor.domain.windows import Counts
from monitor.ports import OutboxRow, Position, StoredDocument
from monitor.store.columns import clean, from_json, from_us, from_us_or_none, to_json, to_us, to_us_or_none
from monitor.store.upserts import Row

__all__ = [
    "SUMS",
    "alert_of",
    "alert_row",
    "change_of",
    "counts_of",
    "document_row",
    "mention_rows",
    "outbox_row",
    "outbox_row_of",
    "point_of",
    "position_row",
    "seen_of",
    "seen_row",
    "state_of",
    "state_row",
    "step_row",
    "window_row",
]

_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,64}")

SUMS = (
    "documents",
    "negative",
    "neutral",
    "positive",
    "polarity",
    "squares",
    "originals",
    "negative_originals",
    "positive_originals",
    "late",
    "stories",
    "sources",
    "origins",
)
"""Columns of `windows` that are fields of `Counts` too."""


def document_row(run: str, stored: StoredDocument) -> Row:
    """Return the row of a document."""
    classified, document, scores = stored.classified, stored.classified.document, stored.classified.scores
    return {
        "run": run,
        "id": document.id,
        "revision": document.revision,
        "source": document.source,
        "source_class": document.source_class.value,
        "origin": document.origin,
        "title": document.title,
        "text": document.text,
        "url": document.url,
        "language": document.language,
        "published_us": to_us_or_none(document.published_at),
        "crawled_us": to_us(document.crawled_at),
        "event_us": to_us(document.event_at),
        "effective_min": stored.effective,
        "late": stored.late,
        "story": document.story,
        "copy": document.copy,
        "backlog": document.backlog,
        "truncated": document.truncated,
        "hints": to_json(document.hints),
        "found": to_json(classified.mentions),
        "label": int(scores.label),
        "negative": scores.negative,
        "neutral": scores.neutral,
        "positive": scores.positive,
        "topic": scores.topic,
        "topic_confidence": scores.topic_confidence,
        "parts": scores.parts,
        "model": classified.model,
        "classified_ms": classified.classified_at_ms,
    }


def mention_rows(run: str, stored: StoredDocument) -> list[Row]:
    """Return one row per company that a document mentions."""
    document = stored.classified.document
    return [
        {
            "run": run,
            "entity": entity,
            "event_us": to_us(document.event_at),
            "document": document.id,
            "revision": document.revision,
            "effective_min": stored.effective,
            "topic": stored.classified.scores.topic,
        }
        for entity in stored.classified.entities
    ]


def window_row(run: str, trend: Trend) -> Row:
    """Return the row of a window."""
    row: Row = {name: getattr(trend.counts, name) for name in SUMS}
    row |= {
        "run": run,
        "kind": kind_of(trend.series),
        "size_min": trend.size.value,
        "start_min": trend.start,
        "series": trend.series,
        "closed": trend.closed,
        "covered": trend.covered,
        "surprise": max((surprise.score for surprise in trend.surprises), default=None),
        "surprises": to_json(trend.surprises) if trend.surprises else None,
    }
    return row


def counts_of(row: Any) -> Counts:
    """Return the figures in the columns `SUMS` of a row; a sum over no rows is zero."""
    sums: dict[str, Any] = {name: int(getattr(row, name) or 0) for name in SUMS}
    return Counts(**sums)


def point_of(row: Any) -> TrendPoint:
    """Return a window as a point of a chart."""
    return TrendPoint(
        start=from_minute(row.start_min),
        size=WindowSize(row.size_min),
        closed=bool(row.closed),
        covered=bool(row.covered),
        documents=row.documents,
        stories=row.stories,
        sources=row.sources,
        negative=row.negative,
        neutral=row.neutral,
        positive=row.positive,
        late=row.late,
        polarity=polarity_of(counts_of(row)),
        surprise=row.surprise,
    )


def alert_row(run: str, alert: Alert) -> Row:
    """Return the row of an alert."""
    return {
        "run": run,
        "id": alert.id,
        "revision": alert.revision,
        "series": alert.series,
        "entity": entity_of(alert.series),
        "family": alert.family.value,
        "severity": alert.severity.value,
        "state": alert.state.value,
        "opened_min": alert.opened_at,
        "updated_min": alert.updated_at,
        "body": to_json(alert),
    }


def alert_of(body: str) -> Alert:
    """Return the alert in a column `body`."""
    return from_json(body, Alert)


def change_of(text: str) -> AlertChange:
    """Return the change in a column `change`."""
    return from_json(text, AlertChange)


def step_row(run: str, change: AlertChange) -> Row:
    """Return the row of a step in the life of an alert; it has an actor only if a person took it."""
    alert = change.alert
    by_hand = change.decision in {Decision.ACKNOWLEDGED, Decision.RESOLVED_BY_HAND}
    return {
        "run": run,
        "alert": alert.id,
        "revision": alert.revision,
        "at_min": alert.updated_at,
        "decision": change.decision.value,
        "severity": alert.severity.value,
        "actor": alert.actor if by_hand else "",
        "note": alert.note if by_hand else "",
    }


def outbox_row(run: str, change: AlertChange, receiver: str, now: datetime) -> Row:
    """Return the row that tells one receiver of a change.

    Its key is the same after every restart, and fit for a header: a receiver with another name stands as its digest.
    """
    alert = change.alert
    whom = receiver if _PLAIN.fullmatch(receiver) else hashlib.sha256(clean(receiver).encode()).hexdigest()[:16]
    return {
        "run": run,
        "key": f"{run}:{alert.id}:{alert.revision}:{whom}",
        "receiver": receiver,
        "alert": alert.id,
        "revision": alert.revision,
        "change": to_json(change),
        "attempts": 0,
        "created_us": to_us(now),
        "due_us": to_us(now),
        "closed_us": None,
    }


def outbox_row_of(row: Any) -> OutboxRow:
    """Return what is to be told."""
    return OutboxRow(
        id=row.id,
        run=row.run,
        key=row.key,
        receiver=row.receiver,
        change=change_of(row.change),
        attempts=row.attempts,
        created_at=from_us(row.created_us),
    )


def position_row(run: str, stage: str, position: Position) -> Row:
    """Return the row of a position."""
    return {
        "run": run,
        "topic": position.topic,
        "partition": position.partition,
        "stage": stage,
        "last_offset": position.offset,
        "watermark_min": position.watermark,
    }


def state_row(state: SourceState) -> Row:
    """Return the row of a source's cursor."""
    return {
        "source": state.source,
        "title": state.title,
        "url": state.url,
        "health": state.health.value,
        "etag": state.etag,
        "last_modified": state.last_modified,
        "last_attempt_us": to_us_or_none(state.last_attempt_at),
        "last_success_us": to_us_or_none(state.last_success_at),
        "last_document_us": to_us_or_none(state.last_document_at),
        "next_poll_us": to_us_or_none(state.next_poll_at),
        "failures": state.failures,
        "reason": state.reason,
        "documents": state.documents,
    }


def state_of(row: Any) -> SourceState:
    """Return a source's cursor."""
    return SourceState(
        source=row.source,
        title=row.title,
        url=row.url,
        health=SourceHealth(row.health),
        etag=row.etag,
        last_modified=row.last_modified,
        last_attempt_at=from_us_or_none(row.last_attempt_us),
        last_success_at=from_us_or_none(row.last_success_us),
        last_document_at=from_us_or_none(row.last_document_us),
        next_poll_at=from_us_or_none(row.next_poll_us),
        failures=row.failures,
        reason=row.reason,
        documents=row.documents,
    )


def seen_row(source: str, item: SeenItem) -> Row:
    """Return the row of an item that was published."""
    return {
        "source": source,
        "document": item.document,
        "text_digest": item.text_digest,
        "revision": item.revision,
        "first_crawled_us": to_us(item.first_crawled_at),
    }


def seen_of(row: Any) -> SeenItem:
    """Return an item that was published."""
    return SeenItem(
        document=row.document,
        text_digest=row.text_digest,
        revision=row.revision,
        first_crawled_at=from_us(row.first_crawled_us),
    )
