"""Reads a run's `classified` log back, in an order that keeps each tick's place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from monitor.domain.documents import Tick
from monitor.domain.errors import PublishFailed
from monitor.domain.runs import Run
from monitor.domain.sentiment import ClassifiedEntry
from monitor.pipeline import CLASSIFIED
from streams.codecs import decode_bundle
from streams.topics import topic_name

__all__ = ["merged_by_ticks", "read_classified"]


def read_classified(bootstrap: str, run: Run, prefix: str) -> Iterator[Sequence[ClassifiedEntry]]:
    """Yield the log up to its present end, a bundle for each tick: what came before it in any partition, then it.

    Raises:
        PublishFailed: Kafka did not answer.
    """
    topic = topic_name(prefix, run.name, CLASSIFIED)
    return merged_by_ticks([_entries(bootstrap, TopicPartition(topic, p)) for p in range(run.partitions)])


def merged_by_ticks(partitions: Sequence[Iterator[ClassifiedEntry]]) -> Iterator[Sequence[ClassifiedEntry]]:
    """Yield one log from several partitions that carry the same ticks, each tick once and in its place.

    A tick that a partition saw again (a redelivered bundle) changes nothing: a watermark never moves back.
    """
    live = list(partitions)
    heads: list[Tick | None] = [None] * len(live)
    ended = [False] * len(live)
    while not all(ended):
        bundle: list[ClassifiedEntry] = []
        for number, entries in enumerate(live):
            if ended[number] or heads[number] is not None:
                continue
            for entry in entries:
                if isinstance(entry, Tick):
                    heads[number] = entry
                    break
                bundle.append(entry)
            else:
                ended[number] = True
        waiting = [tick for tick in heads if tick is not None]
        if waiting:
            least = min(waiting, key=lambda tick: tick.at)
            bundle.append(least)
            heads = [None if tick is not None and tick.at <= least.at else tick for tick in heads]
        if bundle:
            yield bundle


def _entries(bootstrap: str, place: TopicPartition) -> Iterator[ClassifiedEntry]:
    try:
        consumer = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
        try:
            consumer.assign([place])
            end = consumer.end_offsets([place])[place]
            consumer.seek_to_beginning(place)
            while consumer.position(place) < end:
                for records in consumer.poll(timeout_ms=500).values():
                    for record in records:
                        yield from decode_bundle(record.value).entries
        finally:
            consumer.close()
    except KafkaError as error:
        msg = f"Kafka at {bootstrap} did not give {place.topic}: {error}"
        raise PublishFailed(msg) from error
