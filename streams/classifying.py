"""Stage one, `classify`: bundles in, bundles out, same partition, same order, ticks in their place."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog

from monitor.domain.documents import Document, Entry
from monitor.domain.sentiment import ClassifiedEntry
from monitor.pipeline import CLASSIFIED, DOCUMENTS, classify_bundles
from monitor.ports import Classifier, Clock, EntityFinder
from streams.codecs import encode_bundles
from streams.stage import StageApp, guarded

__all__ = ["attach_classify"]

log = structlog.get_logger(__name__)


def attach_classify(
    stage: StageApp, finder: EntityFinder, classifier: Classifier, clock: Clock, *, most_bundles: int, age_s: float
) -> None:
    """Add the classify agent to its app.

    Args:
        most_bundles: Bundles taken at once; they share the classifier's batches.
        age_s: A batch is taken when its first bundle has waited so long.
    """
    executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="inference")

    async def take(events: Sequence[Any]) -> None:
        began = stage.begin()
        bundles = [await stage.read(event) for event in events]
        now_ms = int(clock.now().timestamp() * 1000)
        loop = asyncio.get_running_loop()
        ready, poisoned = await loop.run_in_executor(executor, _classified, bundles, finder, classifier, now_ms)
        for place, document, reason in poisoned:
            await stage.refuse(events[place], next(encode_bundles([document])), reason)
        for event, entries in zip(events, ready, strict=True):
            await stage.send(CLASSIFIED, event.message.partition, entries)
        stage.done(events, sum(map(len, bundles)), began)

    @stage.app.agent(stage.topic(DOCUMENTS), name="classify", concurrency=1)
    async def classify(stream: Any) -> None:
        async for events in stream.take_events(most_bundles, within=age_s):
            await guarded(stage, take, events)


def _classified(
    bundles: Sequence[Sequence[Entry]], finder: EntityFinder, classifier: Classifier, now_ms: int
) -> tuple[list[tuple[ClassifiedEntry, ...]], list[tuple[int, Document, str]]]:
    """Return the classified bundles, and the documents that nothing can be done with, by place of their bundle.

    A document on which the classifier breaks must not stop the flow: where a batch fails, each bundle is tried alone,
    then each document.
    """
    try:
        return classify_bundles(bundles, finder, classifier, now_ms), []
    except Exception:
        log.exception("a batch failed; trying its documents one by one")
    ready, poisoned = [], []
    for place, bundle in enumerate(bundles):
        kept: list[ClassifiedEntry] = []
        for entry in bundle:
            try:
                kept += classify_bundles([[entry]], finder, classifier, now_ms)[0]
            except Exception as error:
                assert isinstance(entry, Document)
                poisoned.append((place, entry, f"classifier failed: {type(error).__name__}: {error}"))
        ready.append(tuple(kept))
    return ready, poisoned
