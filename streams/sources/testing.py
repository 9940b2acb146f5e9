"""Fakes of what the crawler leans on, and a web server that misbehaves on demand; for tests, here and downstream."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from monitor.domain.documents import Document, Entry, Tick
from monitor.domain.errors import PublishFailed, StoreUnavailable
from monitor.domain.sources import SeenItem, SourceState

__all__ = ["Answer", "FeedServer", "ManualClock", "MemoryLog", "MemorySourceStore", "SystemClock", "feed_server", "rss"]


class SystemClock:
    """The machine's time of day."""

    def now(self) -> datetime:
        """Return the present instant."""
        return datetime.now(UTC)


class ManualClock:
    """A clock that stands still until it is moved."""

    def __init__(self, start: datetime) -> None:
        self.at = start

    def now(self) -> datetime:
        """Return where it stands."""
        return self.at

    def forward(self, by: timedelta) -> datetime:
        """Move it, and return where it stands now."""
        self.at += by
        return self.at


class MemoryLog:
    """A log in memory; `failing` makes it refuse, as a Kafka that does not acknowledge."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.failing = False
        self.writes = 0

    def write(self, entries: Iterable[Entry]) -> None:
        """Append all or nothing."""
        batch = list(entries)
        self.writes += 1
        if self.failing:
            msg = "the log in memory was told to fail"
            raise PublishFailed(msg)
        self.entries += batch

    @property
    def documents(self) -> list[Document]:
        """Every document so far, in order."""
        return [entry for entry in self.entries if isinstance(entry, Document)]

    @property
    def ticks(self) -> list[Tick]:
        """Every tick so far, in order."""
        return [entry for entry in self.entries if isinstance(entry, Tick)]


class MemorySourceStore:
    """Cursors in memory; `failing` makes it refuse, as a database that does not answer."""

    def __init__(self) -> None:
        self.states: dict[str, SourceState] = {}
        self.items: dict[tuple[str, str], SeenItem] = {}
        self.failing = False

    def load(self) -> dict[str, SourceState]:
        """Return every known state."""
        self._answer()
        return dict(self.states)

    def seen(self, source: str, documents: Sequence[str]) -> dict[str, SeenItem]:
        """Return what is known of these documents."""
        self._answer()
        return {one: self.items[source, one] for one in documents if (source, one) in self.items}

    def save(self, state: SourceState, items: Sequence[SeenItem] = ()) -> None:
        """Keep a state and its items."""
        self._answer()
        self.states[state.source] = state
        self.items |= {(state.source, item.document): item for item in items}

    def _answer(self) -> None:
        if self.failing:
            msg = "the store in memory was told to fail"
            raise StoreUnavailable(msg)


@dataclass(slots=True, kw_only=True)
class Answer:
    """What the server says at one path.

    Attributes:
        chunks: Sent one after another; the server waits `pause_s` between them, or until it is stopped.
        length: Content-Length, if it shall lie about the body.
    """

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    chunks: Iterable[bytes] | None = None
    pause_s: float = 0.0
    length: int | None = None


class FeedServer:
    """A web server on a free local port; `pages` maps paths to answers or to functions of the request's headers."""

    def __init__(self) -> None:
        self.pages: dict[str, Answer | Callable[[dict[str, str]], Answer]] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.stopping = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.server_address[1])

    def url(self, path: str = "/") -> str:
        """Return the address of a path."""
        return f"http://127.0.0.1:{self.port}{path}"

    def asked(self, path: str) -> list[dict[str, str]]:
        """Return the headers of every request for a path, names in lower case."""
        return [headers for one, headers in list(self.requests) if one == path]

    def start(self) -> None:
        """Listen."""
        self._thread.start()

    def stop(self) -> None:
        """End, with every slow answer."""
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(server: FeedServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            server.requests.append((self.path, headers))
            page = server.pages.get(self.path, Answer(status=404))
            answer = page(headers) if callable(page) else page
            try:
                self._send(answer)
            except OSError:  # the client had enough, which is often the point
                self.close_connection = True

        def _send(self, answer: Answer) -> None:
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if answer.chunks is None:
                self.send_header("Content-Length", str(len(answer.body) if answer.length is None else answer.length))
            self.send_header("Connection", "close")
            self.end_headers()
            for chunk in answer.chunks or [answer.body]:
                self.wfile.write(chunk)
                self.wfile.flush()
                if answer.pause_s and server.stopping.wait(answer.pause_s):
                    return

        def log_message(self, format: str, *args: object) -> None:
            return

    return Handler


@contextmanager
def feed_server() -> Iterator[FeedServer]:
    """Run a `FeedServer` for the length of a block."""
    server = FeedServer()
    server.start()
    try:
        yield server
    finally:
        server.stop()


def rss(*entries: tuple[str, str, str], ttl: int | None = None, title: str = "Example Wire") -> bytes:
    """Return an RSS feed of (guid, title, RFC 2822 date or nothing)."""
    body = "".join(
        f"<item><guid isPermaLink='false'>{guid}</guid><title>{words}</title><link>https://news.example/{guid}</link>"
        + (f"<pubDate>{date}</pubDate>" if date else "")
        + f"<description>Words of {guid}.</description></item>"
        for guid, words, date in entries
    )
    wait = f"<ttl>{ttl}</ttl>" if ttl is not None else ""
    return (
        f'<?xml version="1.0"?><rss version="2.0"><channel><title>{title}</title>{wait}{body}</channel></rss>'.encode()
    )
