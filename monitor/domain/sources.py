"""What we know of a source: its cursor and its health."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

__all__ = ["SeenItem", "SourceHealth", "SourceState"]


class SourceHealth(StrEnum):
    """How a source does; quiet is not broken."""

    NEW = "new"
    OK = "ok"
    FAILING = "failing"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """The cursor of one source, saved only after Kafka has acknowledged what it covers.

    Attributes:
        last_success_at: The previous good poll; the lower bound of `event_at` for what the next one finds.
        next_poll_at: Not to be asked before.
        failures: Polls failed in a row; 0 after a good one.
        reason: Why the last poll failed, one sentence; empty after a good one.
        documents: Documents published from this source so far.
    """

    source: str
    title: str
    url: str
    health: SourceHealth = SourceHealth.NEW
    etag: str = ""
    last_modified: str = ""
    last_attempt_at: datetime | None = None
    last_success_at: datetime | None = None
    last_document_at: datetime | None = None
    next_poll_at: datetime | None = None
    failures: int = 0
    reason: str = ""
    documents: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenItem:
    """One item of a source that was published before: what its text was, and when we first saw it."""

    document: str
    text_digest: str
    revision: int
    first_crawled_at: datetime
