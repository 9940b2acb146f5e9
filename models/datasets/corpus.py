"""All sets together: clustered and split once, so that no near-duplicate is on both sides, not even across sets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.datasets.finentity import FINENTITY
from models.datasets.records import DataSet, Example
from models.datasets.sentfin import SENTFIN
from models.datasets.splitting import Split, clusters_of, deal
from models.datasets.twitter_financial_news import SENTIMENT, TOPIC

__all__ = ["DATA_SETS", "Corpus", "load_corpus"]

DATA_SETS: tuple[DataSet, ...] = (SENTIMENT, TOPIC, SENTFIN, FINENTITY)
"""Every set this release knows, in the order in which texts are clustered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """Examples of several sets with their cluster and split, by position."""

    sets: tuple[DataSet, ...]
    examples: tuple[Example, ...]
    clusters: tuple[int, ...]
    splits: tuple[Split, ...]

    def of(self, split: Split, source: str | None = None) -> Iterator[Example]:
        """Yield the examples of a split, of one set or of all."""
        for example, place in zip(self.examples, self.splits, strict=True):
            if place is split and source in {None, example.source}:
                yield example

    def trainable(self) -> Iterator[Example]:
        """Yield the train split of the sets whose licence lets trained weights be released."""
        allowed = {chosen.name for chosen in self.sets if chosen.may_train}
        return (example for example in self.of(Split.TRAIN) if example.source in allowed)


def load_corpus(folder: Path, sets: Sequence[DataSet] = DATA_SETS, *, verify: bool = True) -> Corpus:
    """Load, cluster and split.

    Raises:
        InvalidConfiguration: A set is missing from `folder`, or is another edition than the known one.
    """
    examples = tuple(example for chosen in sets for example in chosen.load(folder, verify=verify))
    texts = [example.text for example in examples]
    clusters = clusters_of(texts)
    return Corpus(sets=tuple(sets), examples=examples, clusters=tuple(clusters), splits=tuple(deal(texts, clusters)))
