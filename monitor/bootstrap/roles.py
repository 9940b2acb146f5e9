"""The long-running roles: crawler, notifier, dashboard. Each builds its parts, runs until stopped, closes them."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta

from sqlalchemy import Engine

from dashboard.app import create_app, serve
from monitor.bootstrap.conditions import conditions
from monitor.bootstrap.parts import (
    SystemClock,
    bootstrap_servers,
    chosen_sources,
    entity_names,
    find_run,
    open_entities,
    open_receivers,
    open_store,
    state_folder,
)
from monitor.domain.documents import SourceClass
from monitor.domain.errors import InvalidConfiguration
from monitor.domain.runs import LIVE
from monitor.domain.summing import LATENESS
from monitor.domain.timespans import from_minute
from monitor.notify.heartbeat import Heartbeat, ProgressReport
from monitor.notify.notifier import Notifier
from monitor.notify.patience import Patience
from monitor.notify.receivers import WebhookReceiver
from monitor.pipeline import CLASSIFIED
from monitor.register.watchlists import WatchLists
from monitor.settings import Settings
from monitor.store.accounts import SqlAccounts
from monitor.store.exports import RecentStory, recent_stories
from monitor.store.outbox import SqlOutbox
from monitor.store.retention import Keep, prune
from monitor.store.runs import SqlRuns
from monitor.store.sink import SqlSink
from monitor.store.sources import SqlSourceStore
from monitor.store.views import SqlViewReader
from monitor.supervise.heartbeat import heartbeat_from_environment
from streams.admin import prepare_topics
from streams.logreader import last_ticks
from streams.producer import KafkaFeedbackSender, KafkaLogWriter
from streams.sources.crawler import Crawler
from streams.sources.fetch import Fetcher
from streams.stories import STORY_SPAN, StoryIndex, StoryRow, story_text

__all__ = ["crawl", "notify", "serve_dashboard"]

_RETAIN_EVERY_S = 3600.0

WARM_SPAN = STORY_SPAN + timedelta(days=1)
"""Documents of this long are shown to the story index at a start: its span, and a day for what comes late."""


def crawl(settings: Settings, stop: threading.Event) -> None:
    """Crawl the sources into the live run's `documents` until `stop` is set."""
    sources, clock = chosen_sources(settings), SystemClock()
    with ExitStack() as stack:
        engine = open_store(settings)
        stack.callback(engine.dispose)
        run = find_run(engine, settings, LIVE)
        prepare_topics(bootstrap_servers(settings), run, settings.kafka.prefix, SqlRuns(engine))
        reached = last_ticks(bootstrap_servers(settings), run, settings.kafka.prefix)
        writer = KafkaLogWriter(bootstrap_servers(settings), run, prefix=settings.kafka.prefix)
        stack.callback(writer.close)
        stories = StoryIndex()
        stories.warm(_story_row(row) for row in recent_stories(engine, run.name, clock.now() - WARM_SPAN))
        beat = heartbeat_from_environment()
        crawler = Crawler(
            sources,
            writer=writer,
            store=SqlSourceStore(engine),
            stories=stories,
            clock=clock,
            covered_until=reached.at if reached else None,
            fetcher=Fetcher(allow_private=settings.crawler.allow_private),
            heartbeat=lambda _: beat.beat(),
            sources_file=settings.crawler.sources,
            tick_every=timedelta(seconds=settings.crawler.tick_every_s),
            spacing_s=settings.crawler.host_spacing_s,
        )
        crawler.run_until(stop)


def _story_row(row: RecentStory) -> StoryRow:
    text = story_text(row.title, row.text, comment=row.source_class == SourceClass.COMMENT)
    return StoryRow(key=row.document, story=row.story, text=text, at=row.event_at)


def notify(settings: Settings, stop: threading.Event) -> None:
    """Empty the outbox, send the heartbeat, and keep the store within its retention, until `stop` is set."""
    receivers, clock = open_receivers(settings), SystemClock()
    beat = heartbeat_from_environment()
    with ExitStack() as stack:
        engine = open_store(settings)
        stack.callback(engine.dispose)
        reader = SqlViewReader(engine, entity_names(settings))
        notifier = Notifier(
            SqlOutbox(engine),
            reader,
            receivers,
            clock,
            base_url=settings.notifier.base_url,
            patience=Patience(gives_up_after_s=settings.notifier.give_up_after_h * 3600),
        )
        jobs: list[Callable[[], None]] = [
            lambda: _every(stop, 1.0, beat.beat),
            lambda: _every(stop, _RETAIN_EVERY_S, lambda: _retain(engine, settings)),
        ]
        if settings.notifier.heartbeat:
            outwards = _heartbeat(settings, engine, notifier, clock)
            jobs.append(lambda: outwards.run_until(stop))
        for job in jobs:
            threading.Thread(target=job, daemon=True).start()
        notifier.run_until(stop)


def _heartbeat(settings: Settings, engine: Engine, notifier: Notifier, clock: SystemClock) -> Heartbeat:
    named = {receiver.name: receiver for receiver in open_receivers(settings)}
    receiver = named.get(settings.notifier.heartbeat)
    if not isinstance(receiver, WebhookReceiver):
        msg = f"`notifier.heartbeat` must name a webhook receiver, was {settings.notifier.heartbeat!r}"
        raise InvalidConfiguration(msg)

    def progress() -> ProgressReport:
        known = SqlSink(engine, find_run(engine, settings, LIVE), []).positions()
        marks = [position.watermark for (topic, _), position in known.items() if topic == CLASSIFIED]
        # a tick that has come out of the classifier into the store proves ticks and classification at once
        reached = from_minute(min(mark for mark in marks if mark is not None)) + LATENESS if any(marks) else None
        return ProgressReport(ticks_at=reached, classified_at=reached, outbox_at=notifier.progressed_at)

    return Heartbeat(receiver, progress, clock)


def _retain(engine: Engine, settings: Settings) -> None:
    kept = settings.store
    for run in SqlRuns(engine).list():
        days = Keep(documents=kept.keep_documents_days, windows=kept.keep_windows_days, alerts=kept.keep_alerts_days)
        prune(engine, run.name, days)


def _every(stop: threading.Event, seconds: float, act: Callable[[], None]) -> None:
    while not stop.is_set():
        act()
        stop.wait(seconds)


def serve_dashboard(settings: Settings, default_run: str | None = None) -> None:
    """Serve the dashboard until the process is stopped."""
    engine = open_store(settings)
    find_run(engine, settings, LIVE)
    chosen, folder = settings.dashboard, state_folder(settings)
    watch_lists = open_entities(settings).watch_lists
    app = create_app(
        SqlViewReader(engine, entity_names(settings)),
        KafkaFeedbackSender(bootstrap_servers(settings), prefix=settings.kafka.prefix),
        SqlAccounts(engine),
        watch_lists=lambda: watched(watch_lists),
        secret=(chosen.secret or folder.secret("dashboard-session")).encode(),
        login_required=chosen.login_required,
        default_run=default_run,
        refresh_s=chosen.refresh_s,
        status=lambda: conditions(folder),
    )
    # waitress ends in order on SystemExit; as the first process of a container SIGTERM would be ignored
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    serve(app, chosen.host, chosen.port, chosen.threads, chosen.trusted_proxy)


def watched(watch_lists: WatchLists) -> dict[str, tuple[str, ...]]:
    """Return the watch lists by the name that people see."""
    return {watched.title: watched.entities for watched in watch_lists.current()}
