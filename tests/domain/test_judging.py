"""What is decided about a judgement, and the life of an alert."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.domain.alerts import Action, AlertState, Decision, Feedback, Severity
from monitor.domain.judging import JudgeStage, decide, severity_of
from monitor.domain.timespans import WindowSize
from monitor.domain.trends import ClosedUpTo, Direction, Family, Judgement, Surprise


def judgement(end: int, score: float = 5.0, **changes) -> Judgement:
    surprise = Surprise(
        family=changes.pop("family", Family.SENTIMENT),
        direction=changes.pop("direction", Direction.NEGATIVE),
        score=score,
        threshold=4.0,
        observed=changes.pop("observed", 30),
        total=40,
        expected=8.0,
        low=3,
        high=14,
        once_in_days=90.0,
    )
    fields = {
        "series": "entity:ACME",
        "size": WindowSize.H1,
        "stories": 40,
        "origins": 12,
        "documents": 50,
        "late": 0,
        "against": ("d1", "d2"),
        "in_favour": ("d3",),
    }
    return Judgement(end=end, surprise=surprise, **{**fields, **changes})


class Judge:
    """A judge over one partition that is told of judgements and of time."""

    def __init__(self) -> None:
        self.stage, self.offset = JudgeStage(1), -1

    def hears(self, *entries):
        self.offset += 1
        return [change for send in self.stage.step(self.offset, entries).sends for change in send.entries]

    def closes(self, minute: int, *judgements: Judgement):
        return self.hears(*judgements, ClosedUpTo(partition=0, minute=minute, revision=self.offset))


def test_life_of_an_alert_reads_as_a_script() -> None:
    judge, told = Judge(), []
    for end, score in ((600, 5.0), (660, 4.5), (720, 9.0), (780, 2.5)):
        told += judge.closes(end, judgement(end, score))
    told += judge.closes(900)
    script = [(change.alert.updated_at, change.decision, change.alert.state) for change in told]
    assert script == [
        (600, Decision.FIRED, AlertState.FIRING),
        (660, Decision.STILL_FIRING, AlertState.FIRING),
        (720, Decision.ESCALATED, AlertState.FIRING),
        (780, Decision.STILL_FIRING, AlertState.FIRING),
        (900, Decision.RESOLVED, AlertState.RESOLVED),
    ]
    assert [change.alert.revision for change in told] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        pytest.param(judgement(600, score=3.9), Decision.BELOW_THRESHOLD, id="just below the threshold"),
        pytest.param(judgement(600, score=4.0), Decision.FIRED, id="at the threshold"),
        pytest.param(judgement(600, observed=4), Decision.TOO_FEW_STORIES, id="four stories never fire"),
        pytest.param(
            judgement(600, observed=4, family=Family.VOLUME, direction=Direction.ATTENTION),
            Decision.FIRED,
            id="a burst has its own measure of enough",
        ),
    ],
)
def test_first_judgement_of_a_series(case: Judgement, expected: Decision) -> None:
    assert decide(None, case) is expected


@pytest.mark.parametrize(
    ("later", "expected"),
    [
        pytest.param(judgement(900), Decision.IN_COOLDOWN, id="within four hours of the end of the last episode"),
        pytest.param(judgement(900, score=8.0), Decision.FIRED, id="unless one and a half times as strong"),
        pytest.param(judgement(1200), Decision.FIRED, id="after the cooldown"),
        pytest.param(
            judgement(1440, size=WindowSize.D1), Decision.IN_COOLDOWN, id="a longer window over the same episode"
        ),
    ],
)
def test_after_an_episode_has_ended(later: Judgement, expected: Decision) -> None:
    judge = Judge()
    judge.closes(600, judgement(600))
    ended = judge.closes(720)[-1].alert
    assert ended.state is AlertState.RESOLVED
    assert decide(ended, later) is expected


def test_acknowledged_stays_so_until_it_escalates() -> None:
    judge = Judge()
    fired = judge.closes(600, judgement(600))[0].alert
    feedback = Feedback(id="f1", alert=fired.id, action=Action.ACKNOWLEDGE, actor="ada", note="on it", at_ms=0)
    (heard,) = judge.hears(feedback)
    assert (heard.alert.state, heard.alert.actor, heard.alert.note) == (AlertState.ACKNOWLEDGED, "ada", "on it")
    assert judge.hears(feedback) == [], "the same feedback twice counts once"
    assert judge.closes(660, judgement(660))[0].alert.state is AlertState.ACKNOWLEDGED
    escalated = judge.closes(720, judgement(720, score=9.0))[0]
    assert (escalated.decision, escalated.alert.state) == (Decision.ESCALATED, AlertState.FIRING)


def test_resolved_by_hand_is_told_once_and_closes_the_episode() -> None:
    judge = Judge()
    fired = judge.closes(600, judgement(600))[0].alert
    feedback = Feedback(id="f1", alert=fired.id, action=Action.RESOLVE, actor="ada", note="old news", at_ms=0)
    assert [change.decision for change in judge.hears(feedback)] == [Decision.RESOLVED_BY_HAND]
    assert judge.hears(replace(feedback, id="f2")) == []
    assert judge.closes(2000) == []


def test_judgements_that_come_again_change_nothing() -> None:
    """A window stage that was killed between its sends and its writes sends the same once more, in a later bundle."""
    judge = Judge()
    assert [change.decision for change in judge.closes(600, judgement(600))] == [Decision.FIRED]
    assert judge.closes(600, judgement(600)) == []
    assert judge.closes(660) == []
    assert judge.hears(judgement(690)) == []
    assert [change.decision for change in judge.closes(690, judgement(690))] == [Decision.STILL_FIRING]


def test_nothing_is_judged_before_every_partition_has_closed() -> None:
    stage = JudgeStage(2)
    early = stage.step(0, [judgement(600), ClosedUpTo(partition=0, minute=700, revision=0)])
    assert early.sends == []
    late = stage.step(1, [judgement(540, series="market"), ClosedUpTo(partition=1, minute=650, revision=0)])
    assert [change.alert.series for send in late.sends for change in send.entries] == ["market", "entity:ACME"]


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        pytest.param(judgement(600, score=6.0), Severity.CRITICAL, id="a hundred times rarer, twenty stories"),
        pytest.param(judgement(600, score=6.0, observed=19), Severity.WARNING, id="nineteen stories"),
        pytest.param(judgement(600, score=9.0, origins=2), Severity.INFO, id="two voices"),
        pytest.param(judgement(600, score=9.0, direction=Direction.POSITIVE), Severity.INFO, id="good news"),
    ],
)
def test_severity_is_defined_by_numbers(case: Judgement, expected: Severity) -> None:
    assert severity_of(case) is expected
