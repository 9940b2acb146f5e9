from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from models.text import normalise, shingle_text


def test_mojibake_is_undone_even_when_made_twice() -> None:
    once = "Générale".encode().decode("cp1252")
    twice = once.encode().decode("cp1252")
    assert normalise(once) == normalise(twice) == "Générale"


def test_text_that_is_not_mojibake_stays() -> None:
    assert normalise("Â la carte, naïve façade, ÇA") == "Â la carte, naïve façade, ÇA"


def test_html_entities_and_white_space_are_plain() -> None:
    assert normalise("  A&amp;B \n\t rises&nbsp;5&#37; &amp;gt; ") == "A&B rises 5% >"


def test_several_addresses_in_a_row_become_one_word() -> None:
    assert normalise("Up https://t.co/a http://b.example/c?d=e www.f.example now") == "Up http now"


def test_control_and_invisible_characters_vanish() -> None:
    assert normalise("pro\x00f\u200bit\ufeff \x1b[31mup\ud800") == "profit [31mup"


@given(st.text(st.characters(codec=None)))
def test_any_text_becomes_one_clean_line(text: str) -> None:
    found = normalise(text)
    assert found == found.strip()
    assert "  " not in found
    assert "\n" not in found
    found.encode("utf-8")


def test_five_megabytes_take_linear_time() -> None:
    begin = time.perf_counter()
    normalise("Ã© &amp; https://x.example/y \x00 " * 160_000)
    assert time.perf_counter() - begin < 20


def test_copies_share_their_shingle_text() -> None:
    assert shingle_text("RT @desk: ACME rises, again!") == shingle_text("Acme rises again http")
