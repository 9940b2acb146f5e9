"""Stories: what is one, what is not, and that a restart changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.stories import StoryIndex, StoryRow, story_text

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)

SAME = [
    (
        "Harbor Mills cuts annual outlook after weak quarter",
        "UPDATE 2-Harbor Mills cuts annual outlook after weak quarter",
    ),
    (
        "Harbor Mills cuts annual outlook after weak quarter",
        "Harbor Mills cuts annual outlook after weak quarter - Daily Example",
    ),
    (
        "Harbor Mills cuts annual outlook after weak quarter",
        "CORRECTED-UPDATE 1-Harbor Mills cuts annual outlook after weak quarter",
    ),
    (
        "Harbor Mills cuts annual outlook after weak quarter | Example Wire",
        "Harbor Mills cuts annual outlook after weak quarter - Other Times",
    ),
    ("Northgate to sell tyre unit for $2.5 bln -sources", "Northgate to sell tyre unit for $2.5 billion: sources"),
    ("Factory output stabilises in Borland, survey shows", "Factory output stabilizes in Borland, survey shows"),
    (
        "RT @desk: Harbor Mills down again, what is going on there? https://t.example/x",
        "Harbor Mills down again, what is going on there?",
    ),
    ("U.S. agency fines Northgate over faulty brakes", "US agency fines Northgate over faulty brakes"),
]
OTHER = [
    (
        "Harbor Mills quarterly profit beats estimates on strong demand",
        "Northgate quarterly profit beats estimates on strong demand",
    ),
    (
        "BRIEF-Harbor Mills declares quarterly dividend of $0.32 per share",
        "BRIEF-Harbor Mills declares quarterly dividend of $0.45 per share",
    ),
    ("$HBML breaking out on huge volume this morning", "$NGTE breaking out on huge volume this morning"),
    ("harbor looks ready for another leg down here", "northgate looks ready for another leg down here"),
    ("Harbor Mills", "Harbor Mill"),
    ("Example Broker raises Harbor Mills to buy from hold", "Example Broker raises Southport to buy from hold"),
]


@pytest.mark.parametrize(("first", "second"), SAME)
def test_a_text_sent_again_in_other_clothes_is_one_story(first: str, second: str) -> None:
    stories = StoryIndex()
    assert stories.assign("a", first, NOON) == ("a", False)
    assert stories.assign("b", second, NOON + timedelta(hours=1)) == ("a", True)


@pytest.mark.parametrize(("first", "second"), OTHER)
def test_another_company_or_figure_in_the_same_template_is_another_story(first: str, second: str) -> None:
    stories = StoryIndex()
    stories.assign("a", first, NOON)
    assert stories.assign("b", second, NOON) == ("b", False)


def test_the_span_of_a_story_is_72_hours_of_event_time() -> None:
    stories = StoryIndex()
    stories.assign("a", SAME[0][0], NOON)
    assert stories.assign("b", SAME[0][0], NOON + timedelta(hours=72)) == ("a", True)
    assert stories.assign("c", SAME[0][1], NOON + timedelta(hours=144, seconds=1)) == ("c", False)


def test_asking_again_for_a_key_changes_nothing() -> None:
    stories = StoryIndex()
    first = stories.assign("a", SAME[0][0], NOON)
    stories.assign("b", SAME[0][1], NOON)
    assert stories.assign("a", "an edited text about something quite different", NOON) == first
    assert stories.assign("b", "another edited text about something else", NOON) == ("a", True)


def test_memory_is_bounded_by_number_and_by_age() -> None:
    stories = StoryIndex(most=50)
    for number in range(200):
        stories.assign(str(number), f"Company{number} opens plant number {number} in town{number}", NOON)
    assert len(stories) == 50
    stories.assign("late", "Something entirely new happens today", NOON + timedelta(days=30))
    assert len(stories) == 1


def test_a_date_in_1970_disturbs_nobody() -> None:
    stories = StoryIndex()
    stories.assign("a", SAME[0][0], NOON)
    assert stories.assign("old", SAME[0][0], datetime(1970, 1, 1, tzinfo=UTC))[0] == "old"
    assert stories.assign("b", SAME[0][1], NOON) == ("a", True)


WORDS = st.lists(
    st.sampled_from(
        [
            "Harbor",
            "Northgate",
            "profit",
            "falls",
            "rises",
            "on",
            "weak",
            "strong",
            "demand",
            "3.5%",
            "4%",
            "quarter",
            "in",
            "Borland",
            "says",
        ]
    ),
    min_size=0,
    max_size=9,
).map(" ".join)


@given(texts=st.lists(WORDS | st.text(max_size=40), min_size=1, max_size=25), cut=st.integers(0, 25))
def test_a_restart_in_mid_stream_changes_no_story(texts: list[str], cut: int) -> None:
    whole, before = StoryIndex(), StoryIndex()
    times = [NOON + timedelta(minutes=number) for number in range(len(texts))]
    told = [whole.assign(str(n), text, times[n]) for n, text in enumerate(texts)]
    rows = []
    for n, text in enumerate(texts[:cut]):
        story, _ = before.assign(str(n), text, times[n])
        rows.append(StoryRow(str(n), story, text, times[n]))
    after = StoryIndex()
    after.warm(rows)
    again = [after.assign(str(n), text, times[n]) for n, text in enumerate(texts)]
    assert again == told


@given(st.text(max_size=300))
def test_any_text_has_a_story_and_its_copy_joins_it(text: str) -> None:
    stories = StoryIndex()
    assert stories.assign("a", text, NOON) == ("a", False)
    assert stories.assign("b", text, NOON) == ("a", True)


def test_a_short_title_does_not_stand_for_its_text() -> None:
    assert story_text("Daily thread", "What do we buy?") == "Daily thread What do we buy?"
    assert story_text("Harbor Mills cuts annual outlook", "Words.") == "Harbor Mills cuts annual outlook"
