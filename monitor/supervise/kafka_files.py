"""The two files that an embedded Kafka reads: its properties and the configuration of its log."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import quoteattr

__all__ = ["log4j2_xml", "server_properties"]

MESSAGE_MAX_BYTES = 8 * 1024 * 1024
"""A dead letter carries the original bytes and its reason, so it may be larger than any other message."""

OFFSETS_RETENTION_MINUTES = 366 * 24 * 60
"""A monitor that was off for most of a year goes on where it stopped."""

DEDUPE_BYTES = 32 * 1024 * 1024
"""Memory of the log cleaner; Kafka's own 128 MB would be half of the heap."""

LOG_FILE_BYTES = 5 * 1024 * 1024
LOG_FILES = 3

BROKER_LOG = """<?xml version="1.0" encoding="UTF-8"?>
<Configuration status="WARN" shutdownHook="disable">
  <Appenders>
    <RollingFile name="file" fileName={file} filePattern={pattern}>
      <PatternLayout pattern="%d{{ISO8601}} %-5p %c{{1}} %m%n"/>
      <SizeBasedTriggeringPolicy size="{size}"/>
      <DefaultRolloverStrategy max="{files}"/>
    </RollingFile>
    <Console name="console" target="SYSTEM_OUT">
      <PatternLayout pattern="%d{{ISO8601}} %-5p %c{{1}} %m%n"/>
    </Console>
  </Appenders>
  <Loggers>
    <Root level="INFO">
      <AppenderRef ref="file"/>
      <AppenderRef ref="console" level="ERROR"/>
    </Root>
    <Logger name="org.apache.kafka.common.config.AbstractConfig" level="WARN"/>
    <Logger name="kafka.server.KafkaConfig" level="WARN"/>
  </Loggers>
</Configuration>
"""


def server_properties(log_dir: Path, port: int, controller_port: int) -> str:
    """Return server.properties of a single node that is broker and controller, on loopback only.

    Sizes are for a laptop; replication factors are 1, since there is one node. Topics are declared by the product,
    never made by accident, and take the broker's time, so that a replay of 2014 does not expire at once.
    """
    settings: dict[str, str | int] = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "controller.quorum.bootstrap.servers": f"127.0.0.1:{controller_port}",
        "log.dirs": _escaped(log_dir),
        "auto.create.topics.enable": "false",
        "log.message.timestamp.type": "LogAppendTime",
        "message.max.bytes": MESSAGE_MAX_BYTES,
        "replica.fetch.max.bytes": MESSAGE_MAX_BYTES,
        "default.replication.factor": 1,
        "min.insync.replicas": 1,
        "offsets.topic.replication.factor": 1,
        "offsets.topic.num.partitions": 4,
        "offsets.retention.minutes": OFFSETS_RETENTION_MINUTES,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "transaction.state.log.num.partitions": 2,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        "share.coordinator.state.topic.num.partitions": 1,
        "group.initial.rebalance.delay.ms": 0,
        "broker.session.timeout.ms": 2000,
        "broker.heartbeat.interval.ms": 500,
        "num.network.threads": 2,
        "num.io.threads": 4,
        "background.threads": 2,
        "log.cleaner.dedupe.buffer.size": DEDUPE_BYTES,
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def _escaped(path: Path) -> str:
    """Write a path as a value of a Java properties file, in which a backslash escapes."""
    return str(path).replace("\\", "\\\\")


def log4j2_xml(log_file: Path) -> str:
    """Return a log4j2 configuration: a file capped in size, and warnings on the console as well."""
    return BROKER_LOG.format(
        file=quoteattr(str(log_file)),
        pattern=quoteattr(f"{log_file}.%i"),
        size=LOG_FILE_BYTES,
        files=LOG_FILES - 1,
    )
