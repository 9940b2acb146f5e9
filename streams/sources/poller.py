"""Asks one source once: fetch, parse, compare with what is known, read the articles of what is new."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from monitor.domain.documents import Document
from monitor.domain.sources import SeenItem, SourceState
from monitor.ports import Clock, SourceStore
from streams.sources.article import ArticleReader
from streams.sources.configuration import Source
from streams.sources.fetch import FailureReason, Fetched, Fetcher, FetchFailed, NotModified
from streams.sources.parse import FeedItem, ParsedFeed, parse
from streams.sources.politeness import HostGate, next_poll
from streams.sources.poll import Poll, covered_from, documents_from, failed, is_known, item_id, succeeded

__all__ = ["Poller", "fresh_state"]

ARTICLES_S = 45.0
"""Longest time for the articles of one poll; entries beyond it keep the text of the feed."""
RATE_LIMITED_PAUSE = timedelta(minutes=1)
"""Pause of a host that said 429 without saying how long."""

log = structlog.get_logger(__name__)


def fresh_state(source: Source) -> SourceState:
    """Return the state of a source that was never asked."""
    return SourceState(source=source.id, title=source.title, url=source.url)


class Poller:
    """Polls sources for the crawler's threads.

    Args:
        rng: Spreads the polls; seeded by tests.
        monotonic: Seconds on a clock that never goes back.
    """

    def __init__(
        self,
        *,
        fetcher: Fetcher,
        gate: HostGate,
        articles: ArticleReader,
        store: SourceStore,
        clock: Clock,
        rng: random.Random,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetcher = fetcher
        self._gate = gate
        self._articles = articles
        self._store = store
        self._clock = clock
        self._rng = rng
        self._monotonic = monotonic

    def poll(self, source: Source, state: SourceState) -> Poll | None:
        """Return what a source says now; None if the crawler is stopping.

        Raises:
            StoreUnavailable: What was seen before could not be looked up; nothing is lost by asking again.
        """
        started_at = self._clock.now()
        with self._gate.turn(source.host):
            answer = self._fetcher.fetch(
                source.url,
                etag=state.etag,
                last_modified=state.last_modified,
                headers=source.headers,
                allow_private=source.allow_private,
            )
        if isinstance(answer, NotModified):
            return self._unchanged(source, state, answer, started_at)
        if isinstance(answer, FetchFailed):
            return self._failed(source, state, answer, started_at)
        feed = parse(answer, source)
        if isinstance(feed, FetchFailed):
            return self._failed(source, state, feed, started_at)
        return self._found(source, state, answer, feed, started_at)

    def _unchanged(self, source: Source, state: SourceState, answer: NotModified, started_at: datetime) -> Poll:
        due = next_poll(self._clock.now(), source.every, self._rng, max_age=answer.max_age)
        cursor = succeeded(
            source,
            state,
            started_at=started_at,
            next_poll_at=due,
            etag=answer.etag,
            last_modified=answer.last_modified,
        )
        log.debug("source unchanged", source=source.id)
        return Poll(source=source, state=cursor, covered_from=state.last_success_at)

    def _failed(self, source: Source, state: SourceState, failure: FetchFailed, started_at: datetime) -> Poll | None:
        if failure.reason is FailureReason.CANCELLED:
            return None
        if failure.reason is FailureReason.RATE_LIMITED:
            self._gate.hold(source.host, failure.retry_after or RATE_LIMITED_PAUSE)
        return self.failure(source, state, failure, started_at)

    def failure(
        self,
        source: Source,
        state: SourceState,
        failure: FetchFailed,
        started_at: datetime,
        documents: Sequence[Document] = (),
    ) -> Poll:
        """Return a poll that failed: the cursor stays, the next try backs off; what was found all the same counts."""
        failures = state.failures + 1
        due = next_poll(self._clock.now(), source.every, self._rng, failures=failures, wait=failure.retry_after)
        log.info("source failed", source=source.id, reason=str(failure), failures=failures, next_poll=due)
        cursor = failed(source, state, failure, started_at=started_at, next_poll_at=due, documents=documents)
        return Poll(source=source, state=cursor)

    def _found(
        self, source: Source, state: SourceState, answer: Fetched, feed: ParsedFeed, started_at: datetime
    ) -> Poll:
        now = self._clock.now()
        seen = self._store.seen(source.id, [item_id(source, item) for item in feed.items])
        articles = self._read_articles(source, feed, seen)
        documents, remembered = documents_from(
            feed.items, source, state, seen, now, articles=articles, language=feed.language
        )
        tell = log.info if documents or feed.fault else log.debug
        tell(
            "source polled",
            source=source.id,
            entries=len(feed.items),
            documents=len(documents),
            left_out=feed.left_out,
            fault=feed.fault,
        )
        if feed.fault:
            broken = FetchFailed(reason=FailureReason.TRUNCATED, detail=feed.fault)
            poll = self.failure(source, state, broken, started_at, documents)
            return replace(poll, documents=tuple(documents), seen=tuple(remembered))
        cursor = succeeded(
            source,
            state,
            started_at=started_at,
            next_poll_at=next_poll(self._clock.now(), source.every, self._rng, ttl=feed.ttl, max_age=answer.max_age),
            documents=documents,
            etag=answer.etag,
            last_modified=answer.last_modified,
        )
        return Poll(
            source=source,
            state=cursor,
            documents=tuple(documents),
            seen=tuple(remembered),
            covered_from=covered_from(feed.items, source, state, seen),
        )

    def _read_articles(self, source: Source, feed: ParsedFeed, seen: Mapping[str, SeenItem]) -> dict[str, str]:
        texts: dict[str, str] = {}
        if not source.article:
            return texts
        until = self._monotonic() + ARTICLES_S
        for item in feed.items:
            if self._monotonic() >= until:
                log.info("articles left to their summaries", source=source.id, read=len(texts))
                break
            if item.url and not is_known(item, seen.get(item_id(source, item))):
                text = self._read_article(source, item)
                if len(text) > len(item.text):
                    texts[item.key] = text
        return texts

    def _read_article(self, source: Source, item: FeedItem) -> str:
        # a feed may be trusted with its own network, the links inside it may not: only its own host stays allowed
        own = replace(source, url=item.url).host == source.host
        return self._articles.read(item.url, allow_private=source.allow_private and own)
