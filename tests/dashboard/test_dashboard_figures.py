"""Figures are pure: what is missing is left out, what is untrusted stays text."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import plotly.graph_objects as go
import pytest

from dashboard import figures
from dashboard.invented import AS_OF, HOSTILE
from dashboard.palette import Look
from dashboard.testing import FakeViewReader
from monitor.domain.series import MARKET
from monitor.domain.timespans import WindowSize
from monitor.domain.trends import Direction, Family, Polarity, Surprise
from monitor.domain.views import HeatCell, SeriesView, TrendPoint

SPAN = timedelta(days=3)


@pytest.fixture
def view() -> SeriesView:
    return FakeViewReader().series("demo", "entity:ALDR", WindowSize.H1, AS_OF - SPAN, AS_OF)


def trace(figure: go.Figure, name: str) -> go.Figure:
    return next(one for one in figure.data if one.name == name)


def point(minutes: int, mean: float | None, *, covered: bool = True) -> TrendPoint:
    polarity = None if mean is None else Polarity(mean=mean, low=mean - 0.1, high=mean + 0.1)
    return TrendPoint(
        start=AS_OF.replace(minute=0) + timedelta(minutes=minutes),
        size=WindowSize.M5,
        closed=True,
        covered=covered,
        documents=6,
        stories=6,
        sources=2,
        negative=2,
        neutral=3,
        positive=1,
        late=0,
        polarity=polarity,
        surprise=None,
    )


def one_series(*points: TrendPoint) -> SeriesView:
    return SeriesView(series=MARKET, title="Market", size=WindowSize.M5, points=points, alerts=())


def test_polarity_line_breaks_where_a_window_has_no_mean():
    figure = figures.series(one_series(point(0, 0.2), point(5, None), point(10, 0.1)))
    assert list(trace(figure, "Polarity").y) == [0.2, None, 0.1, None]


def test_polarity_line_breaks_where_windows_are_missing():
    figure = figures.series(one_series(point(0, 0.2), point(5, 0.3), point(60, 0.1)))
    assert list(trace(figure, "Polarity").y) == [0.2, 0.3, None, 0.1, None]


def test_interval_is_an_area_that_closes_on_itself():
    band = trace(figures.series(one_series(point(0, 0.2), point(5, 0.3))), "95 % interval")
    assert list(band.y) == pytest.approx([0.3, 0.4, 0.2, 0.1, 0.3]) or list(band.y)[:5] == pytest.approx(
        [0.3, 0.4, 0.2, 0.1, 0.3]
    )
    assert band.x[0] == band.x[4]


def test_bars_hold_every_label_of_every_window(view: SeriesView):
    figure = figures.series(view)
    for name in ("negative", "neutral", "positive"):
        assert list(trace(figure, name.capitalize()).y) == [getattr(one, name) for one in view.points]


def test_share_of_negatives_breaks_where_nothing_was_said():
    empty = replace(point(5, None), documents=0, negative=0, neutral=0, positive=0)
    share = trace(figures.series(one_series(point(0, 0.1), empty, point(10, 0.1))), "Share negative")
    assert list(share.y) == [pytest.approx(1 / 3), None, pytest.approx(1 / 3)]


def test_alerts_are_marked_where_they_opened_and_lead_to_themselves(view: SeriesView):
    marks = trace(figures.series(view), "Alert")
    assert list(marks.x) == [one.opened_at for one in view.alerts]
    assert list(marks.customdata) == [f"alert:{one.alert.id}" for one in view.alerts]


def test_uncovered_windows_that_touch_are_shaded_as_one():
    uncovered = [point(m, 0.1, covered=False) for m in (0, 5, 30)]
    shapes = figures.series(one_series(*uncovered, point(35, 0.1))).layout.shapes
    assert [(one.x0, one.x1) for one in shapes] == [
        (uncovered[0].start, uncovered[1].start + timedelta(minutes=5)),
        (uncovered[2].start, uncovered[2].start + timedelta(minutes=5)),
    ]


def test_zoom_outlives_a_refresh_and_ends_with_another_series(view: SeriesView):
    first, again = figures.series(view), figures.series(replace(view, points=view.points[1:]))
    other = figures.series(replace(view, series="market"))
    assert first.layout.uirevision == again.layout.uirevision != other.layout.uirevision


def test_axes_have_titles_and_say_utc(view: SeriesView):
    layout = figures.series(view).layout
    assert layout.xaxis.title.text == "Time (UTC)"
    assert (layout.yaxis.title.text, layout.yaxis2.title.text) == ("Polarity", "Documents")


def test_pulse_draws_the_open_window_hollow():
    look = Look()
    line = trace(figures.pulse([point(0, 0.1), replace(point(5, 0.1), closed=False)], look), "Polarity")
    assert list(line.marker.color)[:2] == [look.strong, look.ground]


def test_heat_map_tells_too_few_stories_from_nothing_said():
    cells = [
        HeatCell(entity="A", entity_name="A", topic="Macro", series="entity:A/topic:macro", documents=9, polarity=0.2),
        HeatCell(entity="B", entity_name="B", topic="IPO", series="entity:B/topic:ipo", documents=2, polarity=None),
    ]
    few, tone = figures.heat(cells).data
    assert [list(row) for row in few.z] == [[None, None], [None, 1]]
    assert [list(row) for row in tone.z] == [[0.2, None], [None, None]]


def test_heat_map_is_even_on_both_sides_of_zero_and_colour_blind_safe():
    cells = FakeViewReader().overview("demo").heat
    tone = figures.heat(cells).data[1]
    assert tone.zmin == -tone.zmax
    first, last = tone.colorscale[0][1], tone.colorscale[-1][1]
    assert int(first[1:3], 16) > int(first[5:7], 16)
    assert int(last[5:7], 16) > int(last[1:3], 16)


@pytest.mark.parametrize("narrow", [False, True])
def test_heat_map_keeps_to_the_width_of_the_screen(narrow: bool):
    figure = figures.heat(FakeViewReader().overview("demo").heat, Look(narrow=narrow))
    assert len(figure.data[1].z) <= figures.HEAT_COMPANIES[narrow]
    assert all(len(row) <= figures.HEAT_TOPICS[narrow] for row in figure.data[1].z)


def test_untrusted_names_cannot_bring_markup_into_a_chart(view: SeriesView):
    cell = HeatCell(
        entity="X", entity_name=HOSTILE, topic="IPO", series="entity:X/topic:ipo", documents=9, polarity=0.1
    )
    heat = figures.heat([cell])
    hostile = replace(view, alerts=(replace(view.alerts[0], title=HOSTILE),))
    texts = [*heat.layout.yaxis.ticktext, heat.data[1].hovertext[0][0], *trace(figures.series(hostile), "Alert").text]
    assert all("<script" not in text and "<img" not in text for text in texts)
    assert all("&lt;img" in text for text in texts)


def test_evidence_shows_observed_expected_and_interval():
    surprise = Surprise(
        family=Family.SENTIMENT,
        direction=Direction.NEGATIVE,
        score=7,
        threshold=5,
        observed=41,
        total=58,
        expected=12.3,
        low=6,
        high=20,
        once_in_days=90,
    )
    band, expected, observed = figures.evidence(surprise).data
    assert (band.base[0], band.base[0] + band.x[0]) == (6, 20)
    assert (expected.x[0], observed.x[0]) == (12.3, 41)
    assert "Negative stories" in figures.evidence(surprise).layout.xaxis.title.text
