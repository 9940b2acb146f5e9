"""The time of day, for what is stamped on writing."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["WallClock"]


class WallClock:
    """The machine's clock: the `Clock` used where none is given."""

    def now(self) -> datetime:
        """Return the present instant, in UTC."""
        return datetime.now(UTC)
