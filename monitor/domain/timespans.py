"""Minutes, windows and spans: half-open, aligned to UTC, found by arithmetic.

A *minute* is an integer: whole minutes since 1970-01-01T00:00Z. Aware datetimes live at the edges.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import IntEnum

__all__ = ["DAY_MIN", "WindowSize", "from_minute", "minute_of", "parse_utc", "utc_text"]

DAY_MIN = 24 * 60
"""Minutes in a day."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)


class WindowSize(IntEnum):
    """Length of a tumbling window in minutes; windows start at multiples of it since the epoch."""

    M5 = 5
    M15 = 15
    H1 = 60
    H4 = 240
    D1 = DAY_MIN

    @property
    def label(self) -> str:
        """Return the word used in URLs, tables and on screen.

        >>> WindowSize.H4.label
        '4h'
        """
        return {5: "5m", 15: "15m", 60: "1h", 240: "4h", 1440: "1d"}[self.value]

    @classmethod
    def of(cls, label: str) -> WindowSize:
        """Return the size named by a label such as ``15m``; raise ValueError for another word."""
        for size in cls:
            if size.label == label:
                return size
        msg = f"window size must be one of {[size.label for size in cls]}, was {label!r}"
        raise ValueError(msg)

    def start_of(self, minute: int) -> int:
        """Return the first minute of the window that holds `minute`.

        >>> WindowSize.M15.start_of(44)
        30
        """
        return minute - minute % self.value


def minute_of(instant: datetime) -> int:
    """Return the minute that holds an aware instant.

    >>> minute_of(datetime(1970, 1, 1, 0, 59, 59, tzinfo=UTC))
    59
    """
    if instant.tzinfo is None:
        msg = f"instant must be aware, was {instant!r}"
        raise ValueError(msg)
    return (instant - _EPOCH) // _MINUTE


def from_minute(minute: int) -> datetime:
    """Return the instant at which a minute begins, in UTC."""
    return _EPOCH + minute * _MINUTE


def parse_utc(text: str) -> datetime:
    """Return the instant that ISO 8601 text with an offset or Z names, in UTC; raise ValueError without a zone."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        msg = f"time must carry a zone (Z or an offset), was {text!r}"
        raise ValueError(msg)
    return instant.astimezone(UTC)


def utc_text(instant: datetime) -> str:
    """Return ISO 8601 in UTC, to the second, with Z.

    >>> utc_text(datetime(2014, 10, 1, 12, 5, tzinfo=UTC))
    '2014-10-01T12:05:00Z'
    """
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
