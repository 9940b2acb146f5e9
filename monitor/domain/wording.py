"""The words people read: titles of series and alerts, rarity in plain language. The same on every channel.

`name` gives the name of a company by its id; what it does not know should come back as it is.
"""

from __future__ import annotations

from collections.abc import Callable

from monitor.domain.alerts import Alert
from monitor.domain.series import MARKET, entity_of, topic_of
from monitor.domain.timespans import DAY_MIN
from monitor.domain.trends import Direction, Family, Surprise

__all__ = ["alert_title", "evidence_words", "probability_words", "series_title"]

_YEAR_DAYS = 365.25
_CENTURY_DAYS = 36_500
"""From here on a rarity is only said to be beyond a century: the tail's model says no more."""


def series_title(series: str, name: Callable[[str], str]) -> str:
    """Return what a series is called on screen; what names no series comes back as it is.

    >>> series_title("entity:BARC/topic:earnings", {"BARC": "Barclays"}.__getitem__)
    'Barclays: Earnings'
    """
    entity = entity_of(series)
    try:
        topic = topic_of(series)
    except ValueError:
        return series
    if not entity:
        return topic or ("Market" if series == MARKET else series)
    return f"{name(entity)}: {topic}" if topic else name(entity)


def alert_title(alert: Alert, name: Callable[[str], str]) -> str:
    """Return one line that says what happened, where, and against what was expected.

    Such as ``Negative opinion on Barclays: 41 of 58 stories negative, 12 expected``.
    """
    entity = entity_of(alert.series)
    where = f"on {series_title(alert.series, name)}" if entity or topic_of(alert.series) else "across the market"
    what = {
        Direction.NEGATIVE: "Negative opinion",
        Direction.POSITIVE: "Positive opinion",
        Direction.ATTENTION: "Burst of attention",
    }[alert.direction]
    return f"{what} {where}: {evidence_words(alert.surprise)}"


def evidence_words(surprise: Surprise) -> str:
    """Return the figures behind a surprise: ``41 of 58 stories negative, 12 expected``."""
    expected = f"{_figure(surprise.expected)} expected"
    if surprise.family is Family.VOLUME:
        within = f" in {surprise.span_min} minutes" if surprise.span_min else ""
        return f"{_stories(surprise.observed)}{within}, {expected}"
    return f"{surprise.observed} of {_stories(surprise.total)} {surprise.direction.value}, {expected}"


def probability_words(once_in_days: float) -> str:
    """Return how rarely a quiet series of this kind shows the like.

    >>> probability_words(41.3)
    'once in 41 days for this series'
    >>> probability_words(0.25)
    '4 times a day for this series'
    """
    return f"{_rarity(once_in_days)} for this series"


def _rarity(days: float) -> str:
    if days >= _CENTURY_DAYS:
        return "less than once in 100 years"
    if days >= 2 * _YEAR_DAYS:
        return f"once in {days / _YEAR_DAYS:.0f} years"
    if days >= 1.5:
        return f"once in {days:.0f} days"
    times = round(min(1 / days, DAY_MIN)) if days > 0 else DAY_MIN
    return "once a day" if times <= 1 else f"{times} times a day"


def _stories(number: int) -> str:
    return "1 story" if number == 1 else f"{number:,} stories"


def _figure(value: float) -> str:
    """Return a whole number from 10 on, else one decimal where it says something.

    >>> _figure(11.8), _figure(0.43), _figure(3.02)
    ('12', '0.4', '3')
    """
    return f"{value:,.0f}" if value >= 9.95 else f"{value:.1f}".removesuffix(".0")
