"""What every `Sink` must do, on both databases."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event, func, select

from monitor.domain.alerts import AlertState, Decision, Severity
from monitor.domain.timespans import WindowSize, minute_of
from monitor.domain.trends import Trend
from monitor.domain.views import AlertFilter, DocumentFilter
from monitor.domain.windows import Counts
from monitor.ports import Position
from monitor.store import schema
from monitor.store.engine import reading
from monitor.store.exports import export_alerts, export_documents, export_windows
from monitor.store.outbox import SqlOutbox
from monitor.store.runs import SqlRuns
from monitor.store.sink import SqlSink
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
    surprise,
    trends_of,
)

START = minute_of(BEGIN)
LATER = at_minute(10_000_000)


@pytest.fixture
def sink(engine: Engine) -> SqlSink:
    return SqlSink(engine, RUN, ("desk", "hook"))


def _window(documents: int, *, closed: bool, series: str = "market") -> Trend:
    counts = Counts(documents=documents, stories=documents, negative=documents)
    return Trend(
        series=series, size=WindowSize.M5, start=START, closed=closed, covered=True, counts=counts, polarity=None
    )


def _documents_of(engine: Engine, series: str = "market") -> list[int]:
    points = SqlViewReader(engine, str).series(RUN.name, series, WindowSize.M5, BEGIN, LATER).points
    return [point.documents for point in points]


def test_positions_come_back_as_written_and_never_move_back(sink: SqlSink) -> None:
    sink.write_documents([], [Position("classified", 0, 7, 100), Position("classified", 1, 3, None)])
    sink.write_trends([], [Position("trends", 0, 2, 90)])
    sink.write_documents([], [Position("classified", 0, 6, 99)])
    assert sink.positions() == {
        ("classified", 0): Position("classified", 0, 7, 100),
        ("classified", 1): Position("classified", 1, 3, None),
        ("trends", 0): Position("trends", 0, 2, 90),
    }


def test_of_several_positions_of_a_partition_the_furthest_is_kept(sink: SqlSink) -> None:
    sink.write_trends([], [Position("t", 0, 9, 5), Position("t", 0, 8, None), Position("t", 0, 9, 5)])
    assert sink.positions()["t", 0] == Position("t", 0, 9, 5)


def test_runs_never_meet(engine: Engine, sink: SqlSink) -> None:
    other = SqlSink(engine, OTHER, ())
    sink.write_documents([stored(document("d1"))], [Position("classified", 0, 1, 1)])
    other.write_documents([stored(document("d1"), scores=(0, 1_000_000, 0))], [])
    assert other.positions() == {}
    reader = SqlViewReader(engine, str)
    assert reader.documents(RUN.name, DocumentFilter()).rows[0].label == "negative"
    assert reader.documents(OTHER.name, DocumentFilter()).rows[0].label == "neutral"


def test_the_first_of_each_document_stays_as_it_is_with_its_mentions(engine: Engine, sink: SqlSink) -> None:
    first, second = stored(document("d1")), stored(document("d1", title="Another"), entities=("OTHER",))
    sink.write_documents([first, second], [])
    sink.write_documents([second], [])
    reader = SqlViewReader(engine, str)
    assert [row.title for row in reader.documents(RUN.name, DocumentFilter()).rows] == ["Headline of d1"]
    assert reader.documents(RUN.name, DocumentFilter(entities=("OTHER",))).total == 0


def test_an_edit_is_stored_beside_what_counted(engine: Engine, sink: SqlSink) -> None:
    edit = stored(document("d1", revision=1, title="Corrected"), effective=None)
    sink.write_documents([stored(document("d1")), edit], [])
    rows = SqlViewReader(engine, str).documents(RUN.name, DocumentFilter()).rows
    assert {(row.id, row.title, row.effective_at) for row in rows} == {
        ("d1", "Headline of d1", BEGIN),
        ("d1~1", "Corrected", None),
    }


def test_an_open_window_is_replaced_until_it_closes_and_never_after(engine: Engine, sink: SqlSink) -> None:
    for trend, shown in [
        (_window(3, closed=False), 3),
        (_window(2, closed=False), 2),
        (_window(5, closed=True), 5),
        (_window(4, closed=False), 5),
        (_window(6, closed=True), 5),
    ]:
        sink.write_trends([trend], [])
        assert _documents_of(engine) == [shown]


@pytest.mark.parametrize(
    ("batch", "shown"),
    [
        pytest.param([(1, False), (2, False)], 2, id="the last open one"),
        pytest.param([(1, False), (2, True), (3, False)], 2, id="the closed one, whatever follows"),
        pytest.param([(2, True), (3, True)], 2, id="the first closed one"),
    ],
)
def test_within_a_batch_one_window_wins(
    engine: Engine, sink: SqlSink, batch: list[tuple[int, bool]], shown: int
) -> None:
    sink.write_trends([_window(documents, closed=closed) for documents, closed in batch], [])
    assert _documents_of(engine) == [shown]


def test_the_greater_revision_of_an_alert_wins_and_every_step_is_kept(engine: Engine, sink: SqlSink) -> None:
    sink.write_alerts(
        [change(revision=1), change(revision=3, decision=Decision.RESOLVED, state=AlertState.RESOLVED)], []
    )
    sink.write_alerts([change(revision=2, decision=Decision.ESCALATED, severity=Severity.CRITICAL)], [])
    detail = SqlViewReader(engine, str).alert(RUN.name, "a1")
    assert detail is not None
    assert (detail.view.alert.revision, detail.view.alert.state) == (3, AlertState.RESOLVED)
    assert [step.decision for step in detail.steps] == ["fired", "escalated", "resolved"]


def test_only_what_is_new_fills_the_outbox_once_per_receiver(engine: Engine, sink: SqlSink) -> None:
    changes = [
        change(revision=1),
        change(revision=2, decision=Decision.STILL_FIRING),
        change(revision=3, decision=Decision.ACKNOWLEDGED, actor="ann"),
    ]
    for _ in range(2):
        sink.write_alerts(changes, [Position("alerts", 0, 1, None)])
    rows = SqlOutbox(engine).due(LATER)
    assert [(row.receiver, row.change.alert.revision) for row in rows] == [("desk", 1), ("hook", 1)]


def test_a_run_that_does_not_notify_fills_no_outbox(engine: Engine) -> None:
    SqlSink(engine, OTHER, ("desk",)).write_alerts([change()], [])
    assert SqlOutbox(engine).due(LATER) == []


def test_an_alert_comes_back_exactly_as_it_was(engine: Engine, sink: SqlSink) -> None:
    told = change(flags=("few origins",), actor="ann", note="seen <b>it</b>")
    sink.write_alerts([told], [])
    found = SqlViewReader(engine, str).alert(RUN.name, "a1")
    assert found is not None
    assert found.view.alert == told.alert
    assert SqlOutbox(engine).due(LATER)[0].change == told


def test_only_what_a_person_did_carries_a_name_in_the_life_of_an_alert(engine: Engine, sink: SqlSink) -> None:
    seen = {"actor": "ann", "note": "looking"}
    sink.write_alerts(
        [
            change(),
            change(revision=2, decision=Decision.ACKNOWLEDGED, **seen),
            change(revision=3, decision=Decision.RESOLVED, **seen),
        ],
        [],
    )
    detail = SqlViewReader(engine, str).alert(RUN.name, "a1")
    assert detail is not None
    assert [(step.actor, step.note) for step in detail.steps] == [("", ""), ("ann", "looking"), ("", "")]


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param("a\0b", id="NUL"),
        pytest.param("\x01\x08\x1b[31m\r\n\t\x7f\x85", id="control characters"),
        pytest.param("\U0001f4c9 \u202eright to left\u202c \u65e5\u672c", id="emoji and other scripts"),
        pytest.param("half \ud83d of a pair", id="a lone surrogate"),
        pytest.param("x" * 5_000_000, id="five million characters"),
    ],
)
def test_no_text_stops_the_sink(engine: Engine, sink: SqlSink, odd: str) -> None:
    what = document(f"id {odd[:20]}", title=odd, text=odd, url=odd, source=odd[:40], origin=odd[:40], story=odd[:40])
    for _ in range(2):
        sink.write_documents([stored(what, entities=(odd[:20],))], [])
        sink.write_alerts([change(series=f"entity:{odd[:20]}", note=odd[:100], actor=odd[:20])], [])
    reader = SqlViewReader(engine, str)
    page = reader.documents(RUN.name, DocumentFilter(entities=(odd[:20],)))
    assert page.total == 1
    assert len(page.rows[0].title) == len(odd)
    assert len(reader.alerts(RUN.name, AlertFilter())) == 1
    assert SqlOutbox(engine).due(LATER)


def test_several_writers_at_once_lose_nothing_and_double_nothing(engine: Engine) -> None:
    documents = random_documents(300, minutes=600)
    trends = trends_of(documents, until=START + 10_000)
    failures: list[Exception] = []

    def work(number: int) -> None:
        sink, order = SqlSink(engine, RUN, ("desk",)), random.Random(number)
        try:
            for offset in range(6):
                sink.write_documents(order.sample(documents, 150), [Position("classified", number, offset, None)])
                sink.write_trends(order.sample(trends, 400), [Position("trends", number, offset, None)])
            sink.write_documents(documents, [])
            sink.write_trends(trends, [])
            sink.write_alerts([change(revision=revision) for revision in (1, 2, 3)], [])
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(list(export_documents(engine, RUN.name))) == len(documents)
    assert len(list(export_windows(engine, RUN.name))) == len(trends)
    assert len(SqlOutbox(engine).due(LATER)) == 1
    assert {position.offset for position in SqlSink(engine, RUN, ()).positions().values()} == {5}


class _Killed(Exception):
    """Stands for SIGKILL: nothing after it happens."""


@pytest.mark.parametrize("statement", range(4))
def test_a_kill_inside_a_call_leaves_neither_facts_nor_positions(engine: Engine, statement: int) -> None:
    sink, where = SqlSink(engine, RUN, ("desk",)), [Position("t", 0, 1, None)]
    seen = 0

    def killed(*_: object) -> None:
        nonlocal seen
        seen += 1
        if seen > statement:
            raise _Killed

    calls: list[Callable[[], None]] = [
        lambda: sink.write_documents([stored(document("d1"))], where),
        lambda: sink.write_alerts([change()], where),
        lambda: sink.write_trends([_window(1, closed=True)], where),
    ]
    for write in calls if statement < 2 else calls[:2]:
        seen = 0
        event.listen(engine, "after_cursor_execute", killed)
        with pytest.raises(_Killed):
            write()
        event.remove(engine, "after_cursor_execute", killed)
    assert sink.positions() == {}
    with reading(engine) as connection:
        for table in schema.RUN_TABLES:
            assert connection.execute(select(func.count()).select_from(table)).scalar_one() == 0


BUNDLES = 8
_SIZES = (WindowSize.M5, WindowSize.H1)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kills=st.lists(st.integers(0, BUNDLES - 1), max_size=4), seed=st.integers(0, 1_000))
def test_bundles_written_again_after_a_kill_change_nothing(engine: Engine, kills: list[int], seed: int) -> None:
    """A kill after a call, before the reader of the log has noted it: the bundle, or several, come again."""
    SqlRuns(engine).delete(RUN.name)
    SqlRuns(engine).delete(OTHER.name)
    documents = random_documents(60, minutes=120, seed=seed)
    order = random.Random(seed)
    for run, again in ((RUN, kills), (OTHER, [])):
        sink = SqlSink(engine, run, ())
        for offset in range(BUNDLES):
            repeats = 1 + again.count(offset)
            for first in [order.randint(0, offset) for _ in range(repeats - 1)] + [offset]:
                for number in range(first, offset + 1):
                    mine = documents[number * 5 : number * 5 + 5]
                    sink.write_documents(mine, [Position("classified", 0, number, None)])
                    sofar = trends_of(documents[: number * 5 + 5], until=START, sizes=_SIZES)
                    sink.write_trends(sofar, [Position("trends", 0, number, None)])
        sink.write_trends(trends_of(documents, until=START + 9_999, sizes=_SIZES), [])
    for export in (export_documents, export_windows, export_alerts):
        assert list(export(engine, RUN.name)) == list(export(engine, OTHER.name))
    assert SqlSink(engine, RUN, ()).positions() == SqlSink(engine, OTHER, ()).positions()


def test_a_window_keeps_its_surprises(engine: Engine, sink: SqlSink) -> None:
    sink.write_trends([replace(_window(9, closed=True), surprises=(surprise(score=1.5), surprise(score=4.25)))], [])
    point = SqlViewReader(engine, str).series(RUN.name, "market", WindowSize.M5, BEGIN, LATER).points[0]
    assert point.surprise == 4.25
    fact = next(export_windows(engine, RUN.name))
    assert [found["score"] for found in fact.values["surprises"]] == [1.5, 4.25]
