"""Labelled data sets: one module per set, near-duplicates clustered before any split.

The data folder holds one folder per set, as docs/model.md lists them.
"""

from __future__ import annotations

from models.datasets.corpus import DATA_SETS, Corpus, load_corpus
from models.datasets.records import DataSet, EntityLabel, Example
from models.datasets.splitting import Split

__all__ = ["DATA_SETS", "Corpus", "DataSet", "EntityLabel", "Example", "Split", "load_corpus"]
