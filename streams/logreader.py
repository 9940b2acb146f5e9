"""Reads a run's logs back: how far one has come, and `classified` in an order that keeps each tick's place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from monitor.domain.documents import Tick
from monitor.domain.errors import PublishFailed
from monitor.domain.runs import Run
from monitor.domain.sentiment import ClassifiedEntry
from monitor.pipeline import CLASSIFIED, DOCUMENTS
from streams.codecs import decode_bundle
from streams.topics import topic_name

__all__ = ["Reached", "last_ticks", "merged_by_ticks", "read_classified"]

_TAIL = 3
"""Messages at the end of a partition that are looked at for its last tick."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """The last tick that stands in every partition, and whether it closed the run."""

    at: datetime
    closing: bool


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


def last_ticks(bootstrap: str, run: Run, prefix: str, log: str = DOCUMENTS) -> Reached | None:
    """Return the last tick that every partition of one of a run's logs has, or None where one has none yet.

    Raises:
        PublishFailed: Kafka did not answer.
    """
    topic = topic_name(prefix, run.name, log)
    places = [TopicPartition(topic, partition) for partition in range(run.partitions)]
    try:
        consumer = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
        try:
            consumer.assign(places)
            found = [_last_tick(consumer, place, end) for place, end in consumer.end_offsets(places).items()]
        finally:
            consumer.close()
    except KafkaError as error:
        msg = f"Kafka at {bootstrap} did not give the end of {topic}: {error}"
        raise PublishFailed(msg) from error
    ticks = [tick for tick in found if tick is not None]
    if len(ticks) < len(places):
        return None
    least = min(ticks, key=lambda tick: tick.at)
    return Reached(at=least.at, closing=all(tick.closing for tick in ticks))


def _last_tick(consumer: KafkaConsumer, place: TopicPartition, end: int) -> Tick | None:
    """Return the last tick of a partition: looked for from the end, a few messages at a time."""
    begin = end
    while begin > 0:
        upto, begin = begin, max(0, begin - _TAIL)
        found = [
            entry for message in _between(consumer, place, begin, upto) for entry in decode_bundle(message).entries
        ]
        ticks = [entry for entry in found if isinstance(entry, Tick)]
        if ticks:
            return ticks[-1]
    return None


def _between(consumer: KafkaConsumer, place: TopicPartition, begin: int, end: int) -> list[bytes]:
    consumer.pause(*(other for other in consumer.assignment() if other != place))
    consumer.resume(place)
    consumer.seek(place, begin)
    messages: list[bytes] = []
    while consumer.position(place) < end:
        for records in consumer.poll(timeout_ms=500).values():
            messages += [record.value for record in records if record.offset < end]
    return messages
