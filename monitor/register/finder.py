"""Finds the companies of a register in texts.

One Aho-Corasick automaton holds every name, alias, unambiguous ticker and exclude phrase; its matches are filtered by
rules that each have a name (`Finding.reason`), and of what is left the leftmost and then the longest stand.
The time is linear in the length of the text.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from ahocorasick_rs import AhoCorasick

from monitor.domain.documents import Document
from monitor.domain.entities import Company, Mention
from monitor.register.context import common_words
from monitor.register.folding import fold, plain
from monitor.register.registry import names_of, symbol_key, symbols_of
from monitor.register.searching import Pattern, Place, Search, Sure
from monitor.register.symbols import written_symbols

__all__ = ["CompanyFinder", "Finding"]

log = structlog.get_logger(__name__)

SHORTEST_BARE_TICKER = 4
"""A shorter ticker is found only as a cashtag, with its exchange, in brackets beside the name, or as an alias.

Of bare three-letter tickers in a month of real headlines three in four were a currency, an index or another company.
"""

MAX_HINTS_TOLD = 1000
"""Unknown hints logged, each once; a source that names nothing we know must not fill the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A candidate and what became of it: `reason` says why it was rejected, and is empty if it is a mention."""

    mention: Mention
    reason: str = ""

    @property
    def accepted(self) -> bool:
        """Return whether the candidate is a mention."""
        return not self.reason


class CompanyFinder:
    """Implements `EntityFinder` over a register.

    A document is searched as `title + "\\n" + text`; the positions of mentions refer to that string, and no mention
    reaches from title to text.

    A name stands between word borders, outside addresses, in its own case (or in a line of capitals; a name without
    capitals in any case), in none of its company's exclude phrases, while its row is valid at `event_at`. A name that
    is a common word needs company-like neighbours or a surer mention of the same company in the same document. A
    ticker counts bare if it has four characters and is no common word; else as `$T`, `(NYSE: T)`, `<T.N>`, or in
    brackets beside the name.

    Args:
        companies: Of a validated register.
        ambiguous: Names and tickers in lower case that need their neighbours; None for the shipped list.
    """

    def __init__(self, companies: Sequence[Company], *, ambiguous: Iterable[str] | None = None) -> None:
        self._ambiguous = common_words() if ambiguous is None else frozenset(ambiguous)
        self._ids = {company.id: company for company in companies}
        self._symbols: dict[str, list[Company]] = {}
        self._hints_told: set[str] = set()
        patterns: dict[str, list[Pattern]] = {}
        for company in companies:
            for symbol in symbols_of(company):
                self._symbols.setdefault(symbol, []).append(company)
            for pattern in self._patterns_of(company):
                patterns.setdefault(fold(pattern.text), []).append(pattern)
        self._patterns = list(patterns.values())
        self._automaton = AhoCorasick(list(patterns))

    def _patterns_of(self, company: Company) -> list[Pattern]:
        names = {plain(name): "alias" for name in names_of(company)} | {plain(company.name): "name"}
        # feeds and exports often leave "AT&T" as HTML writes it
        names |= {name.replace("&", "&amp;"): why for name, why in names.items() if "&" in name}
        bare = {symbol: "ticker" for symbol in symbols_of(company) if symbol not in names and self._is_sure(symbol)}
        phrases = [(plain(phrase), "exclude") for phrase in company.exclude]
        return [
            Pattern(text, company, why, text == fold(text), why in {"name", "alias"} and self._is_word(text))
            for text, why in [*names.items(), *bare.items(), *phrases]
        ]

    def _is_word(self, name: str) -> bool:
        """Return whether a name is a common word; one in capitals (GE, SEC) was meant as it is written."""
        return fold(name) in self._ambiguous and not name.isupper()

    def _is_sure(self, symbol: str) -> bool:
        return len(symbol) >= SHORTEST_BARE_TICKER and symbol[0].isalpha() and symbol.lower() not in self._ambiguous

    def find(self, document: Document) -> tuple[Mention, ...]:
        """Return the mentions in title and text, by position; hints of the source follow with start -1."""
        hints = self._hints(document)
        text = f"{document.title}\n{document.text}"
        search = Search(text, len(document.title), document.event_at)
        findings = self._judge(search, {hint.entity for hint in hints}, told=False)
        return (*(finding.mention for finding in findings if finding.accepted), *hints)

    def explain(self, text: str, at: datetime | None = None) -> list[Finding]:
        """Return every candidate in a text with what became of it, by position.

        Args:
            text: Its first line is taken for the title.
            at: The instant at which rows must be valid; None for rows without an end.
        """
        end_of_title = text.find("\n")
        search = Search(text, end_of_title if end_of_title >= 0 else len(text), at)
        return self._judge(search, set(), told=True)

    def _hints(self, document: Document) -> tuple[Mention, ...]:
        found = dict.fromkeys(id_ for hint in document.hints if (id_ := self._hinted(hint, document.event_at)))
        return tuple(Mention(entity=id_, start=-1, end=-1, matched=id_, why="hint") for id_ in found)

    def _hinted(self, hint: str, at: datetime) -> str:
        """Return the id that a hint (an id or a ticker) means at an instant; empty, and logged once, if none."""
        exact = [self._ids[hint]] if hint in self._ids else []
        for company in exact + self._symbols.get(symbol_key(hint), []):
            if company.is_valid_on(at):
                return company.id
        if hint not in self._hints_told and len(self._hints_told) < MAX_HINTS_TOLD:
            self._hints_told.add(hint)
            log.warning("hint not in the register", hint=hint, at=at.date().isoformat())
        return ""

    def _judge(self, search: Search, named: set[str], *, told: bool) -> list[Finding]:
        """Return the findings by position; with `told` also those rejected."""
        places = self._matched(search, told=told)
        phrases = [place for place in places if place.pattern.why == "exclude"]
        names = [place for place in places if place.pattern.why != "exclude"] + self._written(search)
        excluded = _Excluded([place for place in phrases if not search.fault(place)])
        judged = [(place, search.fault(place) or excluded.fault(place)) for place in names]
        surely = Sure(named, [place for place, fault in judged if not (fault or place.pattern.doubtful)])
        judged = [(place, fault or search.doubt(place, surely)) for place, fault in judged]
        return _leftmost_longest([(p, fault) for p, fault in judged if told or not fault], search.text)

    def _matched(self, search: Search, *, told: bool) -> list[Place]:
        """Return where patterns match; unless `told`, only those that have a chance (most stand inside words)."""
        matches = self._automaton.find_matches_as_indexes(search.folded, overlapping=True)
        if not told:
            matches = [match for match in matches if not search.is_inside_word(match[1], match[2])]
        return [Place(start, end, pattern) for index, start, end in matches for pattern in self._patterns[index]]

    def _written(self, search: Search) -> list[Place]:
        """Return where tickers are written as such and the register knows them."""
        places = []
        for symbol in written_symbols(search.plain):
            known = [company for key in symbol.keys for company in self._symbols.get(key, ())]
            company = next(filter(search.holds, known), known[0] if known else None)
            if company is not None and (symbol.sure or not self._is_sure(symbol.keys[0])):
                pattern = Pattern("", company, symbol.why, any_case=True, doubtful=not symbol.sure)
                places.append(Place(symbol.start, symbol.end, pattern))
        return places


class _Excluded:
    """Where exclude phrases stand, by company."""

    def __init__(self, phrases: Sequence[Place]) -> None:
        self._by_company: dict[str, list[tuple[int, int, str]]] = {}
        for start, end, pattern in sorted(phrases, key=lambda place: (place.start, place.end)):
            spans = self._by_company.setdefault(pattern.company.id, [])
            if not spans or end > spans[-1][1]:  # so that the ends grow with the starts
                spans.append((start, end, pattern.text))

    def fault(self, place: Place) -> str:
        """Return why a candidate is excluded: it lies within a phrase of its company."""
        spans = self._by_company.get(place.pattern.company.id)
        if not spans:
            return ""
        index = bisect_right(spans, place.start, key=lambda span: span[0]) - 1
        if index >= 0 and place.end <= spans[index][1]:
            return f"in the excluded phrase {spans[index][2]!r}"
        return ""


def _leftmost_longest(judged: Iterable[tuple[Place, str]], text: str) -> list[Finding]:
    """Return findings by position; of accepted ones that overlap, the leftmost and then the longest stands."""
    findings: list[Finding] = []
    last = (-1, -1, "")
    for place, fault in sorted(judged, key=lambda row: (row[0].start, -row[0].end, bool(row[1]))):
        start, end, pattern = place
        id_ = pattern.company.id
        if (start, end, id_) == last:
            continue  # the same company in the same place by another rule: nothing to add
        reason = fault or (f"covered by {text[last[0] : last[1]]!r}" if start < last[1] else "")
        if not reason:
            last = (start, end, id_)
        mention = Mention(entity=id_, start=start, end=end, matched=text[start:end], why=pattern.why)
        findings.append(Finding(mention=mention, reason=reason))
    return findings
