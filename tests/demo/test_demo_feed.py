"""The demo feed: the same again, its rhythm, its script, and that nothing in it is real."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from monitor.demo.feed import COLUMNS, FeedRow, companies_path, generate, write_feed
from monitor.demo.phrasing import phrasebook
from monitor.demo.rhythm import event_factor
from monitor.demo.script import QUIET, ScriptedEvent, script
from monitor.domain.documents import SourceClass
from monitor.domain.errors import InvalidConfiguration
from monitor.register.finder import CompanyFinder
from monitor.register.registry import load_register, read_companies

END = datetime(2025, 3, 14, 22, 0, tzinfo=UTC)
START = END - timedelta(days=6)

NEGATIVE_WORDS = frozenset(
    """
    accuses apologises bearish blames burned collapse crashing crisis cut cuts dangerous debt delays denies disaster
    disappointment disappoints downgrade downgraded downgrades drop dropped drops emergency fall fallen falling falls
    fear fears fell halts hid ignored injuries injured lawsuit lawsuits lied loses losing loss lost lower misses
    panic plunges probe recall recalls run scandal selling short sink sinks slashes slide slides slump slumps
    sold sued tumble tumbles unsafe warn warns weak weaker worries worse junk threatens complaints
    """.split()  # noqa: SIM905 - a list of words reads better as a text
)


@pytest.fixture(scope="module")
def rows() -> list[FeedRow]:
    return list(generate(7, END))


@pytest.fixture(scope="module")
def named(rows: list[FeedRow]) -> dict[str, list[FeedRow]]:
    """The rows by the company that they name."""
    finder = CompanyFinder(read_companies(companies_path()))
    found: dict[str, list[FeedRow]] = {}
    for row in rows:
        for entity in {f.mention.entity for f in finder.explain(f"{row.title}\n{row.text}") if f.accepted}:
            found.setdefault(entity, []).append(row)
    return found


def _text(row: FeedRow) -> str:
    return f"{row.title}\n{row.text}"


def _within(rows: list[FeedRow], start: datetime, length: timedelta) -> list[FeedRow]:
    return [row for row in rows if start <= row.published_at < start + length]


def _sounds_negative(row: FeedRow) -> bool:
    """Return whether more words of a row are from the list of bad words than could be by accident."""
    words = [word.strip(".,!?'") for word in (row.title or row.text).lower().split()]
    return any(word in NEGATIVE_WORDS for word in words)


def test_same_arguments_give_the_same_feed(rows: list[FeedRow]) -> None:
    assert list(generate(7, END)) == rows


def test_another_seed_gives_other_words_for_the_same_script(rows: list[FeedRow]) -> None:
    other = list(generate(8, END))
    assert [row.text for row in other[:50]] != [row.text for row in rows[:50]]


def test_end_in_another_time_zone_is_the_same_instant(rows: list[FeedRow]) -> None:
    elsewhere = END.astimezone(timezone(timedelta(hours=9)))
    assert next(generate(7, elsewhere)) == rows[0]
    assert script(elsewhere)[0].start == script(END)[0].start


def test_rows_are_in_order_within_the_span(rows: list[FeedRow]) -> None:
    times = [row.published_at for row in rows]
    assert times == sorted(times)
    assert times[0] >= START
    assert times[-1] < END


def test_rows_are_whole(rows: list[FeedRow]) -> None:
    assert len({row.id for row in rows}) == len(rows)
    assert all(row.url.startswith("https://demo.invalid/") and row.url.endswith(row.id) for row in rows)
    assert all(row.origin and row.source and row.language == "en" for row in rows)
    assert all(bool(row.title) == (row.source_class is SourceClass.NEWS) for row in rows)
    assert not [row for row in rows if "{" in _text(row) or "}" in _text(row) or "  " in _text(row)]


def test_each_day_has_about_as_much_as_asked_for(rows: list[FeedRow]) -> None:
    days = Counter((row.published_at - START).days for row in rows)
    assert sorted(days) == list(range(6))
    assert all(2300 <= count <= 4200 for count in days.values())


def test_days_are_busier_than_nights(rows: list[FeedRow]) -> None:
    quiet = [row for row in rows if row.published_at < START + QUIET]
    hours = Counter(row.published_at.hour for row in quiet)
    assert sum(hours[hour] for hour in range(13, 17)) > 4 * sum(hours[hour] for hour in range(1, 5))


def test_working_days_are_busier_than_weekends(rows: list[FeedRow]) -> None:
    days = Counter(row.published_at.date() for row in rows if row.published_at < START + QUIET)
    sunday, monday = datetime(2025, 3, 9, tzinfo=UTC).date(), datetime(2025, 3, 10, tzinfo=UTC).date()
    assert days[monday] > 1.05 * days[sunday]


def test_sentences_are_varied(rows: list[FeedRow]) -> None:
    assert len({_text(row) for row in rows}) > 10_000
    assert len({row.text for row in rows if row.source_class is SourceClass.COMMENT}) > 6_000
    assert Counter(_text(row) for row in rows).most_common(1)[0][1] < 60


def test_many_speak(rows: list[FeedRow]) -> None:
    assert len({row.origin for row in rows if row.source_class is SourceClass.COMMENT}) > 1000
    assert len({row.origin for row in rows if row.source_class is SourceClass.NEWS}) >= 5


def test_wire_stories_are_taken_over_by_other_outlets(rows: list[FeedRow]) -> None:
    outlets: dict[str, set[str]] = {}
    for row in rows:
        if row.source_class is SourceClass.NEWS:
            outlets.setdefault(row.text.split(" - ", 1)[-1].removesuffix(" (Meridian Wire)"), set()).add(row.origin)
    shared = [names for names in outlets.values() if len(names) >= 3]
    assert len(shared) > 200
    from_wire = [names for names in shared if "Meridian Wire" in names]
    assert len(from_wire) >= 0.97 * len(shared)  # a few short items meet by accident


def test_script_has_three_crises_good_news_and_mere_attention() -> None:
    events = script(END)
    assert [event.kind for event in events if event.is_crisis] == ["liquidity", "scandal", "downgrade"]
    assert [event.kind for event in events if event.tone == "positive"] == ["earnings"]
    assert [event.kind for event in events if not event.tone] == ["launch"]
    assert len({event.company for event in events}) == len(events)
    assert {event.company for event in events} <= {company.id for company in read_companies(companies_path())}


@pytest.mark.parametrize("days", [5, 6, 7, 12])
@pytest.mark.parametrize("hour", [0, 3, 9, 17, 22])
def test_script_fits_any_end(days: int, hour: int) -> None:
    end = END.replace(hour=hour, minute=37)
    events = script(end, days)
    assert all(event.start >= end - timedelta(days=days) + timedelta(days=3) for event in events)
    assert all(event.end <= end for event in events)
    assert [event.start for event in events] == sorted(event.start for event in events)


def test_script_says_what_is_wrong() -> None:
    with pytest.raises(InvalidConfiguration, match="`days` must be at least 5, was 4"):
        script(END, 4)
    with pytest.raises(InvalidConfiguration, match="`end` must be aware"):
        generate(1, END.replace(tzinfo=None))


def test_event_rises_holds_and_fades() -> None:
    event = script(END)[0]
    assert event_factor(event, event.start - timedelta(minutes=1)) == 1
    assert 4 <= event_factor(event, event.start + timedelta(hours=1)) <= 8
    assert 4 <= event_factor(event, event.end - timedelta(minutes=1)) <= 8
    assert event_factor(event, event.end + timedelta(hours=4)) == 1


def _usual(rows: list[FeedRow], event: ScriptedEvent) -> float:
    """Return the mean count of the same hours on the quiet days before."""
    length = event.end - event.start
    spans = [event.start - timedelta(days=back) for back in range(1, 6)]
    quiet = [start for start in spans if start >= START and start + length <= START + QUIET]
    assert quiet
    return sum(len(_within(rows, start, length)) for start in quiet) / len(quiet)


@pytest.mark.parametrize("event", script(END), ids=lambda event: event.kind)
def test_event_multiplies_the_volume_of_its_company(event: ScriptedEvent, named: dict[str, list[FeedRow]]) -> None:
    rows = named[event.company]
    ratio = len(_within(rows, event.start, event.end - event.start)) / _usual(rows, event)
    assert 3.5 <= ratio <= 8.5


@pytest.mark.parametrize("event", script(END), ids=lambda event: event.kind)
def test_event_has_its_tone(event: ScriptedEvent, named: dict[str, list[FeedRow]]) -> None:
    during = _within(named[event.company], event.start, event.end - event.start)
    share = sum(map(_sounds_negative, during)) / len(during)
    if event.is_crisis:
        assert 0.6 <= share <= 0.85
    else:
        assert share <= 0.32


def test_background_is_mostly_calm(rows: list[FeedRow]) -> None:
    quiet = [row for row in rows if row.published_at < START + QUIET]
    assert 0.14 <= sum(map(_sounds_negative, quiet)) / len(quiet) <= 0.28


def test_every_company_is_spoken_of_every_day(named: dict[str, list[FeedRow]]) -> None:
    assert set(named) == {company.id for company in read_companies(companies_path())}
    for rows in named.values():
        assert min(Counter((row.published_at - START).days for row in rows).values()) > 80


def test_no_real_company_is_in_the_feed(rows: list[FeedRow]) -> None:
    finder = CompanyFinder(load_register().companies)
    found = {f.mention.matched for row in rows for f in finder.explain(_text(row), row.published_at) if f.accepted}
    assert found == set()


def test_fictional_companies_are_not_in_the_shipped_register() -> None:
    real = load_register()
    for company in read_companies(companies_path()):
        assert real.find(company.id) is None
        assert real.resolve(company.ticker, END) is None


def test_every_template_can_be_filled() -> None:
    from random import Random

    book, rng = phrasebook(), Random(3)
    bound = {"c": "Oxbrindle", "t": "$OXBRD", "sector": "Electronics"}
    families = ("background", "liquidity", "scandal", "downgrade", "earnings", "launch", "market")
    for family in families:
        for form in ("headlines", "sentences", "comments"):
            for tone in ("negative", "neutral", "positive"):
                texts = book.say_some(rng, (family, form, tone), bound, 99)
                assert texts
                assert not [text for text in texts if "{" in text or not text]


def test_written_feed_has_the_columns_and_the_same_bytes_again(tmp_path: Path, rows: list[FeedRow]) -> None:
    path = tmp_path / "demo.jsonl.gz"
    assert write_feed(path, seed=7, end=END) == len(rows)
    with gzip.open(path, "rt", encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    assert len(lines) == len(rows)
    assert tuple(lines[0]) == COLUMNS
    assert lines[0]["published_at"].endswith("Z")
    assert datetime.fromisoformat(lines[0]["published_at"]) == rows[0].published_at
    assert lines[-1]["text"] == rows[-1].text
    again = tmp_path / "again.jsonl.gz"
    write_feed(again, seed=7, end=END)
    assert again.read_bytes() == path.read_bytes()
    assert sorted(found.name for found in tmp_path.iterdir()) == ["again.jsonl.gz", "demo.jsonl.gz"]


def test_feed_can_be_written_without_compression(tmp_path: Path) -> None:
    path = tmp_path / "demo.jsonl"
    rows = write_feed(path, seed=1, end=END, days=5)
    assert len(path.read_text(encoding="utf-8").splitlines()) == rows


def test_refused_feed_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfiguration):
        write_feed(tmp_path / "demo.jsonl", seed=1, end=END, days=1)
    assert list(tmp_path.iterdir()) == []
