"""From probabilities to whole millionths that sum to exactly one million."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from monitor.domain.sentiment import MICRO, TOPICS, Scores

__all__ = ["NOTHING_TO_READ", "to_micro"]

NOTHING_TO_READ = Scores(
    negative=333_333,
    neutral=333_334,
    positive=333_333,
    topic=TOPICS.index("General News | Opinion"),
    topic_confidence=MICRO // len(TOPICS),
)
"""Scores of a text that is empty once normalised, or of which no sign is known: neutral, by a hair, on no evidence."""


def to_micro(probabilities: NDArray[np.float64] | Sequence[float]) -> list[int]:
    """Round to millionths by largest remainder, so that they sum to exactly MICRO; order and ties are kept.

    >>> to_micro([1 / 3, 1 / 3, 1 / 3])
    [333334, 333333, 333333]
    """
    shares = np.asarray(probabilities, dtype=np.float64)
    scaled = shares / shares.sum() * MICRO
    whole = np.floor(scaled).astype(np.int64)
    missing = int(MICRO - whole.sum())
    for place in np.argsort(whole - scaled, kind="stable")[:missing]:
        whole[place] += 1
    return [int(count) for count in whole]
