"""What a page is asked to show: the address in the browser, read with forgiveness."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

from monitor.domain.timespans import WindowSize

__all__ = ["SPANS", "Ask", "link", "picker_time", "url_time"]

SPANS: dict[str, timedelta] = {
    "1h": timedelta(hours=1),
    "6h": timedelta(hours=6),
    "1d": timedelta(days=1),
    "3d": timedelta(days=3),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
    "90d": timedelta(days=90),
    "1y": timedelta(days=366),
}
"""Spans that can be chosen, by the word in the address."""


def url_time(instant: datetime) -> str:
    """Return an instant as it stands in an address."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def picker_time(instant: datetime | None) -> str | None:
    """Return an instant as Mantine's pickers want it (UTC, without a zone)."""
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S") if instant else None


def link(path: str, **query: str | None) -> str:
    """Return an address within the dashboard; empty values are left out."""
    kept = {name: value for name, value in query.items() if value}
    return f"{path}?{urlencode(kept)}" if kept else path


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """The address and the look of the screen.

    Attributes:
        query: What stands in the address after the question mark; unknown names are ignored.
        dark: Whether the dark scheme is on.
        narrow: Whether the screen is a phone's.
        tick: True if time asked, not a person.
    """

    path: str = "/"
    query: Mapping[str, str] = field(default_factory=dict)
    dark: bool = False
    narrow: bool = False
    tick: bool = False

    @classmethod
    def of(cls, asked: Mapping[str, Any] | None) -> Ask:
        """Return what the browser asks; anything else than the expected shape counts as the first page."""
        asked = asked if isinstance(asked, dict) else {}
        return cls(
            path=str(asked.get("path") or "/"),
            query=parse_query(str(asked.get("search") or "")),
            dark=asked.get("scheme") == "dark",
            narrow=bool(asked.get("narrow")),
            tick=bool(asked.get("tick")),
        )

    def text(self, name: str, default: str = "") -> str:
        """Return the text under a name."""
        return self.query.get(name, default)

    def words(self, name: str) -> tuple[str, ...]:
        """Return the words under a name, separated by commas in the address."""
        return tuple(word for word in self.query.get(name, "").split(",") if word)

    def instant(self, name: str) -> datetime | None:
        """Return the instant under a name, in UTC; None if it is absent or no instant. Without a zone it is UTC."""
        try:
            instant = datetime.fromisoformat(self.query.get(name, ""))
        except ValueError:
            return None
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)

    def size(self, default: WindowSize) -> WindowSize:
        """Return the window size asked for."""
        try:
            return WindowSize.of(self.query.get("size", default.label))
        except ValueError:
            return default

    def number(self, name: str, default: int, most: int) -> int:
        """Return a whole number from 1 to `most`."""
        try:
            return min(max(int(self.query.get(name, default)), 1), most)
        except ValueError:
            return default

    def span(self, default: str, as_of: datetime | None) -> tuple[datetime | None, datetime | None]:
        """Return the half-open span asked for: own times first, else the named span that ends with `as_of`.

        The end of a named span lies one minute after `as_of`, so that the minute that is filling is within it.
        """
        start, end = self.instant("from"), self.instant("to")
        if start or end:
            return start, end
        span = SPANS.get(self.query.get("span", default))
        if span is None or as_of is None:
            return None, None
        end = as_of + timedelta(minutes=1)
        return end - span, end


def parse_query(search: str) -> dict[str, str]:
    """Return names and values of a query string; of a name that comes twice the last counts."""
    return dict(parse_qsl(search.removeprefix("?")[:8_000], max_num_fields=50) if search.count("&") < 50 else ())
