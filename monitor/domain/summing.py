"""Stage two: each partition of `classified` sums its documents into panes, each document once.

Every touched pane leaves as the partition's *current total with a revision* (the offset of the bundle): the next stage
replaces instead of adding, so a repeated message does no harm.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar

from monitor.domain.documents import Document, Tick, partition_of
from monitor.domain.sentiment import Classified, ClassifiedEntry
from monitor.domain.series import series_of
from monitor.domain.stages import Send, Step, Write
from monitor.domain.timespans import DAY_MIN, minute_of
from monitor.domain.windows import Gap, PaneTotal, Sums, Watermark

__all__ = [
    "LATENESS",
    "PANES",
    "PaneMinute",
    "PanePosition",
    "PaneStage",
    "SeenIds",
    "effective_minute",
    "watermark_of",
]

LATENESS = timedelta(minutes=2)
"""How long a minute waits for documents after event time has passed it."""

PANES = "panes"
"""Topic that this stage sends to."""

_REMEMBER_MIN = 3 * DAY_MIN
"""Ids are remembered this long behind the watermark; what returns later is too old to count anyway."""


def watermark_of(tick: Tick, lateness: timedelta = LATENESS) -> int:
    """Return the first minute still open once event time has reached the tick."""
    return minute_of(tick.at - lateness)


def effective_minute(document: Document, watermark: int | None) -> int | None:
    """Return the minute a document counts in, or None if it counts in no live window.

    That of `event_at` while it is open, else the earliest still open (then the document is late). A backlog, an edit
    and what is older than a day count nowhere: stored and searchable only.
    """
    if document.backlog or document.revision > 0:
        return None
    minute = minute_of(document.event_at)
    if watermark is None:
        return minute
    return None if minute < watermark - DAY_MIN else max(minute, watermark)


@dataclass(slots=True)
class PanePosition:
    """How far this partition has come: the bundle taken last, and the first minute still open."""

    offset: int = -1
    watermark: int | None = None
    version: int = 1


@dataclass(slots=True)
class PaneMinute:
    """The sums of one minute by series; `offset` is the bundle that touched them last."""

    offset: int
    sums: dict[str, Sums] = field(default_factory=dict)
    version: int = 1


@dataclass(slots=True)
class SeenIds:
    """Ids first seen in one bundle; `newest` is the greatest minute any of them counts in."""

    offset: int
    newest: int
    ids: list[str] = field(default_factory=list)
    version: int = 1


class PaneStage:
    """One partition of the pane stage. See `monitor.domain.stages.Stage`."""

    records: ClassVar[dict[str, type]] = {"position": PanePosition, "minute": PaneMinute, "ids": SeenIds}

    def __init__(self, partition: int, partitions: int, lateness: timedelta = LATENESS) -> None:
        self._partition, self._partitions, self._lateness = partition, partitions, lateness
        self._position = PanePosition()
        self._minutes: dict[int, PaneMinute] = {}
        self._batches: dict[int, SeenIds] = {}
        self._first_seen: dict[str, int] = {}

    def load(self, records: Iterable[tuple[str, Any]]) -> None:
        """Take over what was kept."""
        for key, record in records:
            if isinstance(record, PanePosition):
                self._position = record
            elif isinstance(record, PaneMinute):
                self._minutes[int(key.partition(":")[2])] = record
            elif isinstance(record, SeenIds):
                self._batches[record.offset] = record
        for batch in self._batches.values():
            self._remember(batch)

    def step(self, offset: int, entries: Sequence[ClassifiedEntry]) -> Step:
        """Sum one bundle and return the totals it touched, the watermark, and the records."""
        if offset <= self._position.offset:
            return Step([], [])
        before = self._position.watermark
        watermark, gaps, counted = self._place(offset, entries)
        touched = self._add(offset, counted)
        sends = self._sends(offset, touched, watermark, gaps, moved=watermark != before or bool(gaps))
        ids = self._see(offset, counted)
        self._position = PanePosition(offset=offset, watermark=watermark)
        writes = [Write(f"minute:{minute}", self._minutes[minute]) for minute in sorted(touched)]
        writes += [Write(f"ids:{ids.offset}", ids)] if ids else []
        writes += self._forget(before)
        return Step(sends, [*writes, Write("position", self._position)])

    def _place(
        self, offset: int, entries: Sequence[ClassifiedEntry]
    ) -> tuple[int | None, list[Gap], list[tuple[Classified, int]]]:
        """Return the watermark after the bundle, its gaps, and each document that counts with its minute."""
        watermark, gaps = self._position.watermark, []
        counted: dict[str, tuple[Classified, int]] = {}
        for entry in entries:
            if isinstance(entry, Tick):
                reached = watermark_of(entry, self._lateness)
                watermark = reached if watermark is None else max(watermark, reached)
                if entry.gap_from is not None:
                    gaps.append(Gap(start=minute_of(entry.gap_from), end=minute_of(entry.at)))
                continue
            document = entry.document
            if document.id in counted or self._first_seen.get(document.id, offset) < offset:
                continue
            minute = effective_minute(document, watermark)
            if minute is not None:
                counted[document.id] = (entry, minute)
        return watermark, gaps, list(counted.values())

    def _add(self, offset: int, counted: list[tuple[Classified, int]]) -> dict[int, set[str]]:
        """Add the documents to their panes, but for minutes that hold this bundle already; return what was touched."""
        held = {minute for _, minute in counted if minute in self._minutes and self._minutes[minute].offset >= offset}
        touched: dict[int, set[str]] = {}
        for classified, minute in counted:
            series = series_of(classified.scores.topic, classified.entities)
            touched.setdefault(minute, set()).update(series)
            if minute in held:
                continue
            pane = self._minutes.setdefault(minute, PaneMinute(offset=offset))
            pane.offset = offset
            late = minute != minute_of(classified.document.event_at)
            for key in series:
                pane.sums.setdefault(key, Sums()).add(classified, late=late)
        return touched

    def _sends(
        self, offset: int, touched: dict[int, set[str]], watermark: int | None, gaps: list[Gap], *, moved: bool
    ) -> list[Send]:
        by_target: list[list[PaneTotal | Watermark]] = [[] for _ in range(self._partitions)]
        for minute in sorted(touched):
            sums = self._minutes[minute].sums
            for series in sorted(touched[minute]):
                total = PaneTotal(
                    partition=self._partition, series=series, minute=minute, revision=offset, sums=sums[series]
                )
                by_target[partition_of(series, self._partitions)].append(total)
        if moved and watermark is not None:
            mark = Watermark(partition=self._partition, minute=watermark, revision=offset, gaps=tuple(gaps))
            for target in by_target:
                target.append(mark)
        return [Send(PANES, number, tuple(target)) for number, target in enumerate(by_target) if target]

    def _see(self, offset: int, counted: list[tuple[Classified, int]]) -> SeenIds | None:
        if not counted:
            return None
        batch = SeenIds(
            offset=offset,
            newest=max(minute for _, minute in counted),
            ids=sorted(classified.document.id for classified, _ in counted),
        )
        self._batches[offset] = batch
        self._remember(batch)
        return batch

    def _remember(self, batch: SeenIds) -> None:
        for document in batch.ids:
            self._first_seen[document] = min(batch.offset, self._first_seen.get(document, batch.offset))

    def _forget(self, before: int | None) -> list[Write]:
        """Drop what the watermark *before* this bundle allows: a repeated bundle must still find what it touched."""
        if before is None:
            return []
        minutes = [minute for minute in self._minutes if minute < before]
        batches = [batch for batch in self._batches.values() if batch.newest < before - _REMEMBER_MIN]
        for minute in minutes:
            del self._minutes[minute]
        for batch in batches:
            del self._batches[batch.offset]
            for document in batch.ids:
                if self._first_seen.get(document) == batch.offset:
                    del self._first_seen[document]
        return [Write(f"minute:{m}", None) for m in minutes] + [Write(f"ids:{b.offset}", None) for b in batches]
