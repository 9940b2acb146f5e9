"""How much is said at which hour, and how much more while something happens."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from random import Random

from monitor.demo.script import ScriptedEvent

__all__ = ["event_factor", "intensity", "poisson", "tone_weight"]

_HOURS = (2, 1.5, 1.3, 1.3, 1.6, 2.4, 4, 6, 8, 8.5, 8, 7.5, 7.5, 8.5, 9.5, 9.5, 8.5, 7.5, 6.5, 6, 5.5, 4.5, 3.5, 2.5)
"""Relative volume by hour UTC: low at night, a rise at the opening of markets, a second one in the afternoon."""

_WEEKEND = 0.85
"""Volume of Saturday and Sunday relative to a working day."""

_RISE = timedelta(minutes=20)
_FADE = timedelta(hours=3)
_PEAK = 7.0
"""Volume of the company at the height of an event, relative to the usual of that hour."""

_LATE = 5.0
"""The same when the event ends and begins to fade."""


def intensity(instant: datetime) -> float:
    """Return the expected volume at an instant relative to the mean of a working day."""
    here, there = _HOURS[instant.hour], _HOURS[(instant.hour + 1) % 24]
    level = here + (there - here) * instant.minute / 60
    return level / (sum(_HOURS) / 24) * (_WEEKEND if instant.weekday() >= 5 else 1.0)


def event_factor(event: ScriptedEvent, instant: datetime) -> float:
    """Return by how much an event multiplies the volume of its company; 1 before it and when it has faded."""
    since = instant - event.start
    if since < timedelta(0) or instant >= event.end + _FADE:
        return 1.0
    if since < _RISE:
        return 1 + (_PEAK - 1) * max(since / _RISE, 0.3)
    if instant < event.end:
        return _PEAK - (_PEAK - _LATE) * (since / (event.end - event.start))
    return 1 + (_LATE - 1) * (1 - (instant - event.end) / _FADE)


def tone_weight(event: ScriptedEvent, instant: datetime) -> float:
    """Return the share of the company's documents that speak of the event: the excess over the usual."""
    factor = event_factor(event, instant)
    return (factor - 1) / factor


def poisson(rng: Random, mean: float) -> int:
    """Return a Poisson variate by inversion (Knuth, TAOCP vol. 2, 3.4.1); for small means."""
    limit, product, count = math.exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count
