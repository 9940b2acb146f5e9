"""Long texts in parts: how they are cut, and how the scores of the parts become one.

A text that fits is read whole. Otherwise the title is a part of its own and the body is cut at sentences (a sentence
that is too long: at words, then anywhere) into parts under the limit; the title counts half, the parts of the body
share the other half by their length. Past `MOST_PARTS` the body is represented by parts evenly spaced from its first
to its last; `Split.total` says how many there are, so that what was not read is never hidden.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from models.text import normalise
from monitor.ports import Text

__all__ = ["MOST_PARTS", "PART_CHARACTERS", "Piece", "Split", "split_text"]

PART_CHARACTERS = 400
"""About 90 tokens of English news: the length that tweets and headlines in training come closest to."""

MOST_PARTS = 24
"""At most so many parts of one text are read: some 9,600 characters, two pages; a longer text is sampled evenly."""

MOST_CHARACTERS = 256 * 1024
"""Read of one field before anything else is done; characters beyond it are counted as parts that were not read."""

TITLE_SHARE = 0.5

_SENTENCE_END = re.compile(r"(?<=[.!?;:])\s+|(?<=[。！？])")


@dataclass(frozen=True, slots=True)
class Piece:
    """One part of a text and its share in the merged scores."""

    text: str
    weight: float


@dataclass(frozen=True, slots=True)
class Split:
    """The pieces that are read, and of how many parts in total."""

    pieces: tuple[Piece, ...]
    total: int


def split_text(text: Text) -> Split:
    """Return the parts of a text; at least one piece, which may be empty. Weights sum to 1."""
    title, body = normalise(text.title[:MOST_CHARACTERS]), normalise(text.body[:MOST_CHARACTERS])
    beyond = sum(max(0, len(field) - MOST_CHARACTERS) for field in text) // PART_CHARACTERS
    body = body.removeprefix(title).lstrip(" .:-") if title else body
    whole = _joined(title, body)
    if len(whole) <= PART_CHARACTERS and not beyond:
        return Split((Piece(whole, 1.0),), 1)
    head = _chunks(title)
    rest = _chunks(body)
    total = len(head) + len(rest) + beyond
    head, rest = _spaced(head, MOST_PARTS // 2 if rest else MOST_PARTS), _spaced(rest, MOST_PARTS)
    rest = _spaced(rest, MOST_PARTS - len(head))
    share = TITLE_SHARE if rest else 1.0
    pieces = (*_weighted(head, share), *_weighted(rest, 1.0 - share if head else 1.0))
    return Split(pieces or (Piece("", 1.0),), max(1, total))


def _joined(title: str, body: str) -> str:
    if not (title and body):
        return title or body
    return f"{title} {body}" if title[-1] in ".!?:;" else f"{title}. {body}"


def _weighted(chunks: list[str], share: float) -> list[Piece]:
    length = sum(len(chunk) for chunk in chunks)
    return [Piece(chunk, share * len(chunk) / length) for chunk in chunks]


def _spaced(chunks: list[str], most: int) -> list[str]:
    """Return at most `most` chunks, evenly spaced, with the first and the last."""
    if len(chunks) <= most:
        return chunks
    if most == 1:
        return chunks[:1]
    return [chunks[round(place * (len(chunks) - 1) / (most - 1))] for place in range(most)]


def _chunks(text: str) -> list[str]:
    """Return `text` as runs of whole sentences of at most PART_CHARACTERS characters."""
    chunks: list[str] = []
    current = ""
    for sentence in _sentences(text):
        if current and len(current) + 1 + len(sentence) > PART_CHARACTERS:
            chunks.append(current)
            current = sentence
        else:
            current = f"{current} {sentence}" if current else sentence
    return [*chunks, current] if current else chunks


def _sentences(text: str) -> Iterator[str]:
    """Yield sentences; one that is too long is cut at its words, or anywhere if it has none."""
    for sentence in _SENTENCE_END.split(text):
        rest = sentence
        begin = 0
        while len(rest) - begin > PART_CHARACTERS:
            space = rest.rfind(" ", begin, begin + PART_CHARACTERS)
            end = space if space > begin else begin + PART_CHARACTERS
            yield rest[begin:end].strip()
            begin = end
        if rest[begin:].strip():
            yield rest[begin:].strip()
