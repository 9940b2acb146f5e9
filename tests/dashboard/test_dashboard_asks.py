"""The address is the state: read with forgiveness, written back as it was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard import words
from dashboard.ask import SPANS, Ask, link, parse_query, url_time
from dashboard.pages.series import MOST_WINDOWS, fitting
from dashboard.security import safe_url
from monitor.domain.timespans import WindowSize

AS_OF = datetime(2026, 3, 12, 14, 37, tzinfo=UTC)


@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.text(min_size=1, max_size=40), max_size=8))
def test_every_query_survives_the_address(query: dict[str, str]):
    address = link("/series", **query)
    assert parse_query(address.partition("?")[2]) == query


@given(st.text(max_size=300))
def test_no_address_breaks_a_page(search: str):
    ask = Ask.of({"path": "/", "search": search, "scheme": 3, "narrow": None})
    ask.span("1d", AS_OF)
    ask.size(WindowSize.H1)
    assert 1 <= ask.number("p", 1, 10) <= 10


@pytest.mark.parametrize("asked", [None, [], "x", 4, {"path": None, "search": None}])
def test_what_is_no_question_counts_as_the_first_page(asked: object):
    assert Ask.of(asked) == Ask()  # type: ignore[arg-type]


def test_a_named_span_ends_with_the_runs_own_time():
    start, end = Ask(query={"span": "6h"}).span("1d", AS_OF)
    assert (start, end) == (AS_OF + timedelta(minutes=1) - SPANS["6h"], AS_OF + timedelta(minutes=1))


def test_times_of_ones_own_go_before_the_span():
    query = {"span": "6h", "from": url_time(AS_OF - timedelta(days=9)), "to": "2026-03-11T00:00:00"}
    assert Ask(query=query).span("1d", AS_OF) == (AS_OF - timedelta(days=9), datetime(2026, 3, 11, tzinfo=UTC))


def test_a_run_without_time_has_no_span():
    assert Ask().span("1d", None) == (None, None)


@pytest.mark.parametrize("asked", list(WindowSize))
@pytest.mark.parametrize("days", [1, 30, 366])
def test_no_chart_has_more_windows_than_can_be_drawn(asked: WindowSize, days: int):
    size = fitting(asked, timedelta(days=days))
    assert size >= asked
    assert days * 1440 / size <= MOST_WINDOWS


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        " javascript:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,x",
        "//evil.example/",
        "http://",
        "https://user:secret@host.example/",
        "http://[::1",
        "file:///etc/passwd",
        "https://a.example/\x00",
        "",
    ],
)
def test_what_is_no_web_address_never_becomes_a_link(url: str):
    assert safe_url(url) == ""


@pytest.mark.parametrize(
    "url", ["https://news.example/a?b=c#d", "HTTP://news.example/", "https://xn--bcher-kva.example/ü"]
)
def test_a_web_address_becomes_a_link_as_it_is(url: str):
    assert safe_url(url) == url


@given(st.text(max_size=200), st.integers(2, 80))
def test_clipped_text_is_short_and_has_no_control_characters(text: str, length: int):
    clipped = words.clip(text, length)
    assert len(clipped) <= length
    assert clipped == words.plain(clipped)


def test_marks_that_turn_the_writing_are_taken_out():
    assert words.plain("pay \u202egnp.exe\u2066") == "pay gnp.exe"


@pytest.mark.parametrize(
    ("value", "word"),
    [(-0.9, "strongly negative"), (-0.2, "negative"), (-0.05, "slightly negative"), (0.0, "balanced")],
)
def test_mood_below_zero_has_words(value: float, word: str):
    assert words.mood(value) == word


def test_mood_is_the_same_in_words_on_both_sides_of_zero():
    for value in (0.05, 0.2, 0.9):
        assert words.mood(-value).replace("negative", "positive") == words.mood(value)


def test_numbers_have_a_true_minus_and_no_negative_zero():
    assert (words.signed(-0.117), words.signed(0.117), words.signed(-0.001)) == ("\u22120.12", "+0.12", "0.00")
