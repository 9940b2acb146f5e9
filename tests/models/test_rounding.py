from __future__ import annotations

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from models.rounding import NOTHING_TO_READ, to_micro
from monitor.domain.sentiment import MICRO, Label

shares = st.lists(st.floats(0, 1), min_size=3, max_size=3)


@given(shares)
def test_three_probabilities_sum_to_exactly_one_million(values: list[float]) -> None:
    assume(sum(values) > 1e-3)
    found = to_micro(np.array(values))
    assert sum(found) == MICRO
    assert min(found) >= 0


@given(shares)
def test_no_probability_moves_by_more_than_a_millionth(values: list[float]) -> None:
    assume(sum(values) > 1e-3)
    exact = np.array(values) / sum(values) * MICRO
    assert np.abs(np.array(to_micro(values)) - exact).max() <= 1 + 1e-6


@given(shares)
def test_the_order_is_kept(values: list[float]) -> None:
    assume(sum(values) > 1e-3)
    found = to_micro(values)
    for one in range(3):
        for other in range(3):
            if values[one] > values[other]:
                assert found[one] >= found[other]


def test_a_text_with_nothing_to_read_is_neutral() -> None:
    assert NOTHING_TO_READ.label is Label.NEUTRAL
    assert NOTHING_TO_READ.polarity == 0
