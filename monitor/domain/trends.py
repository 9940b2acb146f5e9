"""A window with its figures, and what is surprising about it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from monitor.domain.timespans import WindowSize
from monitor.domain.windows import Counts

__all__ = [
    "MIN_SAMPLE",
    "ClosedUpTo",
    "Direction",
    "Family",
    "Judgement",
    "Polarity",
    "Surprise",
    "Trend",
    "polarity_of",
]

MIN_SAMPLE = 5
"""Stories below which no mean is given: "no data" says more than a number that one headline made."""

_Z95 = 1.959964
"""97.5 % quantile of the normal distribution."""


class Family(StrEnum):
    """Which kind of question a detector asks (docs/architecture.md, "Detectors")."""

    SENTIMENT = "sentiment"
    VOLUME = "volume"


class Direction(StrEnum):
    """What a surprise points to."""

    NEGATIVE = "negative"
    POSITIVE = "positive"
    ATTENTION = "attention"


@dataclass(frozen=True, slots=True, kw_only=True)
class Polarity:
    """Mean polarity in [-1, 1] with its 95 % confidence interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Surprise:
    """How unexpected a window is under its series' own past.

    Attributes:
        score: Mean of -log10 tail probability over 1, 2 and 4 windows (sentiment) or over the scales (volume).
        threshold: Score at which it may raise an alert.
        observed: Stories of that direction in the window (volume: all stories).
        total: Stories in the window.
        expected: Expected value of `observed`.
        low, high: 95 % predictive interval of `observed`.
        once_in_days: How rarely a quiet series of this kind shows such a window; the probability in words.
        span_min: Minutes over which `observed` was counted, where they are not the window's own; else 0.
    """

    family: Family
    direction: Direction
    score: float
    threshold: float
    observed: int
    total: int
    expected: float
    low: int
    high: int
    once_in_days: float
    span_min: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """One window of one series, open or closed.

    Attributes:
        start: First minute; the window ends at `start + size`, not included.
        closed: False while it still fills; a closed one never changes.
        covered: False if minutes in it were covered by nobody: shown, neither judged nor learned from.
        polarity: None under MIN_SAMPLE stories.
        counts: The window's figures.
    """

    series: str
    size: WindowSize
    start: int
    closed: bool
    covered: bool
    counts: Counts
    polarity: Polarity | None
    surprises: tuple[Surprise, ...] = ()

    @property
    def end(self) -> int:
        """First minute after the window."""
        return self.start + self.size


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A window surprising enough to matter to an alert: one that may fire, or one that keeps an open one open."""

    series: str
    size: WindowSize
    end: int
    surprise: Surprise
    stories: int
    origins: int
    documents: int
    late: int
    against: tuple[str, ...]
    in_favour: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedUpTo:
    """One window partition has judged every window that ends at or before `minute`."""

    partition: int
    minute: int
    revision: int


def polarity_of(counts: Counts) -> Polarity | None:
    """Return the mean polarity of the documents with a 95 % interval, or None under MIN_SAMPLE stories.

    mean = sum / n; interval = mean -+ 1.96 s / sqrt(stories), cut to [-1, 1]: copies add no certainty, so the number
    of stories is the effective sample (Kish 1965, design effect of clusters).

    >>> polarity_of(Counts(documents=4, stories=4)) is None
    True
    """
    if counts.stories < MIN_SAMPLE:
        return None
    mean = counts.polarity / counts.documents / 1e6
    variance = max(0.0, counts.squares / counts.documents / 1e6 - mean * mean)
    half = _Z95 * math.sqrt(variance / counts.stories)
    return Polarity(mean=mean, low=max(-1.0, mean - half), high=min(1.0, mean + half))
