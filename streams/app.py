"""A Faust app for one stage of one run, with settings that were measured to be safe (docs/architecture.md, "Faust").

Each stage is an app id of its own; several apps run in one process and event loop (`streams.worker`).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import faust
from faust.stores.memory import Store as MemoryStore
from faust.tables.table import Table

from monitor.domain.runs import Run
from streams.topics import TABLE, app_id, topic_name
from streams.transport import RereadingTransport

__all__ = ["RecordStore", "build_app", "declare_records", "raw_topic"]


class StageFaust(faust.App):
    """A Faust app whose consumer loses nothing at a recovery."""

    def _new_transport(self) -> RereadingTransport:
        return RereadingTransport(self.conf.broker_consumer, self)


class RecordStore(MemoryStore[bytes, bytes]):
    """Memory store of a stage's records that a zombie cannot put back.

    A value begins with the source offset it was made at. Recovery keeps the greatest offset of a key, not the last
    record: a worker that wakes after its session has ended appends older records behind newer ones. What belongs to a
    partition that left is dropped.
    """

    def apply_changelog_batch(self, batch: Iterable[Any], to_key: Any, to_value: Any) -> None:
        """Take over a batch of the changelog during recovery."""
        for event in batch:
            key = event.key
            if event.message.value is None:
                self.data.pop(key, None)
            elif key not in self.data or source_offset(event.value) >= source_offset(self.data[key]):
                self.data[key] = event.value

    async def on_recovery_completed(self, active_tps: set[Any], standby_tps: set[Any]) -> None:
        """Drop the records of partitions that are not ours any more."""
        owned = {tp.partition for tp in active_tps}
        for key in [key for key in self.data if partition_in(key) not in owned]:
            del self.data[key]


class RecordTable(Table[bytes, bytes]):
    """A table over a `RecordStore`."""

    def _new_store(self) -> RecordStore:
        return RecordStore("memory://", self.app, self, table_name=self.name)


def table_key(partition: int, key: str) -> bytes:
    """Return the key of a record in the table: tables are one flat dictionary, whatever the partition."""
    return f"{partition}|{key}".encode()


def partition_in(key: bytes) -> int:
    """Return the partition in a table key."""
    return int(key.partition(b"|")[0])


def source_offset(value: bytes) -> int:
    """Return the source offset at the head of a table value."""
    return int(value.partition(b"\n")[0])


def build_app(run: Run, stage: str, *, bootstrap: str, prefix: str, folder: Path) -> faust.App:
    """Return the app of one stage. Nothing is connected yet.

    Args:
        bootstrap: host:port of the brokers, separated by commas.
        folder: Where Faust may make its (empty) working folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return StageFaust(
        app_id(prefix, run.name, stage),
        broker=";".join(f"kafka://{address}" for address in bootstrap.split(",")),
        store="memory://",
        datadir=str(folder / stage),
        value_serializer="raw",
        key_serializer="raw",
        topic_partitions=run.partitions,
        topic_disable_leader=True,
        topic_allow_declare=True,
        processing_guarantee="at_least_once",
        consumer_auto_offset_reset="earliest",
        broker_commit_interval=1.0,
        broker_session_timeout=10.0,
        broker_heartbeat_interval=3.0,
        broker_request_timeout=30.0,
        broker_max_poll_records=100,
        consumer_max_fetch_size=16 * 1024 * 1024,
        producer_max_request_size=8 * 1024 * 1024,
        producer_linger=0.005,
        stream_buffer_maxsize=16,
        stream_wait_empty=False,
        web_enabled=False,
    )


def raw_topic(app: faust.App, run: Run, topic: str, prefix: str) -> Any:
    """Return a topic of a run as raw bytes: we decode ourselves, an undecodable value would end the stream silently."""
    return app.topic(
        topic_name(prefix, run.name, topic),
        key_type=bytes,
        value_type=bytes,
        key_serializer="raw",
        value_serializer="raw",
        internal=False,
    )


def declare_records(app: faust.App, run: Run) -> RecordTable:
    """Return the table that keeps a stage's records; its changelog was declared by `streams.admin`."""
    table = RecordTable(app, name=TABLE, partitions=run.partitions, key_type=bytes, value_type=bytes)
    app.tables.add(table)
    return table
