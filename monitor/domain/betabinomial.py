"""The beta-binomial distribution: how many of n stories are negative when their share itself wavers.

K ~ BetaBinomial(n, a, b) with a = p (1 - rho) / rho and b = (1 - p) (1 - rho) / rho, so that the mean is n p and the
variance n p (1 - p) (1 + (n - 1) rho). Source: Skellam 1948; rho is the intra-class correlation.
"""

from __future__ import annotations

import math

__all__ = ["interval", "upper_tail"]

_NEGLIGIBLE = 1e-18
"""Relative size below which further terms of a sum are left out."""


def _shape(p: float, rho: float) -> tuple[float, float]:
    return p * (1 - rho) / rho, (1 - p) * (1 - rho) / rho


def _log_mass(k: int, n: int, a: float, b: float) -> float:
    choose = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    beta = math.lgamma(k + a) + math.lgamma(n - k + b) - math.lgamma(n + a + b)
    return choose + beta - (math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b))


def upper_tail(k: int, n: int, p: float, rho: float) -> float:
    """Return the mid-p upper tail, P(K > k) + P(K = k) / 2.

    Args:
        k: Observed, from 0 to n.
        n: Stories.
        p: Expected share, in (0, 1).
        rho: Over-dispersion, in (0, 1).

    >>> round(upper_tail(2, 2, 0.5, 1 / 3), 6)
    0.166667
    """
    a, b = _shape(p, rho)
    mass = math.exp(_log_mass(k, n, a, b))
    tail = mass / 2
    for j in range(k, n):
        mass *= (n - j) / (j + 1) * (a + j) / (b + n - j - 1)
        tail += mass
        if mass < tail * _NEGLIGIBLE:
            break
    return min(1.0, max(tail, 1e-300))


def interval(n: int, p: float, rho: float, coverage: float = 0.95) -> tuple[int, int]:
    """Return the equal-tailed predictive interval of K: the smallest counts at which each tail is reached."""
    a, b = _shape(p, rho)
    below, low = (1 - coverage) / 2, None
    mass, total = math.exp(_log_mass(0, n, a, b)), 0.0
    for k in range(n + 1):
        total += mass
        if low is None and total >= below:
            low = k
        if total >= 1 - below:
            return (low or 0), k
        mass *= (n - k) / (k + 1) * (a + k) / (b + n - k - 1) if k < n else 0.0
    return (low or 0), n
