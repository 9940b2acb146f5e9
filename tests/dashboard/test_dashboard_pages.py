"""Pages read and draw without a browser: what they show, and what they say when there is nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from dash._utils import to_json

from dashboard.ask import Ask
from dashboard.desk import NOBODY, Condition, Desk
from dashboard.invented import AS_OF, HOSTILE
from dashboard.pages import alert, alerts, documents, overview, series, sources
from dashboard.shell import _run_banners
from dashboard.testing import EmptyViewReader, FakeViewReader, RecordingFeedback
from monitor.domain.runs import LIVE
from monitor.domain.views import RunView

RUN = {"run": "demo"}


def desk_of(reader: FakeViewReader, default_run: str | None = None) -> Desk:
    lists = {"own": ("ALDR",), "nobody": ()}
    return Desk(reader, RecordingFeedback(), lambda: lists, default_run, lambda: AS_OF, None)


def said(drawn: Sequence[Any]) -> str:
    """Return everything that is drawn, as the browser gets it."""
    return json.dumps(json.loads(str(to_json(list(drawn)))), ensure_ascii=False)


def test_overview_tells_mood_interval_and_direction():
    view = FakeViewReader().overview("demo")
    text = said(overview.draw(("demo", view), Ask()))
    for words in ("\u22120.12", "slightly negative", "95 % interval \u22120.15 to \u22120.09", "down \u22120.08"):
        assert words in text


def test_overview_orders_alerts_by_severity_and_links_them():
    view = FakeViewReader().overview("demo")
    text = said(overview.alerts(view, "demo", "own"))
    assert text.index("critical") < text.index("warning") < text.index('"info"')
    assert "/alerts/0000000000000000?run=demo&watch=own" in text


def test_movers_are_the_greatest_falls_and_rises():
    view = FakeViewReader().overview("demo")
    text = said(overview.movers(view, "demo", ""))
    changes = sorted(view.movers, key=lambda one: one.change)
    assert changes[0].entity_name in text
    assert changes[-1].entity_name in text


@pytest.mark.parametrize("reader", [EmptyViewReader(), FakeViewReader()], ids=["no run at all", "a run without data"])
def test_every_page_says_no_data_in_place_of_charts(reader: FakeViewReader):
    desk = desk_of(reader)
    ask = Ask()
    run = desk.run(ask).name
    drawn = {
        "overview": overview.draw((run, reader.overview(run)), ask),
        "series": series.draw(series.read_series(desk, ask), ask),
        "alerts": alerts.draw(alerts.Found(run=run, as_of=None, alerts=()), ask),
        "alert": alert.draw(alert.read_alert(desk, replace(ask, path="/alerts/x")), ask),
        "documents": documents.draw(reader.documents(run, documents.filter_of(ask, (), None)), ask),
    }
    for page, values in drawn.items():
        assert "No data" in said(values), page
        assert '"type": "scatter"' not in said(values), page


def test_sources_page_tells_failures_with_reason_and_never_links_to_what_is_no_web_address():
    reader = FakeViewReader()
    found = (reader.sources(), (Condition(name="worker", well=False, words="restarts"),), AS_OF)
    for narrow in (False, True):
        text = said(sources.draw(found, Ask(narrow=narrow)))
        assert "HTTP 503" in text
        assert "restarts" in text
        assert "javascript:" not in text


def test_series_without_a_point_shows_the_documents_of_the_span():
    desk = desk_of(FakeViewReader())
    found = series.read_series(desk, Ask(query={**RUN, "series": "entity:ALDR", "span": "1d"}))
    assert found.documents.total > 0
    assert all(found.start <= row.effective_at < found.end for row in found.documents.rows)  # type: ignore[operator]


def test_a_clicked_point_shows_the_documents_of_its_window_alone():
    desk = desk_of(FakeViewReader())
    at = AS_OF.replace(minute=0) - timedelta(hours=5)
    query = {**RUN, "series": "market", "size": "1h", "at": at.isoformat()}
    found = series.read_series(desk, Ask(query=query))
    assert {row.effective_at.replace(minute=0) for row in found.documents.rows if row.effective_at} == {at}
    assert "09:00 to 10:00 UTC" in said(series.draw(found, Ask(query=query)))


def test_a_span_too_long_for_its_windows_is_drawn_in_larger_ones_and_says_so():
    desk = desk_of(FakeViewReader())
    ask = Ask(query={**RUN, "size": "5m", "span": "30d"})
    text = said(series.draw(series.read_series(desk, ask), ask))
    assert "windows of 1h" in text
    assert "5m would be too many to draw" in text


def test_series_offers_what_is_typed_and_always_the_chosen_one():
    desk = desk_of(FakeViewReader())
    offered = series.choices(desk, Ask(query=RUN), "bank", "market")
    assert [one["value"] for one in offered] == ["entity:ALDR", "market"]
    everything = series.choices(desk, Ask(query=RUN), "Market", "market")
    assert len(everything) > 20


def test_companies_are_found_by_name_and_id():
    desk = desk_of(FakeViewReader())
    for typed in ("alder", "ALDR"):
        assert [one["value"] for one in documents.companies(desk, Ask(query=RUN), typed)] == ["", "ALDR"]


def test_an_alerts_own_link_opens_the_series_at_its_time():
    reader = FakeViewReader()
    detail = reader.alert("demo", "0000000000000000")
    assert detail is not None
    text = said([alert.body(detail, "demo", Ask())])
    start, end = alert.around(detail.view.alert)
    assert f"from={start:%Y-%m-%dT%H}" in text
    assert f"to={end:%Y-%m-%dT%H}" in text
    assert start < detail.view.opened_at < end


def test_an_alert_shows_both_sides_its_life_and_who_was_told():
    desk = desk_of(FakeViewReader())
    ask = Ask(path="/alerts/0000000000000002", query=RUN)
    text = said(alert.draw(alert.read_alert(desk, ask), ask))
    for words in (
        "Contribute most",
        "Strongest on the other side",
        "acknowledged",
        "maria",
        "the inquiry was announced",
    ):
        assert words in text
    assert "risk webhook" in text


def test_what_contributes_most_to_a_positive_alert_is_positive():
    detail = FakeViewReader().alert("demo", "0000000000000004")
    assert detail is not None
    text = said([alert.documents(detail)])
    assert text.index("Contribute most") < text.index("bw-label-positive") < text.index("bw-label-negative")


def test_documents_are_filtered_by_every_field_of_the_address():
    query = {"q": "outlook", "label": "negative", "topic": "IPO", "company": "ALDR", "source": "x", "span": "1d"}
    wanted = documents.filter_of(Ask(query=query), ("DOGW",), AS_OF)
    assert (wanted.text, wanted.label, wanted.topic, wanted.source) == ("outlook", "negative", "IPO", "x")
    assert wanted.entities == ("ALDR",)
    assert wanted.end == AS_OF + timedelta(minutes=1)


def test_hostile_text_goes_out_as_text_and_its_address_not_at_all():
    page = FakeViewReader().documents("demo", documents.filter_of(Ask(), (), None), 5)
    assert page.rows[0].title == HOSTILE
    for narrow in (False, True):
        text = said(documents.draw(page, Ask(narrow=narrow)))
        assert "<img src=x" in text
        assert '"javascript:' not in text
        assert "Markdown" not in text
        assert "dangerously" not in text


def test_alerts_that_no_filter_lets_through_are_told_from_a_quiet_run():
    nothing = alerts.Found(run="demo", as_of=AS_OF, alerts=())
    assert "No alert has fired" in said(alerts.draw(nothing, Ask()))
    assert "fits these filters" in said(alerts.draw(nothing, Ask(query={"state": "firing"})))


def test_a_watch_list_without_companies_shows_nothing_rather_than_everything():
    desk = desk_of(FakeViewReader())
    assert desk.entities(Ask(query={"watch": "own"})) == ("ALDR",)
    assert desk.entities(Ask(query={"watch": "nobody"})) == NOBODY
    assert desk.entities(Ask(query={"watch": "gone"})) == NOBODY
    assert desk.entities(Ask()) == ()


def test_the_run_is_the_one_asked_for_then_the_default_then_the_first():
    desk = desk_of(FakeViewReader(), "demo")
    assert desk.run(Ask()).name == "demo"
    assert desk.run(Ask(query={"run": "live"})).name == "live"
    assert desk.run(Ask(query={"run": "gone"})).as_of is None
    assert desk_of(FakeViewReader(), "gone").run(Ask()).name == "live"


def test_a_live_run_that_stands_still_does_not_look_like_a_quiet_day():
    desk = desk_of(FakeViewReader())
    live = RunView(name=LIVE, title="Live", simulated=False, documents=3, as_of=None, last_document_at=None)
    fresh = replace(live, as_of=AS_OF - timedelta(minutes=3))
    stale = replace(live, as_of=AS_OF - timedelta(minutes=42))
    assert _run_banners(fresh, (fresh,), desk) == []
    assert "stands still" in said(_run_banners(stale, (stale,), desk))


def test_an_unknown_run_is_named():
    assert "no run named" in said(
        _run_banners(desk_of(FakeViewReader()).run(Ask(query={"run": "gone"})), (), desk_of(FakeViewReader()))
    )
