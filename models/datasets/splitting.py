"""Near-duplicates are clustered first, then whole clusters are dealt to train, validation and test.

References:
    Broder (1997), On the resemblance and containment of documents: MinHash over shingles.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from enum import StrEnum

from models.text import shingle_text

__all__ = ["SIMILARITY", "SPLIT_SEED", "Split", "clusters_of", "deal"]

SHINGLE = 5
"""Characters per shingle: headlines are too short for shingles of words."""

SIMILARITY = 0.6
"""Jaccard similarity of shingle sets from which two texts are near-duplicates, checked exactly on each candidate."""

PERMUTATIONS = 128
BANDS = 32
"""32 bands of 4 rows: a pair at the threshold becomes a candidate with probability .988, one at .7 with .9998."""

SPLIT_SEED = 20141001
"""Changing it deals every cluster anew: figures before and after cannot be compared."""


class Split(StrEnum):
    """Which part of the corpus a text belongs to."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


def clusters_of(texts: Sequence[str], similarity: float = SIMILARITY) -> list[int]:
    """Return the cluster of each text: the index of its first member; near-duplicates share one, transitively.

    Args:
        texts: Normalised texts.
        similarity: Least Jaccard similarity of the character shingles of two near-duplicates.
    """
    from rensa import RMinHash, RMinHashLSH

    shingles = [_shingles(shingle_text(text)) for text in texts]
    sketches = RMinHash.from_token_sets([sorted(one) for one in shingles], num_perm=PERMUTATIONS, seed=SPLIT_SEED)
    index = RMinHashLSH(threshold=similarity, num_perm=PERMUTATIONS, num_bands=BANDS)
    parent = list(range(len(texts)))
    for number, sketch in enumerate(sketches):
        for other in index.query(sketch):
            first, second = _root(parent, number), _root(parent, other)
            if first != second and _jaccard(shingles[number], shingles[other]) >= similarity:
                parent[max(first, second)] = min(first, second)
        index.insert(number, sketch)
    return [_root(parent, number) for number in range(len(texts))]


def deal(texts: Sequence[str], clusters: Sequence[int], seed: int = SPLIT_SEED) -> list[Split]:
    """Return the split of each text: 80 % of the clusters train, 10 % validation, 10 % test.

    A cluster's lot is a digest of the seed and its least text, so that one more data set moves no other cluster.
    """
    least: dict[int, str] = {}
    for text, cluster in zip(texts, clusters, strict=True):
        least[cluster] = min(text, least.get(cluster, text))
    lots = {cluster: _lot(text, seed) for cluster, text in least.items()}
    return [lots[cluster] for cluster in clusters]


def _lot(text: str, seed: int) -> Split:
    digest = hashlib.sha256(f"{seed}\n{text}".encode()).digest()
    tenth = int.from_bytes(digest[:8], "big") % 10
    return {8: Split.VALIDATION, 9: Split.TEST}.get(tenth, Split.TRAIN)


def _shingles(text: str) -> frozenset[str]:
    return frozenset(text[start : start + SHINGLE] for start in range(max(1, len(text) - SHINGLE + 1)))


def _jaccard(first: frozenset[str], second: frozenset[str]) -> float:
    shared = len(first & second)
    return shared / (len(first) + len(second) - shared)


def _root(parent: list[int], node: int) -> int:
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node
