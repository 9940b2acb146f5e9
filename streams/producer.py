"""Writers over kafka-python: the one writer of a run's `documents`, and people's feedback."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from kafka import KafkaProducer
from kafka.errors import KafkaError

from monitor.domain.alerts import Feedback
from monitor.domain.documents import Entry, Tick, partition_of
from monitor.domain.errors import PublishFailed
from monitor.domain.runs import Run
from monitor.pipeline import DOCUMENTS
from streams.codecs import encode_bundles
from streams.topics import FEEDBACK, topic_name

__all__ = ["KafkaFeedbackSender", "KafkaLogWriter", "open_producer"]

ACKNOWLEDGE_S = 30.0
"""Longest wait for the broker to acknowledge a write."""

_AT_ONCE = 4_000
"""Entries laid out before they are sent: bounds the memory of a writer that is given an endless feed."""


def open_producer(bootstrap: str, client_id: str) -> KafkaProducer:
    """Return a producer that waits for all replicas and writes each message once (idempotent).

    Raises:
        PublishFailed: Kafka did not answer.
    """
    try:
        return KafkaProducer(
            bootstrap_servers=bootstrap,
            client_id=client_id,
            acks="all",
            linger_ms=5,
            compression_type="gzip",
            max_request_size=8 * 1024 * 1024,
            request_timeout_ms=int(ACKNOWLEDGE_S * 500),
            delivery_timeout_ms=int(ACKNOWLEDGE_S * 1000),
        )
    except KafkaError as error:
        msg = f"Kafka at {bootstrap} did not answer: {error}"
        raise PublishFailed(msg) from error


class KafkaLogWriter:
    """Writes documents and ticks of one run. Implements `monitor.ports.LogWriter`.

    A document goes to the partition of its id, a tick to every partition, each after what stood before it.

    Raises:
        PublishFailed: Kafka did not answer.
    """

    def __init__(self, bootstrap: str, run: Run, *, prefix: str) -> None:
        self._topic = topic_name(prefix, run.name, DOCUMENTS)
        self._partitions = run.partitions
        self._producer = open_producer(bootstrap, f"bellwether-{run.name}-writer")

    def write(self, entries: Iterable[Entry]) -> None:
        """Append entries in order and return when all are acknowledged.

        Raises:
            PublishFailed: Kafka did not acknowledge all; the caller may write the same entries again.
        """
        for some in _in_lots(entries):
            laid = self._laid_out(some)
            messages = [(number, message) for number, part in enumerate(laid) for message in encode_bundles(part)]
            _send_all(self._producer, [(self._topic, number, message) for number, message in messages])

    def _laid_out(self, entries: Sequence[Entry]) -> list[list[Entry]]:
        laid: list[list[Entry]] = [[] for _ in range(self._partitions)]
        for entry in entries:
            if isinstance(entry, Tick):
                for part in laid:
                    part.append(entry)
            else:
                laid[partition_of(entry.id, self._partitions)].append(entry)
        return laid

    def close(self) -> None:
        """Close the connection; everything written was acknowledged before."""
        self._producer.close(timeout=5)


class KafkaFeedbackSender:
    """Sends what people do to alerts. Implements `monitor.ports.FeedbackSender`; connects when first used."""

    def __init__(self, bootstrap: str, *, prefix: str) -> None:
        self._bootstrap, self._prefix = bootstrap, prefix
        self._producer: KafkaProducer | None = None

    def send(self, run: str, feedback: Feedback) -> None:
        """Send and return when acknowledged.

        Raises:
            PublishFailed: Kafka did not acknowledge; nothing was changed.
        """
        if self._producer is None:
            self._producer = open_producer(self._bootstrap, "bellwether-feedback")
        topic = topic_name(self._prefix, run, FEEDBACK)
        _send_all(self._producer, [(topic, 0, message) for message in encode_bundles([feedback])])

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._producer is not None:
            self._producer.close(timeout=5)


def _in_lots(entries: Iterable[Any]) -> Iterator[list[Any]]:
    lot: list[Any] = []
    for entry in entries:
        lot.append(entry)
        if len(lot) >= _AT_ONCE:
            yield lot
            lot = []
    if lot:
        yield lot


def _send_all(producer: KafkaProducer, messages: Sequence[tuple[str, int, bytes]]) -> None:
    """Send messages and wait until each is acknowledged."""
    try:
        sent = [producer.send(topic, value=message, partition=number) for topic, number, message in messages]
        producer.flush(timeout=ACKNOWLEDGE_S)
        for future in sent:
            future.get(timeout=ACKNOWLEDGE_S)
    except KafkaError as error:
        msg = f"Kafka did not acknowledge {len(messages)} messages: {error}"
        raise PublishFailed(msg) from error
