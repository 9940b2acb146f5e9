"""A real single-node Apache Kafka (KRaft) from the official jars, as a child process.

`EmbeddedKafka` starts, awaits and stops one from Python; `python -m monitor.supervise.kafka --state DIR --port N`
becomes the broker itself, in the foreground. Both write their configuration and keep their log segments under the
state folder, so that what was written survives restarts and kills.
"""

from __future__ import annotations

import argparse
import base64
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import structlog

from monitor.domain.errors import MonitorError
from monitor.supervise.children import Child
from monitor.supervise.jars import ensure_jars, java_executable, java_flags
from monitor.supervise.kafka_files import log4j2_xml, server_properties
from monitor.supervise.leashed import Leashed
from monitor.supervise.ports import free_port, require_free_port
from monitor.supervise.state import StateFolder

__all__ = ["EmbeddedKafka", "KafkaNotStarted", "kafka_answers", "kafka_child", "kafka_command", "prepare_kafka"]

HOST = "127.0.0.1"
READY_WITHIN_S = 60.0
STOP_WITHIN_S = 10.0
POLL_S = 0.1
"""Time between two questions to a broker that is starting."""

log = structlog.get_logger(__name__)


class KafkaNotStarted(MonitorError, OSError):
    """The embedded Kafka ended or stayed silent while it was being started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedKafka:
    """A broker that only needs to be run.

    Args:
        command: Program and arguments.
        bootstrap: The address for clients, `host:port`.
        log_file: The broker's own log.
    """

    command: tuple[str, ...]
    bootstrap: str
    log_file: Path = field(repr=False)


def kafka_command(java: Path, jars: Path, state_dir: Path, heap_mb: int) -> list[str]:
    """Return the command line of a broker, without the main class and its arguments."""
    return [
        str(java),
        *java_flags(java),
        "-Xms64m",
        f"-Xmx{heap_mb}m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-XX:+ExitOnOutOfMemoryError",
        f"-XX:ErrorFile={state_dir / 'java-error.log'}",
        "-Djava.awt.headless=true",
        f"-Dlog4j2.configurationFile={state_dir / 'log4j2.xml'}",
        "-cp",
        os.pathsep.join(str(jar) for jar in sorted(jars.glob("*.jar"))),
    ]


def prepare_kafka(
    state_dir: Path, *, port: int, controller_port: int = 0, heap_mb: int = 256, cache: Path | None = None
) -> PreparedKafka:
    """Fetch what is missing, write the configuration, and format the storage once.

    Args:
        state_dir: Where configuration, log and segments lie.
        port: Where clients connect on loopback; 0 chooses a free one.
        controller_port: Where the node speaks to itself; 0 chooses a free one.
        heap_mb: The Java heap in MiB.
        cache: Where the jars lie; the user's cache folder by default.

    Raises:
        InvalidConfiguration: Java or a jar is missing and cannot be had, or the port is taken.
        KafkaNotStarted: The storage could not be formatted.
    """
    java, jars = java_executable(), ensure_jars(cache)
    state_dir = state_dir.resolve()
    state_dir.mkdir(parents=True, exist_ok=True)
    require_free_port(HOST, port, wanted_by="the embedded Kafka", flag="--kafka-port")
    port = port or free_port(HOST)
    controller_port = controller_port or free_port(HOST)
    properties = state_dir / "server.properties"
    properties.write_text(server_properties(state_dir / "logs", port, controller_port), "utf-8")
    (state_dir / "log4j2.xml").write_text(log4j2_xml(state_dir / "broker.log"), "utf-8")
    command = kafka_command(java, jars, state_dir, heap_mb)
    if not (state_dir / "logs" / "meta.properties").exists():
        _format(command, properties)
    return PreparedKafka(
        command=(*command, "kafka.Kafka", str(properties)),
        bootstrap=f"{HOST}:{port}",
        log_file=state_dir / "broker.log",
    )


def _format(command: Sequence[str], properties: Path) -> None:
    arguments = ["format", "-t", _new_cluster_id(), "-c", str(properties), "--standalone", "--ignore-formatted"]
    done = subprocess.run(
        [*command, "kafka.tools.StorageTool", *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode:
        msg = f"the storage of the embedded Kafka could not be formatted: {done.stdout}{done.stderr}".strip()
        raise KafkaNotStarted(msg)


def _written_cluster_id(state_dir: Path) -> str:
    """Return the id that the storage was formatted with: another broker at our port is not ours."""
    lines = (state_dir / "logs" / "meta.properties").read_text("utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)["cluster.id"]


def _new_cluster_id() -> str:
    """Return a random id as Kafka writes them: 22 characters, the first not a dash."""
    while (text := base64.urlsafe_b64encode(uuid.uuid4().bytes)[:22].decode()).startswith("-"):
        continue
    return text


def kafka_answers(bootstrap: str, timeout_s: float = 2.0, cluster_id: str | None = None) -> bool:
    """Say whether a broker answers a metadata request and counts itself in; an open port alone is not enough.

    Args:
        bootstrap: Addresses of a cluster; the first is asked.
        timeout_s: How long to wait for each step of the answer.
        cluster_id: The cluster that it must be; any by default.
    """
    from kafka import KafkaAdminClient
    from kafka.errors import KafkaError

    host, _, port = bootstrap.split(",", maxsplit=1)[0].rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout_s):
            pass
        admin = KafkaAdminClient(
            bootstrap_servers=bootstrap,
            request_timeout_ms=int(timeout_s * 1000),
            bootstrap_timeout_ms=int(timeout_s * 1000),
            client_id="bellwether-supervisor",
        )
    except (OSError, KafkaError):
        return False
    try:
        return cluster_id in {None, admin.describe_cluster()["cluster_id"]}
    except (OSError, KafkaError):
        return False
    finally:
        admin.close()


def kafka_child(folder: StateFolder, port: int, *, controller_port: int = 0, heap_mb: int = 256) -> Child:
    """Return the embedded Kafka as a child of a supervisor; it is ready once it answers.

    Call `ensure_jars` first where a person waits: a child that cannot fetch its jars only dies again and again.
    """
    arguments = ("--port", str(port), "--controller-port", str(controller_port), "--heap-mb", str(heap_mb))
    return Child(
        name="kafka",
        command=(sys.executable, "-m", "monitor.supervise.kafka", "--state", str(folder.kafka), *arguments),
        ready=lambda: kafka_answers(f"{HOST}:{port}", cluster_id=_written_cluster_id(folder.kafka)),
    )


class EmbeddedKafka:
    """One broker of one's own: `with EmbeddedKafka(folder) as kafka: ... kafka.bootstrap`.

    Args:
        state_dir: Where everything it writes lies; use the same folder again to go on.
        port: Where clients connect; 0 chooses a free one at each start.
        controller_port: Where the node speaks to itself; 0 chooses a free one.
        heap_mb: The Java heap in MiB.
        cache: Where the jars lie; the user's cache folder by default.
    """

    def __init__(
        self,
        state_dir: Path,
        port: int = 0,
        *,
        controller_port: int = 0,
        heap_mb: int = 256,
        cache: Path | None = None,
    ) -> None:
        self.state_dir = state_dir
        self._port, self._controller_port = port, controller_port
        self._heap_mb, self._cache = heap_mb, cache
        self._prepared: PreparedKafka | None = None
        self._broker: Leashed | None = None

    @property
    def bootstrap(self) -> str:
        """The address for clients, `host:port`; known once started."""
        if self._prepared is None:
            msg = "the embedded Kafka has no address before it is started"
            raise RuntimeError(msg)
        return self._prepared.bootstrap

    @property
    def pid(self) -> int:
        """The process id of the Java process; known once started."""
        if self._broker is None:
            msg = "the embedded Kafka has no process before it is started"
            raise RuntimeError(msg)
        return self._broker.pid

    def start(self, ready_within_s: float = READY_WITHIN_S) -> Self:
        """Start the broker and wait until it answers.

        Raises:
            InvalidConfiguration: Java or a jar is missing and cannot be had, or the port is taken.
            KafkaNotStarted: It ended, or gave no answer in time; the text has the end of its log.
        """
        self._prepared = prepare_kafka(
            self.state_dir,
            port=self._port,
            controller_port=self._controller_port,
            heap_mb=self._heap_mb,
            cache=self._cache,
        )
        with (self.state_dir / "console.log").open("wb") as console:
            self._broker = Leashed(self._prepared.command, stdout=console)
        try:
            self._wait_until_ready(self._broker, ready_within_s)
        except BaseException:
            self.kill()
            raise
        return self

    def _wait_until_ready(self, broker: Leashed, ready_within_s: float) -> None:
        until = time.monotonic() + ready_within_s
        cluster_id = _written_cluster_id(self.state_dir)
        while not kafka_answers(self.bootstrap, cluster_id=cluster_id):
            code = broker.poll()
            if code is not None:
                msg = f"the embedded Kafka ended with exit code {code}: {self._last_words()}"
                raise KafkaNotStarted(msg)
            if time.monotonic() > until:
                msg = f"the embedded Kafka gave no answer within {ready_within_s:g} s: {self._last_words()}"
                raise KafkaNotStarted(msg)
            time.sleep(POLL_S)
        log.info("kafka answers", bootstrap=self.bootstrap, pid=broker.pid)

    def _last_words(self, lines: int = 15) -> str:
        said = (self.state_dir / "console.log").read_text("utf-8", "replace").splitlines()
        return "\n".join(said[-lines:]) or "(it said nothing)"

    def stop(self, within_s: float = STOP_WITHIN_S) -> None:
        """Stop the broker: SIGTERM, and SIGKILL after `within_s` seconds. Harmless where it does not run."""
        if self._broker is not None:
            self._broker.stop(within_s)
            self._broker = None

    def kill(self) -> None:
        """Kill the broker with SIGKILL, as a power cut would; what it acknowledged is there at the next start."""
        if self._broker is not None:
            self._broker.kill()
            self._broker = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def main(arguments: Sequence[str] | None = None) -> None:
    """Become a broker in the foreground: this very process turns into the Java process."""
    parser = argparse.ArgumentParser(prog="python -m monitor.supervise.kafka", description=main.__doc__)
    parser.add_argument("--state", type=Path, required=True, help="folder of its configuration, log and segments")
    parser.add_argument("--port", type=int, default=9092, help="where clients connect on loopback; 0: a free one")
    parser.add_argument("--controller-port", type=int, default=0, help="where it speaks to itself; 0: a free one")
    parser.add_argument("--heap-mb", type=int, default=256, help="Java heap in MiB")
    chosen = parser.parse_args(arguments)
    try:
        prepared = prepare_kafka(
            chosen.state, port=chosen.port, controller_port=chosen.controller_port, heap_mb=chosen.heap_mb
        )
    except MonitorError as error:
        parser.exit(1, f"{error}\n")
    sys.stdout.write(f"kafka at {prepared.bootstrap}, log in {prepared.log_file}\n")
    sys.stdout.flush()
    os.execv(prepared.command[0], list(prepared.command))  # noqa: S606 a list made here, never a shell line


if __name__ == "__main__":
    main()
