"""The heartbeat: a signed webhook every minute, as long as the monitor really works. Silence is the alarm."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
import structlog

from monitor.domain.runs import LIVE
from monitor.domain.timespans import minute_of, utc_text
from monitor.notify.outcomes import SendFailed
from monitor.notify.receivers import WebhookReceiver
from monitor.notify.webhook import Resolver, SignedPost, resolve
from monitor.notify.webhook_body import VERSION, HeartbeatBody
from monitor.ports import Clock

__all__ = ["Heartbeat", "ProgressReport"]

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressReport:
    """When each step of the monitor last moved, by the wall clock; None if it never did.

    Attributes:
        ticks_at: The newest tick of the run was written.
        classified_at: The classify stage last passed something on, ticks included: a quiet night is progress.
        outbox_at: `Notifier.progressed_at`.
    """

    ticks_at: datetime | None
    classified_at: datetime | None
    outbox_at: datetime | None

    def stalled(self, now: datetime, longest: timedelta) -> str:
        """Return why this is no progress, or an empty string."""
        steps = {"ticks": self.ticks_at, "classification": self.classified_at, "the outbox": self.outbox_at}
        reasons = []
        for step, moved_at in steps.items():
            if moved_at is None:
                reasons.append(f"{step} never moved")
            elif now - moved_at > longest:
                reasons.append(f"{step} did not move since {utc_text(moved_at)}")
        return ", ".join(reasons)


class Heartbeat:
    """Sends beats while all three steps moved within `longest_s`; says in the log, once per change, why it does not.

    Args:
        progress: Asked before every beat; whatever it raises withholds the beat.
        every_s: From beat to beat.
        longest_s: How old a step's last move may be.
    """

    def __init__(
        self,
        receiver: WebhookReceiver,
        progress: Callable[[], ProgressReport],
        clock: Clock,
        *,
        run: str = LIVE,
        every_s: float = 60.0,
        longest_s: float = 180.0,
        resolver: Resolver = resolve,
    ) -> None:
        self._receiver = receiver
        self._post = SignedPost(receiver, resolver)
        self._progress = progress
        self._clock = clock
        self._run = run
        self._every_s = every_s
        self._longest = timedelta(seconds=longest_s)
        self._silent_because = ""

    def run_until(self, stop: threading.Event) -> None:
        """Beat until `stop` is set."""
        while not stop.is_set():
            self.beat_once()
            stop.wait(self._every_s)
        self._post.close()

    def beat_once(self) -> str:
        """Send one beat, or withhold it; return why none arrived, or an empty string."""
        now = self._clock.now()
        silent_because = self._reason(now)
        if silent_because != self._silent_because:
            if silent_because:
                _log.warning("heartbeat does not go out", receiver=self._receiver.name, reason=silent_because)
            else:
                _log.info("heartbeat goes out again", receiver=self._receiver.name)
        self._silent_because = silent_because
        return silent_because

    def _reason(self, now: datetime) -> str:
        try:
            report = self._progress()
        except Exception as error:  # not to know how the monitor does is reason enough to be silent
            return f"progress cannot be told: {type(error).__name__}: {error}"
        stalled = report.stalled(now, self._longest)
        if stalled:
            return stalled
        outcome = self._post.post(f"heartbeat-{self._run}-{minute_of(now)}", self._body(report, now), now)
        return f"receiver {outcome.reason}" if isinstance(outcome, SendFailed) else ""

    def _body(self, report: ProgressReport, now: datetime) -> bytes:
        moves = (report.ticks_at, report.classified_at, report.outbox_at)
        ticks_at, classified_at, outbox_at = (utc_text(move) if move else "" for move in moves)
        return msgspec.json.encode(
            HeartbeatBody(
                type="heartbeat",
                version=VERSION,
                run=self._run,
                at=utc_text(now),
                ticks_at=ticks_at,
                classified_at=classified_at,
                outbox_at=outbox_at,
            )
        )
