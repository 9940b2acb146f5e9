"""What the pipeline and the adapters ask of each other.

Every port has a fake in `monitor.testing`, and one contract suite runs on the fake and on the real thing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from monitor.domain.alerts import AlertChange, Feedback
from monitor.domain.documents import Document, Entry
from monitor.domain.entities import Mention
from monitor.domain.sentiment import Classified, Scores
from monitor.domain.sources import SeenItem, SourceState
from monitor.domain.timespans import DAY_MIN, WindowSize
from monitor.domain.trends import Trend
from monitor.domain.views import (
    AlertDetail,
    AlertFilter,
    AlertView,
    DocumentFilter,
    DocumentPage,
    Overview,
    RunView,
    SeriesChoice,
    SeriesView,
    SourceView,
    UserView,
)

__all__ = [
    "Accounts",
    "Classifier",
    "Clock",
    "EntityFinder",
    "FeedbackSender",
    "LogWriter",
    "Outbox",
    "OutboxRow",
    "Position",
    "Sink",
    "SourceStore",
    "StoredDocument",
    "StoryAssigner",
    "Text",
    "ViewReader",
]


class Text(NamedTuple):
    """What is classified: a title and a body; either may be empty, not both."""

    title: str
    body: str


class Clock(Protocol):
    """The time of day. `monitor.domain` never asks for it; adapters are given one."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        ...


class Classifier(Protocol):
    """Tells sentiment and topic of texts."""

    @property
    def digest(self) -> str:
        """First 12 characters of the SHA-256 of the artefact, or a stable name for another kind of classifier."""
        ...

    def classify(self, texts: Sequence[Text]) -> list[Scores]:
        """Return one `Scores` per text, in order. Never raises on account of what a text contains."""
        ...


class EntityFinder(Protocol):
    """Finds companies in text."""

    def find(self, document: Document) -> tuple[Mention, ...]:
        """Return the mentions in title and text, by position; hints of the source follow with start -1."""
        ...


class StoryAssigner(Protocol):
    """Gives near-identical documents within 72 h one story id."""

    def assign(self, key: str, text: str, at: datetime) -> tuple[str, bool]:
        """Return (story id, copy?) for a document with id `key`; asking again for the same key changes nothing."""
        ...


class LogWriter(Protocol):
    """The one writer of a run's `documents`."""

    def write(self, entries: Iterable[Entry]) -> None:
        """Append entries in order (ticks to every partition) and return when all are acknowledged.

        Raises:
            PublishFailed: Kafka did not acknowledge; the caller may write the same entries again.
        """
        ...


class SourceStore(Protocol):
    """Keeps the crawler's cursors. `save` is called only after Kafka has acknowledged."""

    def load(self) -> dict[str, SourceState]:
        """Return every known state by source id."""
        ...

    def seen(self, source: str, documents: Sequence[str]) -> dict[str, SeenItem]:
        """Return what is known of these document ids of a source."""
        ...

    def save(self, state: SourceState, items: Sequence[SeenItem] = ()) -> None:
        """Write a state and the items that were published with it, in one transaction.

        Raises:
            StoreUnavailable: The database did not answer; nothing was written.
        """
        ...


class StoredDocument(NamedTuple):
    """A classified document and where it counts: `effective` is its minute, None if it counts nowhere."""

    classified: Classified
    effective: int | None
    late: bool


class Position(NamedTuple):
    """How far a sink has come in one partition of a topic.

    Attributes:
        offset: Of the last bundle written.
        watermark: The partition's watermark after it, in minutes; None before the first tick.
    """

    topic: str
    partition: int
    offset: int
    watermark: int | None


class Sink(Protocol):
    """Writes one run's facts into the store. Each call is one transaction; the positions are in it."""

    def positions(self) -> dict[tuple[str, int], Position]:
        """Return how far this run has come, by (topic, partition)."""
        ...

    def write_documents(self, documents: Sequence[StoredDocument], positions: Sequence[Position]) -> None:
        """Insert documents; the first of each (id, revision) stays as it is."""
        ...

    def write_trends(self, trends: Sequence[Trend], positions: Sequence[Position]) -> None:
        """Upsert windows by (series, size, start); a closed one is never overwritten."""
        ...

    def write_alerts(self, changes: Sequence[AlertChange], positions: Sequence[Position]) -> None:
        """Upsert alerts (a greater revision wins), append to their life, and fill the outbox, all in one transaction.

        A change whose decision notifies adds one outbox row per receiver of the run, unless its key is there already.
        """
        ...


class OutboxRow(NamedTuple):
    """One thing to tell one receiver. `key` is its idempotency key: the same in every attempt, after every restart."""

    id: int
    run: str
    key: str
    receiver: str
    change: AlertChange
    attempts: int
    created_at: datetime


class Outbox(Protocol):
    """What is still to be told, durably."""

    def due(self, now: datetime, limit: int = 50) -> list[OutboxRow]:
        """Return rows whose next attempt is due, oldest first; of one receiver and alert in order of revision."""
        ...

    def delivered(self, row: OutboxRow, at: datetime, detail: str) -> None:
        """Log the delivery and close the row, in one transaction."""
        ...

    def failed(self, row: OutboxRow, at: datetime, reason: str, retry_at: datetime | None) -> None:
        """Log the failed attempt; None as `retry_at` gives up and says so in the log."""
        ...


class ViewReader(Protocol):
    """Reads views. Every method takes the name of a run first; an unknown run or series gives empty views."""

    def runs(self) -> tuple[RunView, ...]:
        """Return all runs: live first, then the newest."""
        ...

    def overview(self, run: str, span_min: int = DAY_MIN, entities: tuple[str, ...] = ()) -> Overview:
        """Return the first page over the `span_min` minutes that end at the run's as-of; `entities` narrows it."""
        ...

    def choices(self, run: str, entities: tuple[str, ...] = ()) -> tuple[SeriesChoice, ...]:
        """Return the series of a run, the busiest first."""
        ...

    def series(self, run: str, series: str, size: WindowSize, start: datetime, end: datetime) -> SeriesView:
        """Return the windows of a series that start in [start, end)."""
        ...

    def documents(self, run: str, filter_: DocumentFilter, limit: int = 100, offset: int = 0) -> DocumentPage:
        """Return a page of documents, newest first."""
        ...

    def alerts(self, run: str, filter_: AlertFilter, limit: int = 500) -> tuple[AlertView, ...]:
        """Return alerts, open ones first, then the newest."""
        ...

    def alert(self, run: str, alert: str) -> AlertDetail | None:
        """Return one alert with evidence, life and deliveries, or None."""
        ...

    def sources(self) -> tuple[SourceView, ...]:
        """Return the crawler's sources, failing ones first."""
        ...


class FeedbackSender(Protocol):
    """Carries what people do into the log."""

    def send(self, run: str, feedback: Feedback) -> None:
        """Send and return when acknowledged.

        Raises:
            PublishFailed: Kafka did not acknowledge; nothing was changed.
        """
        ...


class Accounts(Protocol):
    """Who may log in, and what was done."""

    def verify(self, name: str, password: str) -> UserView | None:
        """Return the user if the password is right; takes as long for an unknown name."""
        ...

    def find(self, name: str) -> UserView | None:
        """Return a user, or None."""
        ...

    def audit(self, actor: str, action: str, subject: str, detail: str = "") -> None:
        """Append to the audit log."""
        ...
