"""Where a common word is the name of a company: "Target says" and "Target's", but not "Price Target Raised"."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

__all__ = ["common_words", "speaks_of_company"]

_LEGAL = "ag co company corp corporation corp. co. cos inc inc. incorporated limited llc lp ltd ltd. nv plc sa se spa"
_NOUNS = """
    adr adrs backlash bid board bonds boss bosses brand breach buyback ceo ceos cfo chair chairman chief coo credit
    cto customer customers cuts data deal dealers debt directors dividend downgrade downgraded earnings ebitda
    employees estimates exec executive executives factory first-quarter flight flights forecast founder
    fourth-quarter guidance half-year holders investors ipo joint lawsuit layoffs management margins merger net
    operating outlook owner pilots plans plant plc pretax profit profits q1 q2 q3 q4 quarterly recall results
    revenue revenues sales same-store second-quarter share shareholder shareholders shares shopper shoppers source
    spokesman spokesperson spokeswoman stake station stations stock stocks store stores strike subsidiary suit
    takeover third-quarter trading unit units upgrade upgraded workers
"""
_VERBS = """
    acquires adds admits agrees aims announced announces appoints approves asks backs beats begins bids boosts
    borrows bought buys cautions chooses claims climbs closes confirms considering considers could cuts declares
    defends delays denies ditches drops edges eliminates ends escapes expands expects explores extends eyes faces
    fails falls files fires forecasts gains gets gives halts helps hikes hires hit holds ignores improves increases
    invests joins jumps keeps launched launches lays leads leaps lifts looking looks loses lost lowers makes may
    might misses mulls must names narrows nears offers opens orders outsells overhauls partners pays plans pledges
    plunges posts predicts prices probed probes promises promotes provides pulls pushes raises rallies reaches
    rebounds recalling recalls recovers reduces refuses rejects remains replaces reported reports resumes retreats
    returning returns reveals revises rises rolls sacks said says scraps secures seeks sees selects sells settles
    shrinks shuts signs sinks slashes slides slips slumps soars sparks spends spurs starts stops sued sues suffers
    surges suspends swings switches takes talks targets teams tells tests to tops trims tumbles tweaks underperforms
    unveiled unveils upgrades urges wants warned warns weighs welcome will wins withdraws won would
"""
_BEFORE = """
    about acquire acquires after against airline and as asks at automaker award bank because behind between blames
    boost boosts bought brewer broker but buy buying buys by carmaker carrier chain chipmaker company competitor cut
    cuts dealer ditch downgrade downgrades drop drugmaker dump dumps ex firm for former from giant group helps hits
    if in insurer insurers into lender lift lifts like maker miner near of on operator or over own owner owning owns
    plus powers producer raises rater retailer retailers rival rivals says sees sell sells sends short shorting sold
    steelmaker subsidiary sue sues telecoms tells than that to u.s. uk upgrade upgrades utility versus via vs when
    while with without
"""
_AFTER = frozenset(f"{_LEGAL} {_NOUNS} {_VERBS}".split())
_ALLOWED_BEFORE = frozenset(_BEFORE.split())
_NEXT = re.compile(r" ([a-z0-9][a-z0-9.-]*)")
_PREVIOUS = re.compile(r"([a-z0-9&.'-]+) $")
_REACH = 24
"""Characters looked at before a name; the longest word that matters is shorter."""


@cache
def common_words() -> frozenset[str]:
    """Return the words that need their neighbours to be names, in lower case."""
    text = resources.files("monitor.register").joinpath("common_words.txt").read_text(encoding="utf-8")
    return frozenset(word for line in text.splitlines() if not line.startswith("#") for word in line.split())


def speaks_of_company(folded: str, start: int, end: int) -> bool:
    """Return whether the words around a name at [start, end) of a folded text show that a company is meant.

    >>> speaks_of_company("target says sales fell", 0, 6), speaks_of_company("price target says", 6, 12)
    (True, False)
    """
    return _may_begin_name(folded, start) and _goes_on_as_company(folded, end)


def _may_begin_name(folded: str, start: int) -> bool:
    before = folded[max(0, start - _REACH) : start]
    if not before.endswith(" "):
        return True
    previous = _PREVIOUS.search(before)
    if previous is None:
        return True
    word = previous.group(1)
    return word in _ALLOWED_BEFORE or (word.endswith(("-", "'s", ".")) and word != "'s")


def _goes_on_as_company(folded: str, end: int) -> bool:
    if folded.startswith("'s", end) or folded.startswith("' ", end):
        return True
    following = _NEXT.match(folded, end)
    return following is not None and (following.group(1) in _AFTER or following.group(1).rstrip(".-") in _AFTER)
