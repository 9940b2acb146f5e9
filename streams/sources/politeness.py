"""When to ask again, and how not to be a nuisance: backoff, publishers' wishes, one request at a time per host."""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

__all__ = ["HostGate", "backoff", "freshness", "http_date", "next_poll", "retry_after"]

BACKOFF_BASE = timedelta(minutes=1)
"""Wait after the first failure, before jitter."""
BACKOFF_CAP = timedelta(hours=4)
"""Longest wait between tries: a source is never given up, and is back at most this late."""
WISH_CAP = timedelta(hours=6)
"""Largest ttl or max-age obeyed: a monitor that trusts a year's max-age has lost the source."""
RETRY_AFTER_CAP = timedelta(hours=24)
"""Largest Retry-After obeyed."""
JITTER = 0.1
"""Share of the interval by which regular polls are spread, so that sources do not march in step."""
COME_AGAIN_S = 0.25
"""When to look again at a host that is being asked, in seconds."""
HOST_SPACING_S = 2.0
"""Seconds between two requests to one host."""


def backoff(
    failures: int, rng: random.Random, *, base: timedelta = BACKOFF_BASE, cap: timedelta = BACKOFF_CAP
) -> timedelta:
    """Return the wait after `failures` failures in a row: doubling, capped, the upper half left to chance.

    References:
        Equal jitter, https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/

    >>> backoff(0, random.Random(1))
    datetime.timedelta(0)
    """
    if failures <= 0:
        return timedelta(0)
    ceiling: timedelta = min(cap, base * (1 << min(failures - 1, 30)))
    return ceiling / 2 + ceiling / 2 * rng.random()


def next_poll(
    now: datetime,
    every: timedelta,
    rng: random.Random,
    *,
    failures: int = 0,
    ttl: timedelta | None = None,
    max_age: timedelta | None = None,
    wait: timedelta | None = None,
) -> datetime:
    """Return when to ask again: the latest of what the operator, the publisher and the server want, within caps.

    Args:
        every: The operator's own interval; never undercut.
        failures: Failures in a row, 0 after a good poll.
        ttl: What the feed says of itself.
        max_age: What Cache-Control or Expires says.
        wait: What Retry-After says.
    """
    wishes = [min(wish, WISH_CAP) for wish in (ttl, max_age) if wish is not None]
    if wait is not None:
        wishes.append(min(wait, RETRY_AFTER_CAP))
    longest = max([every, backoff(failures, rng), *wishes])
    return now + longest + every * (JITTER * rng.random())


def retry_after(value: str, now: datetime) -> timedelta | None:
    """Read Retry-After: seconds or an HTTP date; None for nonsense.

    >>> retry_after("120", datetime(2026, 1, 1, tzinfo=UTC))
    datetime.timedelta(seconds=120)
    """
    text = value.strip()
    if re.fullmatch(r"\d{1,9}", text, re.ASCII):
        return timedelta(seconds=int(text))
    moment = http_date(text)
    return None if moment is None else max(moment - now, timedelta(0))


def freshness(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """Return how long an answer stays fresh by Cache-Control, else by Expires; None if neither says.

    >>> freshness({"cache-control": "public, max-age=60"}, datetime(2026, 1, 1, tzinfo=UTC))
    datetime.timedelta(seconds=60)
    """
    directives = headers.get("cache-control", "").lower()
    if re.search(r"\bno-(cache|store)\b", directives):
        return timedelta(0)
    found = re.search(r"\bmax-age\s*=\s*\"?(\d{1,9})", directives)
    if found:
        return timedelta(seconds=int(found.group(1)))
    if "expires" not in headers:
        return None
    expires = http_date(headers["expires"])
    # an Expires that is no date ("0", "-1") means already expired (RFC 9111, 5.3)
    return timedelta(0) if expires is None else max(expires - (http_date(headers.get("date", "")) or now), timedelta(0))


def http_date(value: str) -> datetime | None:
    """Read an HTTP or RFC 2822 date, aware and in UTC; None for nonsense."""
    try:
        moment = parsedate_to_datetime(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


class HostGate:
    """Lets one request at a time through to a host, spaced, and holds a host back that asked for a pause.

    Args:
        monotonic: Seconds on a clock that never goes back.
        wait: Waits so many seconds and returns True if the crawler is stopping (`threading.Event.wait`).
    """

    def __init__(
        self,
        wait: Callable[[float], bool],
        *,
        spacing_s: float = HOST_SPACING_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wait = wait
        self._spacing_s = spacing_s
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._turns: dict[str, threading.Lock] = {}
        self._free_at: dict[str, float] = {}
        self._held_until: dict[str, float] = {}
        self._asking: set[str] = set()

    @contextmanager
    def turn(self, host: str) -> Iterator[None]:
        """Wait for the host's turn, and keep it to ourselves meanwhile; ends early if the crawler stops."""
        with self._lock:
            turn = self._turns.setdefault(host, threading.Lock())
        with turn:
            self._asking.add(host)
            left = self._free_at.get(host, 0.0) - self._monotonic()
            if left > 0:
                self._wait(left)
            try:
                yield
            finally:
                self._asking.discard(host)
                self._free_at[host] = self._monotonic() + self._spacing_s

    def hold(self, host: str, pause: timedelta) -> None:
        """Hold all sources of a host back: a 429 is meant for the client, not for one address."""
        until = self._monotonic() + min(pause, RETRY_AFTER_CAP).total_seconds()
        with self._lock:
            self._held_until[host] = max(until, self._held_until.get(host, 0.0))

    def held_for(self, host: str) -> timedelta:
        """Return how long a host is still held back; zero if it is not."""
        with self._lock:
            left = self._held_until.get(host, 0.0) - self._monotonic()
        return timedelta(seconds=max(left, 0.0))

    def busy_for(self, host: str) -> timedelta:
        """Return after what time to come again, zero if the host can be asked now.

        A thread that would only wait for its turn is free for another host instead.
        """
        with self._lock:
            now = self._monotonic()
            left = max(self._held_until.get(host, 0.0), self._free_at.get(host, 0.0)) - now
            if host in self._asking:
                left = max(left, COME_AGAIN_S)
        return timedelta(seconds=max(left, 0.0))
