"""One thread per receiver: who is slow or dead holds up nobody else."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable

from monitor.ports import OutboxRow

__all__ = ["Lane"]


class Lane:
    """Carries one receiver's rows one after the other, in the order offered; holds at most `capacity` at a time."""

    def __init__(self, name: str, carry: Callable[[OutboxRow], None], capacity: int) -> None:
        self._carry = carry
        self._capacity = capacity
        self._rows: queue.SimpleQueue[OutboxRow | None] = queue.SimpleQueue()
        self._held = 0
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._busy_since: float | None = None
        # a daemon, so that a server that hangs cannot keep the process from ending
        self._thread = threading.Thread(target=self._run, name=f"notify {name}", daemon=True)
        self._thread.start()

    @property
    def held(self) -> int:
        """Number of rows waiting or being carried."""
        return self._held

    @property
    def busy_s(self) -> float:
        """Seconds since the row being carried was begun; 0 while there is none."""
        since = self._busy_since
        return 0.0 if since is None else time.monotonic() - since

    def offer(self, row: OutboxRow) -> bool:
        """Take a row, or return False if the lane is full or closing."""
        with self._lock:
            if self._closing.is_set() or self._held >= self._capacity:
                return False
            self._held += 1
        self._rows.put(row)
        return True

    def close(self) -> None:
        """Begin no further row; the one being carried goes on."""
        self._closing.set()
        self._rows.put(None)

    def join(self, timeout_s: float) -> bool:
        """Wait for the row being carried; return whether it came to an end in time."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (row := self._rows.get()) is not None and not self._closing.is_set():
            self._busy_since = time.monotonic()
            try:
                self._carry(row)
            finally:
                self._busy_since = None
                with self._lock:
                    self._held -= 1
