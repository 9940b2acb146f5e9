"""Stages with state behind Faust: one table of records each, the pure `Stage` of `monitor.pipeline` for each partition.

Carried out for each bundle, in this order (docs/architecture.md, "Order of writes"): the step is computed; its sends
are awaited; its records are written. After a kill Kafka redelivers, and the step finds what was written.
"""

from __future__ import annotations

from typing import Any

import structlog

from monitor.domain.alerts import Feedback
from monitor.domain.closing import JUDGED, TRENDS
from monitor.domain.runs import Run
from monitor.domain.stages import Stage
from monitor.pipeline import StageSpec
from streams.app import RecordTable, declare_records, partition_in, table_key
from streams.codecs import decode_record, encode_record
from streams.stage import StageApp, guarded
from streams.topics import FEEDBACK

__all__ = ["attach_stateful"]

log = structlog.get_logger(__name__)


def attach_stateful(stage: StageApp, spec: StageSpec) -> None:
    """Add the agent of a stage with state, and for the judge that of people's feedback, to its app."""
    partitions = _Partitions(spec, stage.run, declare_records(stage.app, stage.run))
    stage.app.on_partitions_assigned.connect(partitions.forget_all)

    async def take(event: Any) -> None:
        began = stage.begin()
        partition, offset = event.message.partition, event.message.offset
        entries: tuple[Any, ...] = ()
        if not spec.single or partition == JUDGED:
            entries = tuple(entry for entry in await stage.read(event) if type(entry).__name__ in spec.reads)
        if entries:
            step = partitions.stage(partition).step(offset, entries)
            for send in step.sends:
                await stage.send(send.topic, send.partition, send.entries)
            for write in step.writes:
                partitions.write(partition, offset, write.key, write.record)
        stage.done([event], len(entries), began)

    @stage.app.agent(stage.topic(spec.topic), name=spec.name, concurrency=1)
    async def run_stage(stream: Any) -> None:
        async for event in stream.events():
            await guarded(stage, take, event)

    if spec.single:
        _attach_feedback(stage)


def _attach_feedback(stage: StageApp) -> None:
    """Carry feedback into the partition that is judged, so that its order among judgements is in the log."""

    async def take(event: Any) -> None:
        began = stage.begin()
        heard = [entry for entry in await stage.read(event) if isinstance(entry, Feedback)]
        await stage.send(TRENDS, JUDGED, heard)
        stage.done([event], len(heard), began)

    @stage.app.agent(stage.topic(FEEDBACK), name="feedback", concurrency=1)
    async def hear(stream: Any) -> None:
        async for event in stream.events():
            await guarded(stage, take, event)


class _Partitions:
    """The stages of the partitions that this process owns, loaded from the table when their first bundle comes."""

    def __init__(self, spec: StageSpec, run: Run, table: RecordTable) -> None:
        self._spec, self._run, self._table = spec, run, table
        self._stages: dict[int, Stage] = {}

    async def forget_all(self, *_: Any, **__: Any) -> None:
        """Throw the stages away at a rebalance: the table, recovered, is the truth."""
        self._stages.clear()

    def stage(self, partition: int) -> Stage:
        """Return the stage of a partition."""
        if partition not in self._stages:
            stage = self._spec.build(partition, self._run)
            records = [(key, value) for key, value in self._table.data.items() if partition_in(key) == partition]
            stage.load(self._decoded(stage, key, value) for key, value in records)
            self._stages[partition] = stage
            log.info("stage loaded", stage=self._spec.name, partition=partition, records=len(records))
        return self._stages[partition]

    def _decoded(self, stage: Stage, key: bytes, value: bytes) -> tuple[str, Any]:
        name = key.partition(b"|")[2].decode()
        return name, decode_record(stage.records[name.partition(":")[0]], value.partition(b"\n")[2])

    def write(self, partition: int, offset: int, key: str, record: Any | None) -> None:
        """Write one record, or remove it."""
        name = table_key(partition, key)
        if record is not None:
            self._table[name] = b"%d\n" % offset + encode_record(record)
        elif name in self._table:
            del self._table[name]
