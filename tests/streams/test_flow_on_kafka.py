"""All stages on a real Kafka, disturbed in the middle: the store then holds what the in-process replay gives."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from kafka import KafkaProducer

from monitor.domain.documents import Document, SourceClass
from monitor.domain.runs import Run
from monitor.pipeline import CLASSIFIED
from monitor.replay import replay
from monitor.store.engine import open_engine
from monitor.store.exports import compare_runs
from monitor.store.runs import SqlRuns
from monitor.store.sink import SqlSink
from monitor.store.views import SqlViewReader
from streams.admin import prepare_topics
from streams.deadletters import read_dead_letters, redrive
from streams.logreader import Reached, last_ticks, read_classified
from streams.producer import KafkaLogWriter
from streams.replayer import FeedReplayer
from streams.stage import EXIT_STALLED

DOCUMENTS = 3_000

SPEED = 6_000.0
"""The whole feed in 20 s."""


def feed():
    start = datetime(2026, 3, 2, tzinfo=UTC)
    for number in range(DOCUMENTS):
        at = start + timedelta(seconds=40 * number)
        title = f"invented firm {'falls' if number % 5 == 0 else 'holds'} {number}"
        yield Document(
            id=f"d{number}",
            source="wire",
            source_class=SourceClass.NEWS,
            origin=f"o{number % 7}",
            title="poison" if number == 1_500 else title,
            text="",
            url="",
            language="en",
            published_at=at,
            crawled_at=at,
            event_at=at,
            story=f"d{number}",
        )


def wait_for(condition: Callable[[], bool], within_s: float = 90.0) -> None:
    deadline = time.monotonic() + within_s
    never = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        never.wait(0.3)


def closed(reached: Reached | None) -> bool:
    return reached is not None and reached.closing


class Flow:
    """A run on a real Kafka, its workers as processes of their own, and the store they fill."""

    def __init__(self, bootstrap: str, folder: Path) -> None:
        self.bootstrap, self.folder = bootstrap, folder
        self.run = Run(name=f"flow-{uuid.uuid4().hex[:8]}", title="flow", partitions=2)
        self.engine = open_engine(f"sqlite:///{folder}/store.sqlite3")
        self.runs = SqlRuns(self.engine)
        self.runs.register(self.run)
        prepare_topics(bootstrap, self.run, "flow", self.runs)
        self.workers: list[subprocess.Popen[bytes]] = []

    def send(self, speed: float | None = None) -> None:
        """Send the whole feed."""
        writer = KafkaLogWriter(self.bootstrap, self.run, prefix="flow")
        try:
            assert FeedReplayer(writer, speed=speed).run(feed(), threading.Event()).finished
        finally:
            writer.close()
        assert closed(last_ticks(self.bootstrap, self.run, "flow"))

    def worker(self) -> subprocess.Popen[bytes]:
        """Start one more worker."""
        script = Path(__file__).with_name("flow_worker.py")
        command = [sys.executable, str(script), self.bootstrap, self.run.name, str(self.folder)]
        root = Path(__file__).parents[2]
        self.workers.append(subprocess.Popen(command, cwd=root, env={**os.environ, "PYTHONPATH": str(root)}))
        return self.workers[-1]

    def stored(self) -> int:
        """Return how many documents are in the store; a worker whose watchdog ended it comes back, as under `up`."""
        for worker in [worker for worker in self.workers if worker.poll() == EXIT_STALLED]:
            self.workers.remove(worker)
            self.worker()
        return next(view.documents for view in SqlViewReader(self.engine, str).runs() if view.name == self.run.name)

    def letters(self) -> list[str]:
        """Return the kinds of reasons of the dead letters, each once."""
        found = read_dead_letters(self.bootstrap, self.run.name, "flow")
        return sorted({letter.reason.partition(":")[0] for letter in found})

    def agrees_with_the_replay(self) -> None:
        """Wait until the run holds what the in-process replay of its classified log gives; fail with what differs."""
        wait_for(lambda: self.stored() == DOCUMENTS - 1, within_s=240.0)
        # The last document is stored before the closing tick behind it is in the log.
        wait_for(self._is_classified, within_s=240.0)
        check = Run(name="check", title="check")
        self.runs.register(check)
        replay(read_classified(self.bootstrap, self.run, "flow"), check, SqlSink(self.engine, check, []))
        try:
            wait_for(self._agree, within_s=120.0)
        except AssertionError:
            pytest.fail(f"the two never came to agree: {compare_runs(self.engine, self.run.name, 'check')}")
        assert compare_runs(self.engine, self.run.name, "check").windows.equal > 100

    def _is_classified(self) -> bool:
        return self.stored() > 0 and closed(last_ticks(self.bootstrap, self.run, "flow", CLASSIFIED))

    def _agree(self) -> bool:
        return self.stored() > 0 and compare_runs(self.engine, self.run.name, "check").agree

    def stop(self) -> list[int]:
        """End every worker that still runs; return their exit codes."""
        for worker in self.workers:
            worker.send_signal(signal.SIGCONT)
            worker.send_signal(signal.SIGTERM)
        return [worker.wait(20) for worker in self.workers]


@pytest.fixture
def flow(kafka_bootstrap: str, tmp_path: Path) -> Iterator[Flow]:
    flow = Flow(kafka_bootstrap, tmp_path)
    try:
        yield flow
    finally:
        flow.stop()
        flow.engine.dispose()


@pytest.mark.kafka
@pytest.mark.timeout(500)
def test_a_kill_in_the_middle_changes_nothing(flow: Flow) -> None:
    flow.send()
    producer = KafkaProducer(bootstrap_servers=flow.bootstrap)
    producer.send(f"flow.{flow.run.name}.documents", value=b"not a bundle", partition=0).get(10)
    producer.close()
    first = flow.worker()
    wait_for(lambda: flow.stored() > 0)
    first.kill()
    first.wait()
    flow.worker()
    flow.agrees_with_the_replay()
    wait_for(lambda: flow.letters() == ["classifier failed", "message is no bundle"])
    assert flow.stop()[1:] == [0]
    sent = redrive(flow.bootstrap, flow.run.name, "flow")
    assert sent
    assert redrive(flow.bootstrap, flow.run.name, "flow") == []


@pytest.mark.kafka
@pytest.mark.timeout(500)
def test_a_worker_that_joins_and_one_that_leaves_change_nothing(flow: Flow) -> None:
    first = flow.worker()
    sending = threading.Thread(target=flow.send, args=(SPEED,))
    sending.start()
    wait_for(lambda: flow.stored() > 100)
    flow.worker()
    wait_for(lambda: flow.stored() > 1_500)
    first.send_signal(signal.SIGTERM)
    assert first.wait(20) == 0
    sending.join()
    flow.agrees_with_the_replay()
    assert flow.stop() == [0, 0]


@pytest.mark.kafka
@pytest.mark.timeout(500)
def test_a_worker_that_wakes_after_its_session_has_ended_changes_nothing(flow: Flow) -> None:
    sleeper = flow.worker()
    flow.worker()
    sending = threading.Thread(target=flow.send, args=(SPEED,))
    sending.start()
    wait_for(lambda: flow.stored() > 300)
    sleeper.send_signal(signal.SIGSTOP)
    sending.join()
    wait_for(lambda: flow.stored() == DOCUMENTS - 1, within_s=240.0)
    sleeper.send_signal(signal.SIGCONT)
    flow.agrees_with_the_replay()
    assert set(flow.stop()) <= {0, EXIT_STALLED}
