"""An alert's life reads as a story: what changed, not every window in which nothing did."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from monitor.domain.views import AlertStep
from monitor.store.alert_views import _folded

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def step(hours: int, decision: str, severity: str = "warning", note: str = "") -> AlertStep:
    return AlertStep(at=NOON + timedelta(hours=hours), decision=decision, severity=severity, actor="", note=note)


def test_a_row_of_still_firing_becomes_one_line() -> None:
    steps = [step(0, "fired"), *(step(hour, "still firing") for hour in (1, 2, 3)), step(4, "still firing", "critical")]
    steps += [step(5, "acknowledged", "critical", "on it"), step(6, "resolved", "critical")]
    folded = list(_folded(steps))
    assert [(one.decision, one.severity) for one in folded] == [
        ("fired", "warning"),
        ("still firing", "warning"),
        ("still firing", "critical"),
        ("acknowledged", "critical"),
        ("resolved", "critical"),
    ]
    assert (folded[1].at, folded[1].note) == (NOON + timedelta(hours=3), "in 3 windows since 2026-03-02 13:00 UTC")
    assert folded[3].note == "on it"
