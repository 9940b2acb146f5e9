"""Invented facts for the tests of the store, and a random run that is summed by the domain itself."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from monitor.domain.alerts import Alert, AlertChange, AlertState, Decision, Severity
from monitor.domain.documents import Document, SourceClass
from monitor.domain.entities import Mention
from monitor.domain.runs import Run
from monitor.domain.sentiment import MICRO, Classified, Scores
from monitor.domain.series import series_of
from monitor.domain.timespans import WindowSize, from_minute, minute_of
from monitor.domain.trends import Direction, Family, Surprise, Trend, polarity_of
from monitor.domain.windows import Sums
from monitor.ports import StoredDocument

BEGIN = datetime(2014, 10, 1, tzinfo=UTC)
RUN = Run(name="replay-a", title="A replay", notifies=True, partitions=2)
OTHER = Run(name="replay-b", title="Another replay", partitions=2)


def document(id_: str, at: datetime = BEGIN, **changed: Any) -> Document:
    """Return a document said at `at`."""
    fields: dict[str, Any] = {
        "id": id_,
        "source": "gazette",
        "source_class": SourceClass.NEWS,
        "origin": "gazette",
        "title": f"Headline of {id_}",
        "text": "Some words",
        "url": f"https://example.org/{id_}",
        "language": "en",
        "published_at": at,
        "crawled_at": at + timedelta(seconds=20),
        "event_at": at,
        "story": id_,
    }
    return Document(**fields | changed)


def stored(
    what: Document,
    *,
    scores: tuple[int, int, int] = (800_000, 150_000, 50_000),
    topic: int = 5,
    entities: Sequence[str] = ("ACME",),
    late: bool = False,
    **changed: Any,
) -> StoredDocument:
    """Return a classified document; it counts in its own minute unless `effective` says otherwise."""
    negative, neutral, positive = scores
    classified = Classified(
        document=what,
        scores=Scores(negative=negative, neutral=neutral, positive=positive, topic=topic, topic_confidence=900_000),
        mentions=tuple(Mention(entity=e, start=-1, end=-1, matched=e, why="hint") for e in entities),
        model="abc",
        classified_at_ms=1,
    )
    return StoredDocument(classified, changed.get("effective", minute_of(what.event_at)), late)


def surprise(**changed: Any) -> Surprise:
    """Return a surprise that would raise an alert."""
    fields: dict[str, Any] = {
        "family": Family.SENTIMENT,
        "direction": Direction.NEGATIVE,
        "score": 4.25,
        "threshold": 2.9,
        "observed": 41,
        "total": 58,
        "expected": 11.8,
        "low": 5,
        "high": 20,
        "once_in_days": 41.0,
    }
    return Surprise(**fields | changed)


def alert(id_: str = "a1", revision: int = 1, **changed: Any) -> Alert:
    """Return an alert on ACME."""
    fields: dict[str, Any] = {
        "id": id_,
        "series": "entity:ACME",
        "family": Family.SENTIMENT,
        "direction": Direction.NEGATIVE,
        "severity": Severity.WARNING,
        "state": AlertState.FIRING,
        "revision": revision,
        "opened_at": minute_of(BEGIN) + 15,
        "updated_at": minute_of(BEGIN) + 14 + revision,
        "last_above": minute_of(BEGIN) + 15,
        "size": WindowSize.M15,
        "surprise": surprise(),
        "stories": 58,
        "origins": 9,
        "against": ("d1", "d2"),
        "in_favour": ("d3",),
    }
    return Alert(**fields | changed)


def change(id_: str = "a1", revision: int = 1, decision: Decision = Decision.FIRED, **changed: Any) -> AlertChange:
    """Return a change of an alert."""
    return AlertChange(alert=alert(id_, revision, **changed), decision=decision)


def random_documents(number: int, *, minutes: int, seed: int = 7, companies: int = 4) -> list[StoredDocument]:
    """Return documents spread evenly over `minutes` from BEGIN, some copies, some late, some counted nowhere."""
    random_ = random.Random(seed)
    found = []
    for index in range(number):
        at = BEGIN + timedelta(minutes=random_.randrange(minutes), seconds=random_.randrange(60))
        negative = random_.randrange(MICRO)
        neutral = random_.randrange(MICRO - negative + 1)
        late = random_.random() < 0.1
        copy = random_.random() < 0.2
        what = document(
            f"d{index}",
            at,
            source=f"source-{random_.randrange(5)}",
            story=f"s{random_.randrange(number // 2)}" if copy else f"d{index}",
            copy=copy,
        )
        found.append(
            stored(
                what,
                scores=(negative, neutral, MICRO - negative - neutral),
                topic=random_.randrange(20),
                entities=[f"C{number}" for number in range(companies) if random_.random() < 0.4],
                late=late,
                effective=None if random_.random() < 0.05 else minute_of(at) + 2 * late,
            )
        )
    return found


def trends_of(
    documents: Iterable[StoredDocument], *, until: int, sizes: Iterable[WindowSize] = WindowSize
) -> list[Trend]:
    """Return every window that the documents make, summed plainly; those that end by `until` are closed."""
    sums: dict[tuple[str, WindowSize, int], Sums] = {}
    chosen = tuple(sizes)
    for what in documents:
        if what.effective is None:
            continue
        for series in series_of(what.classified.scores.topic, what.classified.entities):
            for size in chosen:
                key = (series, size, size.start_of(what.effective))
                sums.setdefault(key, Sums()).add(what.classified, late=what.late)
    return [
        Trend(
            series=series,
            size=size,
            start=start,
            closed=start + size <= until,
            covered=True,
            counts=total.counted(),
            polarity=polarity_of(total.counted()),
        )
        for (series, size, start), total in sums.items()
    ]


def at_minute(minute: int) -> datetime:
    """Return the instant `minute` minutes after BEGIN."""
    return from_minute(minute_of(BEGIN) + minute)
