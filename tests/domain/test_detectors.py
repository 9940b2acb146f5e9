"""Detectors: against textbook formulas, against silence, and against surges."""

from __future__ import annotations

import dataclasses
import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from monitor.domain.anomalies import ShiftState, shift_surprise, shift_threshold
from monitor.domain.betabinomial import interval, upper_tail
from monitor.domain.bursts import BurstState, burst_surprise
from monitor.domain.timespans import DAY_MIN, WindowSize
from monitor.domain.trends import Direction
from monitor.domain.windows import Counts

shares = st.floats(0.02, 0.9)
dispersions = st.floats(0.002, 0.3)


@given(st.integers(1, 300), st.data(), shares, dispersions)
def test_upper_tail_equals_the_textbook_beta_binomial(n: int, draw, p: float, rho: float) -> None:
    k = draw.draw(st.integers(0, n))
    scale = (1 - rho) / rho
    reference = stats.betabinom(n, p * scale, (1 - p) * scale)
    expected = reference.sf(k) + reference.pmf(k) / 2
    assert upper_tail(k, n, p, rho) == pytest.approx(min(expected, 1.0), rel=1e-5, abs=1e-12)


@given(st.integers(1, 200), shares, dispersions)
def test_predictive_interval_holds_at_least_its_share(n: int, p: float, rho: float) -> None:
    low, high = interval(n, p, rho)
    scale = (1 - rho) / rho
    reference = stats.betabinom(n, p * scale, (1 - p) * scale)
    assert reference.cdf(high) - reference.cdf(low - 1) >= 0.95 - 1e-9


def counts(stories: int, negative: int) -> Counts:
    return Counts(documents=stories, originals=stories, negative_originals=negative, stories=stories)


def shift_scores(series: list[tuple[int, int]], size: WindowSize = WindowSize.H1) -> list[float | None]:
    state, scores = ShiftState(), []
    for index, (stories, negative) in enumerate(series):
        found = shift_surprise(state, Direction.NEGATIVE, size, index * size, counts(stories, negative))
        scores.append(found.score if found else None)
    return scores


def background(rng: random.Random, windows: int, mean: int = 40, share: float = 0.2) -> list[tuple[int, int]]:
    numbers = [max(1, round(rng.gauss(mean, mean**0.5))) for _ in range(windows)]
    return [(n, sum(rng.random() < share for _ in range(n))) for n in numbers]


def test_a_series_without_three_days_of_history_has_no_score() -> None:
    scores = shift_scores(background(random.Random(1), 100))
    assert scores[:72] == [None] * 72
    assert None not in scores[73:]


def test_quiet_series_stay_within_the_budget_of_false_alerts() -> None:
    months, above = 24, 0
    for month in range(months):
        scores = shift_scores(background(random.Random(month), 720))
        above += sum(score is not None and score >= shift_threshold(WindowSize.H1) for score in scores)
    assert above <= 2, f"{above} windows above the threshold in {months} quiet series-months"


def test_a_tripled_share_is_found_within_two_windows() -> None:
    for seed in range(10):
        rng = random.Random(seed)
        quiet, surge = background(rng, 300), background(rng, 2, share=0.6)
        scores = shift_scores(quiet + surge)
        assert max(score or 0 for score in scores[-2:]) >= shift_threshold(WindowSize.H1)


def test_a_burst_of_volume_at_unchanged_share_is_no_shift() -> None:
    for seed in range(10):
        rng = random.Random(seed)
        scores = shift_scores(background(rng, 300) + background(rng, 4, mean=400))
        assert max(score or 0 for score in scores[-4:]) < shift_threshold(WindowSize.H1)


def test_a_shift_is_not_learned_as_normal_while_it_lasts_less_than_a_day() -> None:
    rng = random.Random(5)
    scores = shift_scores(background(rng, 300) + background(rng, 20, share=0.7))
    assert min(score or 0 for score in scores[-20:]) >= shift_threshold(WindowSize.H1)


def burst_scores(series: list[int]) -> list[float | None]:
    state, scores = BurstState(), []
    for index, stories in enumerate(series):
        found = burst_surprise(state, index * 5, stories)
        scores.append(found.score if found else None)
    return scores


def poisson(rng: random.Random, mean: float, windows: int) -> list[int]:
    return [sum(rng.random() < mean / 20 for _ in range(20)) for _ in range(windows)]


def test_a_burst_needs_750_windows_of_history() -> None:
    scores = burst_scores(poisson(random.Random(2), 4, 800))
    assert scores[:750] == [None] * 750
    assert None not in scores[750:]


def test_a_fivefold_volume_is_a_burst_within_an_hour() -> None:
    rng = random.Random(3)
    scores = burst_scores(poisson(rng, 4, 2_000) + poisson(rng, 16, 12))
    assert max(score or 0 for score in scores[-12:]) >= 2.8
    assert max(score or 0 for score in scores[750:-12]) < 2.8


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(0, 12), min_size=5, max_size=60), st.integers(0, 59))
def test_restoring_a_detector_in_mid_stream_changes_nothing(series: list[int], cut: int) -> None:
    whole, state = ShiftState(), ShiftState()
    for index, stories in enumerate(series):
        if index == cut:
            state = ShiftState(**json.loads(json.dumps(dataclasses.asdict(state))))
        window = counts(stories, stories // 2)
        before = shift_surprise(whole, Direction.NEGATIVE, WindowSize.H4, index * 240, window)
        assert shift_surprise(state, Direction.NEGATIVE, WindowSize.H4, index * 240, window) == before


def test_the_future_never_changes_a_score() -> None:
    rng = random.Random(9)
    series = background(rng, 200)
    assert shift_scores(series + background(rng, 50, share=0.9))[:200] == shift_scores(series)


def test_empty_windows_between_two_documents_count_as_zeros() -> None:
    dense, sparse = BurstState(), BurstState()
    for index in range(300):
        stories = 3 if index % 10 == 0 else 0
        burst_surprise(dense, index * 5, stories)
        if stories:
            burst_surprise(sparse, index * 5, stories)
    for index in range(291, 300):
        burst_surprise(sparse, index * 5, 0)
    assert sparse == dense


def test_thresholds_grow_with_the_number_of_windows_in_a_month() -> None:
    thresholds = [shift_threshold(size) for size in (WindowSize.D1, WindowSize.H4, WindowSize.H1, WindowSize.M15)]
    assert thresholds == sorted(thresholds)
    assert shift_threshold(WindowSize.H1, budget=0.01) > shift_threshold(WindowSize.H1)
    assert DAY_MIN // WindowSize.H1 == 24
