"""Labels, scores and polarity."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

from monitor.domain.documents import Document, Tick
from monitor.domain.entities import Mention
from monitor.domain.errors import InvalidMessage

__all__ = ["MICRO", "SUM_TOLERANCE", "TOPICS", "Classified", "ClassifiedEntry", "Label", "Scores"]

MICRO = 1_000_000
"""Polarity and probabilities travel as whole millionths, so that the order of a sum cannot change its last bit."""

SUM_TOLERANCE = 10
"""Largest rounding error, in millionths, accepted in the sum of three rounded probabilities."""

TOPICS: tuple[str, ...] = (
    "Analyst Update",
    "Fed | Central Banks",
    "Company | Product News",
    "Treasuries | Corporate Debt",
    "Dividend",
    "Earnings",
    "Energy | Oil",
    "Financials",
    "Currencies",
    "General News | Opinion",
    "Gold | Metals | Materials",
    "IPO",
    "Legal | Regulation",
    "M&A | Investments",
    "Macro",
    "Markets",
    "Politics",
    "Personnel Change",
    "Stock Commentary",
    "Stock Movement",
)
"""The twenty topics, in the order of the classifier's columns."""


class Label(IntEnum):
    """Sentiment labels; the value is the column in every matrix of scores."""

    NEGATIVE = 0
    NEUTRAL = 1
    POSITIVE = 2

    @property
    def word(self) -> str:
        """Return the lower-case word used in tables, URLs and on screen."""
        return self.name.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """What the classifier says of one text, rounded once to millionths.

    Attributes:
        negative, neutral, positive: Calibrated probabilities in millionths; they sum to one million.
        topic: Index into TOPICS.
        topic_confidence: Calibrated probability of that topic, in millionths.
        parts: Number of pieces the text was split into (1 for most).
    """

    negative: int
    neutral: int
    positive: int
    topic: int
    topic_confidence: int
    parts: int = 1

    def __post_init__(self) -> None:
        total = self.negative + self.neutral + self.positive
        if abs(total - MICRO) > SUM_TOLERANCE:
            msg = f"scores must sum to {MICRO} within {SUM_TOLERANCE}, were {total}"
            raise InvalidMessage(msg)
        if min(self.negative, self.neutral, self.positive) < 0:
            msg = f"scores must not be negative, were {(self.negative, self.neutral, self.positive)}"
            raise InvalidMessage(msg)
        if not 0 <= self.topic < len(TOPICS):
            msg = f"topic must be an index below {len(TOPICS)}, was {self.topic}"
            raise InvalidMessage(msg)

    @property
    def label(self) -> Label:
        """Return the most probable label; a tie goes to the more neutral one, then to the negative."""
        order = (
            (self.neutral, 2, Label.NEUTRAL),
            (self.negative, 1, Label.NEGATIVE),
            (self.positive, 0, Label.POSITIVE),
        )
        return max(order)[2]

    @property
    def confidence(self) -> int:
        """Return the probability of the label, in millionths."""
        return max(self.negative, self.neutral, self.positive)

    @property
    def polarity(self) -> int:
        """Return P(positive) - P(negative) in millionths, in [-1000000, 1000000].

        >>> Scores(negative=700_000, neutral=200_000, positive=100_000, topic=0, topic_confidence=1).polarity
        -600000
        """
        return self.positive - self.negative


@dataclass(frozen=True, slots=True, kw_only=True)
class Classified:
    """A document with its scores and mentions.

    Attributes:
        model: First 12 characters of the digest of the artefact that gave the scores.
        classified_at_ms: Wall-clock time of classification, milliseconds since the epoch; shown, never summed.
    """

    document: Document
    scores: Scores
    mentions: tuple[Mention, ...]
    model: str
    classified_at_ms: int

    @property
    def entities(self) -> tuple[str, ...]:
        """Return the ids of the companies mentioned, each once, sorted."""
        return tuple(sorted({mention.entity for mention in self.mentions}))


ClassifiedEntry: TypeAlias = Classified | Tick
