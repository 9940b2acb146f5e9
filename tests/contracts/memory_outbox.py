"""An outbox in memory that keeps the contract of `monitor.ports.Outbox`."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime

from monitor.domain.alerts import AlertChange
from monitor.domain.errors import StoreUnavailable
from monitor.ports import OutboxRow


@dataclass(slots=True)
class Kept:
    """A row, when it is due (None: closed), and its delivery log as (outcome, reason)."""

    row: OutboxRow
    due_at: datetime | None
    log: list[tuple[str, str]] = field(default_factory=list)


class MemoryOutbox:
    """Keeps rows in a list; `unavailable` makes every call fail as a database that is away does."""

    def __init__(self, kept: list[Kept] | None = None) -> None:
        self.kept = [] if kept is None else kept
        self.unavailable = False
        self._lock = threading.Lock()

    def tell(self, change: AlertChange, receiver: str, at: datetime, run: str = "live") -> None:
        """Add a row unless its key is there."""
        key = f"{run}-{change.alert.id}-{change.alert.revision}-{receiver}"
        if any(kept.row.key == key for kept in self.kept):
            return
        row = OutboxRow(
            id=len(self.kept) + 1, run=run, key=key, receiver=receiver, change=change, attempts=0, created_at=at
        )
        self.kept.append(Kept(row, at))

    def due(self, now: datetime, limit: int = 50) -> list[OutboxRow]:
        with self._lock:
            self._answer()
            found, held = [], set()
            for kept in sorted((kept for kept in self.kept if kept.due_at), key=_order):
                episode = (kept.row.receiver, kept.row.run, kept.row.change.alert.id)
                if kept.due_at and kept.due_at <= now and episode not in held:
                    found.append(kept.row)
                else:
                    held.add(episode)
            return sorted(found, key=lambda row: row.id)[:limit]

    def delivered(self, row: OutboxRow, at: datetime, detail: str) -> None:
        with self._lock:
            self._answer()
            kept = self._find(row)
            kept.due_at = None
            kept.log.append(("delivered", detail))

    def failed(self, row: OutboxRow, at: datetime, reason: str, retry_at: datetime | None) -> None:
        with self._lock:
            self._answer()
            kept = self._find(row)
            kept.row = kept.row._replace(attempts=kept.row.attempts + 1)
            kept.due_at = retry_at
            kept.log.append(("failed" if retry_at else "gave up", reason))

    def reopened(self) -> MemoryOutbox:
        """Return what another process would see after this one died."""
        return MemoryOutbox(self.kept)

    def log_of(self, receiver: str) -> list[tuple[str, str]]:
        return [entry for kept in self.kept if kept.row.receiver == receiver for entry in kept.log]

    @property
    def open_rows(self) -> int:
        return sum(kept.due_at is not None for kept in self.kept)

    def _find(self, row: OutboxRow) -> Kept:
        return next(kept for kept in self.kept if kept.row.id == row.id)

    def _answer(self) -> None:
        if self.unavailable:
            msg = "the database is away"
            raise StoreUnavailable(msg)


def _order(kept: Kept) -> tuple[str, str, int]:
    return kept.row.run, kept.row.change.alert.id, kept.row.change.alert.revision
