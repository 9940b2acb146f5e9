"""Empties the outbox: due rows to the lane of their receiver, each alert in order, nothing lost, nothing in a crowd."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime

import structlog

from monitor.domain.errors import InvalidConfiguration, StoreUnavailable
from monitor.notify.courier import Courier
from monitor.notify.lanes import Lane
from monitor.notify.links import DashboardLinks
from monitor.notify.notices import NoticeWriter
from monitor.notify.outcomes import Sender
from monitor.notify.patience import Patience
from monitor.notify.receivers import Receiver
from monitor.notify.senders import open_sender
from monitor.ports import Clock, Outbox, OutboxRow, ViewReader

__all__ = ["Notifier"]

_log = structlog.get_logger(__name__)

_CAPACITY = 20
"""Rows that one lane holds; the rest waits in the outbox."""

_PAGE, _WIDEST_PAGE = 50, 3200
"""Rows asked for at a time; more only while the first ones all belong to receivers that are busy."""

_LONGEST_STORE_WAIT_S = 30.0
_STUCK_S = 600.0
"""A lane that carries one row for so long no longer counts as progress."""

_Episode = tuple[str, str, str]


class Notifier:
    """Tells the receivers what the outbox holds. One process, one notifier; `outbox` and `reader` must be thread-safe.

    At least once: a crash between sending and recording repeats the row with the same key. A receiver that fails is
    asked again by `patience`; meanwhile the others are told as usual.

    Args:
        base_url: Of the dashboard, as readers of a message reach it; empty for no links.
        poll_s: How often the outbox is asked.
        grace_s: How long `close` waits for what is being sent.
        store_wait_s: First wait when the store does not answer; doubled up to 30 s.

    Raises:
        InvalidConfiguration: Two receivers share a name, or one cannot be opened.
    """

    def __init__(
        self,
        outbox: Outbox,
        reader: ViewReader,
        receivers: Sequence[Receiver],
        clock: Clock,
        *,
        base_url: str = "",
        patience: Patience | None = None,
        poll_s: float = 1.0,
        grace_s: float = 5.0,
        store_wait_s: float = 1.0,
        luck: Callable[[], float] = random.random,
        open_sender: Callable[[Receiver, Clock], Sender] = open_sender,
    ) -> None:
        names = [receiver.name for receiver in receivers]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            msg = f"`receivers` must have different names, {twice[0]!r} stands there twice"
            raise InvalidConfiguration(msg)
        self._outbox = outbox
        self._clock = clock
        self._poll_s = poll_s
        self._grace_s = grace_s
        self._store_wait_s = store_wait_s
        self._senders = {receiver.name: open_sender(receiver, clock) for receiver in receivers}
        writer = NoticeWriter(reader, DashboardLinks(base_url), clock)
        self._courier = Courier(
            outbox, writer, self._senders, clock,
            patience=patience or Patience(), store_wait_s=store_wait_s, luck=luck,
        )  # fmt: skip
        self._lanes: dict[str, Lane] = {}
        self._flying: dict[int, _Episode] = {}
        self._landed = threading.Condition()
        self._progressed_at: datetime | None = None

    @property
    def progressed_at(self) -> datetime | None:
        """When the outbox was last asked while no lane was stuck; None before the first time. For the heartbeat."""
        return self._progressed_at

    def run_until(self, stop: threading.Event) -> None:
        """Tell what is due until `stop` is set; then end within `grace_s`. The store may come and go meanwhile."""
        waits = 0
        while not stop.is_set():
            try:
                self._dispatch()
            except StoreUnavailable as error:
                if not waits:
                    _log.warning("the store does not answer; the outbox waits", reason=str(error))
                stop.wait(min(self._store_wait_s * 2.0**waits, _LONGEST_STORE_WAIT_S))
                waits = min(waits + 1, 10)
                continue
            if waits:
                _log.info("the store answers again; the outbox goes on")
            waits = 0
            stop.wait(self._poll_s)
        self.close()

    def drain_once(self) -> int:
        """Attempt what is due now, each row once, and return how many rows that were.

        Raises:
            StoreUnavailable: The outbox could not be asked.
        """
        sent = self._dispatch()
        with self._landed:
            self._landed.wait_for(lambda: not self._flying)
        return sent

    def close(self) -> None:
        """Begin nothing more, wait `grace_s` for what is being sent, let go of the senders."""
        self._courier.end()
        for lane in self._lanes.values():
            lane.close()
        deadline = time.monotonic() + self._grace_s
        late = [name for name, lane in self._lanes.items() if not lane.join(max(0.0, deadline - time.monotonic()))]
        for name in late:
            _log.warning("still sending at the end; it may be told again by the same key", receiver=name)
        for name, sender in self._senders.items():
            if name not in late:
                sender.close()

    def _dispatch(self) -> int:
        """Offer due rows to the lanes and return how many were taken."""
        now = self._clock.now()
        with self._landed:
            # Rows flying before the outbox is asked: one that lands meanwhile is still in its answer, yet done.
            before = set(self._flying.values())
        taken = sum(self._offer(row, before) for row in self._due(now))
        if all(lane.busy_s < _STUCK_S for lane in self._lanes.values()):
            self._progressed_at = now
        return taken

    def _due(self, now: datetime) -> list[OutboxRow]:
        """Return due rows: so many that a long queue of one receiver does not hide the rows of an idle one."""
        page = _PAGE
        while True:
            rows = self._outbox.due(now, page)
            asked_for = {row.receiver for row in rows}
            hidden = [
                name
                for name in self._senders
                if name not in asked_for and not (self._lanes.get(name) and self._lanes[name].held)
            ]
            if len(rows) < page or page >= _WIDEST_PAGE or not hidden:
                return rows
            page *= 4

    def _offer(self, row: OutboxRow, before: set[_Episode]) -> bool:
        """Offer a row to its lane, unless it or an earlier one of its episode is on the way."""
        episode = (row.receiver, row.run, row.change.alert.id)
        name = row.receiver if row.receiver in self._senders else ""
        with self._landed:
            if episode in before or episode in self._flying.values():
                return False
            if name not in self._lanes:
                self._lanes[name] = Lane(name or "strays", self._carry, _CAPACITY)
            self._flying[row.id] = episode
            if self._lanes[name].offer(row):
                return True
            del self._flying[row.id]
            return False

    def _carry(self, row: OutboxRow) -> None:
        try:
            self._courier.carry(row)
        finally:
            with self._landed:
                self._flying.pop(row.id, None)
                self._landed.notify_all()
