"""Stage four: what is judged across series, in one place and one order.

Judgements wait until every window partition has closed up to the same minute, and are then taken by end, size, series
and direction, so that no interleaving of partitions can change what is decided. People's feedback enters the same
partition and takes effect where it stands in the log.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, TypeAlias

from monitor.domain.alerts import Action, Alert, AlertChange, AlertState, Decision, Feedback, Severity, alert_id
from monitor.domain.stages import Send, Step, Write
from monitor.domain.timespans import DAY_MIN
from monitor.domain.trends import ClosedUpTo, Direction, Family, Judgement

__all__ = ["ALERTS", "AlertRecord", "JudgePosition", "JudgeStage", "PendingJudgements", "decide", "severity_of"]

ALERTS = "alerts"
"""Topic that this stage sends to."""

MIN_STORIES = 5
"""Stories in the direction of a shift below which nothing fires, however improbable."""

MIN_ORIGINS = 3
"""Independent voices below which an alert says "few origins" and is at most informative."""

ESCALATION = 1.5
"""An open alert is told again, and a cooldown broken, when the score exceeds the greatest so far by this factor."""

COOLDOWN_MIN = {Family.SENTIMENT: 4 * 60, Family.VOLUME: DAY_MIN}
"""After an episode has ended, minutes in which the same series and direction fires again only by escalation."""

_LOOKS_BACK = 2
"""A score looks back over windows before its own; one that looks back into an episode already told is no news."""

CRITICAL_MARGIN = 2.0
"""Decades above the threshold, together with CRITICAL_STORIES, that make a negative shift critical."""

CRITICAL_STORIES = 20
LATE_SHARE = 0.2

JudgeEntry: TypeAlias = Judgement | ClosedUpTo | Feedback


def severity_of(judgement: Judgement) -> Severity:
    """Return how bad it is: numbers decide, not words.

    Critical: a negative shift at least 100 times rarer than the threshold asks, over at least 20 negative stories.
    Info: bursts of attention, positive shifts, and what fewer than three voices say. Warning: the rest.
    """
    surprise = judgement.surprise
    if surprise.direction is not Direction.NEGATIVE or judgement.origins < MIN_ORIGINS:
        return Severity.INFO
    rare = surprise.score >= surprise.threshold + CRITICAL_MARGIN
    return Severity.CRITICAL if rare and surprise.observed >= CRITICAL_STORIES else Severity.WARNING


def decide(last: Alert | None, judgement: Judgement) -> Decision:
    """Return what a judgement means, given the latest alert of its series, family and direction."""
    surprise = judgement.surprise
    is_open = last is not None and last.is_open
    if surprise.score < surprise.threshold:
        return Decision.STILL_FIRING if is_open else Decision.BELOW_THRESHOLD
    if surprise.family is Family.SENTIMENT and surprise.observed < MIN_STORIES:
        return Decision.STILL_FIRING if is_open else Decision.TOO_FEW_STORIES
    if last is None:
        return Decision.FIRED
    escalates = surprise.score >= ESCALATION * last.surprise.score
    if is_open:
        return Decision.ESCALATED if escalates else Decision.STILL_FIRING
    cools = judgement.end < last.updated_at + COOLDOWN_MIN[surprise.family]
    told = judgement.end - _LOOKS_BACK * judgement.size < last.last_above
    return Decision.IN_COOLDOWN if (cools or told) and not escalates else Decision.FIRED


@dataclass(slots=True)
class JudgePosition:
    """How far judging has come; `closed` by window partition, `judged` what all of them have closed."""

    offset: int = -1
    closed: dict[int, int] = field(default_factory=dict)
    judged: int | None = None
    version: int = 1


@dataclass(slots=True)
class PendingJudgements:
    """Judgements that came in one bundle and wait for the slower partitions."""

    judgements: list[Judgement] = field(default_factory=list)
    version: int = 1


@dataclass(slots=True)
class AlertRecord:
    """The latest alert of one series, family and direction; `offset` is the bundle that changed it last."""

    offset: int
    alert: Alert
    heard: list[str] = field(default_factory=list)
    version: int = 1


@dataclass(slots=True)
class _Turn:
    """What one bundle changes; `held` are the records that hold it already (they were written before a kill)."""

    offset: int
    held: frozenset[str]
    changes: list[AlertChange] = field(default_factory=list)
    changed: set[str] = field(default_factory=set)
    gone: set[int] = field(default_factory=set)


class JudgeStage:
    """The judge: one for a run, on partition 0 of `trends`. See `monitor.domain.stages.Stage`."""

    records: ClassVar[dict[str, type]] = {
        "position": JudgePosition,
        "pending": PendingJudgements,
        "alert": AlertRecord,
    }

    def __init__(self, partitions: int) -> None:
        self._partitions = partitions
        self._position = JudgePosition()
        self._pending: dict[int, PendingJudgements] = {}
        self._alerts: dict[str, AlertRecord] = {}

    def load(self, records: Iterable[tuple[str, Any]]) -> None:
        """Take over what was kept."""
        for key, record in records:
            _, _, rest = key.partition(":")
            if isinstance(record, JudgePosition):
                self._position = record
            elif isinstance(record, PendingJudgements):
                self._pending[int(rest)] = record
            elif isinstance(record, AlertRecord):
                self._alerts[rest] = record

    def step(self, offset: int, entries: Sequence[JudgeEntry]) -> Step:
        """Take one bundle: keep judgements, apply feedback in its place, judge what all partitions have closed."""
        position = self._position
        if offset <= position.offset:
            return Step([], [])
        held = frozenset(key for key, record in self._alerts.items() if record.offset >= offset)
        turn = _Turn(offset, held)
        self._pending.pop(offset, None)
        for entry in entries:
            if isinstance(entry, Judgement):
                self._await(entry, offset)
            elif isinstance(entry, Feedback):
                self._hear(entry, turn)
            elif isinstance(entry, ClosedUpTo):
                position.closed[entry.partition] = max(entry.minute, position.closed.get(entry.partition, entry.minute))
                self._judge(turn)
        position.offset = offset
        writes = [Write(f"alert:{key}", self._alerts[key]) for key in sorted(turn.changed)]
        touched = turn.gone | ({offset} & self._pending.keys())
        writes += [Write(f"pending:{at}", self._pending.get(at)) for at in sorted(touched)]
        sends = [Send(ALERTS, 0, tuple(turn.changes))] if turn.changes else []
        return Step(sends, [*writes, Write("position", position)])

    def _await(self, judgement: Judgement, offset: int) -> None:
        """Keep a judgement until its turn, unless that is over: a window stage that was killed sends its own again."""
        judged = self._position.judged
        if judged is None or judgement.end > judged:
            self._pending.setdefault(offset, PendingJudgements()).judgements.append(judgement)

    def _judge(self, turn: _Turn) -> None:
        position = self._position
        if len(position.closed) < self._partitions:
            return
        upto = min(position.closed.values())
        if position.judged is not None and upto <= position.judged:
            return
        for judgement in self._due(upto, turn):
            self._resolve_before(judgement.end, turn)
            self._take(judgement, turn)
        self._resolve_before(upto, turn)
        position.judged = upto

    def _due(self, upto: int, turn: _Turn) -> list[Judgement]:
        """Return what is to be judged, in its order, each once."""
        due: dict[tuple[Any, ...], Judgement] = {}
        for at, pending in list(self._pending.items()):
            ready = [judgement for judgement in pending.judgements if judgement.end <= upto]
            if not ready:
                continue
            due |= {_turn_of(judgement): judgement for judgement in ready}
            turn.gone.add(at)
            pending.judgements = [judgement for judgement in pending.judgements if judgement.end > upto]
            if not pending.judgements:
                del self._pending[at]
        return [due[place] for place in sorted(due)]

    def _take(self, judgement: Judgement, turn: _Turn) -> None:
        key = _key(judgement.surprise.family, judgement.surprise.direction, judgement.series)
        known = self._alerts.get(key)
        decision = decide(known.alert if known else None, judgement)
        if decision is Decision.FIRED:
            self._put(key, _opened(judgement), decision, turn)
        elif known is not None and decision in {Decision.STILL_FIRING, Decision.ESCALATED}:
            self._put(key, _continued(known.alert, judgement, decision), decision, turn)

    def _resolve_before(self, minute: int, turn: _Turn) -> None:
        """Resolve, in order of time, the open alerts whose quiet time has passed."""
        due = [(_quiet_at(r.alert), key) for key, r in self._alerts.items() if r.alert.is_open]
        for at, key in sorted(due):
            if at > minute:
                break
            alert = self._alerts[key].alert
            over = replace(alert, state=AlertState.RESOLVED, updated_at=at, revision=alert.revision + 1)
            self._put(key, over, Decision.RESOLVED, turn)

    def _hear(self, feedback: Feedback, turn: _Turn) -> None:
        """Apply what a person did, once; feedback on an alert that is closed or unknown changes nothing."""
        key, record = next(((k, r) for k, r in self._alerts.items() if r.alert.id == feedback.alert), ("", None))
        if record is None or not record.alert.is_open or feedback.id in record.heard:
            return
        resolves = feedback.action is Action.RESOLVE
        alert = replace(
            record.alert,
            state=AlertState.RESOLVED if resolves else AlertState.ACKNOWLEDGED,
            actor=feedback.actor,
            note=feedback.note,
            revision=record.alert.revision + 1,
            updated_at=max(record.alert.updated_at, self._position.judged or 0),
        )
        decision = Decision.RESOLVED_BY_HAND if resolves else Decision.ACKNOWLEDGED
        self._put(key, alert, decision, turn, heard=feedback.id)

    def _put(self, key: str, alert: Alert, decision: Decision, turn: _Turn, heard: str = "") -> None:
        """Keep an alert and tell of it, unless the record holds this bundle already (written before a kill)."""
        if key in turn.held:
            return
        known = self._alerts.get(key)
        same = known is not None and known.alert.id == alert.id
        told = [*(known.heard if known is not None and same else []), *([heard] if heard else [])]
        self._alerts[key] = AlertRecord(offset=turn.offset, alert=alert, heard=told)
        turn.changes.append(AlertChange(alert=alert, decision=decision))
        turn.changed.add(key)


def _turn_of(judgement: Judgement) -> tuple[Any, ...]:
    surprise = judgement.surprise
    return (judgement.end, judgement.size, judgement.series, surprise.family, surprise.direction)


def _key(family: Family, direction: Direction, series: str) -> str:
    return f"{family}/{direction}/{series}"


def _quiet_at(alert: Alert) -> int:
    """Return when an alert resolves unless something keeps it open: two windows, at least an hour, after the last."""
    return alert.last_above + max(60, 2 * alert.size)


def _flags(judgement: Judgement) -> tuple[str, ...]:
    flags = []
    if judgement.surprise.family is Family.SENTIMENT and judgement.origins < MIN_ORIGINS:
        flags.append("few origins")
    if judgement.documents and judgement.late / judgement.documents > LATE_SHARE:
        flags.append("many late")
    return tuple(flags)


def _opened(judgement: Judgement) -> Alert:
    surprise = judgement.surprise
    return Alert(
        id=alert_id(surprise.family, surprise.direction, judgement.series, judgement.size, judgement.end),
        series=judgement.series,
        family=surprise.family,
        direction=surprise.direction,
        severity=severity_of(judgement),
        state=AlertState.FIRING,
        revision=1,
        opened_at=judgement.end,
        updated_at=judgement.end,
        last_above=judgement.end,
        size=judgement.size,
        surprise=surprise,
        stories=judgement.stories,
        origins=judgement.origins,
        against=judgement.against,
        in_favour=judgement.in_favour,
        flags=_flags(judgement),
    )


def _continued(alert: Alert, judgement: Judgement, decision: Decision) -> Alert:
    """Return the alert kept open by a judgement, with the evidence of the strongest window so far.

    One that escalates fires again even if it was acknowledged: what was acknowledged was less than this.
    """
    kept = replace(
        alert,
        state=AlertState.FIRING if decision is Decision.ESCALATED else alert.state,
        revision=alert.revision + 1,
        updated_at=judgement.end,
        last_above=max(alert.last_above, judgement.end),
    )
    if judgement.surprise.score <= alert.surprise.score:
        return kept
    ranks = list(Severity)
    return replace(
        kept,
        severity=max(alert.severity, severity_of(judgement), key=ranks.index),
        size=judgement.size,
        surprise=judgement.surprise,
        stories=judgement.stories,
        origins=judgement.origins,
        against=judgement.against,
        in_favour=judgement.in_favour,
        flags=_flags(judgement),
    )
