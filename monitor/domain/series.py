"""What is summed apart: the market, each topic, each entity, each entity within a topic."""

from __future__ import annotations

import re
from collections.abc import Iterable

from monitor.domain.sentiment import TOPICS

__all__ = ["MARKET", "TOPIC_SLUGS", "entity_of", "is_judged", "kind_of", "series_of", "topic_of"]

MARKET = "market"
"""The series of every document."""


def _slug(topic: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", topic.lower()).strip("-")


TOPIC_SLUGS: tuple[str, ...] = tuple(_slug(topic) for topic in TOPICS)
"""Topics as they stand in series keys and addresses, in the order of TOPICS: ``m-a-investments``."""


def series_of(topic: int, entities: Iterable[str]) -> list[str]:
    """Return the keys of every series that a document belongs to.

    >>> series_of(5, ["AAPL"])
    ['market', 'topic:earnings', 'entity:AAPL', 'entity:AAPL/topic:earnings']
    """
    slug = TOPIC_SLUGS[topic]
    keys = [MARKET, f"topic:{slug}"]
    for entity in entities:
        keys += (f"entity:{entity}", f"entity:{entity}/topic:{slug}")
    return keys


def kind_of(series: str) -> str:
    """Return ``market``, ``topic``, ``entity`` or ``entity-topic``.

    >>> kind_of("entity:AAPL/topic:earnings")
    'entity-topic'
    """
    if series == MARKET:
        return "market"
    if series.startswith("topic:"):
        return "topic"
    return "entity-topic" if "/topic:" in series else "entity"


def entity_of(series: str) -> str:
    """Return the id of the entity in a series key, or an empty string."""
    return series.removeprefix("entity:").split("/topic:")[0] if series.startswith("entity:") else ""


def topic_of(series: str) -> str:
    """Return the name of the topic in a series key, or an empty string.

    >>> topic_of("entity:AAPL/topic:m-a-investments")
    'M&A | Investments'
    """
    _, found, slug = series.rpartition("topic:")
    return TOPICS[TOPIC_SLUGS.index(slug)] if found else ""


def is_judged(series: str) -> bool:
    """Return whether detectors run on a series: entity x topic explains an alert and never raises one."""
    return kind_of(series) != "entity-topic"
