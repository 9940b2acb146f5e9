"""What `bellwether sources test` tells of an address: what would come of it, or why nothing would."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime

from monitor.ports import Clock
from streams.sources.configuration import Source, SourceKind
from streams.sources.fetch import FailureReason, Fetched, Fetcher, FetchFailed
from streams.sources.parse import parse
from streams.sources.politeness import next_poll

__all__ = ["TITLES", "SourceReport", "test_source"]

TITLES = 3
"""Titles shown, the first of the feed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceReport:
    """What one look at a source found.

    Attributes:
        found_at: Where it was found, after redirects; empty if it was not.
        items: Entries that would become documents.
        left_out: Entries without a key or words.
        undated: Entries that would count at the time they are first seen.
        newest: When the newest dated entry was published.
        next_poll_at: When the crawler would ask again.
        conditional: True if the server gave an ETag or a Last-Modified, so that later polls are cheap.
        problem: Why nothing, or not all, could be read; empty if all is well.
        advice: What to do about the problem; empty if there is nothing to do.
    """

    url: str
    found_at: str = ""
    kind: SourceKind | None = None
    title: str = ""
    items: int = 0
    left_out: int = 0
    undated: int = 0
    newest: datetime | None = None
    next_poll_at: datetime | None = None
    conditional: bool = False
    titles: tuple[str, ...] = ()
    problem: str = ""
    advice: str = ""

    @property
    def good(self) -> bool:
        """True if the source can be crawled as it is."""
        return not self.problem

    def lines(self) -> list[str]:
        """Return the report for people, one finding a line."""
        if not self.kind:
            return [f"refused  {self.problem}", *([f"advice   {self.advice}"] if self.advice else [])]
        newest = self.newest.isoformat(timespec="minutes") if self.newest else "no entry is dated"
        after = self.next_poll_at.isoformat(timespec="seconds") if self.next_poll_at else "unknown"
        found = [
            f"found    {self.kind} at {self.found_at}",
            f"title    {self.title or '(none)'}",
            f"entries  {self.items}, {self.undated} without a date, {self.left_out} left out",
            f"newest   {newest}",
            f"next     {after}, conditional requests {'work' if self.conditional else 'are not offered'}",
        ]
        found += [f"         - {title}" for title in self.titles]
        return found + ([f"problem  {self.problem}"] if self.problem else [])


def test_source(source: Source | str, *, fetcher: Fetcher, clock: Clock) -> SourceReport:
    """Ask a source once, outside the crawler; nothing is published or remembered."""
    if isinstance(source, str):
        source = Source(id="test", title=source, url=source)
    answer = fetcher.fetch(source.url, headers=source.headers, allow_private=source.allow_private)
    if isinstance(answer, FetchFailed):
        return SourceReport(url=source.url, problem=str(answer), advice=_advice(answer))
    if not isinstance(answer, Fetched):
        return SourceReport(url=source.url, problem="the server says 304 to a first request")
    feed = parse(answer, source)
    if isinstance(feed, FetchFailed):
        return SourceReport(url=source.url, found_at=answer.url, problem=str(feed), advice=_advice(feed))
    dates = [item.published_at for item in feed.items if item.published_at is not None]
    now = clock.now()
    rng = random.Random(0)  # noqa: S311 - the jitter of a forecast
    return SourceReport(
        url=source.url,
        found_at=answer.url,
        kind=feed.kind,
        title=feed.title,
        items=len(feed.items),
        left_out=feed.left_out,
        undated=len(feed.items) - len(dates),
        newest=max(dates, default=None),
        next_poll_at=next_poll(now, source.every, rng, ttl=feed.ttl, max_age=answer.max_age),
        conditional=bool(answer.etag or answer.last_modified),
        titles=tuple(item.title or item.text[:120] for item in feed.items[:TITLES]),
        problem=feed.fault,
    )


test_source.__test__ = False  # type: ignore[attr-defined]  # its name is the command's; pytest must not collect it


def _advice(failure: FetchFailed) -> str:
    return {
        FailureReason.ADDRESS_REFUSED: "check the address; for a server of your own set `allow_private = true`",
        FailureReason.NOT_A_FEED: "look for the page's RSS or Atom link, or describe an API by kind = 'json-api'",
        FailureReason.NOT_FOUND: "the feed has moved: look for its new address on the publisher's page",
        FailureReason.FORBIDDEN: "the publisher wants a key or no robots: see `headers`, or ask them",
        FailureReason.RATE_LIMITED: "ask less often: raise `every`",
        FailureReason.UNKNOWN_HOST: "check the spelling of the host, and that this machine has a network",
        FailureReason.UNREACHABLE: "check that this machine reaches the network without a proxy",
        FailureReason.TLS: "the certificate cannot be verified: check the clock and the certificates of this machine",
    }.get(failure.reason, "")
