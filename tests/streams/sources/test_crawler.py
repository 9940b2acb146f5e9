"""The whole crawler against a real web server: threads, scheduler, scribe."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.domain.documents import SourceClass, Tick
from monitor.domain.sources import SourceHealth, SourceState
from streams.sources.article import ArticleReader
from streams.sources.check import test_source as look_at
from streams.sources.configuration import Source, SourceKind, as_toml
from streams.sources.crawler import Crawler
from streams.sources.fetch import Fetcher, FetchLimits
from streams.sources.politeness import HostGate
from streams.sources.testing import Answer, FeedServer, MemoryLog, MemorySourceStore, SystemClock, rss
from streams.stories import StoryIndex

LIMITS = FetchLimits(body_bytes=200_000, total=timedelta(seconds=1.5))
SOON = timedelta(seconds=0.1)


def wait_until(true: Callable[[], bool], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    pause = threading.Event()
    while not true():
        assert time.monotonic() < until, "the condition never came true"
        pause.wait(0.01)


def source(server: FeedServer, name: str, **rest: Any) -> Source:
    given = {"id": name, "title": name, "url": server.url(f"/{name}"), "every": SOON, "allow_private": True}
    return Source(**(given | rest))


@contextmanager
def crawling(
    sources: list[Source], log: MemoryLog, store: MemorySourceStore, **rest: Any
) -> Iterator[tuple[Crawler, threading.Thread, threading.Event]]:
    stop = threading.Event()
    crawler = Crawler(
        sources,
        writer=log,
        store=store,
        stories=StoryIndex(),
        clock=SystemClock(),
        fetcher=Fetcher(limits=LIMITS),
        tick_every=timedelta(seconds=0.2),
        spacing_s=0.0,
        store_pause=timedelta(seconds=0.5),
        rng=random.Random(7),
        **rest,
    )
    thread = threading.Thread(target=crawler.run_until, args=[stop])
    thread.start()
    try:
        yield crawler, thread, stop
    finally:
        begun = time.monotonic()
        stop.set()
        thread.join(12)
        assert not thread.is_alive()
        assert time.monotonic() - begun < 6, "a stop takes seconds"


def test_every_kind_of_answer_gets_its_word_and_none_stops_the_flow(server: FeedServer) -> None:
    feeds = {"good": [("g1", "First report from the plant", "")]}
    huge = rss(*[(f"h{n}", "x" * 400, "") for n in range(1000)])
    server.pages |= {
        "/good": lambda _: Answer(body=rss(*feeds["good"]), headers={"ETag": f'"{len(feeds["good"])}"'}),
        "/cached": lambda headers: (
            Answer(status=304)
            if "if-none-match" in headers
            else Answer(body=rss(("c", "Cached report of the day", "")), headers={"ETag": '"c"'})
        ),
        "/broken": Answer(body=b"this is no feed"),
        "/huge": Answer(body=huge),
        "/slow": Answer(chunks=[b"<rss>"] + [b" "] * 500, pause_s=0.05),
        "/inward": Answer(status=302, headers={"Location": "http://169.254.169.254/latest"}),
        "/busy": Answer(status=429, headers={"Retry-After": "3600"}),
        "/cut": Answer(body=rss(("x1", "Whole report one", ""), ("x2", "Half report two", ""))[:-60]),
        "/api": Answer(body=b'{"hits": [{"id": 1, "by": "ann", "text": "<p>Sell &amp; run</p>", "at": 4000000000}]}'),
    }
    names = ["good", "cached", "broken", "huge", "slow", "cut"]
    sources = [source(server, name) for name in names]
    sources.append(
        source(
            server,
            "api",
            kind=SourceKind.JSON_API,
            source_class=SourceClass.COMMENT,
            items="hits",
            fields={"key": "id", "text": "text", "author": "by", "published": "at"},
        )
    )
    sources.append(source(server, "inward", allow_private=False))
    log, store, beats = MemoryLog(), MemorySourceStore(), []
    with crawling(sources, log, store, heartbeat=beats.append):
        wait_until(lambda: set(store.states) == {one.id for one in sources})
        feeds["good"].append(("g2", "Second report from the plant", "Thu, 01 Jan 1970 00:00:00 GMT"))
        wait_until(lambda: len(server.asked("/good")) > 2 and len(server.asked("/cached")) > 2)
        wait_until(lambda: any(document.title.startswith("Second") for document in log.documents))
        wait_until(lambda: len(log.ticks) > 3)
    words = {name: state.reason for name, state in store.states.items()}
    assert "not XML" in words["broken"]
    assert "too large" in words["huge"]
    assert "timeout" in words["slow"]
    assert "breaks off after 1" in words["cut"]
    assert "address refused" in words["inward"]
    assert words["good"] == words["cached"] == words["api"] == ""
    assert store.states["inward"].health is SourceHealth.REFUSED
    assert len({(document.id, document.revision) for document in log.documents}) == len(log.documents)
    found = {document.title or document.text: document for document in log.documents}
    assert set(found) == {
        "First report from the plant",
        "Second report from the plant",
        "Cached report of the day",
        "Whole report one",
        "Sell & run",
    }
    second = found["Second report from the plant"]
    assert not second.backlog
    assert second.published_at is not None
    assert second.published_at.year == 1970
    assert (second.crawled_at - second.event_at) < timedelta(minutes=1)
    assert found["First report from the plant"].backlog
    assert found["Sell & run"].event_at == found["Sell & run"].crawled_at
    assert beats == [tick.at for tick in log.ticks]
    assert [tick.at for tick in log.ticks] == sorted(tick.at for tick in log.ticks)


def test_a_429_holds_back_every_source_of_its_host(server: FeedServer) -> None:
    asked_twice = threading.Event()

    def busy(_: dict[str, str]) -> Answer:
        return Answer(status=429, headers={"Retry-After": "3600"})

    def good(_: dict[str, str]) -> Answer:
        if len(server.asked("/good")) >= 2:
            asked_twice.set()
        return Answer(body=rss(("g", "A report from the plant", "")))

    server.pages |= {"/busy": busy, "/good": good}
    log, store = MemoryLog(), MemorySourceStore()
    with crawling([source(server, "busy"), source(server, "good")], log, store) as (crawler, _, _):
        wait_until(lambda: "busy" in store.states)
        count = len(server.asked("/good"))
        wait_until(lambda: len(log.ticks) > 4)
        assert len(server.asked("/good")) <= count + 1
        assert len(server.asked("/busy")) == 1
        state = crawler.states()["busy"]
        assert state.next_poll_at is not None
        assert state.last_attempt_at is not None
        assert state.next_poll_at - state.last_attempt_at >= timedelta(hours=1)
        assert "429" in state.reason


def test_a_restart_goes_on_where_the_last_one_stopped(server: FeedServer) -> None:
    entries = [("a", "First report from the plant", "")]
    server.pages["/wire"] = lambda _: Answer(body=rss(*entries))
    log, store = MemoryLog(), MemorySourceStore()
    with crawling([source(server, "wire")], log, store):
        wait_until(lambda: "wire" in store.states)
    entries.append(("b", "Second report from the plant", ""))
    with crawling([source(server, "wire")], log, store):
        wait_until(lambda: len(log.documents) == 2)
    assert [(document.title[:6], document.backlog) for document in log.documents] == [
        ("First ", True),
        ("Second", False),
    ]


def test_a_store_and_a_log_that_come_back_lose_nothing(server: FeedServer) -> None:
    entries = [("a", "First report from the plant", "")]
    server.pages["/wire"] = lambda _: Answer(body=rss(*entries))
    log, store = MemoryLog(), MemorySourceStore()
    with crawling([source(server, "wire")], log, store):
        wait_until(lambda: store.states["wire"].health is SourceHealth.OK if "wire" in store.states else False)
        log.failing = True
        entries.append(("b", "Second report from the plant", ""))
        writes = log.writes
        wait_until(lambda: log.writes > writes)
        ticks = len(log.ticks)
        log.failing = False
        wait_until(lambda: len(log.documents) == 2 and len(log.ticks) > ticks)
        store.failing = True
        entries.append(("c", "Third report from the plant", ""))
        asked = len(server.asked("/wire"))
        wait_until(lambda: len(server.asked("/wire")) > asked)
        store.failing = False
        wait_until(lambda: len(log.documents) == 3)
    assert store.states["wire"].documents == 3


def test_after_a_gap_everything_is_polled_at_once_and_the_gap_is_closed(server: FeedServer) -> None:
    now = SystemClock().now()
    server.pages["/wire"] = Answer(body=rss(("a", "First report from the plant", "")))
    log, store = MemoryLog(), MemorySourceStore()
    wire = source(server, "wire", every=timedelta(hours=1))
    gap = now - timedelta(hours=2)
    later = now + timedelta(minutes=50)
    store.states["wire"] = SourceState(
        source="wire", title="wire", url=wire.url, last_success_at=gap, last_attempt_at=gap, next_poll_at=later
    )
    with crawling([wire], log, store):
        wait_until(lambda: len(log.ticks) > 1)
    marked = [entry for entry in log.entries if isinstance(entry, Tick) and entry.gap_from is not None]
    assert [tick.gap_from for tick in marked] == [gap]
    assert len(log.documents) == 1


def test_the_sources_file_is_read_again_and_a_faulty_one_changes_nothing(server: FeedServer, tmp_path: Path) -> None:
    server.pages |= {
        f"/{name}": Answer(body=rss((name, f"Report of plant {name} today", ""))) for name in ("one", "two")
    }
    path = tmp_path / "sources.toml"
    path.write_text(as_toml([source(server, "one", every=timedelta(seconds=5))]), encoding="utf-8")
    log, store = MemoryLog(), MemorySourceStore()
    with crawling([source(server, "one")], log, store, sources_file=path) as (crawler, _, _):
        wait_until(lambda: "one" in store.states)
        path.write_text("[[source]]\nid = 'broken'\n", encoding="utf-8")
        crawler.reload()
        assert set(crawler.states()) >= {"one"}
        two = [source(server, name, every=timedelta(seconds=5)) for name in ("one", "two")]
        path.write_text(as_toml(two), encoding="utf-8")
        crawler.reload()
        wait_until(lambda: "two" in store.states)
        crawler.replace_sources(two[1:])
        assert set(crawler.states()) == {"two"}
        asked = len(server.asked("/one"))
        wait_until(lambda: len(log.ticks) > 3)
        assert len(server.asked("/one")) <= asked + 1
        crawler.replace_sources([source(server, name) for name in ("one", "two")])
        wait_until(lambda: len(server.asked("/one")) > asked + 1)
    assert len(log.documents) == 2, "a source that comes back is not new"


def test_a_parser_that_breaks_is_an_internal_error_of_one_source(server: FeedServer) -> None:
    server.pages |= {"/one": Answer(body=rss(("a", "A report from the plant", ""))), "/two": Answer(body=b"{}")}
    log, store = MemoryLog(), MemorySourceStore()
    # a source that no configuration would let through: its map of fields is none
    bad = source(server, "two", kind=SourceKind.JSON_API, fields=None, items="")
    server.pages["/two"] = Answer(body=b"[{}]")
    with crawling([source(server, "one"), bad], log, store):
        wait_until(lambda: set(store.states) == {"one", "two"})
    assert "internal error" in store.states["two"].reason
    assert store.states["one"].health is SourceHealth.OK


def test_an_unforeseen_error_of_the_writer_ends_the_crawler_loudly(server: FeedServer) -> None:
    class Wrong(MemoryLog):
        def write(self, entries: Any) -> None:
            msg = "nobody foresaw this"
            raise RuntimeError(msg)

    crawler = Crawler(
        [], writer=Wrong(), store=MemorySourceStore(), stories=StoryIndex(), clock=SystemClock(), fetcher=Fetcher()
    )
    with pytest.raises(RuntimeError, match="nobody foresaw"):
        crawler.run_until(threading.Event())


PAGE = b"""<html><head><title>x</title></head><body><nav>Menu Menu Menu</nav><article><h1>Plant opens</h1>
<p>The company said on Monday that its new plant would open in the spring and employ four hundred people.</p>
<p>Analysts had expected a later date, and the shares rose after the announcement in early trading.</p>
</article><footer>All rights reserved</footer></body></html>"""


def test_the_article_behind_an_entry_is_read_where_robots_may(server: FeedServer) -> None:
    server.pages |= {
        "/robots.txt": Answer(body=b"User-agent: *\nDisallow: /closed"),
        "/open": Answer(body=PAGE, headers={"Content-Type": "text/html"}),
        "/closed": Answer(body=PAGE, headers={"Content-Type": "text/html"}),
        "/feed": Answer(
            body=rss(("1", "Open report from the plant", ""), ("2", "Closed report from the plant", ""))
            .replace(b"https://news.example/1", server.url("/open").encode())
            .replace(b"https://news.example/2", server.url("/closed").encode())
        ),
    }
    log, store = MemoryLog(), MemorySourceStore()
    with crawling([source(server, "feed", article=True, every=timedelta(hours=1))], log, store):
        wait_until(lambda: len(log.documents) == 2)
    texts = {document.title[:4]: document.text for document in log.documents}
    assert "four hundred people" in texts["Open"]
    assert "Menu" not in texts["Open"]
    assert texts["Clos"] == "Words of 2."
    assert len(server.asked("/robots.txt")) == 1
    assert server.asked("/closed") == []


def test_an_extraction_that_hangs_is_left_behind(server: FeedServer) -> None:
    server.pages["/page"] = Answer(body=PAGE)
    release = threading.Event()
    fetcher = Fetcher(allow_private=True, limits=LIMITS)
    gate = HostGate(release.wait, spacing_s=0.0)
    reader = ArticleReader(fetcher, gate, extract=lambda _page, _url: str(release.wait(10)), timeout_s=0.1)
    assert [reader.read(server.url("/page")) for _ in range(3)] == ["", "", ""]
    release.set()


def test_a_look_at_a_source_tells_what_would_come_of_it(server: FeedServer) -> None:
    body = rss(*[(str(n), f"Report number {n}", "Mon, 02 Mar 2026 12:00:00 GMT") for n in range(5)], ttl=30)
    server.pages |= {"/feed": Answer(body=body, headers={"ETag": '"1"'}), "/page": Answer(body=PAGE)}
    fetcher = Fetcher(allow_private=True, limits=LIMITS)
    report = look_at(server.url("/feed"), fetcher=fetcher, clock=SystemClock())
    assert report.good
    assert (report.kind, report.items, report.titles[0], report.conditional) == (
        SourceKind.RSS,
        5,
        "Report number 0",
        True,
    )
    assert report.next_poll_at is not None
    assert report.next_poll_at - SystemClock().now() > timedelta(minutes=29)
    assert any("Report number 2" in line for line in report.lines())
    page = look_at(server.url("/page"), fetcher=fetcher, clock=SystemClock())
    assert not page.good
    assert "HTML page" in page.problem
    private = look_at(server.url("/feed"), fetcher=Fetcher(), clock=SystemClock())
    assert "allow_private" in "\n".join(private.lines())
