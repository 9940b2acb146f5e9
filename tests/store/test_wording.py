from __future__ import annotations

import doctest

import pytest

from monitor.domain import wording
from monitor.domain.alerts import Alert, AlertState, Severity
from monitor.domain.timespans import WindowSize
from monitor.domain.trends import Direction, Family, Surprise

NAMES = {"BARC": "Barclays"}


def _alert(series: str, direction: Direction, *, family: Family = Family.SENTIMENT, observed: int = 41) -> Alert:
    surprise = Surprise(
        family=family,
        direction=direction,
        score=4.2,
        threshold=2.9,
        observed=observed,
        total=58,
        expected=11.8,
        low=5,
        high=20,
        once_in_days=41.0,
    )
    return Alert(
        id="a1",
        series=series,
        family=family,
        direction=direction,
        severity=Severity.WARNING,
        state=AlertState.FIRING,
        revision=1,
        opened_at=100,
        updated_at=100,
        last_above=100,
        size=WindowSize.M15,
        surprise=surprise,
        stories=58,
        origins=9,
        against=(),
        in_favour=(),
    )


def _name(entity: str) -> str:
    return NAMES.get(entity, entity)


@pytest.mark.parametrize(
    ("series", "direction", "family", "title"),
    [
        (
            "entity:BARC",
            Direction.NEGATIVE,
            Family.SENTIMENT,
            "Negative opinion on Barclays: 41 of 58 stories negative, 12 expected",
        ),
        (
            "market",
            Direction.POSITIVE,
            Family.SENTIMENT,
            "Positive opinion across the market: 41 of 58 stories positive, 12 expected",
        ),
        (
            "topic:m-a-investments",
            Direction.ATTENTION,
            Family.VOLUME,
            "Burst of attention on M&A | Investments: 41 stories, 12 expected",
        ),
        (
            "entity:XYZ/topic:earnings",
            Direction.NEGATIVE,
            Family.SENTIMENT,
            "Negative opinion on XYZ: Earnings: 41 of 58 stories negative, 12 expected",
        ),
    ],
)
def test_an_alert_title_says_what_where_and_against_what(
    series: str, direction: Direction, family: Family, title: str
) -> None:
    assert wording.alert_title(_alert(series, direction, family=family), _name) == title


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (0.0, "1440 times a day"),
        (0.9, "once a day"),
        (1.4, "once a day"),
        (1.6, "once in 2 days"),
        (700.0, "once in 700 days"),
        (3_650.0, "once in 10 years"),
        (36_500.0, "less than once in 100 years"),
    ],
)
def test_rarity_is_said_in_words(days: float, words: str) -> None:
    assert wording.probability_words(days) == f"{words} for this series"


def test_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(wording).failed == 0


@pytest.mark.parametrize("series", ["topic:no-such", "nonsense", ""])
def test_what_names_no_series_comes_back_as_it_is(series: str) -> None:
    assert wording.series_title(series, _name) == series
