"""What every `ViewReader` must show, on both databases; sums are checked against the domain's own."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from monitor.domain.alerts import AlertState, Decision, Severity
from monitor.domain.runs import LIVE, Run
from monitor.domain.series import series_of
from monitor.domain.sources import SourceHealth, SourceState
from monitor.domain.timespans import WindowSize, minute_of
from monitor.domain.trends import Family, polarity_of
from monitor.domain.views import AlertFilter, DocumentFilter
from monitor.domain.windows import Sums
from monitor.ports import Position, StoredDocument
from monitor.store.engine import open_engine
from monitor.store.outbox import SqlOutbox
from monitor.store.runs import SqlRuns
from monitor.store.sink import SqlSink
from monitor.store.sources import SqlSourceStore
from monitor.store.spans import tiles
from monitor.store.views import SqlViewReader
from tests.store.store_facts import (
    BEGIN,
    OTHER,
    RUN,
    at_minute,
    change,
    document,
    random_documents,
    stored,
    trends_of,
)

START = minute_of(BEGIN)
UNTIL = 15 * 60
DOCUMENTS = random_documents(500, minutes=1_000)
NAMES = {"C1": "First Bank", "ACME": "Acme Works"}


def _name(entity: str) -> str:
    return NAMES.get(entity, entity)


@pytest.fixture
def reader(engine: Engine) -> SqlViewReader:
    """A reader on a store without facts."""
    return SqlViewReader(engine, _name)


def _fill(engine: Engine) -> SqlViewReader:
    """Write a run of 1,000 minutes of which 900 have closed."""
    SqlRuns(engine).register(RUN)
    sink = SqlSink(engine, RUN, ())
    sink.write_documents(DOCUMENTS, [])
    sink.write_trends(trends_of(DOCUMENTS, until=START + UNTIL), [])
    return SqlViewReader(engine, _name)


@pytest.fixture(scope="module")
def full(own_url: str) -> Iterator[SqlViewReader]:
    """A reader on such a run; shared, so only for reading."""
    engine = open_engine(own_url)
    yield _fill(engine)
    engine.dispose()


def _summed(documents: Iterable[StoredDocument], start: int, end: int, series: str = "market") -> Sums:
    """Sum what counts in the minutes [start, end) after BEGIN, plainly."""
    total = Sums()
    for what in documents:
        inside = what.effective is not None and start <= what.effective - START < end
        if inside and series in series_of(what.classified.scores.topic, what.classified.entities):
            total.add(what.classified, late=what.late)
    return total


def test_an_empty_store_gives_empty_views(reader: SqlViewReader) -> None:
    assert reader.runs() == ()
    assert reader.sources() == ()
    assert reader.choices("no-such") == ()
    assert reader.alerts("no-such", AlertFilter()) == ()
    assert reader.alert("no-such", "a1") is None
    assert reader.documents("no-such", DocumentFilter()).total == 0
    for entities in ((), ("ACME",)):
        overview = reader.overview("no-such", entities=entities)
        assert (overview.as_of, overview.mood, overview.pulse, overview.heat) == (None, None, (), ())


@pytest.mark.parametrize(
    "series", ["market", "topic:no-such", "entity:", "entity:X/topic:no-such", "nonsense", "'; --"]
)
def test_an_unknown_series_is_empty_not_an_error(full: SqlViewReader, series: str) -> None:
    view = full.series("no-such" if series == "market" else RUN.name, series, WindowSize.M5, BEGIN, at_minute(99))
    assert view.points == ()
    if series != "market":
        assert full.documents(RUN.name, DocumentFilter(series=series, label="", start=at_minute(99_999))).rows == ()


def test_the_mood_is_the_sum_of_what_counted_in_the_span(full: SqlViewReader) -> None:
    overview = full.overview(RUN.name, 6 * 60)
    now = _summed(DOCUMENTS, UNTIL - 360, UNTIL).counted()
    before = _summed(DOCUMENTS, UNTIL - 720, UNTIL - 360).counted()
    assert overview.as_of == at_minute(UNTIL)
    assert (overview.documents, overview.late) == (now.documents, now.late)
    assert overview.mood is not None
    assert overview.before is not None
    assert overview.mood.mean == pytest.approx(now.polarity / now.documents / 1e6, abs=1e-12)
    assert overview.before.mean == pytest.approx(before.polarity / before.documents / 1e6, abs=1e-12)
    exact = polarity_of(now)
    assert exact is not None
    assert overview.mood.low == pytest.approx(exact.low, abs=0.01)


def test_a_watch_list_counts_each_document_once(full: SqlViewReader) -> None:
    own = [what for what in DOCUMENTS if {"C1", "C2"} & set(what.classified.entities)]
    overview = full.overview(RUN.name, 6 * 60, ("C1", "C2"))
    now = _summed(own, UNTIL - 360, UNTIL).counted()
    assert (overview.documents, overview.late) == (now.documents, now.late)
    assert overview.mood == polarity_of(now)
    assert overview.before == polarity_of(_summed(own, UNTIL - 720, UNTIL - 360).counted())
    assert {cell.entity for cell in overview.heat} == {"C1", "C2"}
    assert {mover.entity for mover in overview.movers} <= {"C1", "C2"}


@pytest.mark.parametrize("entities", [(), ("C1", "C2")])
def test_the_pulse_shows_open_windows_as_they_fill(full: SqlViewReader, entities: tuple[str, ...]) -> None:
    pulse = full.overview(RUN.name, 6 * 60, entities).pulse
    assert [point.start for point in pulse] == sorted({point.start for point in pulse})
    assert {point.closed for point in pulse} == {True, False}
    for point in pulse:
        start = minute_of(point.start) - START
        assert point.closed == (start + point.size <= UNTIL)
        wanted = [what for what in DOCUMENTS if not entities or set(entities) & set(what.classified.entities)]
        counts = _summed(wanted, start, start + point.size).counted()
        assert (point.documents, point.stories, point.negative) == (counts.documents, counts.stories, counts.negative)
        assert point.polarity == polarity_of(counts)


def test_the_heat_map_holds_what_its_series_hold(full: SqlViewReader) -> None:
    heat = full.overview(RUN.name, 12 * 60).heat
    assert len({cell.series for cell in heat}) == len(heat) > 20
    for cell in heat:
        assert cell.documents == _summed(DOCUMENTS, UNTIL - 720, UNTIL, cell.series).documents
    assert next(cell.entity_name for cell in heat if cell.entity == "C1") == "First Bank"


def test_movers_come_by_the_size_of_their_change(full: SqlViewReader) -> None:
    movers = full.overview(RUN.name, 6 * 60).movers
    assert movers
    assert [abs(mover.change) for mover in movers] == sorted((abs(mover.change) for mover in movers), reverse=True)
    for mover in movers:
        sums = _summed(DOCUMENTS, UNTIL - 360, UNTIL, mover.series)
        assert mover.after == pytest.approx(sums.polarity / sums.documents / 1e6)


def test_before_the_first_window_closes_the_open_ones_are_the_pulse(engine: Engine, reader: SqlViewReader) -> None:
    SqlSink(engine, RUN, ()).write_trends(trends_of(DOCUMENTS, until=0), [])
    overview = reader.overview(RUN.name)
    assert (overview.as_of, overview.documents, overview.mood) == (None, 0, None)
    assert overview.pulse
    assert not any(point.closed for point in overview.pulse)


def test_a_quiet_market_goes_on_with_the_watermark_of_every_partition(engine: Engine) -> None:
    full = _fill(engine)
    sink = SqlSink(engine, RUN, ())
    sink.write_trends([], [Position("trends", 0, 1, START + 2_003)])
    assert full.overview(RUN.name).as_of == at_minute(UNTIL)
    sink.write_trends([], [Position("trends", 1, 1, START + 1_999)])
    assert full.overview(RUN.name).as_of == at_minute(1_995)
    assert full.overview(RUN.name, 60).documents == 0


@given(start=st.integers(0, 20_000), length=st.integers(0, 20_000))
def test_tiles_fill_a_span_without_overlap(start: int, length: int) -> None:
    found = tiles(start, start + length)
    edges = [minute for tile in found for minute in (tile.start, tile.end)]
    assert edges == sorted(edges)
    assert sum(tile.end - tile.start for tile in found) == (start + length) // 5 * 5 - start // 5 * 5
    assert all(tile.start % tile.size == 0 and (tile.end - tile.start) % tile.size == 0 for tile in found)
    assert all(one.end == next_.start for one, next_ in itertools.pairwise(found))
    assert len(found) <= 9


def test_choices_come_busiest_first_under_the_names_people_read(full: SqlViewReader) -> None:
    choices = full.choices(RUN.name)
    assert choices[0].series == "market"
    assert choices[0].documents == sum(what.effective is not None for what in DOCUMENTS)
    assert [choice.documents for choice in choices] == sorted((c.documents for c in choices), reverse=True)
    assert {"First Bank", "First Bank: Earnings", "Earnings"} <= {choice.title for choice in choices}
    assert {choice.series.split("/")[0] for choice in full.choices(RUN.name, ("C1",))} == {"entity:C1"}


def test_a_series_is_cut_half_open_and_carries_its_alerts(engine: Engine) -> None:
    full = _fill(engine)
    sink = SqlSink(engine, RUN, ())
    for id_, opened in (("before", 59), ("first", 60), ("last", 119), ("after", 120)):
        sink.write_alerts([change(id_, series="entity:C1", opened_at=START + opened)], [])
    view = full.series(RUN.name, "entity:C1", WindowSize.M15, at_minute(60), at_minute(120))
    assert view.title == "First Bank"
    assert all(at_minute(60) <= point.start < at_minute(120) for point in view.points)
    assert [alert.alert.id for alert in view.alerts] == ["last", "first"]
    total = _summed(DOCUMENTS, 60, 120, "entity:C1")
    assert sum(point.documents for point in view.points) == total.documents


@pytest.mark.parametrize(
    ("filter_", "wanted"),
    [
        pytest.param({"label": "negative"}, lambda what: what.classified.scores.label.word == "negative", id="label"),
        pytest.param({"topic": "Earnings"}, lambda what: what.classified.scores.topic == 5, id="topic by name"),
        pytest.param({"topic": "earnings"}, lambda what: what.classified.scores.topic == 5, id="topic by slug"),
        pytest.param({"source": "source-3"}, lambda what: what.classified.document.source == "source-3", id="source"),
        pytest.param({"entities": ("C1",)}, lambda what: "C1" in what.classified.entities, id="a company"),
        pytest.param(
            {"entities": ("C1", "C3")}, lambda what: {"C1", "C3"} & set(what.classified.entities), id="any of some"
        ),
        pytest.param(
            {"entities": ("C1",), "series": "entity:C2"},
            lambda what: {"C1", "C2"} <= set(what.classified.entities),
            id="a company within the series of another",
        ),
        pytest.param(
            {"series": "entity:C1/topic:earnings"},
            lambda what: "C1" in what.classified.entities and what.classified.scores.topic == 5,
            id="a company within a topic",
        ),
        pytest.param({"series": "topic:earnings"}, lambda what: what.classified.scores.topic == 5, id="a topic series"),
        pytest.param({"label": "furious"}, lambda _: False, id="an unknown label"),
        pytest.param({"topic": "weather"}, lambda _: False, id="an unknown topic"),
        pytest.param({"text": "HEADLINE d77"}, lambda what: "d77" in what.classified.document.id, id="every word"),
        pytest.param({"text": "headline zebra"}, lambda _: False, id="a word that is not there"),
        pytest.param({"text": "100%_"}, lambda _: False, id="signs that a database could take for a pattern"),
        pytest.param(
            {"start": at_minute(100), "end": at_minute(200), "label": "positive"},
            lambda what: (
                what.effective is not None
                and 100 <= what.effective - START < 200
                and what.classified.scores.label.word == "positive"
            ),
            id="the minutes it counts in",
        ),
        pytest.param({}, lambda _: True, id="nothing"),
    ],
)
def test_documents_are_filtered_by(full: SqlViewReader, filter_: dict[str, object], wanted: object) -> None:
    expected = {what.classified.document.id for what in DOCUMENTS if wanted(what)}  # type: ignore[operator]
    page = full.documents(RUN.name, DocumentFilter(**filter_), limit=1_000)  # type: ignore[arg-type]
    assert {row.id for row in page.rows} == expected
    assert page.total == len(expected) == len(page.rows)


def test_pages_of_documents_follow_each_other_newest_first(full: SqlViewReader) -> None:
    pages = [full.documents(RUN.name, DocumentFilter(label="negative"), 50, offset) for offset in range(0, 500, 50)]
    rows = [row for page in pages for row in page.rows]
    assert len({row.id for row in rows}) == len(rows) == pages[0].total
    assert [row.event_at for row in rows] == sorted((row.event_at for row in rows), reverse=True)


def test_a_document_shows_what_was_said_and_what_was_made_of_it(engine: Engine, reader: SqlViewReader) -> None:
    what = document("d1", BEGIN + timedelta(microseconds=123_457), published_at=None, copy=True)
    sink = SqlSink(engine, RUN, ())
    sink.write_documents([stored(what, entities=("ACME", "XYZ"), late=True, effective=START + 7)], [])
    row = reader.documents(RUN.name, DocumentFilter()).rows[0]
    assert (row.published_at, row.event_at, row.effective_at) == (None, what.event_at, at_minute(7))
    assert (row.label, row.confidence, row.polarity) == ("negative", 0.8, -0.75)
    assert (row.topic, row.topic_confidence) == ("Earnings", 0.9)
    assert row.entities == (("ACME", "Acme Works"), ("XYZ", "XYZ"))
    assert (row.late, row.copy, row.source_class) == (True, True, "news")


def test_alerts_come_open_ones_first_then_the_newest(engine: Engine, reader: SqlViewReader) -> None:
    sink = SqlSink(engine, RUN, ())
    sink.write_alerts(
        [
            change("old", opened_at=START),
            change("done", opened_at=START + 50, decision=Decision.RESOLVED, state=AlertState.RESOLVED),
            change("new", opened_at=START + 20, state=AlertState.ACKNOWLEDGED),
        ],
        [],
    )
    assert [view.alert.id for view in reader.alerts(RUN.name, AlertFilter())] == ["new", "old", "done"]
    assert [view.alert.id for view in reader.alerts(RUN.name, AlertFilter(), limit=1)] == ["new"]
    assert [view.alert.id for view in reader.overview(RUN.name).alerts] == ["new", "old"]


@pytest.mark.parametrize(
    ("filter_", "found"),
    [
        pytest.param(AlertFilter(states=("resolved",)), {"b"}, id="state"),
        pytest.param(AlertFilter(severities=("critical", "info")), {"b", "c"}, id="any of some severities"),
        pytest.param(AlertFilter(families=("volume",)), {"c"}, id="family"),
        pytest.param(AlertFilter(series="market"), {"b"}, id="series"),
        pytest.param(AlertFilter(entities=("ACME", "XYZ")), {"a", "c"}, id="companies"),
        pytest.param(AlertFilter(start=at_minute(10), end=at_minute(20)), {"b"}, id="when it opened, half-open"),
        pytest.param(AlertFilter(states=("firing",), families=("volume",), series="market"), set(), id="all at once"),
    ],
)
def test_alerts_are_filtered_by(engine: Engine, reader: SqlViewReader, filter_: AlertFilter, found: set[str]) -> None:
    SqlSink(engine, RUN, ()).write_alerts(
        [
            change("a", opened_at=START),
            change("b", opened_at=START + 10, series="market", severity=Severity.CRITICAL, state=AlertState.RESOLVED),
            change("c", opened_at=START + 20, series="entity:XYZ", severity=Severity.INFO, family=Family.VOLUME),
        ],
        [],
    )
    assert {view.alert.id for view in reader.alerts(RUN.name, filter_)} == found


def test_an_alert_carries_its_words_its_documents_and_who_was_told(engine: Engine, reader: SqlViewReader) -> None:
    sink = SqlSink(engine, RUN, ("desk",))
    sink.write_documents([stored(document(id_)) for id_ in ("d1", "d2", "d3")], [])
    sink.write_alerts([change(against=("d2", "gone", "d1"))], [])
    outbox = SqlOutbox(engine)
    outbox.failed(outbox.due(at_minute(10**7))[0], at_minute(1), "450 later", at_minute(2))
    outbox.delivered(outbox.due(at_minute(10**7))[0], at_minute(2), "250 ok")
    detail = reader.alert(RUN.name, "a1")
    assert detail is not None
    assert detail.view.title == "Negative opinion on Acme Works: 41 of 58 stories negative, 12 expected"
    assert detail.view.probability == "once in 41 days for this series"
    assert [row.id for row in detail.against] == ["d2", "d1"]
    assert [row.id for row in detail.in_favour] == ["d3"]
    told = [(delivery.outcome, delivery.reason, delivery.attempt) for delivery in detail.deliveries]
    assert told == [("failed", "450 later", 1), ("delivered", "250 ok", 2)]


def test_runs_come_live_first_then_the_newest(engine: Engine) -> None:
    full = _fill(engine)
    runs = SqlRuns(engine)
    runs.register(Run(name=LIVE, title="Live", notifies=True))
    runs.register(OTHER)
    views = full.runs()
    assert [view.name for view in views] == [LIVE, OTHER.name, RUN.name]
    assert views[2].documents == len(DOCUMENTS)
    assert views[2].as_of == at_minute(UNTIL)
    assert views[2].last_document_at == max(what.classified.document.event_at for what in DOCUMENTS)
    assert (views[0].documents, views[0].as_of, views[0].last_document_at) == (0, None, None)


def test_sources_come_failing_ones_first(engine: Engine, reader: SqlViewReader) -> None:
    store = SqlSourceStore(engine)
    for source, health in zip(
        "abcd", (SourceHealth.OK, SourceHealth.NEW, SourceHealth.FAILING, SourceHealth.REFUSED), strict=True
    ):
        store.save(SourceState(source=source, title=source, url="https://example.org", health=health))
    assert [view.source for view in reader.sources()] == ["c", "d", "b", "a"]
