"""Figures of merit of a classifier, from its probabilities.

References:
    Guo, Pleiss, Sun, Weinberger (2017), On calibration of modern neural networks: expected calibration error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["CALIBRATION_BINS", "Evaluation", "evaluation_of"]

CALIBRATION_BINS = 15
"""Bins of equal width over [0, 1] in the expected calibration error, as in the literature."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """How well predicted labels agree with true ones.

    Attributes:
        n: Number of texts.
        macro_f1: Mean F1 over the labels that occur as truth or as prediction.
        weighted_f1: Mean F1 weighted by how often a label is true.
        ece: Expected calibration error: mean distance between confidence and accuracy, by bins of confidence.
        names: Names of the labels, in the order of `confusion`.
        confusion: Rows are true labels, columns predicted ones.
        skipped: Rows left out for want of a text or a label.
    """

    n: int
    accuracy: float
    macro_f1: float
    weighted_f1: float
    ece: float
    names: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...]
    skipped: int = 0

    def as_dict(self) -> dict[str, object]:
        """Return plain values, as `bellwether evaluate --json` prints them."""
        return {
            "accuracy": self.accuracy,
            "macro_f1": self.macro_f1,
            "weighted_f1": self.weighted_f1,
            "ece": self.ece,
            "n": self.n,
            "skipped": self.skipped,
            "labels": list(self.names),
            "confusion": [list(row) for row in self.confusion],
        }


def evaluation_of(
    probabilities: NDArray[np.float64], truth: Sequence[int], names: Sequence[str], skipped: int = 0
) -> Evaluation:
    """Return the figures for probabilities: (texts, labels), rows sum to 1; truth: the true column of each text.

    Raises:
        ValueError: There is no text, or the shapes disagree.
    """
    true = np.asarray(truth, dtype=np.int64)
    if not len(true) or probabilities.shape != (len(true), len(names)):
        msg = f"probabilities must be ({len(true)} texts > 0, {len(names)} labels), were {probabilities.shape}"
        raise ValueError(msg)
    predicted = probabilities.argmax(1)
    confusion = np.zeros((len(names), len(names)), dtype=np.int64)
    np.add.at(confusion, (true, predicted), 1)
    scores, seen = _f1(confusion)
    return Evaluation(
        n=len(true),
        accuracy=float((predicted == true).mean()),
        macro_f1=float(scores[seen].mean()),
        weighted_f1=float((scores * confusion.sum(1)).sum() / len(true)),
        ece=_ece(probabilities.max(1), predicted == true),
        names=tuple(names),
        confusion=tuple(tuple(int(count) for count in row) for row in confusion),
        skipped=skipped,
    )


def _f1(confusion: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return F1 by label (0 where it never occurs) and whether the label occurs."""
    both = confusion.sum(0) + confusion.sum(1)
    return 2 * np.diag(confusion) / np.maximum(both, 1), both > 0


def _ece(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    place = np.minimum((confidence * CALIBRATION_BINS).astype(np.int64), CALIBRATION_BINS - 1)
    excess = np.bincount(place, weights=confidence - right, minlength=CALIBRATION_BINS)
    return float(np.abs(excess).sum() / len(confidence))
