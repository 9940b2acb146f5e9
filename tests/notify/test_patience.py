from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from monitor.notify.patience import Patience
from tests.contracts.alert_examples import NOON

lucks = st.floats(0, 1, exclude_max=True)
attempts_made = st.integers(1, 10_000)


@given(attempts_made, lucks)
def test_a_wait_lies_between_half_and_the_whole_of_the_schedule(attempts: int, luck: float) -> None:
    whole = min(3600.0, 5.0 * 2.0 ** min(attempts - 1, 60))
    assert whole / 2 <= Patience().wait_s(attempts, luck) <= whole


@given(attempts_made, lucks)
def test_waits_never_shrink_with_the_attempts(attempts: int, luck: float) -> None:
    assert Patience().wait_s(attempts + 1, luck) >= Patience().wait_s(attempts, luck)


@given(
    attempts_made, lucks, st.integers(0, 10 * 86_400), st.one_of(st.none(), st.floats(0, 1e12)),
)  # fmt: skip
def test_the_next_attempt_lies_ahead_and_within_three_days(
    attempts: int, luck: float, age_s: int, wish_s: float | None
) -> None:
    now = NOON + timedelta(seconds=age_s)
    deadline = NOON + timedelta(days=3)
    again = Patience().next_attempt(queued_at=NOON, now=now, attempts=attempts, luck=luck, wish_s=wish_s)
    if now >= deadline:
        assert again is None
    else:
        assert again is not None
        assert now < again <= deadline


@given(attempts_made, lucks, st.floats(0, 86_400))
def test_a_wish_is_never_answered_early(attempts: int, luck: float, wish_s: float) -> None:
    again = Patience().next_attempt(queued_at=NOON, now=NOON, attempts=attempts, luck=luck, wish_s=wish_s)
    assert again is not None
    assert again >= NOON + timedelta(seconds=wish_s)


def test_giving_up_takes_three_days_and_about_eighty_attempts() -> None:
    now, attempts = NOON, 0
    while True:
        attempts += 1
        again = Patience().next_attempt(queued_at=NOON, now=now, attempts=attempts, luck=0.999, wish_s=None)
        if again is None:
            break
        now = again
    assert now == NOON + timedelta(days=3)
    assert 75 < attempts < 90
