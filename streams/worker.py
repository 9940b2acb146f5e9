"""The worker: one or several stage apps in one process and event loop, watched, and ended in good order."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from monitor.domain.runs import Run
from monitor.pipeline import STAGES, stage_named
from monitor.ports import Classifier, Clock, EntityFinder, Sink
from streams.app import build_app
from streams.classifying import attach_classify
from streams.metrics import LAG
from streams.sinking import attach_sink
from streams.stage import EXIT_STALLED, StageApp, leave
from streams.stateful import attach_stateful

__all__ = ["ALL_STAGES", "Worker", "stages_in_order"]

ALL_STAGES = ("classify", *(stage.name for stage in STAGES), "sink")
"""Every stage, in the order of the flow."""

_STOP_S = 8.0
"""Longest wait for the apps to stop; what is in flight then is redelivered to the next process."""

log = structlog.get_logger(__name__)


class Worker:
    """Runs stages of one run until SIGINT or SIGTERM.

    Args:
        folder: Where Faust may make its working folders.
        beat: Called every second from the event loop: silence means that the loop hangs.
        stall_s: Lag without progress for so long ends the process with EXIT_STALLED.
    """

    def __init__(
        self,
        run: Run,
        *,
        bootstrap: str,
        prefix: str,
        folder: Path,
        beat: Callable[[], None] = lambda: None,
        stall_s: float = 30.0,
    ) -> None:
        self._run, self._bootstrap, self._prefix, self._folder = run, bootstrap, prefix, folder
        self._beat, self._stall_s = beat, stall_s
        self._stages: list[StageApp] = []

    def add_classify(
        self, finder: EntityFinder, classifier: Classifier, clock: Clock, *, most_bundles: int = 8, age_s: float = 0.25
    ) -> None:
        """Add the classify stage."""
        stage = self._new("classify")
        attach_classify(stage, finder, classifier, clock, most_bundles=most_bundles, age_s=age_s)

    def add_stateful(self, name: str) -> None:
        """Add a stage with state by name."""
        attach_stateful(self._new(name), stage_named(name))

    def add_sink(self, sink: Sink) -> None:
        """Add the sink."""
        attach_sink(self._new("sink"), sink)

    def _new(self, name: str) -> StageApp:
        app = build_app(self._run, name, bootstrap=self._bootstrap, prefix=self._prefix, folder=self._folder)
        self._stages.append(StageApp(app, self._run, name, self._prefix))
        return self._stages[-1]

    def run(self) -> int:
        """Run until asked to stop; return the exit code."""
        return asyncio.run(self._main())

    async def _main(self) -> int:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        watching = loop.create_task(self._watch())
        try:
            await self._start(stop)
            log.info("worker runs", run=self._run.name, stages=[stage.name for stage in self._stages])
            await stop.wait()
        finally:
            watching.cancel()
            await self._stop()
        return 0

    async def _start(self, stop: asyncio.Event) -> None:
        """Start the apps, the last stage first, so that nothing piles up between them."""
        for stage in reversed(self._stages):
            if stop.is_set():
                return
            stage.app.finalize()
            await stage.app.start()
            stage.moved = time.monotonic()

    async def _stop(self) -> None:
        began = time.monotonic()
        started = [stage for stage in self._stages if stage.app.started]
        await asyncio.gather(*(stage.close() for stage in started))
        stopping = [asyncio.ensure_future(stage.app.stop()) for stage in started]
        if stopping:
            _, late = await asyncio.wait(stopping, timeout=_STOP_S)
            if late:
                log.warning("stages did not stop in time; Kafka redelivers what was in flight", stages=len(late))
                leave(0)
        log.info("worker stopped", run=self._run.name, seconds=round(time.monotonic() - began, 1))

    async def _watch(self) -> None:
        """Beat every second; end the process when a stage has lag and makes no progress."""
        while True:
            await asyncio.sleep(1.0)
            self._beat()
            for stage in self._stages:
                waiting = stage.lag()
                LAG.labels(self._run.name, stage.name).set(waiting)
                idle_s = time.monotonic() - stage.moved
                if waiting == 0 and stage.idle.is_set():
                    stage.moved = time.monotonic()
                elif waiting and stage.idle.is_set() and idle_s > self._stall_s:
                    log.error("lag without progress, the process ends", stage=stage.name, lag=waiting, idle_s=idle_s)
                    leave(EXIT_STALLED)


def stages_in_order(names: Sequence[str]) -> list[str]:
    """Return stages in the order of the flow; all of them for none.

    Raises:
        ValueError: A name is no stage.
    """
    unknown = [name for name in names if name not in ALL_STAGES]
    if unknown:
        msg = f"stage must be one of {', '.join(ALL_STAGES)}, was {unknown[0]!r}"
        raise ValueError(msg)
    return [name for name in ALL_STAGES if not names or name in names]
