"""Invented alerts, changes and documents for tests of what tells them."""

from __future__ import annotations

from datetime import UTC, datetime

from monitor.domain.alerts import Alert, AlertChange, AlertState, Decision, Severity
from monitor.domain.timespans import WindowSize, from_minute, minute_of
from monitor.domain.trends import Direction, Family, Surprise
from monitor.domain.views import AlertDetail, AlertView, DocumentView
from monitor.domain.wording import alert_title, probability_words

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def a_surprise(direction: Direction = Direction.NEGATIVE, family: Family = Family.SENTIMENT) -> Surprise:
    return Surprise(
        family=family, direction=direction, score=6.0, threshold=4.0, observed=41, total=58,
        expected=12.2, low=5, high=20, once_in_days=41.0,
    )  # fmt: skip


def an_alert(
    alert: str = "a1", revision: int = 1, severity: Severity = Severity.CRITICAL,
    direction: Direction = Direction.NEGATIVE, family: Family = Family.SENTIMENT,
    series: str = "entity:ACME", state: AlertState = AlertState.FIRING,
    lasts_min: int = 0, **more: object,
) -> Alert:  # fmt: skip
    opened_at = minute_of(NOON)
    fields: dict[str, object] = {
        "flags": ("few origins",), "actor": "", "note": "", "against": ("n1", "n2"), "in_favour": ("p1",), **more,
    }  # fmt: skip
    return Alert(
        id=alert, series=series, family=family, direction=direction, severity=severity, state=state, revision=revision,
        opened_at=opened_at, updated_at=opened_at + lasts_min, last_above=opened_at, size=WindowSize.H1,
        surprise=a_surprise(direction, family), stories=58, origins=7, **fields,
    )  # type: ignore[arg-type]  # fmt: skip


def a_change(alert: str = "a1", revision: int = 1, decision: Decision = Decision.FIRED, **more: object) -> AlertChange:
    return AlertChange(alert=an_alert(alert, revision, **more), decision=decision)  # type: ignore[arg-type]


def a_document(document: str, title: str, label: str, url: str = "https://news.example.com/story") -> DocumentView:
    return DocumentView(
        id=document, title=title, text="", url=url, source="example-news", source_class="news", origin="Example News",
        published_at=NOON, crawled_at=NOON, event_at=NOON, effective_at=NOON, late=False, copy=False, label=label,
        confidence=0.95, polarity=-0.9, topic="Earnings", topic_confidence=0.9, entities=(("ACME", "Acme Works"),),
        story=document,
    )  # fmt: skip


def a_detail(alert: Alert, name: str = "Acme Works", titles: tuple[str, str, str] | None = None) -> AlertDetail:
    first, second, other = titles or ("Acme Works misses its target", "Acme Works recalls a lift", "Acme Works hires")
    view = AlertView(
        alert=alert, title=alert_title(alert, lambda _: name), series_title=name,
        opened_at=from_minute(alert.opened_at), updated_at=from_minute(alert.updated_at),
        probability=probability_words(alert.surprise.once_in_days),
    )  # fmt: skip
    return AlertDetail(
        view=view,
        against=(a_document("n2", second, "negative"), a_document("n1", first, "negative")),
        in_favour=(a_document("p1", other, "positive"),),
        steps=(),
        deliveries=(),
    )
