"""What a data set is: its files with digests, its licence, and the examples it holds."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from monitor.domain.errors import InvalidConfiguration
from monitor.domain.sentiment import Label

__all__ = ["DataSet", "EntityLabel", "Example", "SourceFile", "agreed_label"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityLabel:
    """Sentiment toward one entity of a text.

    Attributes:
        name: The entity as the set names it.
        start, end: Its half-open span in the *original* text, or -1 where the set gives none.
    """

    name: str
    label: Label
    start: int = -1
    end: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One labelled text.

    Attributes:
        source: Name of the data set.
        row: Number of the row in its file, counted from 0.
        text: Normalised by `models.text.normalise`.
        original: The text as the set has it; spans of entities refer to it.
        sentiment: Label of the whole text, None where the set has none.
        topic: Index into TOPICS, None where the set has none.
    """

    source: str
    row: int
    text: str
    original: str
    sentiment: Label | None = None
    topic: int | None = None
    entities: tuple[EntityLabel, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """A file of a data set: its path below the data folder and the SHA-256 of its bytes."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """A data set that can be loaded from the data folder.

    Attributes:
        may_train: True if its licence lets weights trained on it be released.
        read: Turns the paths of `files`, in their order, into examples.
    """

    name: str
    licence: str
    origin: str
    may_train: bool
    files: tuple[SourceFile, ...]
    read: Callable[[list[Path]], Iterable[Example]]

    def load(self, folder: Path, *, verify: bool = True) -> list[Example]:
        """Return the examples whose text is not empty once normalised, in the order of the file.

        Args:
            folder: The data folder, which holds one folder per set.
            verify: Refuse a file whose digest is not the known one; False accepts another edition of the set.

        Raises:
            InvalidConfiguration: A file is missing or is not the known edition; the text names it and the way out.
        """
        paths = [folder / file.path for file in self.files]
        for path, file in zip(paths, self.files, strict=True):
            if not path.is_file():
                msg = f"`data` folder has no {file.path}; give the folder that holds the data sets, `--data FOLDER`"
                raise InvalidConfiguration(msg)
            found = hashlib.sha256(path.read_bytes()).hexdigest()
            if verify and found != file.sha256:
                msg = (
                    f"`{file.path}` has SHA-256 {found[:12]}, the known edition has {file.sha256[:12]}; "
                    "fetch that edition, or accept this one with `any_edition` of `TrainSettings`"
                )
                raise InvalidConfiguration(msg)
        return [example for example in self.read(paths) if example.text]


def agreed_label(entities: Iterable[EntityLabel]) -> Label | None:
    """Return the label all entities share, None if they differ or there are none."""
    labels = {entity.label for entity in entities}
    return labels.pop() if len(labels) == 1 else None
