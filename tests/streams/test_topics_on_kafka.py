"""Topics on a real Kafka: declared, remembered by their id, refused when they are others."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace

import pytest
from kafka.admin import KafkaAdminClient

from monitor.domain.errors import InvalidConfiguration
from monitor.domain.runs import Run
from streams.admin import delete_topics, describe_topics, prepare_topics
from streams.topics import specs_of

pytestmark = pytest.mark.kafka


class Memory:
    """Remembers topic ids as the store does."""

    def __init__(self) -> None:
        self.ids: dict[str, str] = {}

    def topics(self, _name: str) -> dict[str, str]:
        return self.ids

    def remember_topics(self, _name: str, ids: Mapping[str, str]) -> None:
        self.ids = dict(ids)


@pytest.fixture
def run() -> Run:
    return Run(name=f"t{uuid.uuid4().hex[:8]}", title="t", partitions=2)


def test_topics_are_declared_once_and_described(kafka_bootstrap: str, run: Run) -> None:
    memory = Memory()
    prepare_topics(kafka_bootstrap, run, "topics", memory)
    first = dict(memory.ids)
    prepare_topics(kafka_bootstrap, run, "topics", memory)
    assert memory.ids == first
    rows = describe_topics(kafka_bootstrap, run, "topics")
    assert {row.name for row in rows} == set(specs_of("topics", run))
    assert {row.messages for row in rows} == {0}


def test_a_topic_that_was_made_anew_under_the_store_is_refused(kafka_bootstrap: str, run: Run) -> None:
    memory = Memory()
    prepare_topics(kafka_bootstrap, run, "topics", memory)
    assert delete_topics(kafka_bootstrap, run, "topics") == len(specs_of("topics", run))
    with pytest.raises(InvalidConfiguration, match="bellwether runs delete"):
        prepare_topics(kafka_bootstrap, run, "topics", memory)
    prepare_topics(kafka_bootstrap, run, "topics", Memory())
    with pytest.raises(InvalidConfiguration, match="deleted or created anew"):
        prepare_topics(kafka_bootstrap, run, "topics", memory)


def test_a_topic_that_vanished_is_refused_and_not_made_anew(kafka_bootstrap: str, run: Run) -> None:
    memory = Memory()
    prepare_topics(kafka_bootstrap, run, "topics", memory)
    gone = f"topics.{run.name}.classified"
    client = KafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    client.delete_topics([gone])
    while any(topic["error_code"] == 0 for topic in client.describe_topics([gone])):
        pass
    client.close()
    with pytest.raises(InvalidConfiguration, match=gone):
        prepare_topics(kafka_bootstrap, run, "topics", memory)


def test_another_number_of_partitions_is_refused(kafka_bootstrap: str, run: Run) -> None:
    prepare_topics(kafka_bootstrap, run, "topics", Memory())
    with pytest.raises(InvalidConfiguration, match="2 partitions, the run has 4"):
        prepare_topics(kafka_bootstrap, replace(run, partitions=4), "topics", Memory())
