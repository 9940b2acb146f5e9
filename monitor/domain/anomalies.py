"""Detectors, in their first form: a shift of sentiment (S) and a burst of volume (V). Score first, learn second.

S asks whether the *share* of negative (or positive) stories is too large for the number of stories; V asks whether the
number itself is. Counts of negatives alone find no surges in bursty volume (docs/architecture.md, "Detectors").
A window that is still warming up has no score: None, never 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from monitor.domain.betabinomial import interval, upper_tail
from monitor.domain.timespans import DAY_MIN, WindowSize
from monitor.domain.trends import Direction, Family, Surprise
from monitor.domain.windows import Counts

__all__ = ["BUDGET", "SHIFT_SIZES", "ShiftState", "shift_surprise", "shift_threshold"]

BUDGET = 0.1
"""False alerts allowed per series and month, over all sizes and both directions together."""

SHIFT_SIZES = (WindowSize.M15, WindowSize.H1, WindowSize.H4, WindowSize.D1)
"""Windows judged for a shift; a thin series is heard at the longer ones."""

WARM_UP_MIN = 3 * DAY_MIN
"""History a series needs before it is judged."""

MONTH_MIN = 30 * DAY_MIN

_MEMORY_MIN = 14 * DAY_MIN
"""Time constant of the discounted counts."""

_PRIOR = {Direction.NEGATIVE: 0.20, Direction.POSITIVE: 0.25}
"""Shares expected before anything is known, worth _PRIOR_STORIES stories."""

_PRIOR_STORIES = 20.0
_PRIOR_RHO = 0.03
_PRIOR_PAIRS = 50.0
_RHO_RANGE = (0.002, 0.3)
_WINSOR_SD = 3.0
_HOLD_MIN = DAY_MIN
"""A suspicious window is not learned from for this long; after it, slowly: the new state may be the normal one."""

_SLOW = 0.25
_SCALES = (1, 2, 4)
_AVERAGING_GAIN = 0.56
"""Decades by which the mean over three overlapping scales is rarer than one tail (measured, design notes)."""


@dataclass(slots=True)
class ShiftState:
    """What S remembers of one series at one window size and direction: O(1).

    Attributes:
        first, last: End of the first and the latest window learned, in minutes; -1 before any.
        stories, hits: Discounted counts of stories and of those in the direction.
        excess, pairs: Discounted sums behind the over-dispersion: rho = excess / pairs.
        recent: (start, stories, hits) of the last three windows.
        held_since: End of the first of the windows not learned from; -1 if none.
    """

    first: int = -1
    last: int = -1
    stories: float = 0.0
    hits: float = 0.0
    excess: float = 0.0
    pairs: float = 0.0
    recent: list[tuple[int, int, int]] = field(default_factory=list)
    held_since: int = -1
    version: int = 1


def shift_threshold(size: WindowSize, budget: float = BUDGET) -> float:
    """Return the score at which a shift may raise an alert.

    log10(windows per month x tests / budget) - 0.56: a quiet series passes it `budget` times a month over its tests
    (four sizes, two directions).

    >>> round(shift_threshold(WindowSize.M15, budget=8), 1)
    2.9
    """
    tests = len(SHIFT_SIZES) * len(_PRIOR)
    return max(1.0, math.log10(MONTH_MIN / size * tests / budget) - _AVERAGING_GAIN)


def shift_surprise(
    state: ShiftState, direction: Direction, size: WindowSize, start: int, counts: Counts, budget: float = BUDGET
) -> Surprise | None:
    """Score one closed window of a series, then learn it.

    score = mean over the last 1, 2 and 4 windows of -log10 P(K >= k), K beta-binomial with the discounted share
    (time constant 14 days) and the online over-dispersion.

    Returns:
        The surprise, or None while warming up or without stories.

    References:
        Skellam 1948 (beta-binomial); Noufaily et al. 2012 (down-weighting of past outbreaks).
    """
    stories = counts.originals
    hits = counts.negative_originals if direction is Direction.NEGATIVE else counts.positive_originals
    if stories == 0:
        return None
    end = start + size
    _discount(state, end)
    share = (state.hits + _PRIOR[direction] * _PRIOR_STORIES) / (state.stories + _PRIOR_STORIES)
    rho = _clip((state.excess + _PRIOR_RHO * _PRIOR_PAIRS) / (state.pairs + _PRIOR_PAIRS), *_RHO_RANGE)
    surprise = None
    if state.first >= 0 and end - state.first >= WARM_UP_MIN:
        score = _score(state, size, start, stories, hits, share, rho)
        surprise = _surprise(direction, score, shift_threshold(size, budget), hits, stories, share, rho, size)
    _learn(state, end, stories, hits, share, rho, surprise)
    state.recent = [*state.recent[-2:], (start, stories, hits)]
    return surprise


def _score(state: ShiftState, size: WindowSize, start: int, stories: int, hits: int, share: float, rho: float) -> float:
    total, number = 0.0, 0
    for scale in _SCALES:
        oldest = start - (scale - 1) * size
        before = [(n, k) for began, n, k in state.recent if oldest <= began < start]
        if scale > 1 and not before:
            continue
        n, k = stories + sum(n for n, _ in before), hits + sum(k for _, k in before)
        total -= math.log10(upper_tail(k, n, share, rho))
        number += 1
    return total / number


def _surprise(
    direction: Direction, score: float, threshold: float, hits: int, stories: int, share: float, rho: float, size: int
) -> Surprise:
    low, high = interval(stories, share, rho) if score >= threshold / 2 else (0, 0)
    return Surprise(
        family=Family.SENTIMENT,
        direction=direction,
        score=score,
        threshold=threshold,
        observed=hits,
        total=stories,
        expected=stories * share,
        low=low,
        high=high,
        once_in_days=min(36_500.0, 10 ** (score + _AVERAGING_GAIN) * size / DAY_MIN),
    )


def _discount(state: ShiftState, end: int) -> None:
    """Let the past fade by the time since the last window."""
    if state.first < 0:
        state.first = end
    elif end > state.last:
        kept = math.exp(-(end - state.last) / _MEMORY_MIN)
        state.stories *= kept
        state.hits *= kept
        state.excess *= kept
        state.pairs *= kept
    state.last = end


def _learn(
    state: ShiftState, end: int, stories: int, hits: int, share: float, rho: float, surprise: Surprise | None
) -> None:
    """Add a window to the past: winsorised at 3 sd, not at all while suspicious for less than a day, then slowly."""
    weight = 1.0
    if surprise is not None and surprise.score > surprise.threshold / 2:
        if state.held_since < 0:
            state.held_since = end
        if end - state.held_since < _HOLD_MIN:
            return
        weight = _SLOW
    else:
        state.held_since = -1
    spread = math.sqrt(stories * share * (1 - share) * (1 + (stories - 1) * rho))
    deviation = _clip(hits - stories * share, -_WINSOR_SD * spread, _WINSOR_SD * spread)
    state.stories += weight * stories
    state.hits += weight * _clip(stories * share + deviation, 0.0, float(stories))
    if stories > 1:
        state.excess += weight * (deviation**2 / (stories * share * (1 - share)) - 1)
        state.pairs += weight * (stories - 1)


def _clip(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)
