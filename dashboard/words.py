"""Numbers, instants and text as people read them. Every instant is UTC and says so where it stands alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

__all__ = [
    "NO_DATA",
    "ago",
    "clip",
    "count_of",
    "day_time",
    "duration",
    "mood",
    "number",
    "percent",
    "plain",
    "signed",
    "stamp",
    "window_words",
]

NO_DATA = "no data"
MINUS = "\u2212"

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Control characters, and the marks that turn the direction of writing: they could make one text look like another."""

_MOODS = ((-0.4, "strongly negative"), (-0.15, "negative"), (-0.04, "slightly negative"), (0.04, "balanced"))
_GOOD_MOODS = ((0.15, "slightly positive"), (0.4, "positive"))


def number(count: int) -> str:
    """Return a whole number with separators: 12,345."""
    return f"{count:,}"


def signed(value: float, digits: int = 2) -> str:
    """Return a number with its sign, and a true minus.

    >>> signed(-0.1234)
    '\u22120.12'
    """
    rounded = round(value, digits)
    if rounded == 0:
        return f"{0:.{digits}f}"
    return f"{'+' if rounded > 0 else MINUS}{abs(rounded):.{digits}f}"


def percent(share: float) -> str:
    """Return a share as a whole percentage."""
    return f"{share:.0%}"


def count_of(count: int, one: str, many: str = "") -> str:
    """Return a number with its noun.

    >>> count_of(1, "story", "stories")
    '1 story'
    """
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def mood(polarity: float) -> str:
    """Return a mean polarity in words."""
    for bound, word in (*_MOODS, *_GOOD_MOODS):
        if polarity < bound:
            return word
    return "strongly positive"


def stamp(instant: datetime | None) -> str:
    """Return an instant for a table: sorts as text. The column says UTC."""
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M") if instant else "\u2013"


def day_time(instant: datetime) -> str:
    """Return an instant for a sentence: 1 Oct 2014, 12:05."""
    utc = instant.astimezone(UTC)
    return f"{utc.day} {utc:%b %Y, %H:%M}"


def window_words(start: datetime, end: datetime) -> str:
    """Return a half-open span: 1 Oct 2014, 12:00 to 13:00 UTC."""
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    last = f"{end:%H:%M}" if start.date() == end.date() else day_time(end)
    return f"{day_time(start)} to {last} UTC"


def duration(span: timedelta) -> str:
    """Return a length of time in its largest fitting unit.

    >>> duration(timedelta(hours=5))
    '5 h'
    """
    seconds = max(0, int(span.total_seconds()))
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= (2 * length if unit == "d" else length):
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def ago(instant: datetime | None, now: datetime) -> str:
    """Return how long ago, or how soon, an instant is."""
    if instant is None:
        return "never"
    return f"in {duration(instant - now)}" if instant > now else f"{duration(now - instant)} ago"


def plain(text: str) -> str:
    """Return untrusted text without control characters and marks of direction."""
    return _CONTROL.sub("", text)


def clip(text: str, length: int) -> str:
    """Return untrusted text cut to a length, cleaned, with an ellipsis where it was cut."""
    clean = " ".join(plain(text[: length * 4]).split())
    return clean if len(clean) <= length else clean[: length - 1].rstrip() + "\u2026"


def company_names(entities: tuple[tuple[str, str], ...]) -> str:
    """Return the companies of a document as one line."""
    return ", ".join(plain(name) for _, name in entities)


def titled(words: Mapping[str, str], key: str) -> str:
    """Return the title under a key, or the key itself with a capital."""
    return words.get(key, key.replace("-", " ").capitalize())
