"""From the feed into the store: Bellwether's way through Kafka and Faust, in process, and the plain consumer loop.

    python -m benchmarks.stream [--documents 5000] [--plain 400]

One run on one machine, one way after the other, on the same invented documents and the same weights. The plain way is
what somebody would write first: a kafka-python consumer, `transformers.pipeline` on what each poll gives, and rows
inserted with SQLAlchemy; it knows no topics, companies, windows or alerts, and gets a sample, since it is slow. Memory
is the greatest resident size that the kernel saw.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.classify import in_pipeline
from models.classifier import load_classifier
from monitor.demo.feed import write_feed
from monitor.store.engine import open_engine
from monitor.store.views import SqlViewReader
from monitor.supervise.kafka import EmbeddedKafka

RUN = "bench"
_LONGEST_S = 1_800.0


class Measured(NamedTuple):
    """One way: documents, seconds, CPU seconds, and MB at its greatest."""

    way: str
    documents: int
    seconds: float
    cpu_s: float
    peak_mb: float


class Watched:
    """A child process of which CPU time and greatest size are looked at until it ends."""

    def __init__(self, command: Sequence[str], environment: dict[str, str], log: Path) -> None:
        with log.open("ab") as lines:
            self.child = subprocess.Popen(command, env=environment, stdout=lines, stderr=lines)
        self.process = psutil.Process(self.child.pid)
        self.cpu_s = self.peak_mb = 0.0

    def look(self) -> None:
        """Take the figures as they stand; an ended process keeps its last ones."""
        try:
            times = self.process.cpu_times()
            self.cpu_s = times.user + times.system
            self.peak_mb = max(self.peak_mb, self.process.memory_info().rss / 1e6)
        except psutil.Error:
            pass

    def wait(self) -> None:
        """Wait for its end; a failure ends the benchmark with the end of its log."""
        while self.child.poll() is None:
            self.look()
            time.sleep(0.05)
        if self.child.returncode:
            raise SystemExit(f"{self.child.args!r} ended with {self.child.returncode}")


def bellwether(environment: dict[str, str], log: Path, *words: str) -> Watched:
    """Start a command of the product."""
    return Watched([sys.executable, "-m", "monitor", *words], environment, log)


def sample(folder: Path, documents: int) -> Path:
    """Write a feed of so many documents of the demo generator, the same ones each time."""
    whole = folder / "whole.jsonl.gz"
    write_feed(whole, seed=1, end=datetime(2026, 3, 2, tzinfo=UTC), days=6)
    feed = folder / "feed.jsonl.gz"
    with gzip.open(whole, "rb") as lines, gzip.open(feed, "wb", compresslevel=1) as kept:
        kept.writelines(islice(lines, documents))
    return feed


def stored(url: str, run: str) -> int:
    """Return how many documents of a run the store holds."""
    engine = open_engine(url)
    try:
        return next((view.documents for view in SqlViewReader(engine, str).runs() if view.name == run), 0)
    finally:
        engine.dispose()


def through_kafka(feed: Path, environment: dict[str, str], folder: Path, documents: int) -> list[Measured]:
    """Send the feed, then let one worker take it all; the worker's start is told apart."""
    log, url = folder / "log.txt", environment["BELLWETHER_STORE__URL"]
    begin = time.perf_counter()
    sending = bellwether(environment, log, "replay", str(feed), "--run", RUN)
    sending.wait()
    sent = Measured(
        "replay into Kafka, with its start", documents, time.perf_counter() - begin, sending.cpu_s, sending.peak_mb
    )
    begin = time.perf_counter()
    worker = bellwether(environment, log, "work", "--run", RUN)
    first = None
    while (found := stored(url, RUN)) < documents:
        worker.look()
        first = first or ((time.perf_counter(), found) if found else None)
        if worker.child.poll() is not None or time.perf_counter() - begin > _LONGEST_S:
            raise SystemExit(f"the worker stored {found} of {documents} documents:\n{log.read_text()[-2000:]}")
        time.sleep(0.2)
    ended = time.perf_counter()
    worker.look()
    worker.child.terminate()
    worker.child.wait(30)
    rows = [
        sent,
        Measured(
            "Kafka, Faust, store: with the worker's start", documents, ended - begin, worker.cpu_s, worker.peak_mb
        ),
    ]
    if first is not None and ended > first[0]:
        rows.append(
            Measured(
                "the same, after the first stored bundle",
                documents - first[1],
                ended - first[0],
                worker.cpu_s,
                worker.peak_mb,
            )
        )
    return rows


def in_process(feed: Path, environment: dict[str, str], folder: Path, documents: int) -> Measured:
    """Replay without Kafka: the same stages in one process."""
    begin = time.perf_counter()
    replay = bellwether(environment, folder / "log.txt", "replay", str(feed), "--run", "plain", "--in-process")
    replay.wait()
    return Measured("in process, with its start", documents, time.perf_counter() - begin, replay.cpu_s, replay.peak_mb)


def plain_loop(feed: Path, bootstrap: str, folder: Path, documents: int) -> Measured:
    """What somebody would write first; in this process, its imports and the loading of the model left out."""
    from kafka import KafkaConsumer, KafkaProducer
    from sqlalchemy import Column, Integer, MetaData, String, create_engine
    from sqlalchemy import Table as SqlTable

    classify = in_pipeline(load_classifier(device="cpu", precision="fp32"), 32)
    producer = KafkaProducer(bootstrap_servers=bootstrap)
    with gzip.open(feed, "rt", encoding="utf-8") as lines:
        for line in islice(lines, documents):
            producer.send("plain", line.encode())
    producer.flush()
    producer.close()
    engine = create_engine(f"sqlite:///{folder}/plain.sqlite3")
    rows = SqlTable(
        "rows",
        metadata := MetaData(),
        Column("id", Integer, primary_key=True),
        Column("title", String),
        Column("label", Integer),
    )
    metadata.create_all(engine)
    consumer = KafkaConsumer(
        "plain", bootstrap_servers=bootstrap, auto_offset_reset="earliest", group_id="plain", max_poll_records=32
    )
    own = psutil.Process()
    before = own.cpu_times()
    begin, done, peak = time.perf_counter(), 0, 0.0
    while done < documents:
        read = [record for records in consumer.poll(1000).values() for record in records]
        found = [json.loads(record.value) for record in read]
        labels = classify([f"{one.get('title', '')} {one.get('text', '')}"[:400] for one in found]) if found else []
        with engine.begin() as connection:
            for one, label in zip(found, labels, strict=True):
                connection.execute(rows.insert().values(title=one.get("title", ""), label=label))
        consumer.commit()
        done += len(found)
        peak = max(peak, own.memory_info().rss / 1e6)
    took = time.perf_counter() - begin
    consumer.close()
    after = own.cpu_times()
    cpu_s = after.user + after.system - before.user - before.system
    return Measured("plain: kafka-python, pipeline, SQLAlchemy", documents, took, cpu_s, peak)


@contextmanager
def broker(folder: Path) -> Iterator[EmbeddedKafka]:
    """Give a Kafka of its own that makes topics when somebody writes into them."""
    with EmbeddedKafka(folder / "kafka") as kafka:
        from kafka.admin import KafkaAdminClient, NewTopic

        client = KafkaAdminClient(bootstrap_servers=kafka.bootstrap)
        client.create_topics([NewTopic("plain", 1, 1)])
        client.close()
        yield kafka


def measure(documents: int, plain: int, console: Console) -> list[Measured]:
    """Run every way and return the rows of the table."""
    with tempfile.TemporaryDirectory(prefix="bellwether-bench-") as name:
        folder = Path(name)
        feed = sample(folder, documents)
        with broker(folder) as kafka:
            environment = {
                **os.environ,
                "BELLWETHER_STATE": str(folder / "state"),
                "BELLWETHER_KAFKA__BOOTSTRAP": kafka.bootstrap,
                "BELLWETHER_STORE__URL": f"sqlite:///{folder}/store.sqlite3",
            }
            console.print("through Kafka and Faust ...")
            rows = through_kafka(feed, environment, folder, documents)
            console.print("in process ...")
            rows.append(in_process(feed, environment, folder, documents))
            console.print("the plain loop ...")
            rows.append(plain_loop(feed, kafka.bootstrap, folder, plain))
        return rows


def main(arguments: Sequence[str] = ()) -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=5_000, help="how many go through Bellwether")
    parser.add_argument("--plain", type=int, default=400, help="how many of them go through the plain loop")
    parser.add_argument("--json", action="store_true", help="print one object per way")
    chosen = parser.parse_args(arguments or sys.argv[1:])
    rows = measure(chosen.documents, chosen.plain, Console(stderr=True))
    if chosen.json:
        print("\n".join(json.dumps(row._asdict()) for row in rows))
        return
    table = Table(
        "way", "documents", "seconds", "documents/s", "CPU s", "peak MB", title="from the feed into the store"
    )
    for row in rows:
        rate = row.documents / row.seconds
        table.add_row(
            row.way,
            f"{row.documents:,}",
            f"{row.seconds:.1f}",
            f"{rate:,.0f}",
            f"{row.cpu_s:.1f}",
            f"{row.peak_mb:,.0f}",
        )
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
