"""Sums: what one minute or one window of a series holds, as an idempotent, commutative merge of integers and sets.

A *pane* is the sum of one series over one minute; a *window* is a sum of panes. Sums are integers in millionths and
counts, so that no order of addition changes a bit.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field

from monitor.domain.sentiment import Classified, Label

__all__ = ["EVIDENCE", "Counts", "Gap", "PaneTotal", "Sums", "Watermark"]

EVIDENCE = 5
"""Documents kept as evidence, per side and sum."""

_MILLI = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """The figures of a window: `Sums` with each set replaced by its size. Fields as there; ids strongest first."""

    documents: int = 0
    negative: int = 0
    neutral: int = 0
    positive: int = 0
    polarity: int = 0
    squares: int = 0
    originals: int = 0
    negative_originals: int = 0
    positive_originals: int = 0
    late: int = 0
    stories: int = 0
    sources: int = 0
    origins: int = 0
    against: tuple[str, ...] = ()
    in_favour: tuple[str, ...] = ()


@dataclass(slots=True)
class Sums:
    """What is known of the documents of one series in a span of time. Mutable: `add` and `absorb` change it.

    Attributes:
        documents: Number of documents; `negative + neutral + positive` of them by label.
        polarity: Sum of polarity, in millionths.
        squares: Sum of squared polarity, in millionths (of thousandths squared), for the interval.
        originals: Documents that were the first of their story; copies are not evidence of their own.
        negative_originals, positive_originals: The same by label.
        late: Documents whose own minute had closed before they came.
        stories, sources: Ids seen; windows hold their union.
        origins: Who spoke negatively: publishers of news, authors of comments.
        against: The most clearly negative originals as (probability in millionths, document id), best first.
        in_favour: The same for positive ones.
    """

    documents: int = 0
    negative: int = 0
    neutral: int = 0
    positive: int = 0
    polarity: int = 0
    squares: int = 0
    originals: int = 0
    negative_originals: int = 0
    positive_originals: int = 0
    late: int = 0
    stories: set[str] = field(default_factory=set)
    sources: set[str] = field(default_factory=set)
    origins: set[str] = field(default_factory=set)
    against: list[tuple[int, str]] = field(default_factory=list)
    in_favour: list[tuple[int, str]] = field(default_factory=list)

    def add(self, classified: Classified, *, late: bool) -> None:
        """Count one document."""
        document, scores = classified.document, classified.scores
        label, polarity = scores.label, scores.polarity
        self.documents += 1
        self.polarity += polarity
        self.squares += (polarity // _MILLI) ** 2
        self.late += late
        self.stories.add(document.story)
        self.sources.add(document.source)
        self.negative += label is Label.NEGATIVE
        self.neutral += label is Label.NEUTRAL
        self.positive += label is Label.POSITIVE
        if label is Label.NEGATIVE:
            self.origins.add(document.origin)
        if document.copy:
            return
        self.originals += 1
        if label is Label.NEGATIVE:
            self.negative_originals += 1
            self.against = _best(self.against, [(scores.negative, document.id)])
        elif label is Label.POSITIVE:
            self.positive_originals += 1
            self.in_favour = _best(self.in_favour, [(scores.positive, document.id)])

    def absorb(self, other: Sums) -> None:
        """Add another sum to this one. Commutative and associative; the other is left as it is."""
        self.documents += other.documents
        self.negative += other.negative
        self.neutral += other.neutral
        self.positive += other.positive
        self.polarity += other.polarity
        self.squares += other.squares
        self.originals += other.originals
        self.negative_originals += other.negative_originals
        self.positive_originals += other.positive_originals
        self.late += other.late
        self.stories |= other.stories
        self.sources |= other.sources
        self.origins |= other.origins
        if other.against:
            self.against = _best(self.against, other.against)
        if other.in_favour:
            self.in_favour = _best(self.in_favour, other.in_favour)

    def copied(self) -> Sums:
        """Return an equal sum that shares nothing with this one."""
        fresh = Sums()
        fresh.absorb(self)
        return fresh

    def counted(self) -> Counts:
        """Return the figures without the sets: what leaves the stage that sums."""
        return Counts(
            documents=self.documents,
            negative=self.negative,
            neutral=self.neutral,
            positive=self.positive,
            polarity=self.polarity,
            squares=self.squares,
            originals=self.originals,
            negative_originals=self.negative_originals,
            positive_originals=self.positive_originals,
            late=self.late,
            stories=len(self.stories),
            sources=len(self.sources),
            origins=len(self.origins),
            against=tuple(document for _, document in self.against),
            in_favour=tuple(document for _, document in self.in_favour),
        )


def _best(ours: list[tuple[int, str]], theirs: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Return the EVIDENCE strongest of both, each once, strongest first; ties by id."""
    return heapq.nsmallest(EVIDENCE, {*ours, *theirs}, key=lambda scored: (-scored[0], scored[1]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Minutes from `start` up to (not including) `end` that nobody covered."""

    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PaneTotal:
    """The current total of one series and minute within one partition of `classified`.

    Attributes:
        partition: Partition of `classified` that summed it.
        revision: Offset of the bundle that touched it last; a greater one replaces a smaller one.
    """

    partition: int
    series: str
    minute: int
    revision: int
    sums: Sums


@dataclass(frozen=True, slots=True, kw_only=True)
class Watermark:
    """One partition of `classified` will count nothing any more in minutes before `minute`."""

    partition: int
    minute: int
    revision: int
    gaps: tuple[Gap, ...] = ()
