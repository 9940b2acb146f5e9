"""What the log carries: documents and ticks, in order.

A document is what one source said once. A *tick* says how far event time has come (docs/architecture.md, "Time").
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from monitor.domain.errors import InvalidMessage

__all__ = ["MAX_TEXT_BYTES", "Document", "Entry", "SourceClass", "Tick", "document_id", "partition_of"]

MAX_TEXT_BYTES = 64 * 1024
"""A document's text is cut here, with `truncated` set: a bundle must fit a Kafka message."""


class SourceClass(StrEnum):
    """What kind of voice a source is: editorial news, official reports, or people's comments."""

    NEWS = "news"
    REPORT = "report"
    COMMENT = "comment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One thing said at one source. A changed text is a new revision of the same id.

    Attributes:
        id: Digest of what identifies it at its source (`document_id`).
        revision: 0 for the first text, one more for each edit; only revision 0 is ever summed.
        source: Id of the source in the operator's list, or the name of a replayed feed.
        origin: Who speaks: the publisher for news and reports, the author (hashed) for comments.
        event_at: The time it counts at: published_at, not before the previous good poll, not after crawled_at.
        story: Id shared by near-identical documents within 72 h.
        copy: True if an earlier document of the same story was seen; copies never count as evidence of their own.
        backlog: True if it stood there before the first good poll; stored and searchable, in no live window.
        hints: Ids of entities that the source itself names (a ticker's own stream), beside those found in the text.
    """

    id: str
    source: str
    source_class: SourceClass
    origin: str
    title: str
    text: str
    url: str
    language: str
    published_at: datetime | None
    crawled_at: datetime
    event_at: datetime
    story: str
    revision: int = 0
    copy: bool = False
    backlog: bool = False
    truncated: bool = False
    hints: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.id:
            msg = "`id` must not be empty"
            raise InvalidMessage(msg)
        if not (self.title.strip() or self.text.strip()):
            msg = f"document {self.id} has neither `title` nor `text`"
            raise InvalidMessage(msg)
        for name in ("published_at", "crawled_at", "event_at"):
            instant = getattr(self, name)
            if instant is not None and instant.tzinfo is None:
                msg = f"`{name}` must be aware, was {instant!r}"
                raise InvalidMessage(msg)
        if self.event_at > self.crawled_at:
            msg = f"`event_at` must not be after `crawled_at`, was {self.event_at} after {self.crawled_at}"
            raise InvalidMessage(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """Event time has reached `at`. Stands in every partition, after the documents before it.

    Attributes:
        gap_from: If set, nobody covered the minutes from here to `at`: neither judged nor learned from.
        closing: True for the last tick of a replay.
    """

    at: datetime
    gap_from: datetime | None = None
    closing: bool = False

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            msg = f"`at` must be aware, was {self.at!r}"
            raise InvalidMessage(msg)


Entry: TypeAlias = Document | Tick


def document_id(source: str, key: str) -> str:
    """Return the id of what `key` (a guid, else an address, else a title) identifies at `source`.

    >>> document_id("fed", "https://example.org/1")
    '0dc6dc6e5990bdc9e46fe32e'
    """
    return hashlib.sha256(f"{source}\0{key}".encode()).hexdigest()[:24]


def partition_of(key: str, partitions: int) -> int:
    """Return the partition of a key: a stable hash, the same in every process and release.

    >>> 0 <= partition_of("market", 4) < 4
    True
    """
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=4).digest(), "big") % partitions
