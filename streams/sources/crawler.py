"""The crawler: APScheduler asks the sources in a pool of threads, one scribe writes what they say and the ticks."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog
from apscheduler.events import EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED, JobExecutionEvent, JobSubmissionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler

from monitor.domain.errors import InvalidConfiguration, StoreUnavailable
from monitor.domain.sources import SourceState
from monitor.ports import Clock, LogWriter, SourceStore, StoryAssigner
from streams.sources.article import ArticleReader
from streams.sources.configuration import Source, load_sources
from streams.sources.fetch import FailureReason, Fetcher, FetchFailed
from streams.sources.politeness import HOST_SPACING_S, HostGate
from streams.sources.poll import Poll
from streams.sources.poller import Poller, fresh_state
from streams.sources.scribe import TICK_EVERY, Scribe

__all__ = ["Crawler"]

WORKERS = 8
"""Sources asked at the same time."""
STORE_PAUSE = timedelta(seconds=5)
"""Wait before a source is asked again whose known entries could not be looked up."""
TURN_AGAIN = timedelta(seconds=1)
RELOAD_EVERY_S = 15
"""How often the sources file is looked at for a change."""
REPORT_EVERY_S = 30
"""How often a change in the number of failing sources is told; each failure alone is an ordinary line."""
STOP_S = 5.0
"""Longest wait for each part at a stop; what is not done by then has not moved its cursor and is done next time."""

log = structlog.get_logger(__name__)


class Crawler:
    """Asks sources when they are due, and writes documents and ticks until it is stopped.

    Args:
        sources: Asked from the start; `replace_sources` changes them.
        heartbeat: Called with the instant of each acknowledged tick: silence means that the crawler is stuck.
        covered_until: The last tick in the log, if the caller knows it; else the newest attempt in the store stands in.
        sources_file: Read again when it changes; a faulty one is logged and the old list kept.
        spacing_s: Seconds between two requests to one host.
        workers: Sources asked at the same time.
        store_pause: Wait before a store that does not answer is asked again.
        rng: Spreads polls and retries.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        *,
        writer: LogWriter,
        store: SourceStore,
        stories: StoryAssigner,
        clock: Clock,
        fetcher: Fetcher,
        heartbeat: Callable[[datetime], None] = lambda _: None,
        covered_until: datetime | None = None,
        sources_file: Path | None = None,
        tick_every: timedelta = TICK_EVERY,
        spacing_s: float = HOST_SPACING_S,
        workers: int = WORKERS,
        store_pause: timedelta = STORE_PAUSE,
        rng: random.Random | None = None,
    ) -> None:
        self._sources = {source.id: source for source in sources}
        self._store = store
        self._clock = clock
        self._fetcher = fetcher
        self._sources_file = sources_file
        self._file_stamp = _stamp(sources_file)
        self._covered_until = covered_until
        self._store_pause = store_pause
        self._states: dict[str, SourceState] = {}
        self._busy: set[str] = set()
        self._stalled: set[str] = set()
        self._told_failing = 0
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._gate = HostGate(self._stop.wait, spacing_s=spacing_s)
        self._poller = Poller(
            fetcher=fetcher,
            gate=self._gate,
            articles=ArticleReader(fetcher, self._gate),
            store=store,
            clock=clock,
            rng=rng or random.Random(),  # noqa: S311 - spreads load, guards nothing
        )
        self._scribe = Scribe(
            writer=writer,
            store=store,
            stories=stories,
            clock=clock,
            on_saved=self._saved,
            on_gap=self._ask_all,
            may_tick=lambda: not self._stalled,
            heartbeat=heartbeat,
            tick_every=tick_every,
        )
        # one instance per source; a run that was missed is made up for once, however late: a poll finds all there is
        self._scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(workers)},
            job_defaults={"max_instances": 1, "coalesce": True, "misfire_grace_time": None},
            timezone=UTC,
        )
        self._scheduler.add_listener(self._not_run, EVENT_JOB_MAX_INSTANCES | EVENT_JOB_MISSED)
        self._writing = threading.Thread(target=self._write, name="scribe", daemon=True)
        self._fault: BaseException | None = None

    def run_until(self, stop: threading.Event) -> None:
        """Crawl until `stop` is set.

        Raises:
            Exception: The writing thread died of an error that nobody foresaw; the supervisor starts a new process.
        """
        if not self._start(stop):
            return
        try:
            while not stop.wait(0.2) and self._writing.is_alive():
                pass
        finally:
            self.stop()
        if self._fault is not None:
            raise self._fault

    def start(self) -> None:
        """Load the cursors, then ask and write in the background.

        Raises:
            StoreUnavailable: The cursors cannot be loaded; `run_until` waits for them instead.
        """
        self._load()
        self._scheduler.start()
        with self._lock:
            for source in self._sources.values():
                self._schedule(source.id, self._states[source.id].next_poll_at)
        # only now: the scribe may find a gap at once, and then asks for everything
        self._writing.start()
        if self._sources_file is not None:
            self._scheduler.add_job(self.reload, "interval", seconds=RELOAD_EVERY_S, id="reload", executor="default")
        self._scheduler.add_job(self._report, "interval", seconds=REPORT_EVERY_S, id="report", executor="default")
        log.info("crawler started", sources=len(self._sources), covered_until=self._scribe.last_tick)

    def _report(self) -> None:
        """Tell, when it has changed, how many sources fail, and why most of them do."""
        with self._lock:
            failing = [state for state in self._states.values() if state.failures]
            asked = sum(state.last_attempt_at is not None for state in self._states.values())
        if len(failing) == self._told_failing:
            return
        self._told_failing = len(failing)
        if not failing:
            log.info("every source answers", sources=asked)
            return
        reasons = Counter(state.reason.partition(":")[0] for state in failing)
        why = ", ".join(f"{reason} ({number})" for reason, number in reasons.most_common(3))
        log.warning("sources fail; the Sources page says why", failing=len(failing), of=asked, reasons=why)

    def stop(self) -> None:
        """Stop asking, break off what is under way, write what has already come, and return within seconds."""
        if self._stop.is_set():
            return
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        self._stop.set()
        self._fetcher.close()
        if self._writing.is_alive():
            self._writing.join(STOP_S)
        log.info("crawler stopped", written=not self._writing.is_alive())

    def states(self) -> dict[str, SourceState]:
        """Return what is known of each source now."""
        with self._lock:
            return {one: self._states[one] for one in self._sources if one in self._states}

    def reload(self) -> None:
        """Read the sources file again if it changed; a faulty one is named in the log and changes nothing."""
        stamp = _stamp(self._sources_file)
        if self._sources_file is None or stamp == self._file_stamp:
            return
        self._file_stamp = stamp
        try:
            sources = load_sources(self._sources_file)
        except InvalidConfiguration as error:
            log.error("sources file is faulty, the old list stays", file=str(self._sources_file), faults=str(error))
            return
        self.replace_sources(sources)

    def replace_sources(self, sources: Sequence[Source]) -> None:
        """Ask these sources from now on; those that stay keep their cursor and their turn."""
        with self._lock:
            wanted = {source.id: source for source in sources}
            gone = [one for one in self._sources if one not in wanted]
            changed = [one for one, source in wanted.items() if self._sources.get(one) != source]
            self._sources = wanted
            for one in gone:
                self._stalled.discard(one)
                self._unschedule(one)
            for one in changed:
                self._states[one] = self._state_of(wanted[one], self._states)
                if one not in self._busy:
                    self._schedule(one, None)
        log.info("sources replaced", sources=len(wanted), gone=gone, new_or_changed=changed)

    def _start(self, stop: threading.Event) -> bool:
        while not stop.is_set():
            try:
                self.start()
            except StoreUnavailable as error:
                log.warning("cursors cannot be loaded, will try again", reason=str(error))
                stop.wait(self._store_pause.total_seconds())
                continue
            return True
        return False

    def _load(self) -> None:
        known = self._store.load()
        with self._lock:
            # those of sources that are not asked now are kept: the operator may take them up again
            self._states = known | {source.id: self._state_of(source, known) for source in self._sources.values()}
        attempts = [state.last_attempt_at for state in known.values() if state.last_attempt_at is not None]
        self._scribe.last_tick = self._covered_until or max(attempts, default=None)

    @staticmethod
    def _state_of(source: Source, known: dict[str, SourceState]) -> SourceState:
        state = known.get(source.id)
        # another address is another feed: what stands there already is its backlog, not today's news
        if state is None or state.url != source.url:
            return fresh_state(source)
        return state

    def _write(self) -> None:
        try:
            self._scribe.run(self._stop)
        except BaseException as error:
            self._fault = error
            log.exception("writing thread died")

    def _schedule(self, one: str, due: datetime | None) -> None:
        wait = timedelta(0) if due is None else max(due - self._clock.now(), timedelta(0))
        if self._stop.is_set() or not self._scheduler.running:
            return
        self._scheduler.add_job(
            self._poll,
            "date",
            run_date=datetime.now(UTC) + wait,
            args=[one],
            id=f"poll {one}",
            name=f"poll {one}",
            replace_existing=True,
        )

    def _not_run(self, event: JobSubmissionEvent | JobExecutionEvent) -> None:
        """Set a turn that APScheduler passed over again: a one-time job would otherwise be gone for ever."""
        one = str(event.job_id).removeprefix("poll ")
        log.info("turn passed over, set again", source=one)
        with self._lock:
            if one in self._sources:
                self._schedule(one, self._clock.now() + TURN_AGAIN)

    def _unschedule(self, one: str) -> None:
        try:
            self._scheduler.remove_job(f"poll {one}")
        except JobLookupError:
            return

    def _ask_all(self) -> tuple[set[str], int]:
        """Poll every source now but those that are failing or held back; busy ones answer by themselves."""
        now = self._clock.now()
        asked: set[str] = set()
        with self._lock:
            for one, source in self._sources.items():
                state = self._states[one]
                waits = state.failures > 0 and state.next_poll_at is not None and state.next_poll_at > now
                if waits or self._gate.held_for(source.host):
                    continue
                asked.add(one)
                if one not in self._busy:
                    self._schedule(one, None)
            states = [self._states[one] for one in self._sources]
            well = sum(state.failures == 0 and state.last_success_at is not None for state in states)
        return asked, well

    def _poll(self, one: str) -> None:
        with self._lock:
            source, state = self._sources.get(one), self._states.get(one)
            if source is None or state is None or one in self._busy or self._stop.is_set():
                return
            busy = self._gate.busy_for(source.host)
            if busy:
                self._schedule(one, self._clock.now() + busy)
                return
            self._busy.add(one)
        poll = self._ask(source, state)
        if poll is not None:
            self._scribe.submit(poll)

    def _ask(self, source: Source, state: SourceState) -> Poll | None:
        """Ask a source; if that is impossible for a reason of our own, ask again later."""
        started_at = self._clock.now()
        try:
            poll = self._poller.poll(source, state)
        except StoreUnavailable as error:
            log.warning("ticks stopped, known entries cannot be looked up", source=source.id, reason=str(error))
            with self._lock:
                self._busy.discard(source.id)
                self._stalled.add(source.id)
                self._schedule(source.id, self._clock.now() + self._store_pause)
            return None
        except Exception as error:
            log.exception("poll broke", source=source.id)
            detail = f"{type(error).__name__} while reading the answer; the log has the trace"
            failure = FetchFailed(reason=FailureReason.INTERNAL, detail=detail)
            poll = self._poller.failure(source, state, failure, started_at)
        with self._lock:
            self._stalled.discard(source.id)
        return poll

    def _saved(self, poll: Poll) -> None:
        one = poll.source.id
        with self._lock:
            self._busy.discard(one)
            source = self._sources.get(one)
            if source is None:
                return
            if source.url == poll.source.url:
                self._states[one] = replace(poll.state, title=source.title)
                self._schedule(one, poll.state.next_poll_at)
            else:
                self._schedule(one, None)


def _stamp(path: Path | None) -> tuple[int, int] | None:
    try:
        status = path.stat() if path is not None else None
    except OSError:
        return None
    return None if status is None else (status.st_mtime_ns, status.st_size)
