"""The sink: documents, windows and alerts into the store, each bundle once.

How far it has come stands in the store, in the same transaction as the rows: what Kafka redelivers is skipped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeAlias

import structlog

from monitor.domain.alerts import AlertChange
from monitor.domain.closing import TRENDS
from monitor.domain.errors import InvalidConfiguration, StoreUnavailable
from monitor.domain.judging import ALERTS
from monitor.domain.trends import Trend
from monitor.pipeline import CLASSIFIED, place
from monitor.ports import Position, Sink, StoredDocument
from streams.metrics import WATERMARK
from streams.stage import StageApp, guarded

__all__ = ["attach_sink"]

Bundles: TypeAlias = dict[int, list[tuple[int, tuple[Any, ...]]]]
"""By partition: (offset, entries) of each message, in order."""

log = structlog.get_logger(__name__)

_LONGEST_WAIT_S = 15.0


def attach_sink(stage: StageApp, sink: Sink, *, most_bundles: int = 40, age_s: float = 0.3) -> None:
    """Add the sink's agents to its app: one for each topic that is stored."""
    writer = _Writer(stage, sink)
    stage.app.on_partitions_assigned.connect(writer.forget)

    def attach(topic: str, write: Callable[[Bundles], None]) -> None:
        async def take(events: Sequence[Any]) -> None:
            began = stage.begin()
            bundles: Bundles = {}
            for event in events:
                read = (event.message.offset, await stage.read(event))
                bundles.setdefault(event.message.partition, []).append(read)
            await writer.write(topic, bundles, write)
            stage.done(events, sum(len(read[1]) for some in bundles.values() for read in some), began)

        @stage.app.agent(stage.topic(topic), name=f"sink-{topic}", concurrency=1)
        async def store(stream: Any) -> None:
            async for events in stream.take_events(most_bundles, within=age_s):
                await guarded(stage, take, events)

    attach(CLASSIFIED, writer.documents)
    attach(TRENDS, writer.trends)
    attach(ALERTS, writer.alerts)


class _Writer:
    """Writes bundles to the sink in a thread of its own, and waits while the store does not answer."""

    def __init__(self, stage: StageApp, sink: Sink) -> None:
        self._stage, self._sink = stage, sink
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._positions: dict[tuple[str, int], Position] | None = None
        self._stale = False

    async def forget(self, *_: Any, **__: Any) -> None:
        """Read the positions again before the next write: another worker may have moved them meanwhile."""
        self._stale = True

    async def write(
        self,
        topic: str,
        bundles: Bundles,
        write: Callable[[Bundles], None],
    ) -> None:
        """Write what is new of some bundles; try again for as long as the store is away."""
        wait_s = 0.5
        while True:
            try:
                loop = asyncio.get_running_loop()
                await loop.run_in_executor(self._executor, lambda: self._write_new(topic, bundles, write))
            except StoreUnavailable as error:
                log.warning("the store does not answer, trying again", reason=str(error), again_in_s=wait_s)
                self._positions = None
                await asyncio.sleep(wait_s)
                wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
            else:
                return

    def _write_new(
        self,
        topic: str,
        bundles: Bundles,
        write: Callable[[Bundles], None],
    ) -> None:
        if self._positions is None or self._stale:
            self._stale = False
            self._positions = self._sink.positions()
        new: Bundles = {}
        for partition, some in bundles.items():
            known = self._positions.get((topic, partition))
            fresh = [(offset, entries) for offset, entries in some if known is None or offset > known.offset]
            if fresh:
                self._refuse_hole(topic, partition, known, fresh[0][0])
                new[partition] = fresh
        if new:
            write(new)

    def _refuse_hole(self, topic: str, partition: int, known: Position | None, offset: int) -> None:
        """Refuse to go on behind rows that the store never got: it was restored from an older copy, or replaced."""
        if known is not None and offset > known.offset + 1:
            group = self._stage.app.conf.id
            msg = (
                f"the store has come to offset {known.offset} of {topic}/{partition}, Kafka goes on at {offset}: the "
                f"messages between would be lost to it; delete the consumer group {group} and they are read again"
            )
            raise InvalidConfiguration(msg)

    def documents(self, bundles: Bundles) -> None:
        """Write documents with the minute each counts in."""
        rows: list[StoredDocument] = []
        positions = []
        for partition, some in bundles.items():
            known = self._known(CLASSIFIED, partition)
            watermark = known.watermark if known else None
            for _, entries in some:
                placed, watermark = place(entries, watermark)
                rows += placed
            positions.append(Position(CLASSIFIED, partition, some[-1][0], watermark))
            if watermark is not None:
                WATERMARK.labels(self._stage.run.name).set(watermark * 60)
        self._sink.write_documents(rows, positions)
        self._remember(positions)

    def trends(self, bundles: Bundles) -> None:
        """Write windows."""
        rows = [e for some in bundles.values() for _, entries in some for e in entries if isinstance(e, Trend)]
        self._store(TRENDS, bundles, lambda positions: self._sink.write_trends(rows, positions))

    def alerts(self, bundles: Bundles) -> None:
        """Write alert changes, and with them the outbox."""
        rows = [e for some in bundles.values() for _, entries in some for e in entries if isinstance(e, AlertChange)]
        self._store(ALERTS, bundles, lambda positions: self._sink.write_alerts(rows, positions))

    def _store(self, topic: str, bundles: Bundles, write: Callable[[list[Position]], None]) -> None:
        positions = [Position(topic, partition, some[-1][0], None) for partition, some in bundles.items()]
        write(positions)
        self._remember(positions)

    def _known(self, topic: str, partition: int) -> Position | None:
        return self._positions.get((topic, partition)) if self._positions else None

    def _remember(self, positions: Sequence[Position]) -> None:
        assert self._positions is not None
        self._positions |= {(position.topic, position.partition): position for position in positions}
