"""The way of a document, in order. This is the only place where the order is written.

    documents --classify--> classified --pane--> panes --window--> trends --judge--> alerts
                                 \\________________________________\\__________________\\--> sink (store, outbox)

`classify` keeps no state; the stages behind it do (`monitor.domain.stages`). Kafka and Faust (`streams`) and the
in-process replay (`monitor.replay`) run these same functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from monitor.domain.closing import TRENDS, WindowStage
from monitor.domain.documents import Document, Entry, Tick
from monitor.domain.judging import ALERTS, JudgeStage
from monitor.domain.runs import Run
from monitor.domain.sentiment import Classified, ClassifiedEntry
from monitor.domain.stages import Stage
from monitor.domain.summing import PANES, PaneStage, effective_minute, watermark_of
from monitor.domain.timespans import minute_of
from monitor.ports import Classifier, EntityFinder, StoredDocument, Text

__all__ = [
    "CLASSIFIED",
    "DOCUMENTS",
    "STAGES",
    "StageSpec",
    "classify_bundles",
    "place",
    "stage_named",
]

DOCUMENTS = "documents"
CLASSIFIED = "classified"


class StageSpec(NamedTuple):
    """A stage with state: its name (also of its Faust app and its table), what it reads, and how one is built.

    Attributes:
        single: True if only partition 0 of the topic is read.
        reads: Names of the entry types it takes; others in the same bundle are for somebody else.
    """

    name: str
    topic: str
    sends_to: str
    build: Callable[[int, Run], Stage]
    reads: tuple[str, ...]
    single: bool = False


STAGES: tuple[StageSpec, ...] = (
    StageSpec(
        name="pane",
        topic=CLASSIFIED,
        sends_to=PANES,
        build=lambda partition, run: PaneStage(partition, run.partitions),
        reads=("Classified", "Tick"),
    ),
    StageSpec(
        name="window",
        topic=PANES,
        sends_to=TRENDS,
        build=lambda partition, run: WindowStage(partition, run.partitions),
        reads=("PaneTotal", "Watermark"),
    ),
    StageSpec(
        name="judge",
        topic=TRENDS,
        sends_to=ALERTS,
        build=lambda _, run: JudgeStage(run.partitions),
        reads=("Judgement", "ClosedUpTo", "Feedback"),
        single=True,
    ),
)
"""Every stage with state, in the order of the flow."""


def stage_named(name: str) -> StageSpec:
    """Return a stage by name; raise KeyError for another word."""
    return {spec.name: spec for spec in STAGES}[name]


def classify_bundles(
    bundles: Sequence[Sequence[Entry]], finder: EntityFinder, classifier: Classifier, now_ms: int
) -> list[tuple[ClassifiedEntry, ...]]:
    """Return the bundles with every document classified: same order, same length, ticks in their place.

    All texts go to the classifier at once; batching by length is its affair.
    """
    documents = [entry for bundle in bundles for entry in bundle if isinstance(entry, Document)]
    scores = classifier.classify([Text(document.title, document.text) for document in documents])
    ready: Iterator[Classified] = (
        Classified(
            document=document,
            scores=score,
            mentions=finder.find(document),
            model=classifier.digest,
            classified_at_ms=now_ms,
        )
        for document, score in zip(documents, scores, strict=True)
    )
    return [tuple(entry if isinstance(entry, Tick) else next(ready) for entry in bundle) for bundle in bundles]


def place(entries: Sequence[ClassifiedEntry], watermark: int | None) -> tuple[list[StoredDocument], int | None]:
    """Return the documents of a bundle with the minute each counts in, and the watermark after it.

    The same rule as the pane stage's, for whoever stores documents; `watermark` is that before the bundle.
    """
    placed = []
    for entry in entries:
        if isinstance(entry, Tick):
            reached = watermark_of(entry)
            watermark = reached if watermark is None else max(watermark, reached)
            continue
        minute = effective_minute(entry.document, watermark)
        late = minute is not None and minute != minute_of(entry.document.event_at)
        placed.append(StoredDocument(classified=entry, effective=minute, late=late))
    return placed, watermark
