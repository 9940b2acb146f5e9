"""Recorded feeds become documents in order of time, and nothing is dropped without a word."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from monitor.domain.errors import InvalidConfiguration
from streams.feed import FeedReader
from streams.feedmapping import read_mapping
from streams.stories import StoryIndex


def reader(*paths: Path, columns=(), constants=(), mapping=None, **more) -> FeedReader:
    return FeedReader(paths=paths, mapping=read_mapping(mapping, columns, constants), stories=StoryIndex(), **more)


def written(path: Path, text: str) -> Path:
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def test_two_files_are_merged_in_order_of_time(tmp_path: Path) -> None:
    news = written(tmp_path / "news.csv", "ts_utc,headline\n2026-01-01T10:00:00Z,one\n2026-01-01T12:00:00Z,three\n")
    talk = written(tmp_path / "talk.jsonl.gz", '{"time": "2026-01-01T11:00:00+00:00", "text": "two", "user": "ada"}\n')
    documents = list(reader(news, talk).documents())
    assert [one.title or one.text for one in documents] == ["one", "two", "three"]
    assert [one.source for one in documents] == ["news", "talk", "news"]
    assert documents[1].origin == "ada"


def test_a_nearly_sorted_file_is_put_in_order(tmp_path: Path) -> None:
    feed = written(tmp_path / "f.csv", "time,title\n2026-01-01T12:00:00Z,b\n2026-01-01T10:00:00Z,a\n")
    assert [one.title for one in reader(feed).documents()] == ["a", "b"]


def test_bad_rows_are_counted_by_reason(tmp_path: Path) -> None:
    rows = ['{"time":"2026-01-01T10:00:00Z","title":"good"}', "no json", '{"time":"yesterday","title":"x"}']
    rows += ['{"time":"2026-01-01T10:00:00","title":"x"}', '{"time":"2026-01-01T10:00:01Z","title":" "}']
    taken = reader(written(tmp_path / "f.jsonl", "\n".join(rows)))
    assert [one.title for one in taken.documents()] == ["good"]
    assert dict(taken.refused) == {
        "the line is no JSON": 1,
        "its time cannot be read": 1,
        "its time has no zone (give --zone)": 1,
        "it has neither title nor text": 1,
    }


def test_times_without_a_zone_take_the_one_that_is_given(tmp_path: Path) -> None:
    feed = written(tmp_path / "f.csv", "time,title\n2026-07-01T12:00:00,x\n")
    (one,) = reader(feed, zone=ZoneInfo("Europe/London")).documents()
    assert one.event_at == datetime(2026, 7, 1, 11, tzinfo=UTC)


def test_rows_of_one_id_become_one_document_with_all_hints(tmp_path: Path) -> None:
    row = '{"time":"2026-01-01T10:00:00Z","id":"7","text":"both","ticker":"%s"}\n'
    (one,) = reader(written(tmp_path / "f.jsonl", row % "AAA" + row % "BBB")).documents()
    assert one.hints == ("AAA", "BBB")


def test_only_the_span_that_was_asked_for_is_taken(tmp_path: Path) -> None:
    feed = written(tmp_path / "f.csv", "time,title\n2026-01-01T00:00:00Z,a\n2026-01-02T00:00:00Z,b\n")
    span = {"start": datetime(2026, 1, 1, tzinfo=UTC), "end": datetime(2026, 1, 2, tzinfo=UTC)}
    assert [one.title for one in reader(feed, **span).documents()] == ["a"]


def test_a_mapping_file_speaks_for_the_files_it_matches(tmp_path: Path) -> None:
    table = '[[file]]\nmatch = "f*"\ncolumns = { title = "words" }\nconstants = { source = "wire" }\n'
    feed = written(tmp_path / "f.csv", "time,words\n2026-01-01T00:00:00Z,told\n")
    (one,) = reader(feed, mapping=written(tmp_path / "m.toml", table)).documents()
    assert (one.title, one.source) == ("told", "wire")


@pytest.mark.parametrize(
    ("columns", "says"),
    [(["title=nope"], "names 'nope'"), (["colour=time"], "names the field 'colour'"), (["title"], "field=value")],
)
def test_a_wrong_mapping_is_named(tmp_path: Path, columns: list[str], says: str) -> None:
    feed = written(tmp_path / "f.csv", "time,title\n2026-01-01T00:00:00Z,a\n")
    with pytest.raises(InvalidConfiguration, match=says):
        list(reader(feed, columns=columns).documents())


def test_a_file_without_a_time_says_which_columns_it_has(tmp_path: Path) -> None:
    feed = written(tmp_path / "f.csv", "when,title\n2026-01-01T00:00:00Z,a\n")
    with pytest.raises(InvalidConfiguration, match=r"no column of f\.csv holds the time.*when, title"):
        list(reader(feed).documents())
