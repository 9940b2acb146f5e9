"""The replayer's pace, its order, and where it goes on, with a clock of the test's own."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from monitor.domain.documents import Document, Entry, SourceClass, Tick
from streams.logreader import Reached
from streams.replayer import FeedReplayer

START = datetime(2026, 3, 2, 9, tzinfo=UTC)


def feed(minutes: int) -> Iterable[Document]:
    for number in range(minutes):
        at = START + timedelta(minutes=number)
        yield Document(
            id=f"d{number}",
            source="wire",
            source_class=SourceClass.NEWS,
            origin="o",
            title=f"invented headline {number}",
            text="",
            url="",
            language="en",
            published_at=at,
            crawled_at=at,
            event_at=at,
            story=f"d{number}",
        )


class Clock(threading.Event):
    """Time that passes only while somebody waits on the event, as long as was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.at = 100.0

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.at += timeout
        return self.is_set()


class Written:
    """Keeps what was written, with the time."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.entries: list[tuple[float, Entry]] = []

    def write(self, entries: Sequence[Entry]) -> None:
        self.entries += [(self.clock.at - 100.0, entry) for entry in entries]

    def close(self) -> None:
        pass


def ids(written: Written) -> list[str]:
    return [entry.id for _, entry in written.entries if isinstance(entry, Document)]


@pytest.mark.parametrize("speed", [1.0, 60.0])
def test_a_paced_replay_sends_each_document_when_it_is_due(speed: float) -> None:
    clock = Clock()
    written = Written(clock)
    sent = FeedReplayer(written, speed=speed, now=lambda: clock.at).run(feed(30), clock)
    assert sent.finished
    assert sent.documents == 30
    for passed, entry in written.entries:
        if isinstance(entry, Document):
            due = (entry.crawled_at - START).total_seconds() / speed
            assert due - 0.51 <= passed <= due + 1.01


def test_a_replay_at_full_speed_never_waits() -> None:
    clock = Clock()
    written = Written(clock)
    FeedReplayer(written, speed=None, now=lambda: clock.at).run(feed(30), clock)
    assert clock.at == 100.0
    assert isinstance(written.entries[-1][1], Tick)
    assert written.entries[-1][1].closing


def test_a_stopped_replay_goes_on_where_it_stopped_and_writes_nothing_twice() -> None:
    clock = Clock()
    first = Written(clock)

    def stop_after_ten(sent: object) -> None:
        if len(ids(first)) >= 10:
            clock.set()

    assert not FeedReplayer(first, speed=60.0, now=lambda: clock.at).run(feed(30), clock, stop_after_ten).finished
    ticks = [entry for _, entry in first.entries if isinstance(entry, Tick)]
    second = Written(Clock())
    reached = Reached(at=ticks[-1].at, closing=False)
    sent = FeedReplayer(second, speed=None, reached=reached).run(feed(30), threading.Event())
    assert sent.finished
    assert sent.skipped == sum(
        1 for _, entry in first.entries if isinstance(entry, Document) and entry.crawled_at < ticks[-1].at
    )
    assert sorted({*ids(first), *ids(second)}, key=lambda name: int(name[1:])) == [f"d{number}" for number in range(30)]
