"""`bellwether notify test RECEIVER`: one clearly marked message, through exactly what sends the real ones."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass

from monitor.domain.alerts import Alert, AlertState, Decision, Severity
from monitor.domain.runs import LIVE
from monitor.domain.timespans import WindowSize, from_minute, minute_of
from monitor.domain.trends import Direction, Family, Surprise
from monitor.domain.wording import alert_title, probability_words
from monitor.notify.links import DashboardLinks
from monitor.notify.notices import Evidence, Notice
from monitor.notify.outcomes import SendFailed
from monitor.notify.receivers import Receiver, kind_of
from monitor.notify.senders import open_sender
from monitor.ports import Clock

__all__ = ["ReceiverReport", "example_notice", "test_receiver"]

_COMPANY = "Example Company"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverReport:
    """What came of a test message; `detail` is the receiver's answer, or the reason and the way out."""

    receiver: str
    kind: str
    ok: bool
    detail: str
    took_s: float

    @property
    def text(self) -> str:
        """Return the report as one line for the terminal."""
        verdict = "was told" if self.ok else "was NOT told"
        return f"{self.kind} receiver {self.receiver!r} {verdict} in {self.took_s:.1f} s: {self.detail}"


def test_receiver(receiver: Receiver, clock: Clock, *, base_url: str = "") -> ReceiverReport:  # noqa: PT028 - no test of pytest's
    """Send a receiver one message that says that it is a test, and report what it answered.

    Raises:
        InvalidConfiguration: The receiver cannot be opened.
    """
    sender = open_sender(receiver, clock)
    begun = time.monotonic()
    try:
        outcome = sender.send(example_notice(clock, base_url), f"test-{uuid.uuid4()}")
    finally:
        sender.close()
    return ReceiverReport(
        receiver=receiver.name,
        kind=kind_of(receiver),
        ok=not isinstance(outcome, SendFailed),
        detail=outcome.reason if isinstance(outcome, SendFailed) else outcome.detail,
        took_s=time.monotonic() - begun,
    )


def example_notice(clock: Clock, base_url: str = "") -> Notice:
    """Return a notice as a real alert would give, invented and marked as a test."""
    size = WindowSize.H1
    end = size.start_of(minute_of(clock.now()))
    alert = _example_alert(size, end)
    links = DashboardLinks(base_url)
    return Notice(
        run=LIVE,
        run_title="Live",
        simulated=False,
        test=True,
        decision=Decision.FIRED,
        alert=alert,
        title=alert_title(alert, lambda _: _COMPANY),
        series_title=_COMPANY,
        probability=probability_words(alert.surprise.once_in_days),
        evidence=(
            _example_document("Example Company warns that profit will miss its forecast", "negative", 0.97, end - 31),
            _example_document("Example Company: two executives leave after audit", "negative", 0.93, end - 12),
        ),
        counter=(_example_document("Example Company confirms its dividend", "positive", 0.88, end - 25),),
        alert_link=links.alert(LIVE, alert),
        series_link=links.series(LIVE, alert),
        late=None,
    )


def _example_alert(size: WindowSize, end: int) -> Alert:
    return Alert(
        id="test",
        series="entity:EXAMPLE",
        family=Family.SENTIMENT,
        direction=Direction.NEGATIVE,
        severity=Severity.WARNING,
        state=AlertState.FIRING,
        revision=1,
        opened_at=end,
        updated_at=end,
        last_above=end,
        size=size,
        surprise=Surprise(
            family=Family.SENTIMENT,
            direction=Direction.NEGATIVE,
            score=4.2,
            threshold=3.5,
            observed=9,
            total=14,
            expected=2.4,
            low=0,
            high=5,
            once_in_days=60.0,
        ),
        stories=14,
        origins=8,
        against=(),
        in_favour=(),
    )


def _example_document(title: str, label: str, confidence: float, minute: int) -> Evidence:
    return Evidence(
        id="test",
        title=title,
        url="https://example.com/",
        site="example.com",
        source="example",
        label=label,
        confidence=confidence,
        at=from_minute(minute),
    )
