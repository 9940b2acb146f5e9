from __future__ import annotations

import numpy as np
import pytest

from models.metrics import evaluation_of

NAMES = ("negative", "neutral", "positive")


def test_figures_equal_those_worked_out_by_hand() -> None:
    """Truth 0 0 1 2 2 2, predicted 0 1 1 2 2 0.

    F1: negative 2*1/(2+2) = .5, neutral 2*1/(1+2) = 2/3, positive 2*2/(3+2) = .8.
    """
    rows = np.array([[0.8, 0.1, 0.1], [0.3, 0.6, 0.1], [0.1, 0.8, 0.1], [0, 0.1, 0.9], [0, 0.1, 0.9], [0.6, 0, 0.4]])
    found = evaluation_of(rows, [0, 0, 1, 2, 2, 2], NAMES)
    assert found.accuracy == pytest.approx(4 / 6)
    assert found.macro_f1 == pytest.approx((0.5 + 2 / 3 + 0.8) / 3)
    assert found.weighted_f1 == pytest.approx((2 * 0.5 + 1 * 2 / 3 + 3 * 0.8) / 6)
    assert found.confusion == ((1, 1, 0), (0, 1, 0), (1, 0, 2))
    # bins of 1/15: .6 twice, none right; .8 twice and .9 twice, all right
    assert found.ece == pytest.approx((2 * 0.6 + 2 * 0.2 + 2 * 0.1) / 6)


def test_figures_agree_with_scikit_learn() -> None:
    from sklearn.metrics import accuracy_score, confusion_matrix, f1_score

    chance = np.random.default_rng(4)
    rows = chance.dirichlet([1, 1, 1], 300)
    truth = chance.integers(0, 3, 300)
    found = evaluation_of(rows, truth.tolist(), NAMES)
    guess = rows.argmax(1)
    assert found.accuracy == pytest.approx(accuracy_score(truth, guess))
    assert found.macro_f1 == pytest.approx(f1_score(truth, guess, average="macro"))
    assert found.weighted_f1 == pytest.approx(f1_score(truth, guess, average="weighted"))
    assert np.array_equal(found.confusion, confusion_matrix(truth, guess))


def test_a_label_that_never_occurs_does_not_count_in_the_macro_mean() -> None:
    found = evaluation_of(np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0]]), [0, 1], NAMES)
    assert found.macro_f1 == 1.0


def test_perfect_confidence_has_no_calibration_error() -> None:
    assert evaluation_of(np.eye(3), [0, 1, 2], NAMES).ece == 0.0


def test_no_text_is_refused() -> None:
    with pytest.raises(ValueError, match="texts > 0"):
        evaluation_of(np.zeros((0, 3)), [], NAMES)


def test_the_dictionary_has_the_keys_that_scripts_read() -> None:
    found = evaluation_of(np.eye(3), [0, 1, 2], NAMES).as_dict()
    assert {"accuracy", "macro_f1", "weighted_f1", "ece", "n"} <= set(found)
