"""What the pages stand on: the ports, the runs, the watch lists."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from time import monotonic
from typing import TypeAlias, TypeVar, cast

from dashboard.ask import Ask
from monitor.domain.views import RunView, SeriesChoice
from monitor.ports import FeedbackSender, ViewReader

__all__ = ["Condition", "Desk", "Recorder"]

NOBODY = ("-",)
"""Stands for a watch list without companies: no company has this id, and an empty filter would show all."""

RUNS_FOR_S = 1.0
CHOICES_FOR_S = 20.0
KEPT = 64
"""Answers kept at most."""

T = TypeVar("T")

Recorder: TypeAlias = Callable[[str, str, str, str], None]
"""Writes into the audit log: actor, action, subject, detail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """How one part of the monitor does, in words; one that is not `well` is said on every page."""

    name: str
    well: bool
    words: str


class _Kept:
    """Answers of the store that several people ask for at once, kept for a moment."""

    def __init__(self) -> None:
        self._answers: dict[Hashable, tuple[float, object]] = {}
        self._lock = Lock()

    def get(self, key: Hashable, for_s: float, ask: Callable[[], T]) -> T:
        now = monotonic()
        with self._lock:
            at, answer = self._answers.get(key, (float("-inf"), None))
        if now - at < for_s:
            return cast("T", answer)
        fresh = ask()
        with self._lock:
            while len(self._answers) >= KEPT:
                del self._answers[next(iter(self._answers))]
            self._answers[key] = (now, fresh)
        return fresh


class Desk:
    """The ports and what is derived from them; safe to use from several threads."""

    def __init__(
        self,
        reader: ViewReader,
        feedback: FeedbackSender,
        watch_lists: Callable[[], dict[str, tuple[str, ...]]],
        default_run: str | None,
        clock: Callable[[], datetime],
        status: Callable[[], Sequence[Condition]] | None,
    ) -> None:
        self.reader = reader
        self.feedback = feedback
        self.watch_lists = watch_lists
        self.clock = clock
        self._default_run = default_run
        self._status = status
        self._kept = _Kept()

    def runs(self) -> tuple[RunView, ...]:
        """Return all runs, at most a second old."""
        return self._kept.get("runs", RUNS_FOR_S, self.reader.runs)

    def run(self, ask: Ask) -> RunView:
        """Return the run asked for; without a wish the default one, else the first. One nobody knows has no data."""
        runs = self.runs()
        wish = ask.text("run") or self._default_run or ""
        known = next((run for run in runs if run.name == wish), None)
        if known or ask.text("run"):
            return known or _unknown(wish)
        return runs[0] if runs else _unknown(wish)

    def knows(self, run: str) -> bool:
        """Return whether a run is there."""
        return any(known.name == run for known in self.runs())

    def entities(self, ask: Ask) -> tuple[str, ...]:
        """Return the companies of the watch list asked for; empty for all companies."""
        wish = ask.text("watch")
        return (self.watch_lists().get(wish) or NOBODY) if wish else ()

    def choices(self, run: str, entities: tuple[str, ...]) -> tuple[SeriesChoice, ...]:
        """Return the series of a run, the busiest first."""
        return self._kept.get(("choices", run, entities), CHOICES_FOR_S, lambda: self.reader.choices(run, entities))

    def conditions(self) -> tuple[Condition, ...]:
        """Return how the parts of the monitor do, if anybody tells."""
        return tuple(self._status()) if self._status else ()


def _unknown(name: str) -> RunView:
    return RunView(name=name, title=name, simulated=False, documents=0, as_of=None, last_document_at=None)
