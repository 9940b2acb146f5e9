"""The pipeline over a recorded feed, in one process, with time taken from the feed.

The same stages as behind Kafka, over one partition; from one `classified` log both give the same closed windows and
alerts, whatever the number of partitions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from monitor.domain.alerts import AlertChange
from monitor.domain.closing import WindowStage
from monitor.domain.documents import Document, Entry, Tick
from monitor.domain.judging import ALERTS, JudgeStage
from monitor.domain.runs import Run
from monitor.domain.sentiment import Classified, ClassifiedEntry
from monitor.domain.summing import LATENESS, PaneStage
from monitor.domain.timespans import DAY_MIN, from_minute, minute_of
from monitor.domain.trends import ClosedUpTo, Judgement, Trend
from monitor.pipeline import classify_bundles, place
from monitor.ports import Classifier, EntityFinder, Sink

__all__ = ["BUNDLE", "InProcess", "Replayed", "bundled", "classified", "replay", "ticked"]

BUNDLE = 200
"""Entries taken at once, as in a Kafka bundle."""

_BATCH = 512
"""Documents given to the classifier at once."""

_FLUSH = 5_000
"""Rows gathered before the sink is called: a transaction each would cost more than the rows."""


@dataclass(slots=True)
class Replayed:
    """What a replay did."""

    documents: int = 0
    counted: int = 0
    late: int = 0
    windows: int = 0
    alerts: int = 0


def ticked(documents: Iterable[Document]) -> Iterator[Entry]:
    """Yield documents (in order of `crawled_at`) with the ticks of a simulated clock between them.

    One tick after the documents of each minute that has any, and a closing one that lets every window close: at the
    next midnight UTC plus the allowed lateness.
    """
    minute: int | None = None
    for document in documents:
        current = minute_of(document.crawled_at)
        if minute is not None and current > minute:
            yield Tick(at=from_minute(minute + 1))
        minute = current if minute is None else max(minute, current)
        yield document
    if minute is not None:
        midnight = (minute // DAY_MIN + 1) * DAY_MIN
        yield Tick(at=from_minute(midnight) + LATENESS + timedelta(minutes=1), closing=True)


def bundled(entries: Iterable[Any], most: int = BUNDLE) -> Iterator[list[Any]]:
    """Yield entries in lists of at most `most`."""
    bundle: list[Any] = []
    for entry in entries:
        bundle.append(entry)
        if len(bundle) >= most:
            yield bundle
            bundle = []
    if bundle:
        yield bundle


def classified(
    entries: Iterable[Entry], finder: EntityFinder, classifier: Classifier, now_ms: int
) -> Iterator[Sequence[ClassifiedEntry]]:
    """Yield bundles of classified entries, in order."""
    for batch in bundled(entries, _BATCH):
        yield from classify_bundles([batch], finder, classifier, now_ms)


def replay(
    log: Iterable[Sequence[ClassifiedEntry]],
    run: Run,
    sink: Sink,
    progress: Callable[[Replayed], None] = lambda _: None,
) -> Replayed:
    """Run the stages over a `classified` log and write documents, windows and alerts to the sink."""
    pipeline = InProcess(run, sink)
    for bundle in log:
        pipeline.take(bundle)
        progress(pipeline.done)
    pipeline.flush()
    return pipeline.done


class InProcess:
    """The stages of a run, one partition each, called in turn."""

    def __init__(self, run: Run, sink: Sink) -> None:
        self._sink = sink
        self._pane, self._window, self._judge = PaneStage(0, 1), WindowStage(0, 1), JudgeStage(1)
        self._offset = -1
        self._watermark: int | None = None
        self._documents: list[Any] = []
        self._trends: list[Trend] = []
        self._changes: list[AlertChange] = []
        self.run = run
        self.done = Replayed()

    def take(self, entries: Sequence[ClassifiedEntry]) -> None:
        """Take one bundle of `classified` all the way."""
        self._offset += 1
        placed, self._watermark = place(entries, self._watermark)
        self._documents += placed
        self.done.documents += sum(isinstance(entry, Classified) for entry in entries)
        self.done.counted += sum(document.effective is not None for document in placed)
        self.done.late += sum(document.late for document in placed)
        for panes in self._pane.step(self._offset, entries).sends:
            self._take_panes(panes.entries)
        if len(self._documents) + len(self._trends) >= _FLUSH:
            self.flush()

    def _take_panes(self, panes: Sequence[Any]) -> None:
        judged: list[Judgement | ClosedUpTo] = []
        for send in self._window.step(self._offset, panes).sends:
            trends = [entry for entry in send.entries if isinstance(entry, Trend)]
            self._trends += trends
            self.done.windows += sum(trend.closed for trend in trends)
            judged += [entry for entry in send.entries if not isinstance(entry, Trend)]
        for send in self._judge.step(self._offset, judged).sends if judged else ():
            if send.topic == ALERTS:
                self._changes += send.entries
                self.done.alerts += sum(change.alert.revision == 1 for change in send.entries)

    def flush(self) -> None:
        """Write what has gathered: documents before the windows they fill, alerts last."""
        self._sink.write_documents(self._documents, [])
        self._sink.write_trends(self._trends, [])
        self._sink.write_alerts(self._changes, [])
        self._documents, self._trends, self._changes = [], [], []
