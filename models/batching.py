"""Batches of token ids: of like length, padded on the right, within a budget of tokens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

__all__ = ["budgeted", "epoch_batches", "pad"]

LENGTH_STEP = 4
"""Padded lengths are multiples of this: each new shape costs the matrix library a set-up of its own."""


def pad(token_ids: Sequence[Sequence[int]], padding: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return (ids, mask), both int64 (batch, tokens); tokens is the longest length, rounded up to LENGTH_STEP."""
    longest = -(-max(len(ids) for ids in token_ids) // LENGTH_STEP) * LENGTH_STEP
    rows = torch.full((len(token_ids), longest), padding, dtype=torch.int64)
    mask = torch.zeros((len(token_ids), longest), dtype=torch.int64)
    for row, ids in enumerate(token_ids):
        rows[row, : len(ids)] = torch.tensor(ids, dtype=torch.int64)
        mask[row, : len(ids)] = 1
    return rows.to(device), mask.to(device)


def budgeted(lengths: Sequence[int], token_budget: int, most_rows: int) -> Iterator[list[int]]:
    """Yield positions, the longest first, in batches whose padded size stays within `token_budget` (at least one row).

    >>> list(budgeted([2, 9, 3], token_budget=10, most_rows=8))
    [[1], [2, 0]]
    """
    order = sorted(range(len(lengths)), key=lambda position: -lengths[position])
    begin = 0
    while begin < len(order):
        rows = max(1, min(most_rows, token_budget // max(1, lengths[order[begin]])))
        yield order[begin : begin + rows]
        begin += rows


def epoch_batches(lengths: Sequence[int], batch: int, seed: int) -> list[list[int]]:
    """Return the batches of one epoch: shuffled, sorted by length only within stretches of 32 batches."""
    generator = torch.Generator().manual_seed(seed)
    order: list[int] = torch.randperm(len(lengths), generator=generator).tolist()
    batches: list[list[int]] = []
    stretch = 32 * batch
    for begin in range(0, len(order), stretch):
        near = sorted(order[begin : begin + stretch], key=lambda position: lengths[position])
        batches += [near[start : start + batch] for start in range(0, len(near), batch)]
    return [batches[place] for place in torch.randperm(len(batches), generator=generator).tolist()]
