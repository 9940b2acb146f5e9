"""Topics: declared, checked against what the store remembers, described, deleted."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import structlog
from kafka import KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import KafkaError, TopicAlreadyExistsError

from monitor.domain.closing import TRENDS
from monitor.domain.errors import InvalidConfiguration, PublishFailed
from monitor.domain.judging import ALERTS
from monitor.domain.runs import Run
from monitor.pipeline import CLASSIFIED, DOCUMENTS, STAGES
from streams.topics import FEEDBACK, TopicSpec, app_id, specs_of

__all__ = ["TopicMemory", "TopicRow", "delete_topics", "describe_topics", "opened", "prepare_topics"]

_log = structlog.get_logger(__name__)
_TIMEOUT_MS = 15_000


class TopicMemory(Protocol):
    """Remembers the ids of a run's topics, in the store."""

    def topics(self, name: str) -> dict[str, str]:
        """Return what was remembered for a run, by topic."""
        ...

    def remember_topics(self, name: str, ids: Mapping[str, str]) -> None:
        """Remember the ids of a run's topics."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicRow:
    """A topic as `bellwether topics` shows it; `lag` by stage, where the stage reads it."""

    name: str
    partitions: int
    messages: int
    lag: dict[str, int]
    holds: str


@contextmanager
def opened(bootstrap: str) -> Iterator[KafkaAdminClient]:
    """Give an administrative client; whatever Kafka refuses becomes PublishFailed with the address in it."""
    client = None
    try:
        client = KafkaAdminClient(
            bootstrap_servers=bootstrap, request_timeout_ms=_TIMEOUT_MS, client_id="bellwether-admin"
        )
        yield client
    except KafkaError as error:
        msg = f"Kafka at {bootstrap} did not do what was asked: {error}"
        raise PublishFailed(msg) from error
    finally:
        if client is not None:
            client.close()


def prepare_topics(bootstrap: str, run: Run, prefix: str, memory: TopicMemory) -> None:
    """Create what is missing of a run's topics, and refuse to go on with others than the store remembers.

    Raises:
        InvalidConfiguration: A topic has another number of partitions, or was deleted and created anew under the store.
        PublishFailed: Kafka did not answer.
    """
    specs = specs_of(prefix, run)
    with opened(bootstrap) as client:
        known = memory.topics(run.name)
        there = _described(client, list(specs))
        _refuse_lost(run, known, there)
        missing = [name for name in specs if name not in there]
        if missing:
            _create(client, run, {name: specs[name] for name in missing})
            client.wait_for_topics(missing)
            there = _described(client, list(specs))
        for name, spec in specs.items():
            _check_partitions(name, len(there[name]["partitions"]), spec.partitions(run))
    ids = {name: str(topic["topic_id"]) for name, topic in there.items()}
    if ids != known:
        memory.remember_topics(run.name, ids)
        _log.info("topics are ready", run=run.name, created=len(missing), partitions=run.partitions)


def _described(client: KafkaAdminClient, names: list[str]) -> dict[str, dict[str, Any]]:
    return {topic["name"]: topic for topic in client.describe_topics(names) if topic["error_code"] == 0}


def _create(client: KafkaAdminClient, run: Run, specs: Mapping[str, TopicSpec]) -> None:
    brokers = len(client.describe_cluster()["brokers"])
    new = [
        NewTopic(name, spec.partitions(run), min(3, brokers), topic_configs=spec.config())
        for name, spec in specs.items()
    ]
    try:
        client.create_topics(new, timeout_ms=_TIMEOUT_MS)
    except TopicAlreadyExistsError:
        _log.debug("another process created the topics at the same time", run=run.name)


def _refuse_lost(run: Run, known: Mapping[str, str], there: Mapping[str, dict[str, Any]]) -> None:
    """Refuse topics that are not the ones this run's state was made from: offsets would point into another log."""
    for name, remembered in known.items():
        found = str(there[name]["topic_id"]) if name in there else "none"
        if found != remembered:
            msg = (
                f"topic {name} is not the one that run {run.name!r} was stored from (deleted or created anew); "
                f"delete the run (bellwether runs delete {run.name}) or give another state folder"
            )
            raise InvalidConfiguration(msg)


def _check_partitions(name: str, found: int, wanted: int) -> None:
    if found != wanted:
        msg = f"topic {name} has {found} partitions, the run has {wanted}; the number never changes in a run's life"
        raise InvalidConfiguration(msg)


def describe_topics(bootstrap: str, run: Run, prefix: str) -> list[TopicRow]:
    """Return the topics of a run with the number of messages and the lag of each stage that reads them."""
    specs = specs_of(prefix, run)
    with opened(bootstrap) as client:
        there = _described(client, list(specs))
        apps = ["classify", *(stage.name for stage in STAGES), "sink"]
        groups = {stage: _committed(client, app_id(prefix, run.name, stage)) for stage in apps}
    consumer = KafkaConsumer(bootstrap_servers=bootstrap)
    try:
        return [_row(consumer, specs[name], name, topic, groups) for name, topic in there.items()]
    finally:
        consumer.close()


def _read_by(stage: str) -> set[str]:
    """Return the topics that a stage reads: what it never committed waits from the beginning."""
    reads = {spec.name: {spec.topic} for spec in STAGES} | {
        "classify": {DOCUMENTS},
        "sink": {CLASSIFIED, TRENDS, ALERTS},
    }
    return reads[stage] | ({FEEDBACK} if stage == "judge" else set())


def _committed(client: KafkaAdminClient, group: str) -> dict[TopicPartition, int]:
    try:
        found = client.list_group_offsets({group: None}).get(group, {})
    except KafkaError:
        return {}
    return {place: int(kept.offset) for place, kept in found.items()}


def _row(
    consumer: KafkaConsumer,
    spec: TopicSpec,
    name: str,
    topic: Mapping[str, Any],
    groups: Mapping[str, dict[TopicPartition, int]],
) -> TopicRow:
    places = [TopicPartition(name, partition["partition_index"]) for partition in topic["partitions"]]
    ends, begins = consumer.end_offsets(places), consumer.beginning_offsets(places)
    lag = {
        stage: sum(ends[place] - committed.get(place, begins[place]) for place in places)
        for stage, committed in groups.items()
        if spec.name in _read_by(stage)
    }
    held = sum(ends[place] - begins[place] for place in places)
    return TopicRow(name=name, partitions=len(places), messages=held, lag=lag, holds=spec.holds)


def _await_gone(client: KafkaAdminClient, names: list[str]) -> None:
    """Return when no broker knows the topics any more: who declares them anew at once must not find the old ones."""
    deadline = time.monotonic() + _TIMEOUT_MS / 1000
    while _described(client, names):
        if time.monotonic() > deadline:
            _log.warning("topics are marked for deletion, Kafka has not removed them yet", topics=len(names))
            return
        time.sleep(0.1)


def delete_topics(bootstrap: str, run: Run, prefix: str) -> int:
    """Delete the topics of a run and return how many there were."""
    names = list(specs_of(prefix, run))
    with opened(bootstrap) as client:
        there = list(_described(client, names))
        if there:
            client.delete_topics(there, timeout_ms=_TIMEOUT_MS)
            _await_gone(client, there)
        groups = [app_id(prefix, run.name, stage) for stage in ("classify", *(s.name for s in STAGES), "sink")]
        client.delete_groups(groups)
    return len(there)
