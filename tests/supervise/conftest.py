"""What the tests of the supervisor share: waiting for a condition, and supervisors that are always ended."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from monitor.supervise.children import Child, ChildEvent, ChildState, ChildStatus, RestartPolicy
from monitor.supervise.state import StateFolder
from monitor.supervise.supervisor import Supervisor

Eventually = Callable[..., None]
QUICK = RestartPolicy(limit=5, within_s=600, first_pause_s=0.05, longest_pause_s=0.2)


@pytest.fixture
def eventually() -> Eventually:
    """Wait until a condition holds; fail where it does not within the time."""

    def wait(condition: Callable[[], object], within_s: float = 15.0) -> None:
        until = time.monotonic() + within_s
        while not condition():
            assert time.monotonic() < until, f"it did not come true within {within_s:g} s"
            time.sleep(0.01)

    return wait


@pytest.fixture
def is_alive() -> Callable[[int], bool]:
    """Say whether a process runs; one that has ended and was not yet fetched by its parent does not."""

    def ask(pid: int) -> bool:
        try:
            return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    return ask


@dataclass
class Running:
    """A supervisor in a thread, and everything it told."""

    supervisor: Supervisor
    folder: StateFolder
    events: list[ChildEvent] = field(default_factory=list)
    lines: list[tuple[str, str]] = field(default_factory=list)
    code: int | None = None
    thread: threading.Thread | None = None

    def states(self, name: str) -> list[ChildState]:
        """Every state that a child came to, in order."""
        return [event.status.state for event in self.events if event.status.name == name]

    def status(self, name: str) -> ChildStatus | None:
        """Where a child stands."""
        return next((each for each in self.supervisor.statuses() if each.name == name), None)

    def is_in(self, name: str, state: ChildState) -> bool:
        """Whether a child stands there now."""
        status = self.status(name)
        return status is not None and status.state is state

    def stop(self) -> None:
        """Stop it and wait for its end."""
        self.supervisor.request_stop()
        assert self.thread is not None
        self.thread.join(20)
        assert not self.thread.is_alive()


RunChildren = Callable[..., Running]


@pytest.fixture
def run_children(tmp_path: Path) -> Iterator[RunChildren]:
    """Run children under a supervisor in the background; it is stopped at the end of the test."""
    started: list[Running] = []

    def run(children: Sequence[Child], policy: RestartPolicy = QUICK, stop_within_s: float = 5.0) -> Running:
        folder = StateFolder(tmp_path / "state")
        events: list[ChildEvent] = []
        lines: list[tuple[str, str]] = []
        supervisor = Supervisor(
            folder,
            children,
            policy=policy,
            stop_within_s=stop_within_s,
            on_event=events.append,
            on_line=lambda name, line: lines.append((name, line)),
        )
        running = Running(supervisor, folder, events, lines)

        def work() -> None:
            running.code = supervisor.run()

        running.thread = threading.Thread(target=work)
        running.thread.start()
        started.append(running)
        return running

    yield run
    for running in started:
        running.stop()


@pytest.fixture
def python() -> Callable[..., tuple[str, ...]]:
    """Make a command of Python source; further arguments are its sys.argv[1:]."""
    return lambda source, *arguments: (sys.executable, "-S", "-u", "-c", source, *map(str, arguments))
