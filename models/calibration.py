"""Temperature scaling: one number per head, fitted on validation, that makes confidence mean what it says.

References:
    Guo, Pleiss, Sun, Weinberger (2017), On calibration of modern neural networks, section 4.2.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["LEAST_TEMPERATURE", "MOST_TEMPERATURE", "fit_temperature", "softmax"]

LEAST_TEMPERATURE = 0.05
MOST_TEMPERATURE = 20.0
"""Bounds of the search; a fit at a bound means that the head does not fit the labels at all."""


def softmax(logits: NDArray[np.floating], temperature: float = 1.0) -> NDArray[np.float64]:
    """Return probabilities (texts, labels) of logits over a temperature; rows sum to 1."""
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    powers = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def fit_temperature(logits: NDArray[np.floating], truth: NDArray[np.integer]) -> float:
    """Return the temperature with the least negative log likelihood of `truth`, to 1e-6 of its logarithm.

    The likelihood has one maximum in 1/T, so a bounded line search finds it.

    Args:
        logits: (texts, labels).
        truth: True column of each text.
    """
    from scipy.optimize import minimize_scalar  # type: ignore[import-untyped]

    rows = np.arange(len(truth))

    def loss(log_temperature: float) -> float:
        chosen = softmax(logits, float(np.exp(log_temperature)))[rows, truth]
        return float(-np.log(np.maximum(chosen, 1e-300)).mean())

    bounds = (float(np.log(LEAST_TEMPERATURE)), float(np.log(MOST_TEMPERATURE)))
    found = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-6})
    return float(np.exp(found.x))
