"""From what a poll found to documents: pure, so that the rules of time and identity can be proved on any input.

See docs/architecture.md, "Time": a document counts at the time its publisher gives, but not before the previous good
poll of its source, when it was not there, and not after the moment it was seen.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from monitor.domain.documents import MAX_TEXT_BYTES, Document, SourceClass, document_id
from monitor.domain.sources import SeenItem, SourceHealth, SourceState
from monitor.ports import StoryAssigner
from streams.sources.configuration import Source
from streams.sources.fetch import FetchFailed
from streams.sources.parse import FeedItem
from streams.stories import story_text

__all__ = [
    "Poll",
    "clamped",
    "covered_from",
    "cut",
    "documents_from",
    "failed",
    "is_known",
    "item_id",
    "succeeded",
    "text_digest",
    "with_stories",
]

SPEAKER = re.compile(r"^/?u/[\w-]{1,40} on (?=.)")
MAX_REVISIONS = 20
"""A text that changes more often is a counter ("14 comments"), not an edit; further changes are not published."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """What one poll of one source gave, ready to be published.

    Attributes:
        documents: New and edited ones; their `story` is still their own id.
        state: The cursor to keep once they are acknowledged.
        seen: What to remember of them.
        covered_from: How far back this poll reaches without a hole; None if it says nothing.
    """

    source: Source
    state: SourceState
    documents: tuple[Document, ...] = ()
    seen: tuple[SeenItem, ...] = ()
    covered_from: datetime | None = None


def item_id(source: Source, item: FeedItem) -> str:
    """Return the id of the document that an entry becomes."""
    return document_id(source.id, item.key)


def text_digest(item: FeedItem) -> str:
    """Return a digest of what an entry says; blanks and case do not count as an edit."""
    words = " ".join(f"{item.title}\0{item.text}".casefold().split())
    return hashlib.blake2b(words.encode(), digest_size=12).hexdigest()


def clamped(published_at: datetime | None, previous: datetime | None, crawled_at: datetime) -> datetime:
    """Return the time a document counts at, between the previous good poll and the moment it was seen.

    The upper bound wins if a clock was put back in between.
    """
    if published_at is None:
        return crawled_at
    return min(published_at if previous is None else max(published_at, previous), crawled_at)


def is_known(item: FeedItem, known: SeenItem | None) -> bool:
    """Return True if an entry has nothing new to say."""
    return known is not None and (known.text_digest == text_digest(item) or known.revision >= MAX_REVISIONS)


def documents_from(
    items: Iterable[FeedItem],
    source: Source,
    state: SourceState,
    seen: Mapping[str, SeenItem],
    now: datetime,
    *,
    articles: Mapping[str, str] | None = None,
    language: str = "",
) -> tuple[list[Document], list[SeenItem]]:
    """Return what is new or edited, and what to remember of it once it is published.

    Args:
        state: Before this poll; without a good poll yet, all is backlog.
        seen: What is known of these entries, by document id.
        now: When they were seen (`crawled_at`).
        articles: Texts of the pages behind the entries, by key; the entry's own text stands where there is none.
        language: What the feed says of itself.
    """
    documents: list[Document] = []
    remembered: list[SeenItem] = []
    for item in items:
        one = item_id(source, item)
        known = seen.get(one)
        if is_known(item, known):
            continue
        remember = SeenItem(
            document=one,
            text_digest=text_digest(item),
            revision=0 if known is None else known.revision + 1,
            first_crawled_at=now if known is None else min(known.first_crawled_at, now),
        )
        text = (articles or {}).get(item.key) or item.text
        spoken = item.language or language or source.language
        documents.append(_document(item, source, state, remember, now, text=text, language=spoken))
        remembered.append(remember)
    return documents, remembered


def _document(
    item: FeedItem, source: Source, state: SourceState, known: SeenItem, now: datetime, *, text: str, language: str
) -> Document:
    text, truncated = cut(text)
    dated = item.published_at is not None
    return Document(
        id=known.document,
        revision=known.revision,
        source=source.id,
        source_class=source.source_class,
        origin=_origin(source, item),
        title=_unnamed(item.title) if source.source_class is SourceClass.COMMENT else item.title,
        text=text,
        url=item.url,
        language=language,
        published_at=item.published_at,
        crawled_at=now,
        event_at=clamped(item.published_at, state.last_success_at, now) if dated else known.first_crawled_at,
        story=known.document,
        backlog=state.last_success_at is None,
        truncated=truncated,
        hints=source.hints,
    )


def _origin(source: Source, item: FeedItem) -> str:
    if source.source_class is not SourceClass.COMMENT:
        return source.origin or source.host
    if not item.author:
        return source.origin or source.id
    # people are told apart, not named; by host, so that one person in two forums of a site stays one
    return hashlib.blake2b(f"{source.host}\0{item.author}".encode(), digest_size=8, person=b"author").hexdigest()


def _unnamed(title: str) -> str:
    """Return a comment's title without the writer's name, which some forums put before that of the thread."""
    return SPEAKER.sub("", title)


def cut(text: str, most: int = MAX_TEXT_BYTES) -> tuple[str, bool]:
    """Return a text of at most `most` bytes of UTF-8, never ending within a character, and whether it was cut.

    >>> cut("a\u00e9", 2)
    ('a', True)
    """
    encoded = text.encode()
    if len(encoded) <= most:
        return text, False
    return encoded[:most].decode("utf-8", "ignore"), True


def covered_from(
    items: Sequence[FeedItem], source: Source, state: SourceState, seen: Mapping[str, SeenItem]
) -> datetime | None:
    """Return how far back an answer reaches without a hole.

    An entry that was known before, or older than the previous good poll, joins the answer to what came before it. If
    there is none, entries may have come and gone unseen before the oldest that is left.
    """
    previous = state.last_success_at
    if previous is None or not items:
        return previous
    dates = [item.published_at for item in items if item.published_at is not None]
    if any(item_id(source, item) in seen for item in items) or any(date <= previous for date in dates):
        return previous
    return min(dates, default=None)


def succeeded(
    source: Source,
    state: SourceState,
    *,
    started_at: datetime,
    next_poll_at: datetime,
    documents: Sequence[Document] = (),
    etag: str = "",
    last_modified: str = "",
) -> SourceState:
    """Return the cursor after a good poll; its time is when the request began, since later entries may be missing."""
    newest = max((document.event_at for document in documents), default=state.last_document_at)
    if state.last_document_at is not None and newest is not None:
        newest = max(newest, state.last_document_at)
    return replace(
        state,
        title=source.title,
        url=source.url,
        health=SourceHealth.OK,
        etag=etag,
        last_modified=last_modified,
        last_attempt_at=started_at,
        last_success_at=max(started_at, state.last_success_at or started_at),
        last_document_at=newest,
        next_poll_at=next_poll_at,
        failures=0,
        reason="",
        documents=state.documents + sum(document.revision == 0 for document in documents),
    )


def failed(
    source: Source,
    state: SourceState,
    failure: FetchFailed,
    *,
    started_at: datetime,
    next_poll_at: datetime,
    documents: Sequence[Document] = (),
) -> SourceState:
    """Return the cursor after a failed poll: it stays where it was, and says why."""
    return replace(
        state,
        title=source.title,
        url=source.url,
        health=SourceHealth.FAILING if failure.retryable else SourceHealth.REFUSED,
        last_attempt_at=started_at,
        next_poll_at=next_poll_at,
        failures=state.failures + 1,
        reason=str(failure),
        documents=state.documents + sum(document.revision == 0 for document in documents),
    )


def with_stories(documents: Iterable[Document], stories: StoryAssigner) -> list[Document]:
    """Give documents their stories, in the order in which they will stand in the log."""
    told = []
    for document in documents:
        comment = document.source_class is SourceClass.COMMENT
        text = story_text(document.title, document.text, comment=comment)
        story, copy = stories.assign(document.id, text, document.event_at)
        told.append(replace(document, story=story, copy=copy))
    return told
