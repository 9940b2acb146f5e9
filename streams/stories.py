"""Stories: near-identical documents within 72 h share an id, so that one agency text in forty outlets counts once.

Exact copies are found by a digest of the normalised text, near copies by MinHash over word shingles with locality
sensitive hashing (rensa). A candidate is then judged on its words: enough of them in common, and no name or number on
either side that the other has replaced ("Acme beats forecasts" and "Bravo beats forecasts" are two stories).

References:
    Broder, A. (1997), On the resemblance and containment of documents.
"""

from __future__ import annotations

import hashlib
import heapq
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from rensa import RMinHash, RMinHashLSH

__all__ = ["STORY_SPAN", "StoryIndex", "StoryRow", "normalised", "story_text"]

STORY_SPAN = timedelta(hours=72)
"""Two texts further apart in event time are two stories."""
THRESHOLD = 0.6
"""Least share of words in common (Jaccard) for a near copy."""
PERMUTATIONS = 64
BANDS = 16
"""16 bands of 4: a pair with 0.6 of its shingles in common is found with probability 0.89, with 0.7 0.99."""
SEED = 20141001
"""Of the hash functions; any fixed number, so that two processes agree."""
FEWEST_WORDS = 4
"""Shorter texts are only ever exact copies: too little is left to compare."""
MOST_WORDS = 120
"""Words that are compared; copies of long texts differ at the end, where outlets add and cut."""
LATEST = timedelta(hours=24)
"""A document dated this long before the newest still finds what it copies; later ones count in no live window."""
MOST_DOCUMENTS = 100_000
"""Documents remembered at most, the oldest leave first: four days of 25,000, 230 MB."""
TITLE_WORDS = 4
"""A title of fewer words does not stand for its text ("Daily thread")."""

PREFIX = re.compile(
    r"^(?:(?:UPDATE|WRAPUP|RPT|REFILE|CORRECTED|CORRECTION|CORRECTS|REPEAT|BRIEF|EXCLUSIVE|BREAKING|MEDIA|PREVIEW|"
    r"ANALYSIS|FACTBOX|INSIGHT|FEATURE|DEALTALK|TIMELINE|NEWSMAKER|HIGHLIGHTS|POLL|RT|VIA|LIVE|WATCH|JUST IN|"
    r"(?:[A-Z]+ )?NEWS|MARKET PULSE|PRESS DIGEST)(?:\s*\([^)]{1,24}\))?(?:\s+\d{1,2})?(?:\s*[-:|]\s*|\s+(?=@)))+",
    re.IGNORECASE,
)
"""What agencies and people put before a text that they send again."""
SUFFIX = re.compile(r"\s+(?:[-\u2013\u2014|]|\u00b7)\s*(?:[A-Z][\w.&']*)(?:\s+[A-Z&][\w.&']*){0,4}\s*$")
"""The outlet's name after a dash or a bar."""
NOISE = re.compile(r"https?://\S+|\bpic\.twitter\.com/\S+|(?<!\w)@\w+:?|&(?:amp|quot|apos|lt|gt|#39);")
WORD = re.compile(r"[$#]?\w+(?:[.,]\d+)*%?(?:'\w+)?")
POSSESSIVE = re.compile(r"'s?$")
NAME_LIKE = re.compile(r"^(?:[$#]|[A-Z]|.*\d)")
ABBREVIATION = re.compile(r"\b(?:[A-Za-z]\.){2,}")


class StoryRow(NamedTuple):
    """What `warm` needs of a document that was published before."""

    key: str
    story: str
    text: str
    at: datetime


class _Words(NamedTuple):
    """A text made ready: words in order, lower case, and those of them that look like a name or a number."""

    order: tuple[str, ...]
    names: frozenset[str]

    def packed(self) -> str:
        """Return all of it as one string, a tenth of the size: a name is marked by a leading tab."""
        return " ".join(f"\t{word}" if word in self.names else word for word in self.order)

    @classmethod
    def unpacked(cls, packed: str) -> _Words:
        """Return what `packed` was made of."""
        marked = packed.split(" ")
        order = tuple(word.lstrip("\t") for word in marked)
        return cls(order, frozenset(word[1:] for word in marked if word.startswith("\t")))


@dataclass(slots=True)
class _Remembered:
    key: str
    story: str
    copy: bool
    digest: bytes
    at: datetime
    number: int
    words: str | None
    """Packed; of the first document of a story only: near copies are compared with it, so that stories do not drift."""


class StoryIndex:
    """Gives stories; the `StoryAssigner` of the crawler and of the replayer. Not for several threads at once.

    Args:
        most: Documents remembered; with more, the oldest by event time leave early.

    >>> from datetime import UTC
    >>> stories, noon = StoryIndex(), datetime(2026, 1, 5, 12, tzinfo=UTC)
    >>> stories.assign("a", "Acme cuts its outlook after weak quarter", noon)
    ('a', False)
    >>> stories.assign("b", "UPDATE 1-Acme cuts its outlook after weak quarter - Example News", noon)
    ('a', True)
    """

    def __init__(
        self, *, span: timedelta = STORY_SPAN, threshold: float = THRESHOLD, most: int = MOST_DOCUMENTS
    ) -> None:
        self._span = span
        self._threshold = threshold
        self._most = most
        self._by_key: dict[str, _Remembered] = {}
        self._by_digest: dict[bytes, _Remembered] = {}
        self._by_number: dict[int, _Remembered] = {}
        self._by_age: list[tuple[datetime, int, str]] = []
        self._similar = RMinHashLSH(threshold=threshold, num_perm=PERMUTATIONS, num_bands=BANDS)
        self._newest: datetime | None = None
        self._next = 0

    def __len__(self) -> int:
        return len(self._by_key)

    def assign(self, key: str, text: str, at: datetime) -> tuple[str, bool]:
        """Return (story id, copy?) for a document; asking again for the same key changes nothing."""
        known = self._by_key.get(key)
        if known is not None:
            return known.story, known.copy
        digest, words, shingles = _prepared(text)
        earlier = self._exact(digest, at) or self._near(words, shingles, at)
        story = key if earlier is None else earlier.story
        self._remember(key, story, at, digest, words, shingles, leads=earlier is None)
        return story, earlier is not None

    def warm(self, rows: Iterable[StoryRow | tuple[str, str, str, datetime]]) -> None:
        """Take over what was published before: (document id, story id, `story_text`, event_at), oldest first."""
        led = {one.story for one in self._by_number.values()}
        for key, story, text, at in rows:
            if key not in self._by_key:
                digest, words, shingles = _prepared(text)
                # the first document of a story may lie before the rows: then the first of them stands for it
                self._remember(key, story, at, digest, words, shingles, leads=story not in led)
                led.add(story)

    def _exact(self, digest: bytes, at: datetime) -> _Remembered | None:
        found = self._by_digest.get(digest)
        return found if found is not None and abs(at - found.at) <= self._span else None

    def _near(self, words: _Words, shingles: list[str], at: datetime) -> _Remembered | None:
        if len(words.order) < FEWEST_WORDS:
            return None
        best: tuple[float, int] | None = None
        for number in self._similar.query(_sketch(shingles)):
            found = self._by_number.get(number)
            if found is None or found.words is None or abs(at - found.at) > self._span:
                continue
            share = likeness(words, _Words.unpacked(found.words))
            # of two equally like the older wins, whatever order the index answers in
            if share >= self._threshold and (best is None or (share, -number) > (best[0], -best[1])):
                best = share, number
        return None if best is None else self._by_number[best[1]]

    def _remember(
        self, key: str, story: str, at: datetime, digest: bytes, words: _Words, shingles: list[str], *, leads: bool
    ) -> None:
        number, self._next = self._next, self._next + 1
        kept = words.packed() if leads and len(words.order) >= FEWEST_WORDS else None
        one = _Remembered(key, story, key != story, digest, at, number, kept)
        self._by_key[key] = one
        held = self._by_digest.get(digest)
        if held is None or held.at <= at:
            self._by_digest[digest] = one
        if kept is not None:
            self._by_number[number] = one
            self._similar.insert(number, _sketch(shingles))
        heapq.heappush(self._by_age, (at, number, key))
        self._newest = at if self._newest is None else max(self._newest, at)
        self._forget()

    def _forget(self) -> None:
        assert self._newest is not None
        oldest = self._newest - self._span - LATEST
        while self._by_age and (self._by_age[0][0] < oldest or len(self._by_key) > self._most):
            _, number, key = heapq.heappop(self._by_age)
            one = self._by_key.pop(key)
            if self._by_digest.get(one.digest) is one:
                del self._by_digest[one.digest]
            if self._by_number.pop(number, None) is not None:
                self._similar.remove(number)


def story_text(title: str, text: str, *, comment: bool = False) -> str:
    """Return the words that tell a document's story.

    Outlets print an agency's headline over summaries of their own, so a full title alone is compared. The title of a
    comment is that of its thread, which all answers share: there the text is compared.

    >>> story_text("Harbor Mills cuts outlook", "By our reporter.")
    'Harbor Mills cuts outlook'
    >>> story_text("Daily thread", "Up we go now", comment=True)
    'Up we go now'
    """
    first = text if comment else title
    return first if len(first.split(None, TITLE_WORDS)) >= TITLE_WORDS else f"{title} {text}".strip()


def normalised(text: str) -> str:
    """Return a text without what is added when it is sent again, in lower case and single blanks.

    >>> normalised("UPDATE 2-Acme's profit falls 3.5% - Example Times")
    'acme profit falls 3.5%'
    """
    return " ".join(_words(text).order)


def _words(text: str) -> _Words:
    text = " ".join(NOISE.sub(" ", text[:8000].replace("\u2019", "'")).split())
    text = ABBREVIATION.sub(lambda found: found.group().replace(".", ""), text)
    bare = SUFFIX.sub("", PREFIX.sub("", text))
    found = [POSSESSIVE.sub("", word) for word in WORD.findall(bare or text)[:MOST_WORDS]]
    names = frozenset(word.lower() for word in found if NAME_LIKE.match(word))
    if not any(word[0].isupper() for word in found):
        # who writes no capitals, or in a script without them, hides the names: then any word may be one
        names = frozenset(word.lower() for word in found)
    return _Words(tuple(word.lower() for word in found), names)


def likeness(one: _Words, other: _Words) -> float:
    """Return the share of words in common, 0 if a name or a number of each side is missing on the other."""
    mine, others = set(one.order), set(other.order)
    shared = len(mine & others)
    if (mine - others) & one.names and (others - mine) & other.names:
        return 0.0
    return shared / (len(mine) + len(others) - shared)


def _prepared(text: str) -> tuple[bytes, _Words, list[str]]:
    words = _words(text)
    digest = hashlib.blake2b(" ".join(words.order).encode() or text.encode(), digest_size=12).digest()
    return digest, words, sorted(set(words.order))


def _sketch(shingles: list[str]) -> RMinHash:
    sketch = RMinHash(num_perm=PERMUTATIONS, seed=SEED)
    sketch.update(shingles)
    return sketch
