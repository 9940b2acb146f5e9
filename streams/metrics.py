"""Prometheus metrics of the stages, by run and stage."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

__all__ = ["BATCHES", "DEAD_LETTERS_SENT", "ENTRIES", "LAG", "SECONDS", "WATERMARK"]

_BY = ("run", "stage")

BATCHES = Counter("bellwether_batches", "Batches done", _BY)
ENTRIES = Counter("bellwether_entries", "Entries done: documents, ticks, totals ...", _BY)
DEAD_LETTERS_SENT = Counter("bellwether_dead_letters", "Messages or entries put aside", _BY)
SECONDS = Histogram("bellwether_batch_seconds", "Time from taking a batch to its acknowledgement", _BY)
LAG = Gauge("bellwether_lag_messages", "Messages that wait, as the consumer knows", _BY)
WATERMARK = Gauge("bellwether_watermark_seconds", "Event time up to which minutes are closed, Unix time", ("run",))
