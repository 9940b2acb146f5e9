"""Links into the dashboard, at the alert's own time: a link that opens on today explains nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote, urlencode

from monitor.domain.alerts import Alert
from monitor.domain.errors import InvalidConfiguration
from monitor.domain.timespans import from_minute, utc_text
from monitor.notify.texts import web_link

__all__ = ["DashboardLinks"]

_BEFORE = 24
"""Windows shown before the one that fired: what quiet looked like."""

_AFTER = 4
"""Windows shown after the latest change."""


@dataclass(frozen=True, slots=True)
class DashboardLinks:
    """Where the dashboard is, as the readers of a message reach it; without a base address there are no links."""

    base_url: str = ""

    def __post_init__(self) -> None:
        if self.base_url and not web_link(self.base_url):
            msg = f"`base_url` must be an http or https address, was {self.base_url!r}"
            raise InvalidConfiguration(msg)

    def alert(self, run: str, alert: Alert) -> str:
        """Return the link to the alert itself, within its span, or an empty string."""
        return self._link(f"alerts/{quote(alert.id, safe='')}", {"run": run, **_span(alert)})

    def series(self, run: str, alert: Alert) -> str:
        """Return the link to the chart of the alert's series, its window chosen, or an empty string."""
        at = utc_text(from_minute(alert.opened_at - alert.size.value))
        query = {"run": run, "series": alert.series, "size": alert.size.label, "at": at, **_span(alert)}
        return self._link("series", query)

    def _link(self, page: str, query: dict[str, str]) -> str:
        return f"{self.base_url.rstrip('/')}/{page}?{urlencode(query, safe=':')}" if self.base_url else ""


def _span(alert: Alert) -> dict[str, str]:
    """Return ``from`` and ``to`` (half-open) around the alert's whole life so far."""
    size = timedelta(minutes=alert.size.value)
    start = from_minute(alert.opened_at) - (1 + _BEFORE) * size
    end = from_minute(max(alert.opened_at, alert.updated_at)) + _AFTER * size
    return {"from": utc_text(start), "to": utc_text(end)}
