"""Messages and records as bytes, there and back."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.domain.closing import OpenMinute, SeriesState
from monitor.domain.documents import MAX_TEXT_BYTES, Document, SourceClass, Tick
from monitor.domain.entities import Mention
from monitor.domain.errors import InvalidMessage, NewerVersion
from monitor.domain.sentiment import Classified, Scores
from monitor.domain.windows import Gap, PaneTotal, Sums, Watermark
from streams.codecs import MAX_ENTRIES, decode_bundle, decode_record, encode_bundles, encode_record

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


def document(number: int = 1, title: str = "an invented title", text: str = "") -> Document:
    return Document(
        id=f"d{number}",
        source="s",
        source_class=SourceClass.NEWS,
        origin="o",
        title=title,
        text=text,
        url="https://example.org/1",
        language="en",
        published_at=None,
        crawled_at=NOON,
        event_at=NOON,
        story="d1",
        hints=("ACME",),
    )


def scored(one: Document) -> Classified:
    scores = Scores(negative=700_000, neutral=200_000, positive=100_000, topic=5, topic_confidence=900_000)
    mention = Mention(entity="ACME", start=0, end=4, matched="Acme", why="name")
    return Classified(document=one, scores=scores, mentions=(mention,), model="m", classified_at_ms=1)


def sums() -> Sums:
    total = Sums()
    total.add(scored(document()), late=True)
    return total


def decoded(entries: list) -> list:
    bundles = [decode_bundle(message) for message in encode_bundles(entries)]
    assert not any(bundle.refused for bundle in bundles)
    return [entry for bundle in bundles for entry in bundle.entries]


def test_a_bundle_that_is_in_someones_topic_today_reads_the_same_tomorrow() -> None:
    """What release 1 wrote; a change that breaks this needs a new BUNDLE_VERSION and a reader of the old one."""
    written = Path(__file__).with_name("golden").joinpath("bundle-v1.json").read_bytes().rstrip()
    entries = (
        document(),
        Tick(at=NOON),
        scored(document()),
        PaneTotal(partition=1, series="market", minute=29_540_880, revision=3, sums=sums()),
        Watermark(partition=1, minute=29_540_880, revision=3, gaps=(Gap(start=1, end=2),)),
    )
    assert decode_bundle(written).entries == entries
    assert list(encode_bundles(entries)) == [written]


@given(texts.filter(str.strip), texts)
def test_documents_of_any_script_survive_the_way(title: str, text: str) -> None:
    one = document(title=title, text=text)
    assert decoded([one, scored(one)]) == [one, scored(one)]


def test_ticks_totals_and_watermarks_survive_the_way() -> None:
    total = PaneTotal(partition=1, series="market", minute=7, revision=3, sums=sums())
    mark = Watermark(partition=1, minute=5, revision=3, gaps=(Gap(start=1, end=4),))
    entries = [Tick(at=NOON, gap_from=NOON, closing=True), total, mark]
    assert decoded(entries) == entries


def test_the_same_facts_give_the_same_bytes() -> None:
    one, other = sums(), Sums()
    other.absorb(one)
    other.stories |= {"b", "a", "c"}
    one.stories |= {"c", "b", "a"}
    bundles = [
        list(encode_bundles([PaneTotal(partition=0, series="market", minute=1, revision=0, sums=total)]))
        for total in (one, other)
    ]
    assert bundles[0] == bundles[1]


def test_bundles_hold_at_most_two_hundred_entries_and_stay_small() -> None:
    many = list(encode_bundles(document(number) for number in range(MAX_ENTRIES + 1)))
    assert [len(decode_bundle(message).entries) for message in many] == [MAX_ENTRIES, 1]
    large = list(encode_bundles(document(number, text="x" * MAX_TEXT_BYTES) for number in range(10)))
    assert max(map(len, large)) < 400_000


def test_a_newer_message_is_refused_with_the_way_out() -> None:
    with pytest.raises(NewerVersion, match="version 99, this release reads up to 1; upgrade"):
        decode_bundle(b'{"version":99,"entries":[]}')


@pytest.mark.parametrize("message", [b"", b"not json", b"\xff\xfe", b"[]", b'{"version":1}', b'{"version":"x"}'])
def test_garbage_is_an_invalid_message(message: bytes) -> None:
    with pytest.raises(InvalidMessage):
        decode_bundle(message)


def test_one_bad_entry_does_not_take_the_rest_with_it() -> None:
    (message,) = encode_bundles([document(1), document(2)])
    broken = message.replace(b'"id":"d1"', b'"id":""').replace(b"]]}", b'],["comet",{}]]}')
    bundle = decode_bundle(broken)
    assert [entry.id for entry in bundle.entries] == ["d2"]
    first, second = bundle.refused
    assert "`id` must not be empty" in first.reason
    assert "unknown kind of entry" in second.reason


def test_records_survive_and_newer_ones_are_refused() -> None:
    record = OpenMinute(series={"market": {0: (3, sums())}})
    assert decode_record(OpenMinute, encode_record(record)) == record
    assert decode_record(SeriesState, encode_record(SeriesState(offset=4))) == SeriesState(offset=4)
    with pytest.raises(NewerVersion):
        decode_record(SeriesState, encode_record(SeriesState(version=2)))
