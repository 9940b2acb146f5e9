"""What is deleted, what is exported, and how two runs compare."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Engine

from monitor.domain.alerts import AlertState, Decision
from monitor.domain.timespans import DAY_MIN, WindowSize, minute_of
from monitor.domain.views import AlertFilter, DocumentFilter
from monitor.store.exports import compare_runs, export_alerts, export_documents, export_windows, recent_stories
from monitor.store.outbox import SqlOutbox
from monitor.store.retention import Keep, Pruned, prune
from monitor.store.sink import SqlSink
from monitor.store.views import SqlViewReader
from tests.store.store_facts import BEGIN, OTHER, RUN, at_minute, change, document, random_documents, stored, trends_of

START = minute_of(BEGIN)
DAYS = 10
LATER = at_minute(10_000_000)
KEEP = Keep(documents=3, windows=5, alerts=2)


def _fill(engine: Engine) -> None:
    """One document and its windows at the noon of each of ten days; as-of is the end of the tenth."""
    documents = [stored(document(f"d{day}", BEGIN + timedelta(days=day, hours=12))) for day in range(DAYS)]
    last = stored(document("last", BEGIN + timedelta(days=DAYS, minutes=-1)))
    for run in (RUN, OTHER):
        sink = SqlSink(engine, run, ())
        sink.write_documents([*documents, last], [])
        sink.write_trends(trends_of([*documents, last], until=START + DAYS * DAY_MIN), [])


def _ids(engine: Engine, run: str = RUN.name) -> set[str]:
    return {row.id for row in SqlViewReader(engine, str).documents(run, DocumentFilter(), 1_000).rows}


def test_what_is_older_than_kept_goes_by_the_time_of_the_run(engine: Engine) -> None:
    _fill(engine)
    windows = len(list(export_windows(engine, RUN.name)))
    pruned = prune(engine, RUN.name, KEEP)
    assert pruned.documents == 7
    assert _ids(engine) == {"d7", "d8", "d9", "last"}
    left = list(export_windows(engine, RUN.name))
    assert pruned.windows == windows - len(left)
    assert min(fact.key[1] + fact.key[2] for fact in left) > START + 5 * DAY_MIN  # type: ignore[operator]
    days = {fact.key[2] for fact in left if fact.key[:2] == ("market", WindowSize.D1)}
    assert days == {START + day * DAY_MIN for day in range(5, 10)}
    assert len(_ids(engine, OTHER.name)) == DAYS + 1
    assert SqlViewReader(engine, str).documents(RUN.name, DocumentFilter(entities=("ACME",))).total == 4
    assert prune(engine, RUN.name, KEEP) == Pruned(0, 0, 0)


def test_nothing_goes_unless_asked_or_before_a_window_has_closed(engine: Engine) -> None:
    _fill(engine)
    assert prune(engine, RUN.name, Keep()) == Pruned(0, 0, 0)
    assert prune(engine, "no-such", KEEP) == Pruned(0, 0, 0)
    assert len(_ids(engine)) == DAYS + 1


def test_open_alerts_their_documents_and_the_undelivered_stay(engine: Engine) -> None:
    _fill(engine)
    sink = SqlSink(engine, RUN, ("desk",))
    gone = {"state": AlertState.RESOLVED, "decision": Decision.RESOLVED, "updated_at": START}
    sink.write_alerts([change("told", **gone)], [])
    outbox = SqlOutbox(engine)
    outbox.delivered(outbox.due(LATER)[0], LATER, "ok")
    recent = gone | {"updated_at": START + 9 * DAY_MIN, "decision": Decision.BELOW_THRESHOLD}
    sink.write_alerts([change("waiting", **gone), change("recent", **recent)], [])
    sink.write_alerts([change("open", updated_at=START, against=("d0",), in_favour=("d1",))], [])
    pruned = prune(engine, RUN.name, KEEP)
    reader = SqlViewReader(engine, str)
    assert pruned.alerts == 1
    assert {view.alert.id for view in reader.alerts(RUN.name, AlertFilter())} == {"waiting", "recent", "open"}
    assert reader.alert(RUN.name, "told") is None
    assert {"d0", "d1"} <= _ids(engine)
    assert {row.change.alert.id for row in outbox.due(LATER)} == {"waiting", "open"}


def test_an_old_story_crawled_lately_stays(engine: Engine) -> None:
    _fill(engine)
    old = document("old", BEGIN - timedelta(days=900), crawled_at=BEGIN + timedelta(days=9), backlog=True)
    SqlSink(engine, RUN, ()).write_documents([stored(old, effective=None)], [])
    prune(engine, RUN.name, KEEP)
    assert "old" in _ids(engine)


def test_more_rows_than_a_batch_go_too(engine: Engine) -> None:
    sink = SqlSink(engine, RUN, ())
    sink.write_documents([stored(document(f"d{number}")) for number in range(4_500)], [])
    last = stored(document("last", BEGIN + timedelta(days=DAYS)))
    sink.write_trends(trends_of([last], until=START + 2 * DAYS * DAY_MIN), [])
    assert prune(engine, RUN.name, KEEP).documents == 4_500
    assert _ids(engine) == set()


def test_recent_stories_come_in_order_of_time_from_the_moment_asked(engine: Engine) -> None:
    sink = SqlSink(engine, RUN, ())
    edit = stored(document("d3", at_minute(3), revision=1), effective=None)
    sink.write_documents([stored(document(f"d{n}", at_minute(n), story=f"s{n}")) for n in (4, 2, 3, 1)] + [edit], [])
    found = list(recent_stories(engine, RUN.name, at_minute(2)))
    assert [(story.document, story.story, story.event_at) for story in found] == [
        (f"d{n}", f"s{n}", at_minute(n)) for n in (2, 3, 4)
    ]
    assert (found[0].title, found[0].text, found[0].source_class) == ("Headline of d2", "Some words", "news")


def test_exports_are_sorted_and_complete_over_many_pages(engine: Engine) -> None:
    documents = random_documents(900, minutes=2_000)
    sink = SqlSink(engine, RUN, ())
    sink.write_documents(documents, [])
    trends = trends_of(documents, until=START + 1_500)
    sink.write_trends(trends, [])
    windows = list(export_windows(engine, RUN.name))
    assert len(windows) == sum(trend.closed for trend in trends) > 4_000
    for facts in (windows, list(export_documents(engine, RUN.name))):
        keys = [fact.key for fact in facts]
        assert keys == sorted(set(keys))


def test_two_runs_of_the_same_facts_agree_and_each_difference_is_counted(engine: Engine) -> None:
    documents = random_documents(100, minutes=300)
    trends = trends_of(documents, until=START + 9_999)
    for run in (RUN, OTHER):
        sink = SqlSink(engine, run, ())
        sink.write_documents(documents, [])
        sink.write_trends(trends, [])
        sink.write_alerts([change()], [])
    same = compare_runs(engine, RUN.name, OTHER.name)
    assert same.agree
    assert (same.windows.equal, same.alerts.equal, same.documents.equal) == (len(trends), 1, 100)
    other = SqlSink(engine, OTHER, ())
    other.write_alerts([change(revision=2), change("more")], [])
    other.write_documents([stored(document("zz"))], [])
    odd = replace(trends[0], series="entity:ZZ")
    SqlSink(engine, RUN, ()).write_trends([odd], [])
    other.write_trends([replace(odd, counts=replace(odd.counts, documents=odd.counts.documents + 1))], [])
    found = compare_runs(engine, RUN.name, OTHER.name)
    assert not found.agree
    assert (found.alerts.equal, found.alerts.different, found.alerts.only_second) == (0, 1, 1)
    assert (found.documents.equal, found.documents.only_second, found.documents.only_first) == (100, 1, 0)
    assert found.documents.examples == (("zz", 0),)
    assert (found.windows.equal, found.windows.different) == (len(trends), 1)
    assert found.windows.examples == (("entity:ZZ", odd.size, odd.start),)
    assert compare_runs(engine, OTHER.name, RUN.name).documents.only_first == 1
    assert [fact.key for fact in export_alerts(engine, OTHER.name)] == [("a1",), ("more",)]
