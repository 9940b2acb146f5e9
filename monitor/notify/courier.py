"""One row's way: written from the store, sent once, and what came of it recorded, whatever happens."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping
from typing import TypeVar

import structlog

from monitor.domain.errors import StoreUnavailable
from monitor.notify.notices import NoticeWriter
from monitor.notify.outcomes import Outcome, Sender, SendFailed, Sent
from monitor.notify.patience import Patience
from monitor.notify.texts import REASON, one_line
from monitor.ports import Clock, Outbox, OutboxRow

__all__ = ["Courier"]

_log = structlog.get_logger(__name__)

_Result = TypeVar("_Result")


class Courier:
    """Attempts rows and records the outcome. Safe to use from one thread per receiver.

    A row that was sent is recorded before anything else is done with it, however long the store stays away; only the
    end of the process can come between, and then the same key is sent again.
    """

    def __init__(
        self,
        outbox: Outbox,
        writer: NoticeWriter,
        senders: Mapping[str, Sender],
        clock: Clock,
        *,
        patience: Patience,
        store_wait_s: float,
        luck: Callable[[], float] = random.random,
    ) -> None:
        self._outbox = outbox
        self._writer = writer
        self._senders = senders
        self._clock = clock
        self._patience = patience
        self._store_wait_s = store_wait_s
        self._luck = luck
        self._closed: dict[str, str] = {}
        self._ending = threading.Event()

    def carry(self, row: OutboxRow) -> None:
        """Attempt a row once and record what came of it."""
        try:
            outcome = self._attempt(row)
            if outcome is not None:
                self._record(row, outcome)
        except Exception:  # a fault of ours must not end the lane: the row stays due and is attempted again
            _log.exception("a delivery could not be recorded", receiver=row.receiver, key=row.key)
            self._ending.wait(self._store_wait_s)

    def end(self) -> None:
        """Wait for the store no longer."""
        self._ending.set()

    def _attempt(self, row: OutboxRow) -> Outcome | None:
        """Return what came of one attempt; None if the process ends before there was one."""
        sender = self._senders.get(row.receiver)
        if sender is None:
            return SendFailed(reason=f"receiver {row.receiver!r} is not configured; add it again or let it run out")
        if row.receiver in self._closed:
            return SendFailed(reason=self._closed[row.receiver], permanent=True)
        try:
            notice = self._patiently(lambda: self._writer.write(row))
            return None if notice is None else sender.send(notice, row.key)
        except Exception as error:  # whatever is wrong with one notice, the next one still goes out
            _log.exception("a notice could not be made or sent", receiver=row.receiver, key=row.key)
            return SendFailed(reason=one_line(f"fault in Bellwether: {type(error).__name__}: {error}", REASON))

    def _record(self, row: OutboxRow, outcome: Outcome) -> None:
        """Write the outcome to the outbox; wait for the store as long as the process lives."""
        now = self._clock.now()
        attempt = row.attempts + 1
        words = {"receiver": row.receiver, "key": row.key, "attempt": attempt}
        if isinstance(outcome, Sent):
            if self._noted(lambda: self._outbox.delivered(row, now, outcome.detail)):
                _log.info("alert told", detail=outcome.detail, **words)
            else:
                _log.warning("alert told, the store does not know; it will be told again by the same key", **words)
            return
        if outcome.closes:
            self._closed[row.receiver] = outcome.reason
            _log.error("receiver closed until the next start", receiver=row.receiver, reason=outcome.reason)
        retry_at = None if outcome.permanent else self._patience.next_attempt(
            queued_at=row.created_at, now=now, attempts=attempt, luck=self._luck(), wish_s=outcome.retry_after_s
        )  # fmt: skip
        self._noted(lambda: self._outbox.failed(row, now, outcome.reason, retry_at))
        if retry_at is None:
            _log.error("gave up telling an alert", reason=outcome.reason, permanent=outcome.permanent, **words)
        else:
            _log.warning(
                "alert not told, will try again", reason=outcome.reason, retry_at=retry_at.isoformat(), **words
            )

    def _noted(self, write: Callable[[], None]) -> bool:
        """Write to the outbox as soon as the store answers; return whether it did before the process ends."""

        def ask() -> bool:
            write()
            return True

        return self._patiently(ask) is True

    def _patiently(self, ask: Callable[[], _Result]) -> _Result | None:
        """Return what `ask` returns as soon as the store answers, or None if the process ends before it does."""
        waits = 0
        while True:
            try:
                return ask()
            except StoreUnavailable as error:
                if not waits:
                    _log.warning("the store does not answer; a delivery waits", reason=str(error))
                waits += 1
                if self._ending.wait(self._store_wait_s):
                    return None
