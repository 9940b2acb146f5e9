"""Twitter Financial News: finance tweets with sentiment, and others with one of twenty topics (MIT)."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from models.datasets.records import DataSet, Example, SourceFile
from models.text import normalise
from monitor.domain.errors import InvalidConfiguration
from monitor.domain.sentiment import TOPICS, Label

__all__ = ["SENTIMENT", "TOPIC"]

_SENTIMENT_LABELS = {"0": Label.NEGATIVE, "1": Label.POSITIVE, "2": Label.NEUTRAL}
"""The set counts bearish, bullish, neutral; the network's columns are in the order of Label."""


def _rows(path: Path) -> Iterator[tuple[int, str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        for number, row in enumerate(csv.DictReader(lines)):
            yield number, row["text"], row["label"].strip()


def _read_sentiment(paths: list[Path]) -> Iterator[Example]:
    for number, text, label in _rows(paths[0]):
        yield Example(
            source=SENTIMENT.name,
            row=number,
            text=normalise(text),
            original=text,
            sentiment=_SENTIMENT_LABELS[label],
        )


def _read_topic(paths: list[Path]) -> Iterator[Example]:
    names = tuple(line.strip() for line in paths[1].read_text(encoding="utf-8").splitlines() if line.strip())
    if names != TOPICS:
        msg = f"`{paths[1].name}` must name the {len(TOPICS)} topics in the order of TOPICS, it names {len(names)}"
        raise InvalidConfiguration(msg)
    for number, text, label in _rows(paths[0]):
        yield Example(source=TOPIC.name, row=number, text=normalise(text), original=text, topic=int(label))


SENTIMENT = DataSet(
    name="twitter_financial_news_sentiment",
    licence="MIT",
    origin="huggingface.co/datasets/zeroshot/twitter-financial-news-sentiment",
    may_train=True,
    files=(
        SourceFile(
            path="twitter_financial_news/sentiment_train.csv",
            sha256="71aa99d0d37feced03c999ec23b5b25302c92f39d69b6acb0a37aa076c5420e8",
        ),
    ),
    read=_read_sentiment,
)

TOPIC = DataSet(
    name="twitter_financial_news_topic",
    licence="MIT",
    origin="huggingface.co/datasets/zeroshot/twitter-financial-news-topic",
    may_train=True,
    files=(
        SourceFile(
            path="twitter_financial_news/topic_train.csv",
            sha256="4e4c22f226250382a17b1faa3b65538c57135e9aa816b7e2c8d9fe28d04bc808",
        ),
        SourceFile(
            path="twitter_financial_news/topic_classes.txt",
            sha256="f1e634f8417de536a807d4c6dc77fd13c35dbe96124d990cd0e8bf46a9172821",
        ),
    ),
    read=_read_topic,
)
