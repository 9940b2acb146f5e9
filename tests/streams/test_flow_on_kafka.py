"""All stages on a real Kafka, killed in the middle: the store then holds what the in-process replay gives."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from kafka import KafkaProducer

from monitor.domain.documents import Document, SourceClass
from monitor.domain.runs import Run
from monitor.replay import replay
from monitor.store.engine import open_engine
from monitor.store.exports import compare_runs
from monitor.store.runs import SqlRuns
from monitor.store.sink import SqlSink
from monitor.store.views import SqlViewReader
from streams.admin import prepare_topics
from streams.deadletters import read_dead_letters, redrive
from streams.logreader import read_classified
from streams.producer import KafkaLogWriter
from streams.replayer import FeedReplayer, last_ticks

DOCUMENTS = 3_000


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


@pytest.mark.kafka
def test_a_kill_in_the_middle_changes_nothing(kafka_bootstrap: str, tmp_path: Path) -> None:
    name = f"flow-{uuid.uuid4().hex[:8]}"
    run = Run(name=name, title=name, partitions=2)
    engine = open_engine(f"sqlite:///{tmp_path}/store.sqlite3")
    runs = SqlRuns(engine)
    runs.register(run)
    prepare_topics(kafka_bootstrap, run, "flow", runs)
    writer = KafkaLogWriter(kafka_bootstrap, run, prefix="flow")
    stop = threading.Event()
    assert FeedReplayer(writer, speed=None).run(feed(), stop).finished
    writer.close()
    reached = last_ticks(kafka_bootstrap, run, "flow")
    assert reached is not None
    assert reached.closing
    producer = KafkaProducer(bootstrap_servers=kafka_bootstrap)
    producer.send(f"flow.{name}.documents", value=b"not a bundle", partition=0).get(10)
    producer.close()

    def stored() -> int:
        return next(view.documents for view in SqlViewReader(engine, str).runs() if view.name == name)

    def started() -> subprocess.Popen[bytes]:
        script = Path(__file__).with_name("flow_worker.py")
        command = [sys.executable, str(script), kafka_bootstrap, name, str(tmp_path)]
        root = Path(__file__).parents[2]
        return subprocess.Popen(command, cwd=root, env={**os.environ, "PYTHONPATH": str(root)})

    first = started()
    wait_for(lambda: stored() > 0)
    first.kill()
    first.wait()
    second = started()
    try:
        wait_for(lambda: stored() == DOCUMENTS - 1 and len(read_dead_letters(kafka_bootstrap, name, "flow")) >= 2)
        check = Run(name="check", title="check")
        runs.register(check)
        replay(read_classified(kafka_bootstrap, run, "flow"), check, SqlSink(engine, check, []))
        wait_for(lambda: compare_runs(engine, name, "check").agree)
        assert compare_runs(engine, name, "check").windows.equal > 100
    finally:
        second.send_signal(signal.SIGTERM)
        assert second.wait(15) == 0
    reasons = {letter.reason.partition(":")[0] for letter in read_dead_letters(kafka_bootstrap, name, "flow")}
    assert reasons == {"classifier failed", "message is no bundle"}
    sent = redrive(kafka_bootstrap, name, "flow")
    assert sent
    assert redrive(kafka_bootstrap, name, "flow") == []
