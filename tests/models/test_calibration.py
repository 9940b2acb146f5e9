from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.calibration import LEAST_TEMPERATURE, fit_temperature, softmax
from models.metrics import evaluation_of


def _drawn(seed: int, temperature: float, rows: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    """Return logits and labels drawn from their softmax at a temperature."""
    chance = np.random.default_rng(seed)
    logits = chance.normal(0, 3, (rows, 3))
    chances = softmax(logits, temperature).cumsum(1)
    return logits, (chance.random((rows, 1)) > chances[:, :2]).sum(1)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 1.7, 4.0])
def test_the_temperature_labels_were_drawn_at_is_found(temperature: float) -> None:
    logits, truth = _drawn(1, temperature)
    assert fit_temperature(logits, truth) == pytest.approx(temperature, rel=0.05)


def test_scaling_lowers_the_calibration_error_and_moves_no_label() -> None:
    logits, truth = _drawn(2, 3.0)
    before = evaluation_of(softmax(logits), truth.tolist(), ("a", "b", "c"))
    after = evaluation_of(softmax(logits, fit_temperature(logits, truth)), truth.tolist(), ("a", "b", "c"))
    assert after.ece < 0.02 < before.ece
    assert after.confusion == before.confusion


def test_logits_that_are_always_right_stay_within_the_bounds() -> None:
    assert LEAST_TEMPERATURE <= fit_temperature(np.eye(3) * 4, np.arange(3)) < 0.2


@settings(deadline=None)
@given(st.lists(st.floats(-500, 500), min_size=2, max_size=20), st.floats(0.05, 20))
def test_probabilities_sum_to_one_and_keep_the_order(logits: list[float], temperature: float) -> None:
    found = softmax(np.array([logits]), temperature)
    assert found.sum() == pytest.approx(1)
    assert found[0, int(np.argmax(logits))] == found.max()
