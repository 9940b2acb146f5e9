"""The one writer of a run's `documents`: what was polled, then ticks, in the order in which they may stand in the log.

A cursor is saved only after its documents are acknowledged. While something cannot be written or saved it is kept and
tried again, and no tick is written: a monitor that lost its log or its store must look dead, not quiet.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from monitor.domain.documents import Document, Entry, Tick
from monitor.domain.errors import PublishFailed, StoreUnavailable
from monitor.ports import Clock, LogWriter, SourceStore, StoryAssigner
from streams.sources.gaps import entries_in_order, uncovered_until
from streams.sources.poll import Poll, with_stories

__all__ = ["CATCH_UP", "GAP_AFTER", "RETRY_MOST", "TICK_EVERY", "Scribe"]

TICK_EVERY = timedelta(seconds=10)
"""Event time moves in steps of this length."""
GAP_AFTER = timedelta(minutes=2)
"""A longer silence of ticks is a gap: the allowed lateness, within which nothing is lost by waiting."""
CATCH_UP = timedelta(minutes=2)
"""Longest wait for the polls that follow a gap."""
RETRY_FIRST = timedelta(seconds=1)
RETRY_MOST = timedelta(seconds=30)
"""Longest pause between two tries to write or save."""
TAKE_S = 0.2
"""Longest wait for a poll before the ticks are looked at again."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Delivery:
    """Entries on their way, and the cursors that wait for them."""

    entries: list[Entry]
    polls: list[Poll]
    written: bool = False
    saved: int = 0


@dataclass(slots=True)
class _CatchUp:
    """A gap being closed: polls are collected until all have come or the time is over."""

    gap_from: datetime
    until: datetime
    waiting: set[str]
    well: int
    polls: list[Poll] = field(default_factory=list)


class Scribe:
    """Writes and saves, in one thread (`run`) or step by step (`step`, for tests).

    Args:
        on_saved: Called with a poll whose cursor is saved.
        on_gap: Asks every source at once; returns the ids that will answer, and how many sources were well.
        may_tick: False while the crawler cannot work for a reason of its own.
        heartbeat: Called with the instant of each acknowledged tick.
        last_tick: Up to where the log is covered; None for a new run.
    """

    def __init__(
        self,
        *,
        writer: LogWriter,
        store: SourceStore,
        stories: StoryAssigner,
        clock: Clock,
        on_saved: Callable[[Poll], None],
        on_gap: Callable[[], tuple[set[str], int]],
        may_tick: Callable[[], bool] = lambda: True,
        heartbeat: Callable[[datetime], None] = lambda _: None,
        last_tick: datetime | None = None,
        tick_every: timedelta = TICK_EVERY,
    ) -> None:
        self._writer = writer
        self._store = store
        self._stories = stories
        self._clock = clock
        self._on_saved = on_saved
        self._on_gap = on_gap
        self._may_tick = may_tick
        self._heartbeat = heartbeat
        self._tick_every = tick_every
        self.last_tick = last_tick
        self._inbox: queue.SimpleQueue[Poll] = queue.SimpleQueue()
        self._deliveries: list[_Delivery] = []
        self._catch_up: _CatchUp | None = None
        self._failures = 0
        self._retry_at: datetime | None = None

    def submit(self, poll: Poll) -> None:
        """Hand over what a poll gave; called from any thread."""
        self._inbox.put(poll)

    def run(self, stop: threading.Event) -> None:
        """Write until `stop` is set, then try once more to get rid of what is already here."""
        while not stop.is_set():
            self.step(wait_s=TAKE_S)
        self._retry_at = None
        self._take(0.0)
        self._give_up_catch_up()
        self._deliver()

    def step(self, wait_s: float = 0.0) -> None:
        """Take what was polled, write and save it, then tick if it is time."""
        self._take(wait_s)
        self._finish_catch_up()
        if self._deliver() and self._catch_up is None:
            self._tick()

    def _take(self, wait_s: float) -> None:
        try:
            poll = self._inbox.get(timeout=wait_s) if wait_s else self._inbox.get_nowait()
            while True:
                self._accept(poll)
                poll = self._inbox.get_nowait()
        except queue.Empty:
            return

    def _accept(self, poll: Poll) -> None:
        if self._catch_up is not None:
            self._catch_up.polls.append(poll)
            self._catch_up.waiting.discard(poll.source.id)
            return
        entries: list[Entry] = list(self._told(list(poll.documents)))
        self._deliveries.append(_Delivery(entries, [poll]))

    def _told(self, documents: list[Document]) -> list[Document]:
        ordered = sorted(documents, key=lambda document: (document.event_at, document.id))
        return with_stories(ordered, self._stories)

    def _deliver(self) -> bool:
        """Return True if nothing is left to write or save."""
        now = self._clock.now()
        if self._retry_at is not None and now < self._retry_at:
            return False
        while self._deliveries:
            if not self._attempt(lambda: self._carry_out(self._deliveries[0]), now):
                return False
            self._deliveries.pop(0)
        return True

    def _carry_out(self, delivery: _Delivery) -> None:
        if not delivery.written:
            if delivery.entries:
                self._writer.write(delivery.entries)
            delivery.written = True
            ticks = [entry.at for entry in delivery.entries if isinstance(entry, Tick)]
            if ticks:
                self.last_tick = ticks[-1]
                self._heartbeat(ticks[-1])
        while delivery.saved < len(delivery.polls):
            poll = delivery.polls[delivery.saved]
            self._store.save(poll.state, poll.seen)
            delivery.saved += 1
            self._on_saved(poll)

    def _attempt(self, act: Callable[[], None], now: datetime) -> bool:
        try:
            act()
        except (PublishFailed, StoreUnavailable) as error:
            self._failures += 1
            pause = min(RETRY_MOST, RETRY_FIRST * (1 << min(self._failures - 1, 10)))
            self._retry_at = now + pause
            log.warning(
                "ticks stopped, will try again",
                error=type(error).__name__,
                reason=str(error),
                failures=self._failures,
                retry_in_s=pause.total_seconds(),
            )
            return False
        if self._failures:
            log.info("log and store answer again", failures=self._failures)
        self._failures, self._retry_at = 0, None
        return True

    def _tick(self) -> None:
        now = self._clock.now()
        if self.last_tick is not None and now - self.last_tick < self._tick_every:
            return
        if not self._may_tick():
            return
        if self.last_tick is not None and now - self.last_tick > max(GAP_AFTER, 2 * self._tick_every):
            self._begin_catch_up(self.last_tick, now)
            return
        if self._attempt(lambda: self._writer.write([Tick(at=now)]), now):
            self.last_tick = now
            self._heartbeat(now)

    def _begin_catch_up(self, gap_from: datetime, now: datetime) -> None:
        waiting, well = self._on_gap()
        log.info(
            "gap found, polling everything once", gap_from=gap_from, minutes=(now - gap_from) / timedelta(minutes=1)
        )
        self._catch_up = _CatchUp(gap_from, now + CATCH_UP, waiting, well)
        self._finish_catch_up()

    def _finish_catch_up(self) -> None:
        work, now = self._catch_up, self._clock.now()
        if work is None or (work.waiting and now < work.until):
            return
        self._catch_up = None
        found = self._told([document for poll in work.polls for document in poll.documents])
        if work.polls:
            now = max([now, *(document.crawled_at for document in found)])
        uncovered = uncovered_until((poll.covered_from for poll in work.polls), work.well, work.gap_from, now)
        entries = entries_in_order(found, work.gap_from, uncovered, now)
        self._deliveries.append(_Delivery(entries, work.polls))
        log.info(
            "gap closed",
            gap_from=work.gap_from,
            uncovered_until=uncovered,
            documents=len(found),
            polls=len(work.polls),
            missing=sorted(work.waiting),
        )
        self._deliver()

    def _give_up_catch_up(self) -> None:
        """At a stop in mid-gap nothing is written: no cursor has moved, the next start finds the same gap."""
        self._catch_up = None
