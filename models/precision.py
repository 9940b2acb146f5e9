"""Which number format and device are fast here: measured, never assumed."""

from __future__ import annotations

import time

import torch

from monitor.domain.errors import InvalidConfiguration

__all__ = ["bf16_is_faster", "choose_device"]

_ROWS, _WIDTH, _INNER = 512, 384, 1536
"""Shape of the matrix product that most of the encoder's time goes to."""


def choose_device(device: str = "auto") -> torch.device:
    """Return the device by name; "auto" takes CUDA where there is one, then Apple's MPS, then the CPU.

    Raises:
        InvalidConfiguration: torch does not know the device or cannot use it here.
    """
    if device == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        chosen = torch.device(device)
        torch.zeros(1, device=chosen)
    except (RuntimeError, AssertionError) as error:
        msg = f"`device` {device!r} cannot be used here: {str(error).splitlines()[0]}; try auto or cpu"
        raise InvalidConfiguration(msg) from error
    return chosen


def bf16_is_faster(device: torch.device, margin: float = 1.2) -> bool:
    """Return True if a bfloat16 matrix product takes less than 1/`margin` of the time of a float32 one (0.1 s).

    Processors without bf16 instructions emulate them, three times slower than float32.
    """
    try:
        return _seconds(device, torch.bfloat16) * margin < _seconds(device, torch.float32)
    except RuntimeError:
        return False


def _seconds(device: torch.device, dtype: torch.dtype, budget_s: float = 0.03) -> float:
    """Return the least time of one product within a budget, after one to warm up."""
    left = torch.ones(_ROWS, _WIDTH, dtype=dtype, device=device)
    right = torch.ones(_INNER, _WIDTH, dtype=dtype, device=device)
    torch.nn.functional.linear(left, right)
    best, end = float("inf"), time.perf_counter() + budget_s
    while True:
        begin = time.perf_counter()
        product = torch.nn.functional.linear(left, right)
        float(product[0, 0])
        best = min(best, time.perf_counter() - begin)
        if time.perf_counter() > end:
            return best
