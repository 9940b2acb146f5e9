"""The pause before a restart grows, is capped, and is never predictable to the tick."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from monitor.supervise.children import RestartPolicy

POLICY = RestartPolicy(first_pause_s=1.0, longest_pause_s=30.0)
DEATHS = st.integers(min_value=1, max_value=10_000)
JITTER = st.floats(min_value=0, max_value=1)


@given(DEATHS, JITTER)
def test_a_pause_lies_in_the_upper_half_of_its_ceiling(deaths, jitter):
    ceiling = POLICY.pause_s(deaths, 1.0)
    assert ceiling / 2 <= POLICY.pause_s(deaths, jitter) <= ceiling <= 30.0


@given(DEATHS, JITTER)
def test_a_further_death_never_shortens_the_pause(deaths, jitter):
    assert POLICY.pause_s(deaths, jitter) <= POLICY.pause_s(deaths + 1, jitter)


def test_the_ceiling_doubles_up_to_its_cap():
    assert [POLICY.pause_s(deaths, 1.0) for deaths in range(1, 8)] == [1, 2, 4, 8, 16, 30, 30]
