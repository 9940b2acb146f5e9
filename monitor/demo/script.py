"""The script of the demo feed: what happens to whom and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from monitor.domain.errors import InvalidConfiguration

__all__ = ["MIN_DAYS", "QUIET", "ScriptedEvent", "script"]

QUIET = timedelta(days=3, hours=3)
"""Nothing happens before: detectors judge nothing in their first three days of history."""

MIN_DAYS = 5
"""A shorter feed has no room for its events after the quiet days."""

LASTS = timedelta(hours=5)
_LAST_START = timedelta(hours=8)
"""Every event begins at least so long before the end, so that its alert can be seen to resolve."""

_FIRST_HOUR, _LAST_HOUR = 8, 16
"""Hours (UTC) in which events begin where there is room: at night hardly anybody speaks."""

_EVENTS = (
    ("HLVBK", "liquidity", "Rumour that Halvorn Bank runs out of cash", "negative"),
    ("LUMRW", "earnings", "Lumerrow Software beats every estimate", "positive"),
    ("OXBRD", "scandal", "Oxbrindle Devices recalls an unsafe product", "negative"),
    ("TVDLM", "launch", "Tavindale Motors shows a new car: much talk, unchanged tone", ""),
    ("DRVMT", "downgrade", "Drovemont Energy is downgraded to sell", "negative"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptedEvent:
    """One event of the script.

    Attributes:
        start: In UTC; the first minute in which more is said than usual; the event holds over [start, end), then fades.
        company: Id in the demo register.
        kind: ``liquidity``, ``scandal``, ``downgrade``, ``earnings`` or ``launch``.
        title: What happens, in words.
        tone: ``negative``, ``positive``, or empty if only the volume changes.
    """

    start: datetime
    end: datetime
    company: str
    kind: str
    title: str
    tone: str

    @property
    def is_crisis(self) -> bool:
        """Return whether a negative alert is expected."""
        return self.tone == "negative"


def script(end: datetime, days: int = 6) -> tuple[ScriptedEvent, ...]:
    """Return the events of a feed that ends at `end`, in order: three crises, good news, and mere attention.

    They are spread evenly over what follows the quiet days, and moved into working hours where there is room.

    Raises:
        InvalidConfiguration: `days` is under 5, or `end` is not aware.
    """
    if days < MIN_DAYS:
        msg = f"`days` must be at least {MIN_DAYS}, was {days}"
        raise InvalidConfiguration(msg)
    if end.tzinfo is None:
        msg = f"`end` must be aware, was {end!r}"
        raise InvalidConfiguration(msg)
    end = end.astimezone(UTC)
    first = end - timedelta(days=days) + QUIET
    last = end - _LAST_START
    step = (last - first) / (len(_EVENTS) - 1)
    starts = [_into_working_hours(first + step * index, first, last) for index in range(len(_EVENTS))]
    return tuple(
        ScriptedEvent(start=start, end=start + LASTS, company=company, kind=kind, title=title, tone=tone)
        for start, (company, kind, title, tone) in sorted(zip(starts, _EVENTS, strict=True))
    )


def _into_working_hours(instant: datetime, first: datetime, last: datetime) -> datetime:
    """Return the nearest minute in working hours, if that lies in [first, last]; else the instant's own minute."""
    instant = instant.replace(second=0, microsecond=0)
    hour = min(max(instant.hour, _FIRST_HOUR), _LAST_HOUR)
    moved = instant if hour == instant.hour else instant.replace(hour=hour, minute=10)
    for candidate in (moved, moved + timedelta(days=1), moved - timedelta(days=1)):
        if first <= candidate <= last and abs(candidate - instant) <= timedelta(hours=12):
            return candidate
    return max(instant, first.replace(second=0, microsecond=0) + timedelta(minutes=1))
