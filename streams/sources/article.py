"""The text of the page behind an entry: robots.txt honoured, trafilatura in a thread of its own, within caps."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.robotparser import RobotFileParser

import httpx
import structlog

from monitor.domain.documents import MAX_TEXT_BYTES
from streams.sources.fetch import FailureReason, Fetched, Fetcher, FetchFailed
from streams.sources.politeness import HostGate
from streams.sources.text import plain

__all__ = ["ArticleReader", "Robots", "extract_text"]

PAGE_BYTES = 4 * 1024 * 1024
"""Larger pages are not articles."""
ROBOTS_BYTES = 512 * 1024
"""Google reads 500 KiB of a robots.txt; so do we."""
ROBOTS_KEPT_S = 24 * 3600.0
ROBOTS_AGAIN_S = 3600.0
"""A host whose rules could not be had is asked for them again after this."""
ROBOTS_MOST = 2_000
"""Hosts remembered."""
NO_ROBOTS = frozenset({FailureReason.NOT_FOUND, FailureReason.FORBIDDEN, FailureReason.UNEXPECTED_STATUS})
"""A host without a robots.txt allows all: any 4xx but 429 (RFC 9309, 2.3.1.3)."""
EXTRACT_S = 20.0
"""Longest extraction; a page that takes longer is left to its summary."""
STUCK_MOST = 2
"""Extractions that may hang at once; with more, no page is read until one comes back."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Rules:
    parser: RobotFileParser | None
    until: float


class Robots:
    """Answers whether a page may be fetched, by its host's robots.txt (RFC 9309), remembered for a day."""

    def __init__(self, fetcher: Fetcher, gate: HostGate, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._fetcher = fetcher
        self._gate = gate
        self._monotonic = monotonic
        self._rules: dict[str, _Rules] = {}

    def allow(self, url: str, *, allow_private: bool = False) -> bool:
        """Return False if the host forbids it, or does not say because it is down."""
        origin = str(httpx.URL(url).join("/robots.txt"))
        rules = self._rules.get(origin)
        if rules is None or rules.until < self._monotonic():
            rules = self._ask(origin, allow_private)
            if len(self._rules) >= ROBOTS_MOST:
                self._rules.clear()
            self._rules[origin] = rules
        return rules.parser is not None and rules.parser.can_fetch(self._fetcher.user_agent, url)

    def _ask(self, url: str, allow_private: bool) -> _Rules:
        limits = replace(self._fetcher.limits, body_bytes=ROBOTS_BYTES, total=timedelta(seconds=10))
        with self._gate.turn(httpx.URL(url).host):
            answer = self._fetcher.fetch(url, allow_private=allow_private, limits=limits)
        if isinstance(answer, Fetched):
            return _Rules(_parsed(answer.body.decode("utf-8", "replace")), self._monotonic() + ROBOTS_KEPT_S)
        if isinstance(answer, FetchFailed) and answer.reason in NO_ROBOTS:
            return _Rules(_parsed(""), self._monotonic() + ROBOTS_KEPT_S)
        return _Rules(None, self._monotonic() + ROBOTS_AGAIN_S)


def _parsed(rules: str) -> RobotFileParser:
    parser = RobotFileParser()
    parser.parse(rules.splitlines())
    return parser


class ArticleReader:
    """Reads articles for the crawler's threads.

    Args:
        extract: From the page's bytes and address to its text; None where there is none.
    """

    def __init__(
        self,
        fetcher: Fetcher,
        gate: HostGate,
        *,
        extract: Callable[[bytes, str], str | None] | None = None,
        timeout_s: float = EXTRACT_S,
    ) -> None:
        self._fetcher = fetcher
        self._gate = gate
        self._robots = Robots(fetcher, gate)
        self._extract = extract or extract_text
        self._timeout_s = timeout_s
        self._slots = threading.BoundedSemaphore(STUCK_MOST)

    def read(self, url: str, *, allow_private: bool = False) -> str:
        """Return the text of an article, empty if it may not or cannot be had."""
        if not self._robots.allow(url, allow_private=allow_private):
            log.info("article not allowed by robots.txt", url=url)
            return ""
        limits = replace(self._fetcher.limits, body_bytes=PAGE_BYTES)
        with self._gate.turn(httpx.URL(url).host):
            page = self._fetcher.fetch(url, allow_private=allow_private, limits=limits)
        if not isinstance(page, Fetched):
            log.info("article not fetched", url=url, reason=str(page))
            return ""
        return self._bounded(page)

    def _bounded(self, page: Fetched) -> str:
        # a thread cannot be ended from outside: so it is left behind, and how many may be so is bounded
        if not self._slots.acquire(timeout=self._timeout_s):
            log.warning("article not read", url=page.url, reason="too many extractions hang")
            return ""
        found: list[str] = []

        def work() -> None:
            try:
                found.append(self._extract(page.body, page.url) or "")
            except Exception as error:
                log.warning("article not read", url=page.url, reason=f"{type(error).__name__}: {error}")
            finally:
                self._slots.release()

        thread = threading.Thread(target=work, name="read an article", daemon=True)
        thread.start()
        thread.join(self._timeout_s)
        if thread.is_alive():
            log.warning("article not read", url=page.url, reason=f"took longer than {self._timeout_s:g} s")
        return plain(found[0])[:MAX_TEXT_BYTES] if found else ""


def extract_text(page: bytes, url: str) -> str | None:
    """Return the main text of a page, without its comments, menus and tables."""
    import trafilatura

    text = trafilatura.extract(page, url=url, include_comments=False, include_tables=False, favor_precision=True)
    return None if text is None else str(text)
