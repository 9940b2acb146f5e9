"""What a supervisor is told about a child, and what it tells about it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

__all__ = [
    "Check",
    "Child",
    "ChildEvent",
    "ChildState",
    "ChildStatus",
    "RestartPolicy",
    "read_children",
    "write_children",
]

Check = Callable[[], bool] | str
"""A question to a child: a function, or an http address that answers with a status below 400."""

FORMAT = 1
"""Version of children.json."""


class ChildState(StrEnum):
    """Where a child stands."""

    WAITING = "waiting"
    """What it depends on is not ready."""
    STARTING = "starting"
    """It runs and is not ready yet."""
    RUNNING = "running"
    BACKING_OFF = "backing off"
    """It died and is started again after a pause."""
    GIVEN_UP = "given up"
    """It died too often; it stays down until the supervisor is started again."""
    FINISHED = "finished"
    """It had one thing to do and did it."""
    STOPPING = "stopping"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A process to keep running.

    Args:
        name: One word; names its log file and its lines on the console.
        command: Program and arguments.
        env: Added to the supervisor's own environment.
        depends_on: Names of the children that must be ready (or finished) before it is started.
        ready: Answers true once it does its work; None: as soon as it runs, or for `once`, when it has finished.
        ready_within_s: A child that is not ready by then counts as dead.
        alive: Asked about every second; counts as a sign of life, like a heartbeat.
        heartbeat: Whether it beats into the file that BELLWETHER_HEARTBEAT_FILE names.
        silent_after_s: A child that gave a sign of life once and then none for so long is killed.
        once: It ends by itself with exit code 0, and then stays ended.
    """

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    depends_on: tuple[str, ...] = ()
    ready: Check | None = None
    ready_within_s: float = 120.0
    alive: Check | None = None
    heartbeat: bool = False
    silent_after_s: float = 8.0
    once: bool = False

    def __post_init__(self) -> None:
        if not self.name.replace("-", "").replace("_", "").isalnum():
            msg = f"`name` of a child must be letters, digits and dashes, was {self.name!r}"
            raise ValueError(msg)
        if not self.command:
            msg = f"`command` of child {self.name!r} must not be empty"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartPolicy:
    """How often and how soon a child that died is started again.

    Args:
        limit: Restarts within `within_s`; the next death after so many is the last.
        within_s: The span in which deaths are counted.
        first_pause_s: The longest pause after a first death; it doubles with each further one.
        longest_pause_s: The cap of that doubling.
    """

    limit: int = 5
    within_s: float = 600.0
    first_pause_s: float = 1.0
    longest_pause_s: float = 30.0

    def pause_s(self, deaths: int, jitter: float) -> float:
        """Return the pause before a restart.

        Args:
            deaths: How many within the span, this one included; at least 1.
            jitter: From 0 to 1: where in the upper half of the pause it falls, so that children that died
                together do not come back together.

        >>> RestartPolicy(first_pause_s=1.0).pause_s(3, jitter=1.0)
        4.0
        """
        ceiling = min(self.first_pause_s * 2.0 ** min(deaths - 1, 30), self.longest_pause_s)
        return ceiling * (0.5 + 0.5 * jitter)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildStatus:
    """Where a child stands, for people and for the dashboard.

    Args:
        name: The child.
        state: Where it stands.
        since: When it came to stand there.
        pid: Its process id while it runs.
        restarts: How often it was started again since the supervisor started.
        last_reason: Why it last died or was not started; None where it never did.
    """

    name: str
    state: ChildState
    since: datetime
    pid: int | None = None
    restarts: int = 0
    last_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildEvent:
    """A child came to stand somewhere else.

    Args:
        status: Where it stands now.
        last_lines: The end of its log where it died, oldest first.
        pause_s: How long until it is started again; None where it is not.
    """

    status: ChildStatus
    last_lines: tuple[str, ...] = ()
    pause_s: float | None = None


def write_children(path: Path, statuses: tuple[ChildStatus, ...]) -> None:
    """Write what is known of the children, whole or not at all."""
    written = [asdict(each) | {"since": each.since.isoformat()} for each in statuses]
    part = path.with_name(f"{path.name}.part")
    part.write_text(json.dumps({"version": FORMAT, "children": written}, indent=1), "utf-8")
    os.replace(part, path)


def read_children(path: Path) -> tuple[ChildStatus, ...]:
    """Read what a supervisor last knew of its children; empty where there is nothing that can be read.

    It is what was last written: ask `supervisor_pid` whether that supervisor still runs.
    """
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return ()
    if found.get("version") != FORMAT:
        return ()
    return tuple(
        ChildStatus(**each | {"state": ChildState(each["state"]), "since": datetime.fromisoformat(each["since"])})
        for each in found["children"]
    )
