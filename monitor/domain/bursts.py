"""V, a burst of volume: the number of stories at 5, 15 and 60 minutes against the series' own past.

The level follows an exponentially weighted mean (7 days); the spread at each scale is that of a negative binomial whose
k is learned by moments; the tail beyond the 99 % quantile is a generalised Pareto fitted to the series' own exceedances
(peaks over threshold; Siffer et al. 2017), so that a bursty series is not called surprising for being itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from monitor.domain.timespans import DAY_MIN, WindowSize
from monitor.domain.trends import Direction, Family, Surprise

__all__ = ["BURST_SIZE", "BURST_THRESHOLD", "BurstState", "ScaleState", "burst_surprise"]

BURST_SIZE = WindowSize.M5
"""Counts come by this window; longer scales are rolling sums of it."""

BURST_THRESHOLD = 2.8
"""Mean of -log10 tail over the scales at which a burst may raise an alert (2.3 in the design, raised: three scales of
many series share one budget)."""

_ANCHOR, _ANCHOR_DAYS = 2.3, 30.0
"""A score that one series in its ordinary state reaches about once a month (design measurements, section 3); rarer
ones are taken to be rarer by the same decades."""

_LEAST_TAIL = 1e-6
"""No scale alone may say more than this: fifty exceedances cannot bear witness to rarer things."""

_SCALES = (1, 3, 12)
_ALPHA = BURST_SIZE / (7 * DAY_MIN)
_WARM_UP = 750
"""Windows of history before a series is judged."""

_MIN_HOURLY = 0.5
"""Mean stories per hour under which a series is too thin for V."""

_LEARN_AT_MOST = 4_032
"""Empty windows replayed one by one after a silence (14 days); a longer one has been forgotten anyway."""

_QUANTILE = 0.99
_MEMORY = 50
_SHAPE_RANGE = (-0.3, 0.45)
_WINSOR_SD = 2.0


@dataclass(slots=True)
class ScaleState:
    """One scale: dispersion by moments, the 99 % quantile of z, and the latest excesses over it."""

    dispersion: float = 0.5
    quantile: float = 3.0
    excesses: list[float] = field(default_factory=list)


@dataclass(slots=True)
class BurstState:
    """What V remembers of one series: O(1)."""

    windows: int = 0
    last: int = -1
    level: float = 0.0
    recent: list[int] = field(default_factory=list)
    scales: list[ScaleState] = field(default_factory=lambda: [ScaleState() for _ in _SCALES])
    version: int = 1


def burst_surprise(state: BurstState, start: int, stories: int, threshold: float = BURST_THRESHOLD) -> Surprise | None:
    """Score the five-minute window that starts at `start`, then learn it, with the empty ones before it.

    Returns:
        The surprise, with the counts of its loudest scale, or None while warming up (750 windows) or for a thin series.

    References:
        Siffer et al. 2017 (peaks over threshold); Hosking and Wallis 1987 (moments of the generalised Pareto).
    """
    empty = (start - state.last) // BURST_SIZE - 1 if state.last >= 0 else 0
    for _ in range(min(empty, _LEARN_AT_MOST)):
        _take(state, 0)
    state.last = start
    tails = _take(state, stories)
    if state.windows <= _WARM_UP or state.level * 12 < _MIN_HOURLY:
        return None
    score = sum(-math.log10(tail) for tail in tails) / len(tails)
    loudest = tails.index(min(tails))
    width, dispersion = _SCALES[loudest], state.scales[loudest].dispersion
    observed, expected = sum(state.recent[-width:]), state.level * width
    spread = math.sqrt(_variance(expected, dispersion))
    return Surprise(
        family=Family.VOLUME,
        direction=Direction.ATTENTION,
        score=score,
        threshold=threshold,
        observed=observed,
        total=observed,
        expected=expected,
        low=max(0, math.floor(expected - 1.96 * spread)),
        high=math.ceil(expected + 1.96 * spread),
        once_in_days=min(36_500.0, _ANCHOR_DAYS * 10 ** (score - _ANCHOR)),
        span_min=width * BURST_SIZE,
    )


def _take(state: BurstState, stories: int) -> list[float]:
    """Return the tail probability at each scale, then learn the window."""
    state.recent = [*state.recent[-(_SCALES[-1] - 1) :], stories]
    tails = []
    for scale, width in zip(state.scales, _SCALES, strict=True):
        count, mean = sum(state.recent[-width:]), max(state.level * width, 1e-3)
        z = (count - mean) / math.sqrt(_variance(mean, scale.dispersion))
        tails.append(_tail(scale, z))
        if state.windows >= len(state.recent):
            _learn_scale(scale, z, count, mean)
    ceiling = state.level + _WINSOR_SD * math.sqrt(_variance(state.level, state.scales[0].dispersion)) + 1
    state.windows += 1
    alpha = max(_ALPHA, 1 / state.windows)
    kept = stories if state.windows <= DAY_MIN // BURST_SIZE else min(float(stories), ceiling)
    state.level += alpha * (kept - state.level)
    return tails


def _variance(mean: float, dispersion: float) -> float:
    """Return the variance of a negative binomial, mean + dispersion mean^2, with a floor for tiny means."""
    return max(mean + dispersion * mean * mean, 1e-3)


def _tail(scale: ScaleState, z: float) -> float:
    """Return P(Z > z): generalised Pareto beyond the 99 % quantile, a straight line in log space below it."""
    beyond = 1 - _QUANTILE
    if z <= scale.quantile:
        return math.pow(beyond, max(0.0, z / scale.quantile))
    shape, width = _pareto(scale.excesses)
    over = z - scale.quantile
    if abs(shape) < 1e-6:
        return max(beyond * math.exp(-over / width), _LEAST_TAIL)
    return max(beyond * math.pow(max(1 + shape * over / width, 1e-12), -1 / shape), _LEAST_TAIL)


def _pareto(excesses: list[float]) -> tuple[float, float]:
    """Return shape and scale by moments: shape = (1 - m^2 / v) / 2, scale = m (1 + m^2 / v) / 2."""
    if len(excesses) < 8:
        return 0.2, 1.0
    mean = sum(excesses) / len(excesses)
    variance = sum((excess - mean) ** 2 for excess in excesses) / (len(excesses) - 1)
    ratio = mean * mean / max(variance, 1e-9)
    shape = min(max((1 - ratio) / 2, _SHAPE_RANGE[0]), _SHAPE_RANGE[1])
    return shape, max(mean * (1 - shape), 1e-3)


def _learn_scale(scale: ScaleState, z: float, count: int, mean: float) -> None:
    """Follow dispersion (winsorised moments), the quantile (stochastic approximation) and the excesses."""
    excess = min((count - mean) ** 2, 9 * _variance(mean, scale.dispersion)) - mean
    scale.dispersion += _ALPHA * (min(max(excess / (mean * mean), 0.0), 50.0) - scale.dispersion)
    step = 0.02 * max(scale.quantile, 1.0)
    scale.quantile = max(0.5, scale.quantile + step * ((z > scale.quantile) - (1 - _QUANTILE)))
    if z > scale.quantile:
        scale.excesses = [*scale.excesses[-(_MEMORY - 1) :], z - scale.quantile]
