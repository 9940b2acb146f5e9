"""What the pipeline and the adapters ask of each other.

Every port has a fake in `monitor.testing`, and one contract suite runs on the fake and on the real thing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from monitor.domain.documents import Document, Entry
from monitor.domain.entities import Mention
from monitor.domain.sentiment import Scores
from monitor.domain.sources import SeenItem, SourceState

__all__ = ["Classifier", "Clock", "EntityFinder", "LogWriter", "SourceStore", "StoryAssigner", "Text"]


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
