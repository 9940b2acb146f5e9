"""Alerts: what fired, why, and what became of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from monitor.domain.timespans import WindowSize
from monitor.domain.trends import Direction, Family, Surprise

__all__ = ["Action", "Alert", "AlertChange", "AlertState", "Decision", "Feedback", "Severity", "alert_id"]


class AlertState(StrEnum):
    """The life of an alert."""

    FIRING = "firing"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class Severity(StrEnum):
    """How bad; defined by numbers in `monitor.domain.judging`."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class Decision(StrEnum):
    """What was decided about a judgement and why; the same word in logs, metrics and tables."""

    FIRED = "fired"
    ESCALATED = "escalated"
    STILL_FIRING = "still firing"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    RESOLVED_BY_HAND = "resolved by hand"
    BELOW_THRESHOLD = "below threshold"
    TOO_FEW_STORIES = "too few stories"
    IN_COOLDOWN = "in cooldown"

    @property
    def notifies(self) -> bool:
        """Return whether receivers are told: only of what is new."""
        return self in {Decision.FIRED, Decision.ESCALATED, Decision.RESOLVED, Decision.RESOLVED_BY_HAND}


class Action(StrEnum):
    """What people may do to an alert."""

    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One episode of one series and direction, as of its latest revision.

    Attributes:
        revision: 1 when it fires, one more with each change.
        opened_at: End of the window that fired, in minutes; `updated_at`: of the latest change.
        last_above: End of the latest window at or above half the threshold; it resolves a while after.
        size: The window that fired.
        surprise: The strongest window so far; `first`: the one that fired.
        against: Ids of the most clearly negative documents; `in_favour`: of the most clearly positive ones.
        flags: Words that lower its weight, such as ``few origins`` and ``many late``.
        actor, note: Who acknowledged or resolved it by hand, and what they said.
    """

    id: str
    series: str
    family: Family
    direction: Direction
    severity: Severity
    state: AlertState
    revision: int
    opened_at: int
    updated_at: int
    last_above: int
    size: WindowSize
    surprise: Surprise
    stories: int
    origins: int
    against: tuple[str, ...]
    in_favour: tuple[str, ...]
    flags: tuple[str, ...] = ()
    actor: str = ""
    note: str = ""

    @property
    def is_open(self) -> bool:
        """Return whether it still wants attention or watching."""
        return self.state is not AlertState.RESOLVED


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertChange:
    """One entry of the alerts topic: the alert as it is now, and the decision that made it so."""

    alert: Alert
    decision: Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """What a person did to an alert; enters the log, so that a replay knows the order.

    Attributes:
        id: Unique; the same one twice counts once.
        at_ms: Wall clock, milliseconds since the epoch.
    """

    id: str
    alert: str
    action: Action
    actor: str
    note: str
    at_ms: int


def alert_id(family: Family, direction: Direction, series: str, size: WindowSize, end: int) -> str:
    """Return the id of the episode that the window ending at `end` opens: the same in every replay."""
    return hashlib.sha256(f"{family}\0{direction}\0{series}\0{size.value}\0{end}".encode()).hexdigest()[:16]
