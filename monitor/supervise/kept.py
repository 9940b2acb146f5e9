"""One child under supervision: started, asked, restarted after a pause, given up, stopped."""

from __future__ import annotations

import os
import random
import signal
import subprocess
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from monitor.supervise.asking import Question
from monitor.supervise.childlog import ChildLog
from monitor.supervise.children import Child, ChildEvent, ChildState, ChildStatus, RestartPolicy
from monitor.supervise.heartbeat import HEARTBEAT_FILE
from monitor.supervise.leashed import Leashed

__all__ = ["Kept", "Surroundings"]

READY_EVERY_S = 0.2
ALIVE_EVERY_S = 1.0
REASON_CHARACTERS = 300
"""A longer last line is cut in a reason; the log file has it whole."""

UP = frozenset({ChildState.RUNNING, ChildState.FINISHED})
ENDED = frozenset({ChildState.WAITING, ChildState.BACKING_OFF, ChildState.GIVEN_UP, ChildState.FINISHED,
                   ChildState.STOPPED})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all children of one supervisor share.

    Args:
        heartbeats: Folder of their heartbeat files.
        policy: How often they are restarted.
        announce: Told whenever a child comes to stand somewhere else.
        keep_open: File descriptors that every leash holds open: the lock of the state folder.
    """

    heartbeats: Path
    policy: RestartPolicy
    announce: Callable[[ChildEvent], None]
    keep_open: tuple[int, ...] = ()


class Kept:
    """The life of one child; `tick` moves it on and never waits.

    Args:
        child: What is to run.
        log: Where its output goes.
        around: What it shares with the others.
    """

    def __init__(self, child: Child, log: ChildLog, around: Surroundings) -> None:
        self.child = child
        self._log = log
        self._around = around
        self._process: Leashed | None = None
        self._ready = None if child.ready is None else Question(child.ready, READY_EVERY_S)
        self._alive = None if child.alive is None else Question(child.alive, ALIVE_EVERY_S)
        self._heartbeat = around.heartbeats / child.name
        self._deaths: deque[float] = deque()
        self._started_at = self._again_at = 0.0
        self._last_sign: float | None = None
        self._last_beat = 0
        self.status = ChildStatus(name=child.name, state=ChildState.WAITING, since=datetime.now(UTC))

    @property
    def is_up(self) -> bool:
        """Whether those that depend on it may start."""
        if self.child.once and self.child.ready is None:
            return self.status.state is ChildState.FINISHED
        return self.status.state in UP

    @property
    def has_ended(self) -> bool:
        """Whether no process of it runs."""
        return self.status.state in ENDED

    def tick(self, now: float, may_start: bool) -> None:
        """Look after it once.

        Args:
            now: Monotonic seconds.
            may_start: Whether everything it depends on is up.
        """
        if self._process is not None:
            self._watch(self._process, now)
        elif may_start and (
            self.status.state is ChildState.WAITING
            or (self.status.state is ChildState.BACKING_OFF and now >= self._again_at)
        ):
            self._start(now)

    def forgive(self, now: float) -> None:
        """Count silence from now on: the supervisor itself was stopped for a while, and its children with it."""
        if self._last_sign is not None:
            self._last_sign = now

    def terminate(self) -> None:
        """Ask it to stop; it is not started again."""
        if self._process is None:
            if self.status.state not in {ChildState.GIVEN_UP, ChildState.FINISHED}:
                self._become(ChildState.STOPPED)
            return
        self._become(ChildState.STOPPING)
        self._process.terminate()
        self._process.send(signal.SIGCONT)  # a stopped process cannot act on SIGTERM

    def kill(self) -> None:
        """Kill it and everything it started."""
        if self._process is not None:
            self._process.kill()

    def _start(self, now: float) -> None:
        self._heartbeat.unlink(missing_ok=True)
        env = {name: value for name, value in os.environ.items() if name != HEARTBEAT_FILE} | dict(self.child.env)
        if self.child.heartbeat:
            env[HEARTBEAT_FILE] = str(self._heartbeat)
        for question in (self._ready, self._alive):
            if question is not None:
                question.forget()
        process = Leashed(self.child.command, env=env, stdout=subprocess.PIPE, keep_open=self._around.keep_open)
        assert process.process.stdout is not None
        self._log.follow(process.process.stdout)
        self._process, self._started_at, self._last_sign, self._last_beat = process, now, None, 0
        again = self.status.state is ChildState.BACKING_OFF
        self.status = replace(self.status, pid=process.pid, restarts=self.status.restarts + again)
        self._become(ChildState.STARTING if self._ready else ChildState.RUNNING)

    def _watch(self, process: Leashed, now: float) -> None:
        code = process.poll()
        if code is not None:
            self._process = None
            self._has_died(_reason(code), code, now)
        elif self.status.state is ChildState.STOPPING:
            return
        elif self.status.state is ChildState.STARTING and self._ready and self._ready.answer(now):
            self._become(ChildState.RUNNING)
        elif self.status.state is ChildState.STARTING and now - self._started_at > self.child.ready_within_s:
            self._end(process, f"not ready within {self.child.ready_within_s:g} s", now)
        elif (silent_s := self._silent_s(now)) > self.child.silent_after_s:
            self._end(process, f"silent for {silent_s:.1f} s", now)

    def _silent_s(self, now: float) -> float:
        """Seconds since the last sign of life; 0 before the first."""
        if self.child.heartbeat and (beat := _modified_ns(self._heartbeat)) != self._last_beat:
            self._last_beat, self._last_sign = beat, now
        if self._alive and self._alive.answer(now):
            self._last_sign = now
        return 0.0 if self._last_sign is None else now - self._last_sign

    def _end(self, process: Leashed, reason: str, now: float) -> None:
        process.kill()
        self._process = None
        self._has_died(reason, None, now)

    def _has_died(self, reason: str, code: int | None, now: float) -> None:
        lines = self._log.last_lines()
        stopping = self.status.state is ChildState.STOPPING
        self.status = replace(self.status, pid=None)
        if stopping:
            self._become(ChildState.STOPPED)
        elif self.child.once and code == 0:
            self._become(ChildState.FINISHED)
        else:
            said = next((line.strip() for line in reversed(lines) if line.strip()), "")
            reason = f"{reason}: {said[:REASON_CHARACTERS]}" if said else reason
            self.status = replace(self.status, last_reason=reason)
            self._come_back_or_give_up(lines, now)

    def _come_back_or_give_up(self, lines: tuple[str, ...], now: float) -> None:
        policy = self._around.policy
        self._deaths.append(now)
        while now - self._deaths[0] > policy.within_s:
            self._deaths.popleft()
        if len(self._deaths) > policy.limit:
            self._become(ChildState.GIVEN_UP, last_lines=lines)
            return
        pause_s = policy.pause_s(len(self._deaths), random.random())  # noqa: S311 spreads restarts, guards nothing
        self._again_at = now + pause_s
        self._become(ChildState.BACKING_OFF, last_lines=lines, pause_s=pause_s)

    def _become(self, state: ChildState, last_lines: tuple[str, ...] = (), pause_s: float | None = None) -> None:
        self.status = replace(self.status, state=state, since=datetime.now(UTC))
        self._around.announce(ChildEvent(status=self.status, last_lines=last_lines, pause_s=pause_s))


def _reason(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:  # a real-time signal has no name
        return f"killed by signal {-code}"


def _modified_ns(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
