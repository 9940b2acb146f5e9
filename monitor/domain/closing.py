"""Stage three: panes of all partitions meet by series; windows close when every partition's watermark has passed.

A minute is *folded* into the open windows of its series once the least watermark has passed it. A window closes when
the fold reaches its end, whether or not documents came since; the detectors run there, in order of end, size, series.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeAlias

from monitor.domain.anomalies import SHIFT_SIZES, ShiftState, shift_surprise
from monitor.domain.bursts import BURST_SIZE, BurstState, burst_surprise
from monitor.domain.series import is_judged
from monitor.domain.stages import Send, Step, Write
from monitor.domain.timespans import DAY_MIN, WindowSize
from monitor.domain.trends import ClosedUpTo, Direction, Judgement, Surprise, Trend, polarity_of
from monitor.domain.windows import Gap, PaneTotal, Sums, Watermark

__all__ = ["TRENDS", "ClosingPosition", "OpenMinute", "OpenWindow", "SeriesState", "WindowStage"]

TRENDS = "trends"
"""Topic that this stage sends to; what is judged across series goes to its partition 0."""

JUDGED = 0
"""Partition of `trends` that carries judgements."""

_KEEP_GAPS_MIN = 2 * DAY_MIN
_DIRECTIONS = (Direction.NEGATIVE, Direction.POSITIVE)

PaneEntry: TypeAlias = PaneTotal | Watermark


@dataclass(slots=True)
class ClosingPosition:
    """How far this partition has come.

    Attributes:
        watermarks: By partition of `classified`, the first minute it may still count in.
        closed: Every minute before this one is folded; None before the first.
    """

    offset: int = -1
    watermarks: dict[int, int] = field(default_factory=dict)
    closed: int | None = None
    gaps: list[Gap] = field(default_factory=list)
    version: int = 1


@dataclass(slots=True)
class OpenMinute:
    """The totals of one minute: by series, then by partition, as (revision, sums)."""

    series: dict[str, dict[int, tuple[int, Sums]]] = field(default_factory=dict)
    version: int = 1


@dataclass(slots=True)
class OpenWindow:
    """A window that fills."""

    start: int
    sums: Sums


@dataclass(slots=True)
class SeriesState:
    """One series: its open windows by size, and what its detectors remember.

    Attributes:
        offset: The bundle that changed it last; it is not changed by the same bundle again.
        shifts: By ``<size in minutes>/<direction>``.
    """

    offset: int = -1
    windows: dict[int, OpenWindow] = field(default_factory=dict)
    shifts: dict[str, ShiftState] = field(default_factory=dict)
    burst: BurstState | None = None
    version: int = 1


class WindowStage:
    """One partition of the window stage. See `monitor.domain.stages.Stage`."""

    records: ClassVar[dict[str, type]] = {"position": ClosingPosition, "minute": OpenMinute, "series": SeriesState}

    def __init__(self, partition: int, partitions: int) -> None:
        self._partition, self._partitions = partition, partitions
        self._position = ClosingPosition()
        self._minutes: dict[int, OpenMinute] = {}
        self._series: dict[str, SeriesState] = {}
        self._ends: defaultdict[int, set[tuple[int, str]]] = defaultdict(set)
        self._touched: set[str] = set()

    def load(self, records: Iterable[tuple[str, Any]]) -> None:
        """Take over what was kept."""
        for key, record in records:
            kind, _, rest = key.partition(":")
            if isinstance(record, ClosingPosition):
                self._position = record
            elif kind == "minute":
                self._minutes[int(rest)] = record
            elif kind == "series":
                self._series[rest] = record
                for size, window in record.windows.items():
                    self._ends[window.start + size].add((size, rest))

    def step(self, offset: int, entries: Sequence[PaneEntry]) -> Step:
        """Take one bundle of panes: fold and close what the least watermark allows, show what is still open."""
        position = self._position
        if offset <= position.offset:
            return Step([], [])
        before = position.closed
        arrived = self._arrive(entries)
        least = self._least()
        folding = _Folding(offset)
        if least is not None:
            self._fold_up_to(least, folding)
        shown = self._show_open(arrived, folding, moved=position.closed != before)
        position.offset = offset
        writes = [Write(f"minute:{minute}", self._minutes[minute]) for minute in sorted(arrived)]
        writes += [Write(f"series:{series}", self._series[series]) for series in sorted(folding.changed)]
        writes += [Write(f"minute:{minute}", None) for minute in self._forget(before) if minute not in arrived]
        return Step(self._sends(offset, folding, shown, before), [*writes, Write("position", position)])

    def _arrive(self, entries: Sequence[PaneEntry]) -> dict[int, set[str]]:
        """Keep the newest revision of each total, and the watermarks; return the series touched by minute."""
        position = self._position
        arrived: dict[int, set[str]] = {}
        for entry in entries:
            if isinstance(entry, Watermark):
                known = position.watermarks.get(entry.partition, entry.minute)
                position.watermarks[entry.partition] = max(known, entry.minute)
                position.gaps += [gap for gap in entry.gaps if gap not in position.gaps]
                continue
            if position.closed is not None and entry.minute < position.closed:
                continue
            totals = self._minutes.setdefault(entry.minute, OpenMinute()).series.setdefault(entry.series, {})
            if entry.partition not in totals or totals[entry.partition][0] <= entry.revision:
                totals[entry.partition] = (entry.revision, entry.sums)
                arrived.setdefault(entry.minute, set()).add(entry.series)
        return arrived

    def _least(self) -> int | None:
        marks = self._position.watermarks
        return min(marks.values()) if len(marks) == self._partitions else None

    def _fold_up_to(self, least: int, folding: _Folding) -> None:
        position = self._position
        if position.closed is None:
            position.closed = min([least, *self._minutes])
        for minute in range(position.closed, least):
            if minute in self._minutes:
                self._fold(minute, folding)
            end = minute + 1
            if end % WindowSize.M5 == 0 and end in self._ends:
                self._close(end, folding)
        position.closed = max(position.closed, least)

    def _fold(self, minute: int, folding: _Folding) -> None:
        for series, totals in sorted(self._minutes[minute].series.items()):
            state = self._changeable(series, folding)
            if state is None:
                continue
            merged = Sums()
            for _, (_, sums) in sorted(totals.items()):
                merged.absorb(sums)
            for size in WindowSize:
                start = size.start_of(minute)
                window = state.windows.get(size)
                if window is None:
                    window = state.windows[size] = OpenWindow(start=start, sums=Sums())
                    self._ends[start + size].add((size, series))
                window.sums.absorb(merged)

    def _close(self, end: int, folding: _Folding) -> None:
        for size, series in sorted(self._ends.pop(end)):
            state = self._changeable(series, folding)
            if state is None:
                continue
            window = state.windows.pop(size)
            covered = not any(gap.start < end and window.start < gap.end for gap in self._position.gaps)
            surprises = self._judge(state, series, WindowSize(size), window) if covered else ()
            trend = _trend(series, WindowSize(size), window.start, window.sums, surprises, closed=True, covered=covered)
            folding.trends.append(trend)
            folding.judgements += [_judgement(trend, s) for s in surprises if s.score >= s.threshold / 2]

    def _judge(self, state: SeriesState, series: str, size: WindowSize, window: OpenWindow) -> tuple[Surprise, ...]:
        if not is_judged(series):
            return ()
        found: list[Surprise | None] = []
        counts = window.sums.counted()
        if size in SHIFT_SIZES:
            for direction in _DIRECTIONS:
                shift = state.shifts.setdefault(f"{size.value}/{direction}", ShiftState())
                found.append(shift_surprise(shift, direction, size, window.start, counts))
        if size is BURST_SIZE:
            state.burst = state.burst or BurstState()
            found.append(burst_surprise(state.burst, window.start, counts.originals))
        return tuple(surprise for surprise in found if surprise is not None)

    def _changeable(self, series: str, folding: _Folding) -> SeriesState | None:
        """Return the state of a series, or None if it holds this bundle already (it was written before a kill)."""
        state = self._series.setdefault(series, SeriesState())
        if series not in folding.changed:
            if state.offset >= folding.offset:
                return None
            state.offset = folding.offset
            folding.changed.add(series)
        return state

    def _show_open(self, arrived: dict[int, set[str]], folding: _Folding, *, moved: bool) -> list[Trend]:
        """Return the open windows of the series touched since the last time, once the fold has moved on.

        Left out are sizes that the bundle itself has passed through: a replay at full speed shows what lasts.
        """
        self._touched |= {series for names in arrived.values() for series in names} | folding.changed
        if not moved:
            return []
        touched, self._touched = self._touched, set()
        newest = max(self._minutes, default=0)
        span = newest - min(arrived, default=newest)
        sizes = [size for size in WindowSize if size > span]
        found = self._open_sums(touched, sizes)
        return [
            _trend(series, size, start, sums, (), closed=False, covered=True)
            for (series, size, start), sums in sorted(found.items())
        ]

    def _open_sums(self, touched: set[str], sizes: list[WindowSize]) -> dict[tuple[str, WindowSize, int], Sums]:
        """Return the sums of open windows: what is folded, and the minutes that are not yet."""
        found: dict[tuple[str, WindowSize, int], Sums] = {}
        for series in touched & self._series.keys():
            windows = self._series[series].windows
            for size in sizes:
                if size in windows:
                    found[series, size, windows[size].start] = windows[size].sums.copied()
        for minute, pane in self._minutes.items():
            if self._position.closed is not None and minute < self._position.closed:
                continue
            for series in touched & pane.series.keys():
                for _, total in pane.series[series].values():
                    for size in sizes:
                        found.setdefault((series, size, size.start_of(minute)), Sums()).absorb(total)
        return found

    def _forget(self, before: int | None) -> list[int]:
        """Drop minutes folded before this bundle: until now a repeated bundle would have needed them."""
        if before is None:
            return []
        gone = sorted(minute for minute in self._minutes if minute < before)
        for minute in gone:
            del self._minutes[minute]
        self._position.gaps = [gap for gap in self._position.gaps if gap.end > before - _KEEP_GAPS_MIN]
        return gone

    def _sends(self, offset: int, folding: _Folding, shown: list[Trend], before: int | None) -> list[Send]:
        judged: list[Any] = list(folding.judgements)
        closed = self._position.closed
        if closed is not None and closed != before:
            judged.append(ClosedUpTo(partition=self._partition, minute=closed, revision=offset))
        trends = [*folding.trends, *shown]
        sends = [Send(TRENDS, self._partition, tuple(trends))] if trends else []
        return [*sends, Send(TRENDS, JUDGED, tuple(judged))] if judged else sends


@dataclass(slots=True)
class _Folding:
    """What one bundle changes."""

    offset: int
    changed: set[str] = field(default_factory=set)
    trends: list[Trend] = field(default_factory=list)
    judgements: list[Judgement] = field(default_factory=list)


def _trend(
    series: str,
    size: WindowSize,
    start: int,
    sums: Sums,
    surprises: tuple[Surprise, ...],
    *,
    closed: bool,
    covered: bool,
) -> Trend:
    counts = sums.counted()
    return Trend(
        series=series,
        size=size,
        start=start,
        closed=closed,
        covered=covered,
        counts=counts,
        polarity=polarity_of(counts),
        surprises=surprises,
    )


def _judgement(trend: Trend, surprise: Surprise) -> Judgement:
    counts = trend.counts
    positive = surprise.direction is Direction.POSITIVE
    return Judgement(
        series=trend.series,
        size=trend.size,
        end=trend.end,
        surprise=surprise,
        stories=counts.stories,
        origins=counts.sources if positive else counts.origins,
        documents=counts.documents,
        late=counts.late,
        against=counts.against,
        in_favour=counts.in_favour,
    )
