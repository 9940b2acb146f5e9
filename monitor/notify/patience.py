"""How long to wait before the next attempt, and when to give up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

__all__ = ["Patience"]

_LONGEST_WISH_S = 24 * 3600.0
"""A Retry-After beyond a day is taken as a day: nobody is forgotten because of one header."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """5 s, 10 s, 20 s ... 1 h, each shortened at random by up to a half; after 3 days, one last attempt, then no more.

    Half of every wait is fixed and half is random ("equal jitter"), so that what failed together does not return
    together.

    References:
        Brooker (2015), Exponential Backoff And Jitter, AWS Architecture Blog.
    """

    first_s: float = 5.0
    longest_s: float = 3600.0
    gives_up_after_s: float = 3 * 24 * 3600.0

    def wait_s(self, attempts: int, luck: float) -> float:
        """Return the seconds to wait after `attempts` failed ones (1 or more); `luck` lies in [0, 1).

        >>> Patience().wait_s(1, 0.0), Patience().wait_s(3, 0.5), Patience().wait_s(99, 0.0)
        (2.5, 15.0, 1800.0)
        """
        whole = min(self.longest_s, self.first_s * 2.0 ** min(attempts - 1, 60))
        return whole * (0.5 + 0.5 * luck)

    def next_attempt(
        self, *, queued_at: datetime, now: datetime, attempts: int, luck: float, wish_s: float | None = None
    ) -> datetime | None:
        """Return when to try again, or None to give up.

        Args:
            queued_at: When the notice entered the outbox.
            attempts: Failed attempts so far, the one just made included.
            wish_s: What the receiver asked for (Retry-After), in seconds; never shortens the wait.
        """
        deadline = queued_at + timedelta(seconds=self.gives_up_after_s)
        if now >= deadline:
            return None
        wait_s = max(self.wait_s(attempts, luck), min(wish_s or 0.0, _LONGEST_WISH_S))
        return min(now + timedelta(seconds=wait_s), deadline)
