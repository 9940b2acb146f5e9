"""Sends a recorded feed into a run's `documents`, at a chosen speed, and goes on where it was stopped."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

import structlog

from monitor.domain.documents import Document, Entry, Tick
from monitor.ports import LogWriter
from monitor.replay import ticked
from streams.logreader import Reached

__all__ = ["FeedReplayer", "Sent"]

_LOT = 1_000
"""Entries written at once."""

_WINDOW_S = 0.5
"""Real time gathered into one write when the feed is slowed down."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Sent:
    """How far a replay has come."""

    documents: int = 0
    skipped: int = 0
    at: datetime | None = None
    finished: bool = False


class FeedReplayer:
    """Writes documents and ticks in the order of the feed.

    Args:
        speed: Simulated seconds for each real one; None for as fast as it goes.
        reached: Where an earlier replay of the same run stopped; documents before it are not written again.
    """

    def __init__(
        self,
        writer: LogWriter,
        *,
        speed: float | None,
        reached: Reached | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._writer, self._speed, self._reached, self._now = writer, speed, reached, now
        self.sent = Sent()

    def run(
        self,
        documents: Iterable[Document],
        stop: threading.Event,
        progress: Callable[[Sent], None] = lambda _: None,
    ) -> Sent:
        """Write the feed until its end, or until `stop` is set; what was written is whole up to its last tick.

        Raises:
            PublishFailed: Kafka did not acknowledge.
        """
        began: tuple[float, datetime] | None = None
        last: datetime | None = None
        lot: list[Entry] = []
        for entry in ticked(documents):
            at = entry.at if isinstance(entry, Tick) else entry.crawled_at
            if self._is_behind(entry, at):
                continue
            began = began or (self._now(), at)
            at = last if isinstance(entry, Tick) and entry.closing and last else at
            last = at
            if len(lot) >= _LOT or (lot and self._wait_s(began, at) > _WINDOW_S):
                lot = self._write(lot, progress)
            if not self._wait_until(began, at, stop):
                break
            lot.append(entry)
        else:
            self.sent.finished = True
        self._write(lot, progress)
        return self.sent

    def _is_behind(self, entry: Entry, at: datetime) -> bool:
        if self._reached is None:
            return False
        behind = at <= self._reached.at if isinstance(entry, Tick) else at < self._reached.at
        self.sent.skipped += behind and isinstance(entry, Document)
        return behind

    def _wait_s(self, began: tuple[float, datetime], at: datetime) -> float:
        if self._speed is None:
            return 0.0
        return began[0] + (at - began[1]).total_seconds() / self._speed - self._now()

    def _wait_until(self, began: tuple[float, datetime], at: datetime, stop: threading.Event) -> bool:
        """Wait until an entry is due; return False if asked to stop. The closing tick is due at once."""
        while not stop.is_set():
            wait_s = self._wait_s(began, at)
            if wait_s <= _WINDOW_S:
                return True
            stop.wait(min(wait_s, 1.0))
        return False

    def _write(self, lot: list[Entry], progress: Callable[[Sent], None]) -> list[Entry]:
        if lot:
            self._writer.write(lot)
            last = lot[-1]
            self.sent.documents += sum(isinstance(entry, Document) for entry in lot)
            self.sent.at = last.at if isinstance(last, Tick) else last.crawled_at
            progress(self.sent)
        return []
