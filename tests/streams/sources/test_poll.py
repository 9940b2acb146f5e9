"""Time and identity of what a poll finds, on any input."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from monitor.domain.documents import MAX_TEXT_BYTES, Document, SourceClass, Tick, document_id
from monitor.domain.sources import SeenItem, SourceHealth, SourceState
from streams.sources.configuration import Source
from streams.sources.fetch import FailureReason, FetchFailed
from streams.sources.gaps import entries_in_order, uncovered_until
from streams.sources.parse import FeedItem
from streams.sources.poll import (
    MAX_REVISIONS,
    clamped,
    covered_from,
    cut,
    documents_from,
    failed,
    item_id,
    succeeded,
    text_digest,
    with_stories,
)
from streams.sources.poller import fresh_state
from streams.stories import StoryIndex

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
BEFORE = NOW - timedelta(minutes=5)
WIRE = Source(id="wire", title="Wire", url="https://news.example/feed")
FORUM = replace(WIRE, id="forum", source_class=SourceClass.COMMENT)
POLLED = replace(fresh_state(WIRE), last_success_at=BEFORE)
INSTANTS = st.integers(0, 4_100_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


def item(
    key: str = "a", title: str = "A title", text: str = "", at: datetime | None = None, author: str = ""
) -> FeedItem:
    return FeedItem(key=key, title=title, text=text, url=f"https://news.example/{key}", published_at=at, author=author)


def one(*items: FeedItem, source: Source = WIRE, state: SourceState = POLLED, **rest: object) -> Document:
    documents, _ = documents_from(items, source, state, rest.pop("seen", {}), NOW, **rest)  # type: ignore[arg-type]
    assert len(documents) == 1
    return documents[0]


@given(published=st.none() | INSTANTS, previous=st.none() | INSTANTS, crawled=INSTANTS)
def test_event_time_lies_between_the_previous_good_poll_and_the_crawl(
    published: datetime | None, previous: datetime | None, crawled: datetime
) -> None:
    at = clamped(published, previous, crawled)
    assert at <= crawled
    if published is None:
        assert at == crawled
    elif previous is not None and previous <= crawled:
        assert previous <= at
        if previous <= published <= crawled:
            assert at == published
    elif previous is None:
        assert at == min(published, crawled)


@given(published=st.none() | INSTANTS)
def test_a_foolish_date_is_kept_but_moves_nothing(published: datetime | None) -> None:
    document = one(item(at=published))
    assert document.published_at == published
    assert BEFORE <= document.event_at <= NOW


def test_the_first_good_poll_is_backlog_and_the_next_is_not() -> None:
    assert one(item(at=NOW - timedelta(days=9)), state=fresh_state(WIRE)).backlog
    assert not one(item(at=NOW - timedelta(days=9))).backlog


def test_an_unchanged_entry_is_published_once() -> None:
    first, remembered = documents_from([item(text="x")], WIRE, POLLED, {}, NOW)
    seen = {known.document: known for known in remembered}
    later = NOW + timedelta(minutes=5)
    again, _ = documents_from([item(text="X ")], WIRE, replace(POLLED, last_success_at=NOW), seen, later)
    assert [document.id for document in first] == [document_id("wire", "a")]
    assert again == []


def test_an_edit_is_a_revision_and_an_undated_one_keeps_its_first_time() -> None:
    _, remembered = documents_from([item(text="x")], WIRE, POLLED, {}, NOW)
    seen = {known.document: known for known in remembered}
    later = NOW + timedelta(hours=1)
    edited, known = documents_from([item(text="y")], WIRE, replace(POLLED, last_success_at=NOW), seen, later)
    assert [(document.revision, document.event_at, document.crawled_at) for document in edited] == [(1, NOW, later)]
    assert known[0].first_crawled_at == NOW


def test_a_counter_in_the_text_does_not_publish_for_ever() -> None:
    known = SeenItem(document=item_id(WIRE, item()), text_digest="other", revision=MAX_REVISIONS, first_crawled_at=NOW)
    assert documents_from([item()], WIRE, POLLED, {known.document: known}, NOW) == ([], [])


def test_five_megabytes_are_cut_and_marked() -> None:
    document = one(item(text="é" * 2_500_000))
    assert document.truncated
    assert len(document.text.encode()) <= MAX_TEXT_BYTES


@given(text=st.text(max_size=60), most=st.integers(0, 80))
def test_a_cut_text_fits_and_begins_the_whole(text: str, most: int) -> None:
    short, was_cut = cut(text, most)
    assert len(short.encode()) <= most
    assert text.startswith(short)
    assert was_cut == (short != text)


def test_an_article_stands_for_the_summary_without_being_an_edit() -> None:
    document = one(item(text="Summary"), articles={"a": "The whole article."})
    assert document.text == "The whole article."
    _, remembered = documents_from([item(text="Summary")], WIRE, POLLED, {}, NOW, articles={"a": "The whole article."})
    assert remembered[0].text_digest == text_digest(item(text="Summary"))


def test_people_are_told_apart_and_not_named() -> None:
    ann, bob = (one(item(author=name), source=FORUM).origin for name in ("ann", "bob"))
    assert ann != bob
    assert "ann" not in ann
    other_forum = replace(FORUM, id="forum-2", url="https://news.example/other")
    assert one(item(author="ann"), source=other_forum).origin == ann
    assert one(item(author="ann")).origin == "news.example"


def test_a_comment_is_told_by_its_text_and_shown_without_its_writer() -> None:
    thread = "/u/ann on What is going on with Harbor Mills"
    state = replace(fresh_state(FORUM), last_success_at=BEFORE)
    answers = [item(str(n), thread, f"{word} is what I think of all this") for n, word in enumerate(["Sell", "Buy"])]
    documents, _ = documents_from(answers, FORUM, state, {}, NOW)
    told = with_stories(documents, StoryIndex())
    assert [document.title for document in told] == ["What is going on with Harbor Mills"] * 2
    assert [document.copy for document in told] == [False, False], "answers in one thread are no copies of each other"
    news, _ = documents_from(
        [item("a", "Harbor Mills cuts annual outlook", n) for n in "xy"][:1], WIRE, POLLED, {}, NOW
    )
    assert with_stories(news, StoryIndex())[0].story == news[0].id


def test_language_comes_from_entry_then_feed_then_source() -> None:
    assert one(item()).language == "en"
    assert one(item(), language="fr").language == "fr"
    assert one(replace(item(), language="de"), language="fr").language == "de"


def test_a_failure_leaves_the_cursor_where_it_was() -> None:
    state = replace(POLLED, etag='"1"', failures=2, health=SourceHealth.OK)
    failure = FetchFailed(reason=FailureReason.TIMEOUT, detail="no whole answer within 30 s")
    after = failed(WIRE, state, failure, started_at=NOW, next_poll_at=NOW)
    assert (after.etag, after.last_success_at, after.failures) == ('"1"', BEFORE, 3)
    assert (after.health, after.reason) == (SourceHealth.FAILING, "timeout: no whole answer within 30 s")
    good = succeeded(WIRE, after, started_at=NOW, next_poll_at=NOW, etag='"2"')
    assert (good.failures, good.reason, good.etag, good.last_success_at) == (0, "", '"2"', NOW)


def test_an_answer_reaches_back_to_what_it_shares_with_the_last_one() -> None:
    new = item("new", at=NOW - timedelta(minutes=1))
    old = item("old", at=BEFORE - timedelta(minutes=1))
    known = SeenItem(document=item_id(WIRE, item("k")), text_digest="", revision=0, first_crawled_at=BEFORE)
    assert covered_from([new, old], WIRE, POLLED, {}) == BEFORE
    assert covered_from([new, item("k")], WIRE, POLLED, {known.document: known}) == BEFORE
    assert covered_from([new], WIRE, POLLED, {}) == new.published_at
    assert covered_from([item("undated")], WIRE, POLLED, {}) is None


def test_minutes_are_uncovered_until_half_of_the_sources_reach_back() -> None:
    gap = NOW - timedelta(hours=3)
    early, late = NOW - timedelta(hours=2, seconds=30), NOW - timedelta(hours=1)
    assert uncovered_until([gap, None, late], 3, gap, NOW) == late
    assert uncovered_until([gap, early, None], 3, gap, NOW) == NOW - timedelta(hours=2)
    assert uncovered_until([gap, gap, None], 3, gap, NOW) == gap
    assert uncovered_until([], 3, gap, NOW) == NOW
    assert uncovered_until([], 0, gap, NOW) == NOW


@given(
    offsets=st.lists(st.integers(-600, 3600), max_size=30),
    uncovered=st.integers(0, 3600),
    start=st.integers(0, 59),
)
def test_after_a_gap_documents_and_ticks_stand_in_order(offsets: list[int], uncovered: int, start: int) -> None:
    gap = NOW - timedelta(hours=1) + timedelta(seconds=start)
    now = gap + timedelta(hours=1)
    template = one(item())
    documents = [
        replace(template, id=str(n), event_at=gap + timedelta(seconds=offset), crawled_at=now)
        for n, offset in enumerate(sorted(offsets))
    ]
    until = gap + timedelta(seconds=uncovered)
    entries = entries_in_order(documents, gap, until, now)
    assert [entry for entry in entries if isinstance(entry, Document)] == documents
    ticks = [entry for entry in entries if isinstance(entry, Tick)]
    assert [tick.at for tick in ticks] == sorted({tick.at for tick in ticks})
    assert ticks[0].at > gap
    assert ticks[-1].at == now
    assert isinstance(entries[-1], Tick)
    # marked and unmarked stretches meet exactly at the end of what nobody covered
    marked = [(tick.gap_from, tick.at) for tick in ticks if tick.gap_from is not None]
    assert sum(((end - begin) for begin, end in marked), timedelta(0)) == until - gap
    reached = gap
    for entry in entries:
        if isinstance(entry, Tick):
            reached = entry.at
        elif entry.event_at >= gap:
            assert reached <= entry.event_at or entry.event_at == now, "no document is late by the crawler's own doing"
