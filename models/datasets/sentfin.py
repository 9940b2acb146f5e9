"""SEntFiN 1.0: news headlines with sentiment toward each entity (MIT; Sinha, Kedas, Kumar, Malo 2022)."""

from __future__ import annotations

import ast
import csv
import re
from collections.abc import Iterator
from pathlib import Path

import structlog

from models.datasets.records import DataSet, EntityLabel, Example, SourceFile, agreed_label
from models.text import normalise
from monitor.domain.sentiment import Label

__all__ = ["SENTFIN", "parse_decisions"]

_WORDS = {label.word: label for label in Label}
_PAIR = re.compile(r"""["']\s*:\s*["'](positive|neutral|negative)["']""")


def parse_decisions(raw: str) -> tuple[EntityLabel, ...]:
    """Return the labels by entity; a few rows are no Python literal (an apostrophe in a name) and are read by pattern.

    >>> [entity.name for entity in parse_decisions("{'Acme's Tools': 'positive'}")]
    ["Acme's Tools"]
    """
    try:
        pairs = [(str(name), str(word)) for name, word in ast.literal_eval(raw).items()]
    except (ValueError, SyntaxError, AttributeError):
        pairs = _by_pattern(raw)
    return tuple(
        EntityLabel(name=name, label=_WORDS[word.strip().lower()])
        for name, word in pairs
        if word.strip().lower() in _WORDS
    )


def _by_pattern(raw: str) -> list[tuple[str, str]]:
    pairs = []
    begin = 0
    for match in _PAIR.finditer(raw):
        pairs.append((raw[begin : match.start()].strip(" {,\"'"), match.group(1)))
        begin = match.end()
    return pairs


def _read(paths: list[Path]) -> Iterator[Example]:
    unread = 0
    with paths[0].open(encoding="utf-8", newline="") as lines:
        for number, row in enumerate(csv.DictReader(lines)):
            entities = parse_decisions(row["Decisions"])
            if not entities:
                unread += 1
                continue
            yield Example(
                source=SENTFIN.name,
                row=number,
                text=normalise(row["Title"]),
                original=row["Title"],
                sentiment=agreed_label(entities),
                entities=entities,
            )
    if unread:
        structlog.get_logger(__name__).warning("rows without readable labels left out", data_set="sentfin", rows=unread)


SENTFIN = DataSet(
    name="sentfin",
    licence="MIT",
    origin="github.com/pyRis/SEntFiN",
    may_train=True,
    files=(
        SourceFile(
            path="sentfin/sentfin.csv",
            sha256="1940560fbc5e7b5c6be44f447396ae999d71fcae29d4ab16331c1e0f417b9812",
        ),
    ),
    read=_read,
)
"""`Example.sentiment` is set only where all entities of the headline agree."""
