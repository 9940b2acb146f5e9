"""The order of the log, and what a failing log or store does to it: step by step, on a clock that stands still."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.domain.documents import Document, Tick
from streams.sources.configuration import Source
from streams.sources.parse import FeedItem
from streams.sources.poll import Poll, covered_from, documents_from, item_id, succeeded
from streams.sources.poller import fresh_state
from streams.sources.scribe import Scribe
from streams.sources.testing import ManualClock, MemoryLog, MemorySourceStore
from streams.stories import StoryIndex

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
WIRES = [Source(id=f"wire-{n}", title=f"Wire {n}", url=f"https://news{n}.example/feed") for n in range(3)]


class Desk:
    """A scribe with all it leans on, and a hand to feed it."""

    def __init__(self, last_tick: datetime | None = None, store: MemorySourceStore | None = None) -> None:
        self.clock = ManualClock(NOON)
        self.log = MemoryLog()
        self.store = store or MemorySourceStore()
        self.asked: set[str] = set()
        self.well = 0
        self.beats: list[datetime] = []
        self.may_tick = True
        self.scribe = Scribe(
            writer=self.log,
            store=self.store,
            stories=StoryIndex(),
            clock=self.clock,
            on_saved=lambda _: None,
            on_gap=lambda: (set(self.asked), self.well),
            may_tick=lambda: self.may_tick,
            heartbeat=self.beats.append,
            last_tick=last_tick,
        )

    def poll(self, source: Source, *entries: tuple[str, str, datetime | None]) -> Poll:
        state = self.store.states.get(source.id, fresh_state(source))
        items = [FeedItem(key=key, title=title, text="", url="", published_at=at) for key, title, at in entries]
        seen = self.store.seen(source.id, [item_id(source, item) for item in items])
        now = self.clock.now()
        documents, remembered = documents_from(items, source, state, seen, now)
        after = succeeded(source, state, started_at=now, next_poll_at=now, documents=documents)
        return Poll(
            source=source,
            state=after,
            documents=tuple(documents),
            seen=tuple(remembered),
            covered_from=covered_from(items, source, state, seen),
        )


def test_a_tick_comes_every_ten_seconds_after_the_documents_before_it() -> None:
    desk = Desk()
    desk.scribe.step()
    desk.clock.forward(timedelta(seconds=9))
    desk.scribe.step()
    desk.clock.forward(timedelta(seconds=1))
    desk.scribe.submit(desk.poll(WIRES[0], ("a", "Something happens in town today", None)))
    desk.scribe.step()
    assert [type(entry) for entry in desk.log.entries] == [Tick, Document, Tick]
    assert [tick.at for tick in desk.log.ticks] == [NOON, NOON + timedelta(seconds=10)]
    assert desk.beats == [tick.at for tick in desk.log.ticks]


def test_a_cursor_moves_only_after_the_log_has_acknowledged() -> None:
    desk = Desk()
    desk.log.failing = True
    desk.scribe.submit(desk.poll(WIRES[0], ("a", "Something happens in town today", None)))
    for _ in range(100):
        desk.clock.forward(timedelta(seconds=1))
        desk.scribe.step()
    assert desk.store.states == {}
    assert desk.log.entries == []
    assert desk.beats == []
    assert desk.log.writes < 10, "tries back off"
    desk.log.failing = False
    desk.clock.forward(timedelta(seconds=30))
    desk.scribe.step()
    assert [document.title for document in desk.log.documents] == ["Something happens in town today"]
    assert set(desk.store.states) == {"wire-0"}
    assert len(desk.log.ticks) == 1


def test_a_store_that_fails_stops_the_ticks_and_doubles_nothing() -> None:
    desk = Desk()
    desk.scribe.step()
    poll = desk.poll(WIRES[0], ("a", "Something happens in town today", None))
    desk.store.failing = True
    desk.scribe.submit(poll)
    for _ in range(30):
        desk.clock.forward(timedelta(seconds=1))
        desk.scribe.step()
    assert (len(desk.log.documents), len(desk.log.ticks)) == (1, 1)
    desk.store.failing = False
    desk.clock.forward(timedelta(seconds=30))
    desk.scribe.step()
    assert (len(desk.log.documents), len(desk.log.ticks)) == (1, 2)
    assert desk.store.states["wire-0"].documents == 1


def test_a_crawler_that_cannot_look_things_up_does_not_tick() -> None:
    desk = Desk()
    desk.may_tick = False
    desk.scribe.step()
    assert desk.log.entries == []


def test_a_clock_put_back_never_puts_a_tick_back() -> None:
    desk = Desk()
    desk.scribe.step()
    desk.clock.forward(timedelta(hours=-1))
    desk.scribe.step()
    assert [tick.at for tick in desk.log.ticks] == [NOON]


def test_copies_are_found_across_sources() -> None:
    desk = Desk()
    for source in WIRES:
        desk.scribe.submit(desk.poll(source, ("a", "Harbor Mills cuts annual outlook again", None)))
        desk.scribe.step()
    assert len({document.story for document in desk.log.documents}) == 1
    assert [document.copy for document in desk.log.documents] == [False, True, True]


def catching_up(reach: timedelta) -> Desk:
    """Return a desk two hours after its last tick, with answers that reach back so far."""
    store = MemorySourceStore()
    gap = NOON - timedelta(hours=2)
    for source in WIRES:
        store.states[source.id] = replace(fresh_state(source), last_success_at=gap)
    desk = Desk(last_tick=gap, store=store)
    desk.asked, desk.well = {source.id for source in WIRES}, len(WIRES)
    desk.scribe.step()
    assert desk.log.entries == [], "nothing is written before all have answered"
    for n, source in enumerate(WIRES):
        start = NOON - reach
        entries = [
            (f"{n}{m}", f"Plant {n} of company{m} opens in town{n}{m}", start + timedelta(minutes=17 * m + n))
            for m in range(4)
        ]
        desk.scribe.submit(desk.poll(source, *entries))
        desk.scribe.step()
    return desk


def test_after_a_gap_all_is_written_in_order_of_event_time_with_ticks_between() -> None:
    desk = catching_up(timedelta(hours=2, minutes=10))
    events = [document.event_at for document in desk.log.documents]
    assert len(events) == 12
    assert events == sorted(events)
    reached = desk.scribe.last_tick
    assert reached == NOON
    assert len(desk.log.ticks) > 4
    assert all(tick.gap_from is None for tick in desk.log.ticks), "every minute was covered"
    ticks_before = 0
    for entry in desk.log.entries:
        if isinstance(entry, Tick):
            ticks_before += 1
        elif entry.event_at > NOON - timedelta(hours=1):
            assert ticks_before > 1


def test_minutes_that_nobody_covered_are_marked_on_the_tick_that_ends_them() -> None:
    desk = catching_up(timedelta(hours=1))
    first, *others = desk.log.ticks
    assert (first.gap_from, first.at) == (NOON - timedelta(hours=2), NOON - timedelta(minutes=59))
    assert all(tick.gap_from is None for tick in others)


def test_a_source_that_does_not_answer_is_waited_for_two_minutes_at_most() -> None:
    gap = NOON - timedelta(hours=2)
    desk = Desk(last_tick=gap)
    desk.asked, desk.well = {"wire-0"}, 1
    desk.scribe.step()
    desk.clock.forward(timedelta(minutes=1, seconds=59))
    desk.scribe.step()
    assert desk.log.entries == []
    desk.clock.forward(timedelta(seconds=1))
    desk.scribe.step()
    assert desk.log.ticks[0] == Tick(at=NOON + timedelta(minutes=2), gap_from=gap)


def test_an_outage_of_the_log_is_a_gap_like_any_other() -> None:
    desk = Desk()
    desk.scribe.step()
    desk.log.failing = True
    for _ in range(10):
        desk.clock.forward(timedelta(minutes=1))
        desk.scribe.step()
    desk.log.failing = False
    desk.clock.forward(timedelta(minutes=1))
    desk.scribe.step()
    assert desk.log.ticks[-1].at == desk.clock.now()
    assert desk.log.ticks[1].gap_from == NOON


def test_a_short_pause_is_no_gap() -> None:
    desk = Desk(last_tick=NOON - timedelta(minutes=2))
    desk.scribe.step()
    assert desk.log.ticks == [Tick(at=NOON)]


@given(
    kills=st.lists(st.sampled_from(["before write", "after write", "after save", "none"]), min_size=1, max_size=8),
    edits=st.lists(st.integers(0, 3), min_size=1, max_size=8),
)
def test_a_kill_at_any_point_loses_nothing_and_doubles_nothing(kills: list[str], edits: list[int]) -> None:
    store, log = MemorySourceStore(), MemoryLog()
    texts = {"a": 0, "b": 0}
    published: set[tuple[str, int]] = set()
    saved = True
    for round_number, kill in enumerate([*kills, "none"]):
        # the feed grows and is edited only between rounds that were saved, as a reader would see it
        desk = Desk(store=store)
        desk.clock.at = NOON + timedelta(minutes=5 * round_number)
        desk.log.entries = log.entries
        desk.scribe.last_tick = desk.clock.now()
        if saved:
            edit = edits[round_number % len(edits)]
            texts["a"] += edit == 1
            texts.setdefault(f"new-{round_number}", 0)
        poll = desk.poll(WIRES[0], *[(key, f"{key} town report number {text}", None) for key, text in texts.items()])
        published |= {(document.id, document.revision) for document in poll.documents}
        saved = kill in {"after save", "none"}
        if kill == "before write":
            continue
        if kill == "after write":
            desk.log.write(poll.documents)
            continue
        desk.scribe.submit(poll)
        desk.scribe.step()
        log.entries = desk.log.entries
    assert {(document.id, document.revision) for document in log.documents} == published
    titles: dict[tuple[str, int], set[str]] = {}
    for document in log.documents:
        titles.setdefault((document.id, document.revision), set()).add(document.title)
    assert all(len(same) == 1 for same in titles.values()), "a repeated write is the same document, told by its id"
    state = store.states["wire-0"]
    assert state.documents == len({document.id for document in log.documents})


@pytest.mark.parametrize("failing", ["log", "store"])
def test_several_polls_wait_in_their_order(failing: str) -> None:
    desk = Desk()
    target = desk.log if failing == "log" else desk.store
    polls = [desk.poll(source, (source.id, f"Plant of {source.id} opens in town", None)) for source in WIRES]
    target.failing = True
    for poll in polls:
        desk.scribe.submit(poll)
        desk.scribe.step()
    target.failing = False
    desk.clock.forward(timedelta(seconds=30))
    desk.scribe.step()
    assert [document.source for document in desk.log.documents] == [source.id for source in WIRES]
    assert isinstance(desk.log.entries[-1], Tick)
    assert set(desk.store.states) == {source.id for source in WIRES}
