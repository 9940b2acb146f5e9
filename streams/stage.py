"""What every stage's app has in common: its sends, its dead letters, its progress, and how it ends."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, TypeVar

import faust
import structlog

from monitor.domain.errors import InvalidMessage
from monitor.domain.runs import Run
from streams.app import raw_topic
from streams.codecs import decode_bundle, encode_bundles
from streams.deadletters import letter_headers
from streams.metrics import BATCHES, DEAD_LETTERS_SENT, ENTRIES, SECONDS
from streams.topics import DEAD_LETTERS

__all__ = ["EXIT_FAULT", "EXIT_STALLED", "StageApp", "guarded"]

EXIT_FAULT = 70
"""Exit code after an error that nobody foresaw: Kafka redelivers to the next process."""

EXIT_STALLED = 71
"""Exit code after lag without progress: a dead stream is only cured by a new process."""

_CLOSE_S = 5.0
"""Longest wait for the bundle in hand when a worker ends; one that is cut short is redelivered to the next process."""

Taken = TypeVar("Taken")

log = structlog.get_logger(__name__)


class StageApp:
    """One stage's Faust app and what its agent needs.

    Attributes:
        taken: By (topic, partition), the offset of the last message that is done with.
        moved: Monotonic time at which the stage last finished a message.
        idle: Set while none of its agents works on one.
        closing: True once no further message may be begun.
    """

    def __init__(self, app: faust.App, run: Run, name: str, prefix: str) -> None:
        self.app, self.run, self.name, self.prefix = app, run, name, prefix
        self.taken: dict[tuple[str, int], int] = {}
        self.moved = time.monotonic()
        self.idle = asyncio.Event()
        self.idle.set()
        self.closing = False
        self._working = 0
        self._topics: dict[str, Any] = {}

    def topic(self, name: str) -> Any:
        """Return a topic of the run, raw."""
        if name not in self._topics:
            self._topics[name] = raw_topic(self.app, self.run, name, self.prefix)
        return self._topics[name]

    async def send(self, topic: str, partition: int, entries: Iterable[Any]) -> None:
        """Send entries in order and return when Kafka has acknowledged all of them."""
        channel = self.topic(topic)
        sent = [await channel.send(value=message, partition=partition) for message in encode_bundles(entries)]
        for acknowledged in sent:
            await acknowledged

    async def read(self, event: Any) -> tuple[Any, ...]:
        """Return the entries of a message; what cannot be read becomes a dead letter, the rest is kept."""
        try:
            bundle = decode_bundle(event.value)
        except InvalidMessage as error:
            await self.refuse(event, event.value, str(error))
            return ()
        for original, reason in bundle.refused:
            await self.refuse(event, original, reason)
        return bundle.entries

    async def refuse(self, event: Any, original: bytes, reason: str) -> None:
        """Put the original bytes aside, with the reason."""
        message = event.message
        headers = letter_headers(self.name, reason, message.topic, message.partition, message.offset)
        acknowledged = await self.topic(DEAD_LETTERS).send(value=original, partition=0, headers=headers)
        await acknowledged
        DEAD_LETTERS_SENT.labels(self.run.name, self.name).inc()
        log.warning("dead letter", stage=self.name, reason=reason, offset=message.offset, bytes=len(original))

    def begin(self) -> float:
        """Note that work begins; return the time for `done`."""
        self._working += 1
        self.idle.clear()
        return time.monotonic()

    def done(self, events: Sequence[Any], entries: int, began: float) -> None:
        """Note that messages are done with."""
        for event in events:
            self.taken[event.message.topic, event.message.partition] = event.message.offset
        self._working -= 1
        if not self._working:
            self.idle.set()
        self.moved = time.monotonic()
        BATCHES.labels(self.run.name, self.name).inc()
        ENTRIES.labels(self.run.name, self.name).inc(entries)
        SECONDS.labels(self.run.name, self.name).observe(self.moved - began)

    async def close(self) -> None:
        """Finish the bundle in hand, commit what is done, and nothing after: a cancelled agent acknowledges its bundle.

        Faust acknowledges in a `finally`; without this a worker that is stopped would commit what it has not done.
        """
        self.closing = True
        consumer: Any = self.app.consumer
        try:
            async with asyncio.timeout(_CLOSE_S):
                await self.idle.wait()
                await consumer.commit()
        except TimeoutError:
            log.warning("a bundle was cut short; Kafka redelivers it", stage=self.name, run=self.run.name)
        finally:
            consumer.ended = True

    def lag(self) -> int:
        """Return how many messages wait, as far as the consumer knows; 0 while partitions move or tables recover."""
        consumer: Any = self.app.consumer
        if consumer is None or self.app.rebalancing or not self.app.flow_control.is_active():
            return 0
        waiting = 0
        for tp in consumer.assignment():
            if tp.topic.endswith("-changelog"):
                continue
            end = consumer.highwater(tp)
            at = self.taken.get((tp.topic, tp.partition), (consumer._committed_offset.get(tp) or 0) - 1)
            waiting += max(0, (end or 0) - at - 1)
        return waiting


async def guarded(stage: StageApp, take: Callable[[Taken], Awaitable[None]], taken: Taken) -> None:
    """Run the body of an agent; an error that escaped it would lose messages for good: the process ends instead."""
    if stage.closing:
        await asyncio.Event().wait()
    try:
        await take(taken)
    except asyncio.CancelledError:
        raise
    except BaseException:
        log.exception("stage failed, the process ends so that Kafka redelivers", stage=stage.name, run=stage.run.name)
        leave(EXIT_FAULT)


def leave(code: int) -> None:
    """End the process at once, without committing anything."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
