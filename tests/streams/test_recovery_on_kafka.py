"""Faust apps on a real Kafka: what they read after their tables were recovered."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer

from monitor.domain.runs import Run
from monitor.pipeline import CLASSIFIED
from streams.admin import prepare_topics
from streams.app import build_app, declare_records, raw_topic, table_key
from streams.topics import TABLE, app_id, topic_name

MESSAGES = 12


class NoMemory:
    """Remembers no topics."""

    def topics(self, _name: str) -> dict[str, str]:
        return {}

    def remember_topics(self, _name: str, _ids: Any) -> None:
        pass


def reading_app(bootstrap: str, run: Run, folder: Path, seen: list[tuple[int, int]]) -> Any:
    app = build_app(run, "pane", bootstrap=bootstrap, prefix="recovery", folder=folder)
    declare_records(app, run)

    @app.agent(raw_topic(app, run, CLASSIFIED, "recovery"), concurrency=1)
    async def read(stream: Any) -> None:
        async for event in stream.events():
            seen.append((event.message.partition, event.message.offset))
            await asyncio.sleep(0.05)  # A bundle's work: meanwhile the next ones wait in the queue.

    return app


async def started_until(app: Any, condition: Callable[[], bool], within_s: float = 20.0) -> None:
    """Run an app until a condition holds; return in either case."""
    app.finalize()
    await app.start()
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within_s
    never = asyncio.Event()
    while not condition() and loop.time() < deadline:
        with suppress(TimeoutError):
            await asyncio.wait_for(never.wait(), 0.02)
    await app.stop()


@pytest.mark.kafka
def test_a_group_that_never_committed_reads_everything_after_its_table_was_recovered(
    kafka_bootstrap: str, tmp_path: Path
) -> None:
    run = Run(name=f"r{uuid.uuid4().hex[:8]}", title="r", partitions=2)
    prepare_topics(kafka_bootstrap, run, "recovery", NoMemory())
    producer = KafkaProducer(bootstrap_servers=kafka_bootstrap)
    changelog = f"{app_id('recovery', run.name, 'pane')}-{TABLE}-changelog"
    for partition in range(run.partitions):
        for number in range(MESSAGES):
            producer.send(topic_name("recovery", run.name, CLASSIFIED), value=b"bundle", partition=partition)
            producer.send(changelog, key=table_key(partition, f"k{number}"), value=b"0\n{}", partition=partition)
    producer.flush(10)
    producer.close()
    wanted = {(partition, offset) for partition in range(run.partitions) for offset in range(MESSAGES)}
    seen: list[tuple[int, int]] = []
    app = reading_app(kafka_bootstrap, run, tmp_path, seen)
    # In a thread of its own: the browser tests leave an event loop running in this one.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(started_until(app, lambda: wanted <= set(seen)))).result(60)
    assert set(seen) == wanted
