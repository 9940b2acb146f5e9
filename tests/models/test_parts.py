from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.parts import MOST_CHARACTERS, MOST_PARTS, PART_CHARACTERS, split_text
from monitor.ports import Text

SENTENCE = "Quantara said on Tuesday that it would build a plant by the harbour. "


def test_a_short_text_is_one_part_of_title_and_body() -> None:
    found = split_text(Text("Quantara rises", "It sold more tea."))
    assert [piece.text for piece in found.pieces] == ["Quantara rises. It sold more tea."]
    assert found.total == 1


def test_a_body_that_repeats_the_title_is_read_once() -> None:
    assert split_text(Text("Quantara rises", "Quantara rises")).pieces[0].text == "Quantara rises"


def test_the_title_of_a_long_text_counts_half() -> None:
    found = split_text(Text("Quantara rises", SENTENCE * 30))
    assert found.pieces[0].text == "Quantara rises"
    assert found.pieces[0].weight == pytest.approx(0.5)
    assert found.total == len(found.pieces) > 2


def test_parts_are_whole_sentences() -> None:
    found = split_text(Text("", SENTENCE * 30))
    assert all(piece.text.endswith("harbour.") for piece in found.pieces)
    assert " ".join(piece.text for piece in found.pieces) == (SENTENCE * 30).strip()


def test_a_decimal_point_is_no_end_of_a_sentence() -> None:
    text = "Sales rose 3.5% " * 60
    joined = " ".join(piece.text for piece in split_text(Text("", text)).pieces)
    assert joined == text.strip()


def test_parts_that_are_not_read_are_counted() -> None:
    found = split_text(Text("Title", SENTENCE * 1000))
    assert len(found.pieces) == MOST_PARTS
    assert found.total > 150


def test_text_beyond_the_last_character_read_is_counted() -> None:
    found = split_text(Text("", "x" * (MOST_CHARACTERS + 10 * PART_CHARACTERS)))
    assert found.total >= MOST_CHARACTERS // PART_CHARACTERS + 10


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=900), st.text(max_size=4000))
def test_weights_sum_to_one_and_no_part_is_too_long(title: str, body: str) -> None:
    found = split_text(Text(title, body))
    assert sum(piece.weight for piece in found.pieces) == pytest.approx(1)
    assert all(len(piece.text) <= PART_CHARACTERS for piece in found.pieces)
    assert 1 <= len(found.pieces) <= MOST_PARTS
    assert found.total >= len(found.pieces)
