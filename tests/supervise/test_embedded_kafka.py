"""The embedded Kafka is a real one, and keeps what it acknowledged."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.errors import UnknownTopicOrPartitionError

from monitor.domain.errors import InvalidConfiguration
from monitor.supervise.children import ChildState
from monitor.supervise.kafka import EmbeddedKafka, KafkaNotStarted, kafka_answers, kafka_child, prepare_kafka
from monitor.supervise.ports import free_port
from monitor.supervise.state import StateFolder

pytestmark = pytest.mark.kafka
DAY_MS = 24 * 3600 * 1000


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedKafka]:
    with EmbeddedKafka(tmp_path_factory.mktemp("broker")) as kafka:
        yield kafka


def create(bootstrap: str, topic: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    admin.create_topics({topic: {"num_partitions": 1, "replication_factor": 1}})
    admin.wait_for_topics([topic])
    admin.close()


def send(bootstrap: str, topic: str, values: list[bytes], **settings: object) -> int:
    """Send values, wait for every acknowledgement, and return the last one's timestamp."""
    producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all", **settings)
    acknowledged = [producer.send(topic, value, timestamp_ms=1_000_000) for value in values]
    producer.flush()
    timestamp = acknowledged[-1].get(10).timestamp
    producer.close()
    return timestamp


def read(bootstrap: str, topic: str, count: int, group: str | None = None) -> list[bytes]:
    consumer = KafkaConsumer(
        topic,
        bootstrap_servers=bootstrap,
        auto_offset_reset="earliest",
        consumer_timeout_ms=15_000,
        group_id=group,
        fetch_max_bytes=2**26,
        max_partition_fetch_bytes=2**26,
    )
    values = [message.value for _, message in zip(range(count), consumer, strict=False)]
    if group:
        consumer.commit()
    consumer.close()
    return values


def test_what_was_acknowledged_is_there_after_sigkill_and_a_restart_on_other_ports(broker):
    create(broker.bootstrap, "kept")
    send(broker.bootstrap, "kept", [b"%d" % number for number in range(500)])
    assert len(read(broker.bootstrap, "kept", 200, group="readers")) == 200

    before = broker.bootstrap
    broker.kill()
    assert not kafka_answers(before)
    broker.start()
    assert broker.bootstrap != before
    assert read(broker.bootstrap, "kept", 500) == [b"%d" % number for number in range(500)]
    assert read(broker.bootstrap, "kept", 1, group="readers") == [b"200"]


def test_a_message_of_eight_megabytes_less_its_envelope_fits(broker):
    create(broker.bootstrap, "large")
    value = b"x" * (8 * 1024 * 1024 - 1024)
    send(broker.bootstrap, "large", [value], max_request_size=2**24)
    assert read(broker.bootstrap, "large", 1) == [value]


def test_messages_carry_the_time_of_the_broker_not_of_their_writer(broker):
    create(broker.bootstrap, "timed")
    timestamp = send(broker.bootstrap, "timed", [b"of 1970"])
    assert abs(timestamp - time.time() * 1000) < DAY_MS


def test_topics_are_not_made_by_accident(broker):
    admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
    found = admin.describe_topics(["never-declared"])
    admin.close()
    assert found[0]["error_code"] == UnknownTopicOrPartitionError.errno


def test_only_loopback_is_listened_on(broker):
    listening = [each.laddr.ip for each in psutil.Process(broker.pid).net_connections("tcp") if each.status == "LISTEN"]
    assert len(listening) == 2
    assert all(address.removeprefix("::ffff:") == "127.0.0.1" for address in listening)


def test_the_broker_stays_within_its_memory(broker):
    assert psutil.Process(broker.pid).memory_info().rss < 450 * 2**20


def test_a_taken_port_is_refused_with_its_holder(broker, tmp_path):
    taken = int(broker.bootstrap.rpartition(":")[2])
    with pytest.raises(InvalidConfiguration, match=rf"port {taken} .* taken by `java` \(process {broker.pid}\)"):
        EmbeddedKafka(tmp_path, taken).start()


def test_two_brokers_in_one_folder_are_refused_with_the_reason(broker):
    with pytest.raises(KafkaNotStarted, match=r"ended with exit code 1: (.|\n)*lock"):
        EmbeddedKafka(broker.state_dir).start()
    assert kafka_answers(broker.bootstrap)


def test_another_cluster_at_the_address_is_not_taken_for_ours(broker):
    assert kafka_answers(broker.bootstrap)
    assert not kafka_answers(broker.bootstrap, cluster_id="of-some-other-cluster")


def test_an_address_where_nobody_listens_does_not_answer():
    assert not kafka_answers(f"127.0.0.1:{free_port()}")


def test_the_command_becomes_a_broker_that_ends_on_sigterm(tmp_path, eventually):
    prepare_kafka(tmp_path, port=free_port())
    port = free_port()
    command = [sys.executable, "-m", "monitor.supervise.kafka", "--state", str(tmp_path), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        eventually(lambda: kafka_answers(f"127.0.0.1:{port}"), within_s=40)
        assert "java" in psutil.Process(process.pid).name()
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) in {0, 143, -signal.SIGTERM}
    finally:
        process.kill()
        process.wait()


def test_a_supervised_broker_comes_back_after_sigkill(run_children, eventually, tmp_path):
    folder, port = StateFolder(tmp_path / "state").create(), free_port()
    running = run_children([kafka_child(folder, port)], stop_within_s=10)
    eventually(lambda: running.is_in("kafka", ChildState.RUNNING), within_s=40)
    os.kill(running.status("kafka").pid, signal.SIGKILL)
    eventually(lambda: running.status("kafka").restarts == 1 and running.is_in("kafka", ChildState.RUNNING), 40)
    assert kafka_answers(f"127.0.0.1:{port}")
    assert Path(folder.kafka / "broker.log").exists()
