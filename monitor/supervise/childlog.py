"""What a child writes: kept in a file of limited size, and told line by line to whoever listens."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO

__all__ = ["ChildLog", "LineListener"]

LINE_BYTES = 64 * 1024
"""A longer line is cut into several, so that a child that never ends its line cannot fill the memory."""

LOG_FILE_BYTES = 5 * 1024 * 1024
LOG_FILES = 3
LAST_LINES = 10
JOIN_S = 2.0

LineListener = Callable[[str, str], None]
"""Told the child's name and one line without its end; called from a thread of its own for each child."""


class ChildLog:
    """Reads one child's output in the background, through all its restarts.

    Args:
        name: The child.
        path: The log file; older ones get `.1`, `.2`.
        listener: Told every line, or None.
    """

    def __init__(self, name: str, path: Path, listener: LineListener | None = None) -> None:
        self._name = name
        self._listener = listener
        self._file = RotatingFileHandler(
            path, maxBytes=LOG_FILE_BYTES, backupCount=LOG_FILES - 1, encoding="utf-8", delay=True
        )
        self._last: deque[str] = deque(maxlen=LAST_LINES)
        self._reader: threading.Thread | None = None

    def follow(self, output: IO[bytes]) -> None:
        """Read `output` until it ends."""
        self._last.clear()
        self._reader = threading.Thread(target=self._read, args=(output,), name=f"log of {self._name}", daemon=True)
        self._reader.start()

    def last_lines(self) -> tuple[str, ...]:
        """Return the end of what the present (or last) process wrote; waits for its very last line."""
        if self._reader is not None:
            self._reader.join(JOIN_S)
        return tuple(self._last)

    def _read(self, output: IO[bytes]) -> None:
        with output:
            while raw := output.readline(LINE_BYTES):
                line = raw.decode("utf-8", "replace").rstrip("\r\n")
                self._last.append(line)
                self._file.emit(logging.makeLogRecord({"msg": "%s", "args": (line,)}))
                if self._listener is not None:
                    self._listener(self._name, line)
        self._file.close()  # the next process's first line opens it again
