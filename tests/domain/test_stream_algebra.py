"""Any layout over partitions, any bundling, any redelivery, any kill: the same closed windows and the same alerts.

The stages are run as Kafka and Faust run them: sends are appended to the next topic, records are written one by one,
and a kill may come between any two of these; then the stage is built anew from what was kept and gets the bundle again.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.domain.documents import Document, SourceClass, Tick, partition_of
from monitor.domain.entities import Mention
from monitor.domain.runs import Run
from monitor.domain.sentiment import Classified, Label, Scores
from monitor.domain.timespans import minute_of
from monitor.domain.trends import Trend
from monitor.pipeline import STAGES

START = datetime(2026, 3, 2, tzinfo=UTC)


class Killed(Exception):
    """The process died here."""


class Log:
    """Topics as lists of bundles by partition."""

    def __init__(self, partitions: int) -> None:
        self.topics = {topic: [[] for _ in range(partitions)] for topic in ("classified", "panes", "trends", "alerts")}


class Worker:
    """One partition of one stage with its durable records, killed at random moments."""

    def __init__(self, spec, partition: int, run: Run, log: Log, rng: random.Random, kills: float) -> None:
        self.spec, self.partition, self.run, self.log, self.rng, self.kills = spec, partition, run, log, rng, kills
        self.kept: dict[str, Any] = {}
        self.committed = 0
        self._start()

    def _start(self) -> None:
        self.stage = self.spec.build(self.partition, self.run)
        self.stage.load([(key, copy.deepcopy(record)) for key, record in self.kept.items()])
        self.next = self.committed

    def _live_on(self) -> None:
        if self.rng.random() < self.kills:
            raise Killed

    def has_work(self) -> bool:
        return self.next < len(self.log.topics[self.spec.topic][self.partition])

    def work(self) -> None:
        bundle = self.log.topics[self.spec.topic][self.partition][self.next]
        try:
            self._take([entry for entry in bundle if type(entry).__name__ in self.spec.reads])
        except Killed:
            self._start()
            return
        self.next += 1
        if self.rng.random() < 0.4:
            self.committed = self.next

    def _take(self, entries: Sequence[Any]) -> None:
        step = self.stage.step(self.next, copy.deepcopy(entries))
        for send in copy.deepcopy(step.sends):
            self._live_on()
            self.log.topics[send.topic][send.partition].append(list(send.entries))
        for write in step.writes:
            self._live_on()
            if write.record is None:
                self.kept.pop(write.key, None)
            else:
                self.kept[write.key] = copy.deepcopy(write.record)


def document(number: int, minutes: float, at: datetime, label: str, entity: str, story: int, copy_: bool) -> Classified:
    event_at = START + timedelta(minutes=minutes)
    high, rest = 800_000, 100_000
    scores = {"negative": rest, "neutral": rest, "positive": rest, label: high}
    return Classified(
        document=Document(
            id=f"d{number:05}",
            source=f"s{number % 3}",
            source_class=SourceClass.NEWS,
            origin=f"o{number % 5}",
            title="an invented title",
            text="",
            url="",
            language="en",
            published_at=event_at,
            crawled_at=max(at, event_at),
            event_at=event_at,
            story=f"t{story}",
            copy=copy_,
        ),
        scores=Scores(topic=number % 4, topic_confidence=900_000, **scores),
        mentions=(Mention(entity=entity, start=0, end=1, matched="x", why="name"),) if entity else (),
        model="m",
        classified_at_ms=0,
    )


def feed(rng: random.Random, days: int, tone: str = "negative") -> list[Any]:
    """Ticks and documents of a few days, some late, some far too old, some doubled, one surge, one gap."""
    entries: list[Any] = []
    number = 0
    for quarter in range(days * 24 * 2):
        now = START + timedelta(minutes=30 * (quarter + 1))
        surge = days * 48 * 3 // 4 < quarter < days * 48 * 3 // 4 + 8
        for _ in range(rng.randint(0, 3) + (12 if surge else 0)):
            number += 1
            lag = rng.choice([0, 1, 5, 29, 29, 200, 1500])
            minutes = 30 * (quarter + 1) - rng.random() * 29 - (lag if rng.random() < 0.2 else 0)
            others = [label for label in ("negative", "neutral", "positive") if label != tone]
            label = tone if rng.random() < (0.9 if surge else 0.2) else rng.choice(others)
            entity = "ACME" if surge else rng.choice(["", "ACME", "BETA"])
            entries.append(document(number, minutes, now, label, entity, rng.randint(0, 400), rng.random() < 0.1))
            if rng.random() < 0.1:
                entries.append(rng.choice([entry for entry in entries[-20:] if isinstance(entry, Classified)]))
        gap = now - timedelta(minutes=20) if quarter == 10 else None
        entries.append(Tick(at=now, gap_from=gap))
        if rng.random() < 0.05:
            entries.append(Tick(at=now))
    entries.append(Tick(at=START + timedelta(days=days + 1, minutes=3), closing=True))
    return entries


def run_over(entries: list[Any], partitions: int, seed: int, kills: float) -> Log:
    """Lay the feed out over partitions (each tick in each, in its place) and let the workers loose on it."""
    rng = random.Random(seed)
    run, log = Run(name="test", title="test", partitions=partitions), Log(partitions)
    for partition in range(partitions):
        bundle: list[Any] = []
        for entry in entries:
            if isinstance(entry, Tick) or partition_of(entry.document.id, partitions) == partition:
                bundle.append(entry)
            if bundle and rng.random() < 0.2:
                log.topics["classified"][partition].append(bundle)
                bundle = []
        if bundle:
            log.topics["classified"][partition].append(bundle)
        if kills:
            bundles = log.topics["classified"][partition]
            bundles.insert(rng.randrange(len(bundles)) + 1, list(rng.choice(bundles[: max(1, len(bundles) // 8)])[:0]))
    workers = [
        Worker(spec, partition, run, log, rng, kills * (60 if spec.single else 1))  # the judge writes seldom
        for spec in STAGES
        for partition in ([0] if spec.single else range(partitions))
    ]
    while ready := [worker for worker in workers if worker.has_work()]:
        rng.choice(ready).work()
    return log


def closed_windows(log: Log) -> dict[tuple[str, int, int], Trend]:
    found: dict[tuple[str, int, int], Trend] = {}
    for bundle in (bundle for partition in log.topics["trends"] for bundle in partition):
        for entry in bundle:
            if isinstance(entry, Trend) and entry.closed:
                key = (entry.series, entry.size, entry.start)
                assert found.setdefault(key, entry) == entry, "a closed window changed"
    return found


def alerts(log: Log) -> dict[tuple[str, int], Any]:
    found: dict[tuple[str, int], Any] = {}
    for change in (change for bundle in log.topics["alerts"][0] for change in bundle):
        key = (change.alert.id, change.alert.revision)
        assert found.setdefault(key, change) == change, "an alert's revision changed"
    return found


def oracle(entries: list[Any]) -> dict[tuple[str, int, int], int]:
    """Count documents per closed market window in the plainest way."""
    watermark, seen, counted = None, set(), {}
    for entry in entries:
        if isinstance(entry, Tick):
            reached = minute_of(entry.at - timedelta(minutes=2))
            watermark = reached if watermark is None else max(watermark, reached)
            continue
        minute = minute_of(entry.document.event_at)
        if entry.document.id in seen or (watermark is not None and minute < watermark - 1440):
            continue
        seen.add(entry.document.id)
        minute = minute if watermark is None else max(minute, watermark)
        for size in (5, 15, 60, 240, 1440):
            key = ("market", size, minute - minute % size)
            counted[key] = counted.get(key, 0) + 1
    return counted


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4), st.sampled_from([0.0, 0.004]))
def test_layout_kills_and_redelivery_leave_the_same_windows_and_alerts(
    seed: int, partitions: int, kills: float
) -> None:
    entries = feed(random.Random(seed), days=2)
    plain = run_over(entries, 1, seed, kills=0.0)
    other = run_over(entries, partitions, seed + 1, kills)
    assert closed_windows(other) == closed_windows(plain)
    assert alerts(other) == alerts(plain)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000))
def test_closed_market_windows_are_those_of_a_plain_count(seed: int) -> None:
    entries = feed(random.Random(seed), days=1)
    windows = closed_windows(run_over(entries, 3, seed, kills=0.004))
    market = {key: trend.counts.documents for key, trend in windows.items() if key[0] == "market"}
    assert market == oracle(entries)


def test_a_surge_after_warm_up_raises_the_same_alert_in_every_layout() -> None:
    entries = feed(random.Random(7), days=6)
    plain = alerts(run_over(entries, 1, 1, kills=0.0))
    assert any("ACME" in change.alert.series and change.alert.direction == "negative" for change in plain.values())
    for partitions, kills, seed in ((2, 0.0, 5), (3, 0.003, 5), (2, 0.006, 6), (1, 0.008, 7)):
        assert alerts(run_over(entries, partitions, seed, kills)) == plain


@pytest.mark.parametrize("tone", ["negative", "positive"])
def test_the_evidence_against_is_negative_and_that_in_favour_positive_whatever_the_alert_says(tone: str) -> None:
    entries = feed(random.Random(7), days=6, tone=tone)
    labels = {entry.document.id: entry.scores.label for entry in entries if isinstance(entry, Classified)}
    told = [change.alert for change in alerts(run_over(entries, 1, 1, kills=0.0)).values()]
    assert any(alert.direction == tone and (alert.against or alert.in_favour) for alert in told)
    for alert in told:
        assert {labels[id_] for id_ in alert.against} <= {Label.NEGATIVE}
        assert {labels[id_] for id_ in alert.in_favour} <= {Label.POSITIVE}


@pytest.mark.parametrize("stage", ["pane", "window", "judge"])
def test_a_bundle_taken_before_gives_an_empty_step(stage: str) -> None:
    spec = next(spec for spec in STAGES if spec.name == stage)
    taken = spec.build(0, Run(name="test", title="test", partitions=1))
    bundles = run_over(feed(random.Random(3), days=1), 1, 3, kills=0.0).topics[spec.topic][0][:3]
    for offset, bundle in enumerate(bundles):
        taken.step(offset, [entry for entry in bundle if type(entry).__name__ in spec.reads])
    assert taken.step(1, bundles[1]) == ([], [])
