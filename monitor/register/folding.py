"""Texts as the finder compares them, character for character as long as the original.

A fold never moves a position: what stands at [start, end) of the fold stands there in the text.
"""

from __future__ import annotations

import re
import unicodedata

__all__ = ["fold", "joined", "plain", "shouted_lines"]

_QUOTES = {"\u2018": "'", "\u2019": "'", "\u02bc": "'", "\uff07": "'", "\u2010": "-", "\u2011": "-", "\uff0d": "-"}
_FIRST_SCRIPT_WITHOUT_SPACES = "\u2e80"
"""From here on (CJK, kana, Hangul) words stand without spaces, so that a neighbour is no part of a word."""

SHOUTED_LETTERS = 12
"""A line with fewer cased letters is too short to be called all capitals: a ticker or an acronym looks the same."""

SHOUTED_SHARE = 0.8
"""Share of capitals among the cased letters from which a line counts as written in capitals."""

_LINE = re.compile(r"[^\n]+")


def _accents() -> dict[int, str]:
    """Return single characters by the letter they are without accents, spaces and quotes by the plain ones."""
    table = {ord(char): mark for char, mark in _QUOTES.items()}
    for code in range(0x80, 0x2100):
        char = chr(code)
        if char.isspace():
            table[code] = " "
            continue
        base = unicodedata.normalize("NFD", char)[0]
        if base != char and base.isascii() and base.isalpha():
            table[code] = base
    return table | {ord("\t"): " ", ord("\r"): " ", 0x3000: " "}


_TABLE = _accents()


def plain(text: str) -> str:
    """Return the text with plain letters, spaces and quotes; as long as before, in the same case.

    >>> plain("Nestl\u00e9\u2019s")
    "Nestle's"
    """
    return text if text.isascii() and "\t" not in text and "\r" not in text else text.translate(_TABLE)


def fold(text: str) -> str:
    """Return a plain text in lower case, as long as before (U+0130 alone would grow).

    >>> fold("NESTLE"), len(fold("\u0130stanbul"))
    ('nestle', 8)
    """
    lowered = text.lower()
    if len(lowered) == len(text):
        return lowered
    return "".join(low if len(low := char.lower()) == 1 else char for char in text)


def _is_word(char: str) -> bool:
    return char.isalnum() or char == "_" or unicodedata.category(char).startswith("M")


def joined(left: str, right: str) -> bool:
    """Return whether two neighbouring characters belong to one word, so that no name begins or ends between them.

    >>> joined("e", "s"), joined("e", "'"), joined("e", "\u306e")
    (True, False, False)
    """
    if left >= _FIRST_SCRIPT_WITHOUT_SPACES or right >= _FIRST_SCRIPT_WITHOUT_SPACES:
        return False
    return _is_word(left) and _is_word(right)


def shouted_lines(text: str) -> list[tuple[int, int]]:
    """Return the spans of the lines that are written in capitals throughout, in order."""
    return [match.span() for match in _LINE.finditer(text) if _is_shouted(match.group())]


def _is_shouted(line: str) -> bool:
    upper = sum(map(str.isupper, line))
    cased = upper + sum(map(str.islower, line))
    return cased >= SHOUTED_LETTERS and upper >= SHOUTED_SHARE * cased
