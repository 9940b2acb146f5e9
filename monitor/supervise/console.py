"""What a person at the terminal sees of the children: their troubles and their changes, not their every line."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from monitor.supervise.children import ChildEvent, ChildState

__all__ = ["ChildConsole", "needs_attention"]

TROUBLE = re.compile(
    r"\[(?:warning|error|critical)\s*\]"  # structlog for people
    r"|\"level\": ?\"(?:warning|error|critical)\""  # structlog as JSON
    r"|\blevel=(?:warning|error|critical)\b"  # logfmt
    r"|\b(?:WARN|WARNING|ERROR|CRITICAL|FATAL)\b"  # the logging module, log4j, Java
    r"|^Traceback \(most recent call last\)"
)
UNPRINTABLE = re.compile(r"[^\t\x20-\x7e\xa0-\U0010ffff]")
"""A line may carry text from the web; its control characters must not reach the terminal."""

COLOURS = ("cyan", "magenta", "green", "blue", "yellow", "bright_cyan", "bright_magenta")
LINE_CHARACTERS = 2000

SAID = {
    ChildState.STARTING: "starting",
    ChildState.RUNNING: "runs",
    ChildState.FINISHED: "has finished",
    ChildState.STOPPED: "stopped",
}


def needs_attention(line: str) -> bool:
    """Say whether a log line is a warning or worse, in the ways that our children and Kafka write them."""
    return TROUBLE.search(line) is not None


class ChildConsole:
    """Prints for a person; give `on_line` and `on_event` to a supervisor.

    Args:
        names: The children, for the width of the prefix.
        logs: The folder of their logs, named where one is in trouble.
        console: Where to print; standard output by default.
        every_line: Print all that the children write, not only warnings and errors.
    """

    def __init__(
        self, names: Sequence[str], logs: Path, *, console: Console | None = None, every_line: bool = False
    ) -> None:
        self._width = max((len(name) for name in names), default=0)
        self._colours = {name: COLOURS[place % len(COLOURS)] for place, name in enumerate(names)}
        self._logs = logs
        self._console = console or Console(soft_wrap=True, highlight=False)
        self._every_line = every_line
        self._in_traceback: set[str] = set()
        self._turn = threading.Lock()

    def on_line(self, name: str, line: str) -> None:
        """Print a child's line where it needs attention."""
        if self._every_line or self._belongs_to_traceback(name, line) or needs_attention(line):
            self._print(name, line[:LINE_CHARACTERS])

    def on_event(self, event: ChildEvent) -> None:
        """Print a change of a child, with the way out where it is in trouble."""
        status = event.status
        if status.state is ChildState.BACKING_OFF:
            self._print(status.name, f"died ({status.last_reason}); again in {event.pause_s or 0:.1f} s", "yellow")
        elif status.state is ChildState.GIVEN_UP:
            where = self._logs / f"{status.name}.log"
            text = f"died too often and stays down ({status.last_reason}); see {where}, mend it, start again"
            self._print(status.name, text, "bold red")
        elif status.state in SAID:
            self._print(status.name, SAID[status.state], "dim")

    def _belongs_to_traceback(self, name: str, line: str) -> bool:
        """Whether a line is part of a Python traceback: indented ones, and the error that ends it."""
        if line.startswith("Traceback ("):
            self._in_traceback.add(name)
            return True
        if name not in self._in_traceback:
            return False
        if not line.startswith(" "):
            self._in_traceback.discard(name)
        return True

    def _print(self, name: str, line: str, style: str = "") -> None:
        prefix = Text(f"{name:<{self._width}} | ", style=self._colours.get(name, ""))
        with self._turn:
            self._console.print(prefix + Text(UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", line), style=style))
