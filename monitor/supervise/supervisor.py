"""Keep a set of child processes running, in order, and end all of them together.

A child is started once what it depends on is ready, and again after a pause when it dies. Nothing outlives the
supervisor: it stops its children in reverse order, and where it is killed itself, each child's leash sees that and
ends the child (leash.py). One supervisor runs in a state folder.
"""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from graphlib import TopologicalSorter
from types import FrameType

import structlog

from monitor.supervise.childlog import ChildLog, LineListener
from monitor.supervise.children import Child, ChildEvent, ChildState, ChildStatus, RestartPolicy, write_children
from monitor.supervise.kept import Kept, Surroundings
from monitor.supervise.state import StateFolder, StateLock

__all__ = ["EventListener", "Supervisor", "log_event"]

TICK_S = 0.1
STALL_S = 2.0
"""A tick that comes so late means that this process was stopped too, and its children's silence proves nothing."""

STOP_WITHIN_S = 12.0
RESERVE_S = 3.0
"""Kept back for each later rank when stopping: what Kafka needs to close its log is not eaten up by a worker."""

GRACE_AFTER_KILL_S = 2.0

EventListener = Callable[[ChildEvent], None]

log = structlog.get_logger(__name__)


def log_event(event: ChildEvent) -> None:
    """Write an event to the log; what a supervisor does where nobody listens."""
    status = event.status
    fields = {"child": status.name, "state": status.state.value, "pid": status.pid, "reason": status.last_reason}
    if status.state in {ChildState.BACKING_OFF, ChildState.GIVEN_UP}:
        log.warning("child died", **fields, restarts=status.restarts, again_in_s=event.pause_s)
    else:
        log.info("child changed", **fields)


class Supervisor:
    """Runs children until it is asked to stop.

    Args:
        state: The state folder; made where it is missing.
        children: What to run; the order of starting comes from `depends_on`.
        policy: How often a child that dies is started again.
        stop_within_s: The longest that stopping may take; killing what is left comes after.
        on_event: Told of every change, from the thread that runs.
        on_line: Told every line that a child writes, from other threads.

    Raises:
        ValueError: Two children share a name, or one depends on a stranger or on itself.
    """

    def __init__(
        self,
        state: StateFolder,
        children: Sequence[Child],
        *,
        policy: RestartPolicy | None = None,
        stop_within_s: float = STOP_WITHIN_S,
        on_event: EventListener = log_event,
        on_line: LineListener | None = None,
    ) -> None:
        self._state = state
        self._ranks = _ranks(children)
        self._children = tuple(children)
        self._policy = policy or RestartPolicy()
        self._stop_within_s = stop_within_s
        self._on_event, self._on_line = on_event, on_line
        self._kept: dict[str, Kept] = {}
        self._stop = threading.Event()
        self._hurry = threading.Event()

    def request_stop(self) -> None:
        """Ask `run` to stop everything and return; a second time: without waiting. Safe from any thread."""
        if self._stop.is_set():
            self._hurry.set()
        self._stop.set()

    def statuses(self) -> tuple[ChildStatus, ...]:
        """Return where each child stands, in the order given."""
        return tuple(self._kept[child.name].status for child in self._children if child.name in self._kept)

    def run(self, lock: StateLock | None = None) -> int:
        """Run until asked to stop (`request_stop`, SIGINT, SIGTERM, SIGHUP) or until no child can go on.

        Args:
            lock: The lock of the state folder where the caller holds it already; taken and given back by default.

        Returns:
            0, or 1 where nothing is left to run and a child was given up.

        Raises:
            StateFolderTaken: Another supervisor runs in the state folder.
            InvalidConfiguration: The state folder cannot be written.
        """
        self._state.create()
        with StateLock(self._state) if lock is None else nullcontext(lock) as held, _handled(self):
            self._adopt(held)
            try:
                return self._look_after_all()
            finally:
                self._stop_all()

    def _adopt(self, lock: StateLock) -> None:
        around = Surroundings(
            heartbeats=self._state.heartbeats,
            policy=self._policy,
            announce=self._announce,
            keep_open=(lock.fileno(),),
        )
        for child in self._children:
            child_log = ChildLog(child.name, self._state.logs / f"{child.name}.log", self._on_line)
            self._kept[child.name] = Kept(child, child_log, around)

    def _look_after_all(self) -> int:
        before = time.monotonic()
        while not self._stop.wait(TICK_S):
            now = time.monotonic()
            for kept in self._kept.values():
                if now - before > STALL_S:
                    kept.forgive(now)
                kept.tick(now, may_start=all(self._kept[name].is_up for name in kept.child.depends_on))
            before = now
            if not self._can_go_on():
                return int(any(kept.status.state is ChildState.GIVEN_UP for kept in self._kept.values()))
        return 0

    def _can_go_on(self) -> bool:
        """Whether a child runs or will run: those that wait for one that was given up never will."""
        dead: set[str] = set()
        for rank in self._ranks:
            for name in rank:
                kept = self._kept[name]
                over = kept.status.state in {ChildState.GIVEN_UP, ChildState.FINISHED}
                if over or (kept.has_ended and any(each in dead for each in kept.child.depends_on)):
                    if kept.status.state is not ChildState.FINISHED:
                        dead.add(name)
                    continue
                return True
        return False

    def _stop_all(self) -> None:
        until = time.monotonic() + self._stop_within_s
        ranks = list(reversed(self._ranks))
        for later, rank in zip(range(len(ranks) - 1, -1, -1), ranks, strict=True):
            members = [self._kept[name] for name in rank]
            for kept in members:
                self._and_go_on(kept.terminate)
            self._await_end(members, max(until - later * RESERVE_S, time.monotonic() + 1.0))
            for kept in members:
                kept.kill()
            self._await_end(members, time.monotonic() + GRACE_AFTER_KILL_S, hurry=False)

    def _await_end(self, members: Sequence[Kept], until: float, *, hurry: bool = True) -> None:
        while any(not kept.has_ended for kept in members) and time.monotonic() < until:
            if hurry and self._hurry.is_set():
                return
            for kept in members:
                kept.tick(time.monotonic(), may_start=False)
            time.sleep(TICK_S / 4)

    def _announce(self, event: ChildEvent) -> None:
        with contextlib.suppress(OSError):  # a full disk must not end what still runs
            write_children(self._state.children, self.statuses())
        self._and_go_on(lambda: self._on_event(event))

    def _and_go_on(self, step: Callable[[], None]) -> None:
        try:
            step()
        except Exception:  # a listener's fault must leave no process behind
            log.exception("a step of the supervisor failed")


@contextmanager
def _handled(supervisor: Supervisor) -> Iterator[None]:
    """Let the stop signals stop the supervisor; outside the main thread Python cannot, and its owner does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_number: int, _frame: FrameType | None) -> None:
        supervisor.request_stop()

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ranks(children: Sequence[Child]) -> list[tuple[str, ...]]:
    """Sort children into ranks: each depends on earlier ones only."""
    names = {child.name for child in children}
    if len(names) < len(children):
        msg = f"`name` of each child must be its own, were {sorted(child.name for child in children)}"
        raise ValueError(msg)
    for child in children:
        if strangers := set(child.depends_on) - names:
            msg = f"`depends_on` of child {child.name!r} names no child: {sorted(strangers)}"
            raise ValueError(msg)
    order = TopologicalSorter({child.name: child.depends_on for child in children})
    order.prepare()
    ranks = []
    while order.is_active():
        rank = order.get_ready()
        ranks.append(rank)
        order.done(*rank)
    return ranks
