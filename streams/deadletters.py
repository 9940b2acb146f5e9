"""Dead letters: what could not be taken, as it came, with the reason in the headers; listed, shown, re-driven once.

Headers: ``stage``, ``reason``, ``topic``, ``partition``, ``offset``. A re-driven letter leaves a record of itself in
the same topic, with the header ``redriven`` naming its offset.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from monitor.domain.errors import InvalidConfiguration, PublishFailed
from streams.codecs import BUNDLE_VERSION
from streams.producer import ACKNOWLEDGE_S, open_producer
from streams.topics import DEAD_LETTERS, topic_name

__all__ = ["DeadLetter", "letter_headers", "read_dead_letters", "redrive"]

_ENTRY_REASONS = b'["'
"""A single refused entry begins like this and travels again in a bundle of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """One dead letter; `number` is its offset. `original` is what could not be taken, byte by byte."""

    number: int
    at: datetime
    stage: str
    reason: str
    topic: str
    partition: int
    offset: int
    original: bytes
    redriven: bool


def letter_headers(stage: str, reason: str, topic: str, partition: int, offset: int) -> list[tuple[str, bytes]]:
    """Return the headers of a dead letter."""
    told = {"stage": stage, "reason": reason[:1000], "topic": topic, "partition": partition, "offset": offset}
    return [(name, str(value).encode("utf-8", "replace")) for name, value in told.items()]


def read_dead_letters(bootstrap: str, run: str, prefix: str) -> list[DeadLetter]:
    """Return the dead letters of a run, oldest first.

    Raises:
        PublishFailed: Kafka did not answer.
    """
    place = TopicPartition(topic_name(prefix, run, DEAD_LETTERS), 0)
    try:
        consumer = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, max_partition_fetch_bytes=2**24)
        try:
            consumer.assign([place])
            end = consumer.end_offsets([place])[place]
            consumer.seek_to_beginning(place)
            records = list(_up_to(consumer, place, end))
        finally:
            consumer.close()
    except KafkaError as error:
        msg = f"Kafka at {bootstrap} did not give the dead letters: {error}"
        raise PublishFailed(msg) from error
    again = {int(value) for record in records for name, value in record.headers if name == "redriven"}
    return [_letter(record, again) for record in records if "redriven" not in dict(record.headers)]


def _up_to(consumer: KafkaConsumer, place: TopicPartition, end: int) -> Iterator[Any]:
    while consumer.position(place) < end:
        for records in consumer.poll(timeout_ms=1000).values():
            yield from records


def _letter(record: Any, again: set[int]) -> DeadLetter:
    headers = {name: value.decode("utf-8", "replace") for name, value in record.headers}
    number = record.offset
    return DeadLetter(
        number=number,
        at=datetime.fromtimestamp(record.timestamp / 1000, UTC),
        stage=headers.get("stage", ""),
        reason=headers.get("reason", ""),
        topic=headers.get("topic", ""),
        partition=int(headers.get("partition", 0)),
        offset=int(headers.get("offset", -1)),
        original=record.value or b"",
        redriven=number in again,
    )


def redrive(bootstrap: str, run: str, prefix: str, numbers: tuple[int, ...] = ()) -> list[DeadLetter]:
    """Send dead letters to the topic they came from again, each once, and return those that were sent.

    Args:
        numbers: Which; empty for all that were not re-driven yet.

    Raises:
        InvalidConfiguration: A number names no dead letter.
        PublishFailed: Kafka did not acknowledge; what was acknowledged before is marked.
    """
    letters = read_dead_letters(bootstrap, run, prefix)
    unknown = set(numbers) - {letter.number for letter in letters}
    if unknown:
        msg = f"`letter` {min(unknown)} is no dead letter of run {run!r}; bellwether dead-letters list shows them"
        raise InvalidConfiguration(msg)
    chosen = [letter for letter in letters if not letter.redriven and (not numbers or letter.number in numbers)]
    producer = open_producer(bootstrap, "bellwether-redrive")
    marks = topic_name(prefix, run, DEAD_LETTERS)
    try:
        for letter in chosen:
            producer.send(letter.topic, value=_message(letter.original), partition=letter.partition).get(ACKNOWLEDGE_S)
            mark = [("redriven", str(letter.number).encode())]
            producer.send(marks, value=b"", headers=mark, partition=0).get(ACKNOWLEDGE_S)
    except KafkaError as error:
        msg = f"Kafka did not acknowledge a dead letter: {error}"
        raise PublishFailed(msg) from error
    finally:
        producer.close(timeout=5)
    return chosen


def _message(original: bytes) -> bytes:
    """Return what is to be sent: a whole message as it came, a single entry in a bundle of its own."""
    if original.startswith(_ENTRY_REASONS):
        return b'{"version":%d,"entries":[%s]}' % (BUNDLE_VERSION, original)
    return original
