from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from models.batching import budgeted, epoch_batches, pad

lengths = st.lists(st.integers(1, 300), max_size=80)


@given(lengths, st.integers(1, 2000), st.integers(1, 64))
def test_every_text_is_in_one_batch_within_the_budget(sizes: list[int], budget: int, rows: int) -> None:
    batches = list(budgeted(sizes, budget, rows))
    assert sorted(place for batch in batches for place in batch) == list(range(len(sizes)))
    for batch in batches:
        assert len(batch) == 1 or max(sizes[place] for place in batch) * len(batch) <= budget
        assert len(batch) <= rows


@given(lengths, st.integers(1, 20), st.integers(0, 5))
def test_an_epoch_holds_every_row_once_and_is_the_same_for_a_seed(sizes: list[int], batch: int, seed: int) -> None:
    batches = epoch_batches(sizes, batch, seed)
    assert sorted(place for one in batches for place in one) == list(range(len(sizes)))
    assert batches == epoch_batches(sizes, batch, seed)


def test_padding_is_masked() -> None:
    ids, mask = pad([[5, 6, 7, 8, 9], [4]], padding=1, device=torch.device("cpu"))
    assert ids.tolist() == [[5, 6, 7, 8, 9, 1, 1, 1], [4, 1, 1, 1, 1, 1, 1, 1]]
    assert mask.sum(1).tolist() == [5, 1]
