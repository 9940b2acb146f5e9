"""FinEntity: paragraphs of news with sentiment per entity span (ODC-BY; Tang, Yang, Huang, Tam, Tang 2023)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from models.datasets.records import DataSet, EntityLabel, Example, SourceFile, agreed_label
from models.text import normalise
from monitor.domain.sentiment import Label

__all__ = ["FINENTITY"]


def _entity(annotation: dict[str, Any]) -> EntityLabel:
    return EntityLabel(
        name=annotation["value"],
        label=Label[annotation["label"].upper()],
        start=annotation["start"],
        end=annotation["end"],
    )


def _read(paths: list[Path]) -> Iterator[Example]:
    for number, row in enumerate(json.loads(paths[0].read_text(encoding="utf-8"))):
        entities = tuple(_entity(annotation) for annotation in row["annotations"])
        yield Example(
            source=FINENTITY.name,
            row=number,
            text=normalise(row["content"]),
            original=row["content"],
            sentiment=agreed_label(entities),
            entities=entities,
        )


FINENTITY = DataSet(
    name="finentity",
    licence="ODC-BY",
    origin="huggingface.co/datasets/yixuantt/FinEntity",
    may_train=True,
    files=(
        SourceFile(
            path="finentity/finentity.json",
            sha256="d434e53c25b6137f70613bf798eb0740f8930aaa2222a45a5275e514420aa104",
        ),
    ),
    read=_read,
)
"""`Example.sentiment` is set only where all entities of the paragraph agree."""
