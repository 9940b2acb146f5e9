"""When to ask again: algebra, not examples alone."""

from __future__ import annotations

import random
import threading
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.sources.politeness import HostGate, backoff, freshness, next_poll, retry_after

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
LENGTHS = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=400))


@given(failures=st.integers(1, 10_000), seed=st.integers())
def test_backoff_lies_between_half_and_whole_of_a_capped_doubling(failures: int, seed: int) -> None:
    base, cap = timedelta(seconds=10), timedelta(hours=1)
    ceiling = min(cap, base * 2 ** min(failures - 1, 20))
    assert ceiling / 2 <= backoff(failures, random.Random(seed), base=base, cap=cap) <= ceiling


@given(failures=st.integers(1, 50), seed=st.integers())
def test_backoff_depends_on_nothing_but_its_arguments(failures: int, seed: int) -> None:
    assert backoff(failures, random.Random(seed)) == backoff(failures, random.Random(seed))


@given(
    every=st.timedeltas(min_value=timedelta(seconds=5), max_value=timedelta(days=7)),
    failures=st.integers(0, 1000),
    ttl=st.none() | LENGTHS,
    max_age=st.none() | LENGTHS,
    wait=st.none() | LENGTHS,
    seed=st.integers(),
)
def test_a_source_is_asked_again_never_too_early_and_never_too_late(
    every: timedelta,
    failures: int,
    ttl: timedelta | None,
    max_age: timedelta | None,
    wait: timedelta | None,
    seed: int,
) -> None:
    due = next_poll(NOW, every, random.Random(seed), failures=failures, ttl=ttl, max_age=max_age, wait=wait) - NOW
    assert due >= every
    for wish, cap in ((ttl, timedelta(hours=6)), (max_age, timedelta(hours=6)), (wait, timedelta(hours=24))):
        assert wish is None or due >= min(wish, cap)
    assert due <= max(every, timedelta(hours=24)) + every * 0.1


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0", timedelta(0)),
        ("90", timedelta(seconds=90)),
        ("Mon, 02 Mar 2026 12:05:00 GMT", timedelta(minutes=5)),
        ("Mon, 02 Mar 2026 11:00:00 GMT", timedelta(0)),
        ("", None),
        ("-5", None),
        ("soon", None),
        ("99999999999999", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, expected: timedelta | None) -> None:
    assert retry_after(value, NOW) == expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"cache-control": "public, max-age=300"}, timedelta(minutes=5)),
        ({"cache-control": "no-cache, max-age=300"}, timedelta(0)),
        ({"cache-control": "private"}, None),
        (
            {"expires": "Mon, 02 Mar 2026 12:10:00 GMT", "date": "Mon, 02 Mar 2026 12:00:00 GMT"},
            timedelta(minutes=10),
        ),
        ({"expires": "0"}, timedelta(0)),
        ({"cache-control": "max-age=60", "expires": "Mon, 02 Mar 2026 23:00:00 GMT"}, timedelta(minutes=1)),
    ],
)
def test_freshness_reads_cache_control_before_expires(headers: dict[str, str], expected: timedelta | None) -> None:
    assert freshness(headers, NOW) == expected


def test_a_host_is_asked_by_one_at_a_time_and_spaced() -> None:
    now, waits, inside, most = [0.0], [], [0], [0]

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        now[0] += seconds
        return False

    gate = HostGate(wait, spacing_s=2.0, monotonic=lambda: now[0])
    lock = threading.Lock()

    def ask() -> None:
        with gate.turn("news.example"):
            with lock:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
            with lock:
                inside[0] -= 1

    threads = [threading.Thread(target=ask) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]
    assert waits == [2.0] * 4
    with gate.turn("other.example"):
        assert len(waits) == 4, "another host waits for nobody"


def test_a_pause_is_meant_for_the_whole_host() -> None:
    now = [100.0]
    gate = HostGate(lambda _: False, monotonic=lambda: now[0])
    assert gate.held_for("news.example") == timedelta(0)
    gate.hold("news.example", timedelta(seconds=30))
    gate.hold("news.example", timedelta(seconds=10))
    now[0] += 20
    assert gate.held_for("news.example") == timedelta(seconds=10)
    assert gate.held_for("other.example") == timedelta(0)


def test_a_host_that_is_being_asked_tells_others_when_to_come_again() -> None:
    now = [100.0]
    gate = HostGate(lambda _: False, spacing_s=2.0, monotonic=lambda: now[0])
    assert gate.busy_for("news.example") == timedelta(0)
    with gate.turn("news.example"):
        assert gate.busy_for("news.example") > timedelta(0)
        assert gate.busy_for("other.example") == timedelta(0)
    assert gate.busy_for("news.example") == timedelta(seconds=2)
    now[0] += 2
    assert gate.busy_for("news.example") == timedelta(0)
    gate.hold("news.example", timedelta(minutes=1))
    assert gate.busy_for("news.example") == timedelta(minutes=1)
