"""One text under search, and the rules by which a candidate is no mention. Each rule has a name in words."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from monitor.domain.entities import Company
from monitor.register.context import speaks_of_company
from monitor.register.folding import fold, joined, plain, shouted_lines

__all__ = ["Pattern", "Place", "Search", "Sure"]

_ADDRESS = re.compile(r"(?:https?://|www\.)\S+|[\w.+-]{1,64}@[\w-]{1,64}\.\w+")

_LINKS = (", ", " and ", " & ", "/")


class Pattern(NamedTuple):
    """One way to write a company.

    Attributes:
        text: As the register writes it, in plain letters.
        why: As in `Mention`, or ``exclude`` for a phrase in which no name of the company counts.
        any_case: True if it has no capitals: found in any case.
        doubtful: True if it may mean something else: a common word as a name, an ambiguous ticker in brackets.
    """

    text: str
    company: Company
    why: str
    any_case: bool
    doubtful: bool


class Place(NamedTuple):
    """A pattern where it was matched, half-open."""

    start: int
    end: int
    pattern: Pattern


class Sure:
    """What a text names beyond doubt.

    Args:
        named: Companies named outside the text, by a hint of the source.
        places: Candidates without fault or doubt.
    """

    def __init__(self, named: set[str], places: Sequence[Place]) -> None:
        self.companies = named | {place.pattern.company.id for place in places}
        self.starts = {place.start for place in places}
        self.ends = {place.end for place in places}


class Search:
    """A text, folded once, with what the rules need to know of it.

    Args:
        text: Title, line break, body.
        border: Where the title ends; a line break after it is a space within the body.
        at: When rows must be valid; None for rows without an end.
    """

    def __init__(self, text: str, border: int, at: datetime | None) -> None:
        self.text = text
        self._at = at
        written = plain(text)
        self.plain = written[: border + 1] + written[border + 1 :].replace("\n", " ")
        self.folded = fold(self.plain)

    def holds(self, company: Company) -> bool:
        """Return whether a row of the register is valid when the text was published."""
        return company.valid_to is None if self._at is None else company.is_valid_on(self._at)

    def is_inside_word(self, start: int, end: int) -> bool:
        """Return whether [start, end) begins or ends in the middle of a word."""
        text = self.plain
        return (start > 0 and joined(text[start - 1], text[start])) or (
            end < len(text) and joined(text[end - 1], text[end])
        )

    def has_case(self, place: Place) -> bool:
        """Return whether the match is in the pattern's own case, or in a line of capitals."""
        written = self.plain[place.start : place.end]
        pattern = place.pattern
        return pattern.any_case or written == pattern.text or (written.isupper() and self._is_shouted(place.start))

    def fault(self, place: Place) -> str:
        """Return why a candidate is no mention, whatever else the text says; empty if it may be one."""
        pattern = place.pattern
        if self.is_inside_word(place.start, place.end):
            return "inside a longer word"
        if not self.has_case(place):
            return f"written in another case than {pattern.text!r}"
        if pattern.why == "ticker" and pattern.text and self._is_shouted(place.start):
            return "bare ticker in a line of capitals; write it as a cashtag"
        if pattern.why != "cashtag" and _is_in(self._addresses, place.start):
            return "inside an address"
        if not self.holds(pattern.company):
            return self._not_valid(pattern.company)
        return ""

    def doubt(self, place: Place, sure: Sure) -> str:
        """Return why a doubtful candidate is not taken, given what the text names beyond doubt."""
        pattern = place.pattern
        if not pattern.doubtful or pattern.company.id in sure.companies:
            return ""
        if pattern.why == "ticker":
            return "ambiguous ticker in brackets without the company's name"
        if speaks_of_company(self.folded, place.start, place.end) or self._is_listed(place, sure):
            return ""
        return "common word, and nothing beside it speaks of a company"

    def _is_listed(self, place: Place, sure: Sure) -> bool:
        """Return whether the candidate stands in a list with a company: "Visa, Mastercard", "Ford and Delta"."""
        return any(
            (self.folded.startswith(link, place.end) and place.end + len(link) in sure.starts)
            or (self.folded.endswith(link, 0, place.start) and place.start - len(link) in sure.ends)
            for link in _LINKS
        )

    def _not_valid(self, company: Company) -> str:
        when = self._at.date().isoformat() if self._at else "today"
        first, end = company.valid_from or "ever", company.valid_to or "ever"
        return f"{company.id} is valid from {first} to {end}, not {when}"

    @cached_property
    def _shouted(self) -> list[tuple[int, int]]:
        return shouted_lines(self.text)

    @cached_property
    def _addresses(self) -> list[tuple[int, int]]:
        if "://" not in self.text and "www." not in self.text and "@" not in self.text:
            return []
        return [match.span() for match in _ADDRESS.finditer(self.plain)]

    def _is_shouted(self, position: int) -> bool:
        return _is_in(self._shouted, position)


def _is_in(spans: list[tuple[int, int]], position: int) -> bool:
    """Return whether a position lies in one of ordered, disjoint, half-open spans."""
    index = bisect_right(spans, position, key=lambda span: span[0]) - 1
    return index >= 0 and position < spans[index][1]
