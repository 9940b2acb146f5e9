"""Replays and runs: history through Kafka or in process, compared, listed, deleted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from sqlalchemy import Engine

from monitor.bootstrap.classifying import open_classifier
from monitor.bootstrap.parts import bootstrap_servers, find_run, open_entities_of, open_store, stop_on_signals
from monitor.domain.errors import InvalidConfiguration, MonitorError
from monitor.domain.runs import LIVE, Run
from monitor.domain.sentiment import ClassifiedEntry
from monitor.domain.timespans import utc_text
from monitor.pipeline import CLASSIFIED
from monitor.replay import classified, replay, ticked
from monitor.settings import Settings
from monitor.store.exports import compare_runs
from monitor.store.runs import SqlRuns
from monitor.store.sink import SqlSink
from monitor.store.views import SqlViewReader
from streams.admin import delete_topics, prepare_topics
from streams.feed import FeedReader
from streams.feedmapping import read_mapping
from streams.logreader import last_ticks, read_classified
from streams.producer import KafkaLogWriter
from streams.replayer import FeedReplayer
from streams.stories import StoryIndex

__all__ = ["ReplayRequest", "delete_run", "print_comparison", "print_runs", "run_replay"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayRequest:
    """What `bellwether replay` was asked for."""

    files: tuple[Path, ...]
    run: str
    title: str
    speed: str
    start: datetime | None
    end: datetime | None
    in_process: bool
    classified_of: str | None
    mapping: Path | None
    columns: tuple[str, ...]
    constants: tuple[str, ...]
    zone: str | None
    simulated: bool
    notifies: bool


def run_replay(settings: Settings, request: ReplayRequest) -> int:
    """Replay as asked; return 0, or 130 if it was stopped before the end."""
    if not request.files and not request.classified_of:
        msg = "`FILE` is missing: name at least one feed, or --in-process --classified-of RUN"
        raise InvalidConfiguration(msg)
    if request.run == LIVE:
        msg = "`--run` must not be live: a replay is a run of its own, so that the past never meets today"
        raise InvalidConfiguration(msg)
    stop = stop_on_signals()
    with ExitStack() as stack:
        engine = open_store(settings)
        stack.callback(engine.dispose)
        run = Run(
            name=request.run,
            title=request.title or f"Replay {request.run}",
            simulated=request.simulated,
            notifies=request.notifies,
            partitions=settings.kafka.partitions,
        )
        if request.in_process:
            return _in_process(settings, engine, run, request, stop)
        return _through_kafka(settings, engine, run, request, stop)


def _through_kafka(settings: Settings, engine: Engine, run: Run, request: ReplayRequest, stop: threading.Event) -> int:
    runs = SqlRuns(engine)
    run = runs.find(run.name) or runs.register(run)
    bootstrap, prefix = bootstrap_servers(settings), settings.kafka.prefix
    speed = _speed(request.speed)
    reader = _reader(request)
    prepare_topics(bootstrap, run, prefix, runs)
    reached = last_ticks(bootstrap, run, prefix)
    if reached is not None and reached.closing:
        Console(stderr=True).print(f"run {run.name} was replayed to its end already; take another --run to do it again")
        return 0
    writer = KafkaLogWriter(bootstrap, run, prefix=prefix)
    try:
        replayer = FeedReplayer(writer, speed=speed, reached=reached)
        with _progress(f"replay {run.name}", reader.fraction) as show:
            sent = replayer.run(reader.documents(), stop, lambda done: show(done.documents, done.at))
    finally:
        writer.close()
    _tell(reader, sent.documents, sent.skipped)
    return 0 if sent.finished else 130


def _in_process(settings: Settings, engine: Engine, run: Run, request: ReplayRequest, stop: threading.Event) -> int:
    """Replay without Kafka; the run is made anew, whatever it held."""
    runs = SqlRuns(engine)
    if runs.find(run.name) is not None:
        if runs.topics(run.name):
            msg = f"`--run` {run.name!r} came through Kafka; take another name, or delete it: bellwether runs delete"
            raise InvalidConfiguration(msg)
        runs.delete(run.name)
    runs.register(run)
    reader = _reader(request)
    log, fraction = _log(settings, engine, run, request, reader)
    with _progress(f"replay {run.name}", fraction) as show:
        done = replay(_until(log, stop), run, SqlSink(engine, run, []), lambda d: show(d.documents, None))
    _tell(reader, done.documents, 0)
    console = Console(stderr=True)
    console.print(f"{done.counted:,} counted ({done.late:,} late), {done.windows:,} windows, {done.alerts:,} alerts")
    return 130 if stop.is_set() else 0


def _log(
    settings: Settings, engine: Engine, run: Run, request: ReplayRequest, reader: FeedReader
) -> tuple[Iterator[Sequence[ClassifiedEntry]], Callable[[], float]]:
    """Return the classified log to be judged: another run's, or the feed's, classified as it goes."""
    if request.classified_of:
        other = find_run(engine, settings, request.classified_of)
        bootstrap, prefix = bootstrap_servers(settings), settings.kafka.prefix
        reached = last_ticks(bootstrap, other, prefix, CLASSIFIED)
        if reached is None or not reached.closing:
            upto = f"up to {utc_text(reached.at)}" if reached else "no minute of it in every partition"
            Console(stderr=True).print(
                f"run {other.name} is not classified to its end ({upto}): what follows is left out"
            )
        return read_classified(bootstrap, other, prefix), lambda: 0.0
    finder = open_entities_of(settings, run).finder
    now_ms = int(time.time() * 1000)
    return classified(ticked(reader.documents()), finder, open_classifier(settings), now_ms), reader.fraction


def _until(log: Iterator[Sequence[ClassifiedEntry]], stop: threading.Event) -> Iterator[Sequence[ClassifiedEntry]]:
    for bundle in log:
        if stop.is_set():
            return
        yield bundle


def _reader(request: ReplayRequest) -> FeedReader:
    return FeedReader(
        paths=request.files,
        mapping=read_mapping(request.mapping, request.columns, request.constants),
        stories=StoryIndex(),
        zone=_zone(request.zone),
        start=_utc(request.start),
        end=_utc(request.end),
    )


def _zone(name: str | None) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError):
        msg = f"`--zone` must be a name such as Europe/London or UTC, was {name!r}"
        raise InvalidConfiguration(msg) from None


def _utc(at: datetime | None) -> datetime | None:
    return None if at is None else at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _speed(text: str) -> float | None:
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if speed <= 0:
        msg = f"`--speed` must be max or a number above 0 (simulated seconds for each real one), was {text!r}"
        raise InvalidConfiguration(msg)
    return speed


@contextmanager
def _progress(title: str, fraction: Callable[[], float]) -> Iterator[Callable[[int, datetime | None], None]]:
    """Show a bar with rate and time left on a terminal, a line every ten seconds elsewhere."""
    console = Console(stderr=True)
    began = time.monotonic()
    told = began
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[documents]:,} documents, {task.fields[rate]:,.0f}/s"),
        TextColumn("{task.fields[at]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(title, total=1.0, documents=0, rate=0.0, at="")

        def show(documents: int, at: datetime | None) -> None:
            nonlocal told
            now = time.monotonic()
            rate, when = documents / max(now - began, 1e-3), utc_text(at) if at else ""
            bar.update(task, completed=fraction(), documents=documents, rate=rate, at=when)
            if not console.is_terminal and now - told >= 10:
                told = now
                console.print(f"{title}: {fraction():.0%}, {documents:,} documents, {rate:,.0f}/s {when}")

        yield show


def _tell(reader: FeedReader, documents: int, skipped: int) -> None:
    console = Console(stderr=True)
    console.print(f"{documents:,} documents" + (f", {skipped:,} were in the log already" if skipped else ""))
    for reason, number in reader.refused.most_common():
        console.print(f"  {number:,} rows left out: {reason}")


def print_runs(settings: Settings) -> None:
    """Print the runs of the store."""
    engine = open_store(settings)
    table = Table("run", "title", "documents", "as of", "simulated")
    for view in SqlViewReader(engine, str).runs():
        as_of = utc_text(view.as_of) if view.as_of else "no data"
        table.add_row(view.name, view.title, f"{view.documents:,}", as_of, "yes" if view.simulated else "")
    Console().print(table)


def print_comparison(settings: Settings, first: str, second: str) -> int:
    """Print how two runs differ; return 1 if they do."""
    engine = open_store(settings)
    for name in (first, second):
        find_run(engine, settings, name)
    comparison = compare_runs(engine, first, second)
    table = Table("", "equal", "different", f"only in {first}", f"only in {second}", "for example")
    for name, tally in (
        ("documents", comparison.documents),
        ("windows", comparison.windows),
        ("alerts", comparison.alerts),
    ):
        examples = "; ".join(" ".join(map(str, key)) for key in tally.examples[:3])
        figures = (tally.equal, tally.different, tally.only_first, tally.only_second)
        table.add_row(name, *(f"{figure:,}" for figure in figures), examples)
    Console().print(table)
    return 0 if comparison.agree else 1


def delete_run(settings: Settings, name: str) -> None:
    """Delete a run from the store, and its topics where Kafka answers."""
    if name == LIVE:
        msg = "`RUN` must not be live; stop Bellwether and remove the state folder instead"
        raise InvalidConfiguration(msg)
    engine = open_store(settings)
    run = find_run(engine, settings, name)
    console = Console()
    if SqlRuns(engine).topics(name):
        try:
            topics = delete_topics(bootstrap_servers(settings), run, settings.kafka.prefix)
            console.print(f"{topics} topics deleted")
        except MonitorError as error:
            console.print(f"its topics stay: {error}", markup=False)
    console.print(f"{SqlRuns(engine).delete(name):,} rows deleted")
