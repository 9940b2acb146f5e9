"""``bellwether up``: everything on this machine, as child processes under one supervisor."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console

from monitor.bootstrap.parts import find_run, open_store
from monitor.demo.feed import write_feed
from monitor.domain.errors import InvalidConfiguration
from monitor.domain.runs import LIVE, Run
from monitor.settings import Settings
from monitor.store.runs import SqlRuns
from monitor.supervise.children import Child, ChildEvent, ChildState
from monitor.supervise.console import ChildConsole
from monitor.supervise.jars import ensure_jars, java_executable
from monitor.supervise.kafka import kafka_child
from monitor.supervise.ports import free_port, require_free_port
from monitor.supervise.state import StateFolder, StateLock
from monitor.supervise.supervisor import Supervisor

__all__ = ["run_up"]

DEMO_SEED = 20141
"""Seed of the shipped demo feed: everybody sees the same invented week."""

_SILENT_CRAWLER_S = 90.0
"""The crawler beats with each acknowledged tick (every 10 s); a polled-out gap may take two minutes of catching up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Feed:
    """A file that is replayed beside the live run."""

    path: Path
    run: Run
    speed: str


def run_up(settings: Settings, *, feed: str, speed: str, crawls: bool, verbose: bool, config: Path | None) -> int:
    """Run until stopped; return the exit code.

    Raises:
        InvalidConfiguration: A port is taken, or `feed` names no file.
        StateFolderTaken: Another one runs in the state folder.
    """
    console = Console(highlight=False, soft_wrap=True)
    folder = StateFolder(settings.state).create()
    with StateLock(folder) as lock:
        return _run(
            settings, folder, lock, console, feed=feed, speed=speed, crawls=crawls, verbose=verbose, config=config
        )


def _run(
    settings: Settings,
    folder: StateFolder,
    lock: StateLock,
    console: Console,
    *,
    feed: str,
    speed: str,
    crawls: bool,
    verbose: bool,
    config: Path | None,
) -> int:
    replayed = _feed(folder, settings, feed, speed)
    broker, children = _broker(settings, folder, console)
    dashboard_port = settings.dashboard.port or free_port(settings.dashboard.host)
    require_free_port(settings.dashboard.host, dashboard_port, wanted_by="the dashboard", flag="dashboard.port")
    engine = open_store(settings)
    find_run(engine, settings, LIVE)
    if replayed is not None:
        SqlRuns(engine).register(replayed.run)
    engine.dispose()
    env = {"BELLWETHER_KAFKA__BOOTSTRAP": broker, "BELLWETHER_DASHBOARD__PORT": str(dashboard_port)}
    after = tuple(child.name for child in children)
    children += _roles(settings, config, env, after, replayed, crawls=crawls)
    shown = ChildConsole([child.name for child in children], folder.logs, console=console, every_line=verbose)
    url = f"http://{settings.dashboard.host}:{dashboard_port}/"
    greeting = _Greeting(console, shown, url=url, broker=broker, folder=folder, feed=replayed, crawls=crawls)
    return Supervisor(folder, children, on_event=greeting.on_event, on_line=shown.on_line).run(lock)


def _broker(settings: Settings, folder: StateFolder, console: Console) -> tuple[str, list[Child]]:
    """Return where Kafka listens, and the broker as a child unless a cluster is configured."""
    if settings.kafka.bootstrap:
        return settings.kafka.bootstrap, []
    port = settings.kafka.port or free_port()
    require_free_port("127.0.0.1", port, wanted_by="the embedded Kafka", flag="kafka.port")
    console.print("making sure that the jars of Apache Kafka are here (the first time: about 44 MB)")
    java_executable()
    ensure_jars()
    return f"127.0.0.1:{port}", [kafka_child(folder, port)]


def _feed(folder: StateFolder, settings: Settings, feed: str, speed: str) -> _Feed | None:
    """Return what is to be replayed; the demo feed is written once and then stays as it is."""
    partitions = settings.kafka.partitions
    if feed == "none":
        return None
    if feed == "demo":
        path = folder.root / "feeds" / "demo.jsonl.gz"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_feed(path, seed=DEMO_SEED, end=_last_saturday(datetime.now(UTC)))
        run = Run(name="demo", title="Demo feed (invented)", simulated=True, partitions=1)
        return _Feed(path=path, run=run, speed="3600")
    path = Path(feed)
    if not path.is_file():
        msg = f"`feed` must be demo, none or a file, was {feed!r}, which is no file"
        raise InvalidConfiguration(msg)
    name = re.sub(r"[^a-z0-9]+", "-", path.name.partition(".")[0].lower()).strip("-")[:32] or "history"
    run = Run(name=f"replay-{name}"[:40], title=f"Replay of {path.name}", partitions=partitions)
    return _Feed(path=path, run=run, speed=speed)


def _last_saturday(now: datetime) -> datetime:
    """Return the latest Saturday, 05:00 UTC: the feed of six days before it has its crises in working hours."""
    morning = now.replace(hour=5, minute=0, second=0, microsecond=0)
    latest = morning - timedelta(days=(morning.weekday() - 5) % 7)
    return latest if latest <= now else latest - timedelta(days=7)


def _roles(
    settings: Settings,
    config: Path | None,
    env: dict[str, str],
    after: tuple[str, ...],
    feed: _Feed | None,
    *,
    crawls: bool,
) -> list[Child]:
    """Return the processes of Bellwether itself; the first thing to see (the replay) starts first."""
    common = ["--state", str(settings.state), *(["--config", str(config)] if config else [])]

    def role(name: str, *words: str, **more: object) -> Child:
        command = (sys.executable, "-m", "monitor", *words, *common)
        return Child(name=name, command=command, env=env, depends_on=after, **more)  # type: ignore[arg-type]

    children = []
    if feed is not None:
        run = feed.run
        marks = ["--simulated"] if run.simulated else []
        words = ["replay", str(feed.path), "--run", run.name, "--title", run.title, "--speed", feed.speed, *marks]
        children.append(role(f"worker-{run.name}", "work", "--run", run.name, heartbeat=True))
        children.append(role(f"feed-{run.name}", *words, once=True))
    probe = "127.0.0.1" if settings.dashboard.host in {"0.0.0.0", "::"} else settings.dashboard.host  # noqa: S104
    ready = f"http://{probe}:{env['BELLWETHER_DASHBOARD__PORT']}/readyz"
    first = ["--run", feed.run.name] if feed is not None else []
    children.append(role("dashboard", "serve", *first, ready=ready))
    if crawls:
        children.append(role("worker-live", "work", "--run", LIVE, heartbeat=True))
        children.append(role("crawler", "crawl", heartbeat=True, silent_after_s=_SILENT_CRAWLER_S))
    children.append(role("notifier", "notify", heartbeat=True, silent_after_s=60.0))
    return children


class _Greeting:
    """Says, once the dashboard answers, where everything listens and what to do next."""

    def __init__(
        self,
        console: Console,
        shown: ChildConsole,
        *,
        url: str,
        broker: str,
        folder: StateFolder,
        feed: _Feed | None,
        crawls: bool,
    ) -> None:
        self._console, self._shown = console, shown
        self._url, self._broker, self._folder, self._feed, self._crawls = url, broker, folder, feed, crawls
        self._said = False

    def on_event(self, event: ChildEvent) -> None:
        """Pass the event on; greet when the dashboard is up for the first time."""
        self._shown.on_event(event)
        if event.status.name == "dashboard" and event.status.state is ChildState.RUNNING and not self._said:
            self._said = True
            self._console.print("\n".join(self._lines()), markup=False)

    def _lines(self) -> list[str]:
        lines = ["", f"  Dashboard  {self._url}", f"  Kafka      {self._broker}", f"  State      {self._folder.root}"]
        lines += [f"  Logs       {self._folder.logs}", ""]
        if self._feed is not None and self._feed.run.simulated:
            lines.append(
                "  The demo feed is invented, and marked as simulated; its first alert comes within two minutes."
            )
        elif self._feed is not None:
            lines.append(f"  Replaying {self._feed.path} as run {self._feed.run.name}.")
        if self._crawls:
            lines.append("  The live run crawls public sources; choose it at the top of the page.")
        lines.append("  Your own sources, companies and receivers: docs/operations.md. Ctrl-C stops everything.")
        return [*lines, ""]
