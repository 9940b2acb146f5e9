"""How the processes of this machine's monitor do, in words for the dashboard."""

from __future__ import annotations

from dashboard.desk import Condition
from monitor.domain.timespans import utc_text
from monitor.supervise.children import ChildState, ChildStatus, read_children
from monitor.supervise.state import StateFolder, supervisor_pid

__all__ = ["conditions"]

_ILL = frozenset({ChildState.BACKING_OFF, ChildState.GIVEN_UP})
"""Said on every page; what only starts or ends is not."""


def conditions(folder: StateFolder) -> list[Condition]:
    """Return how each process of `bellwether up` does; nothing where none supervises (each was started by hand)."""
    statuses = read_children(folder.children)
    if not statuses or supervisor_pid(folder) is None:
        return []
    return [Condition(name=each.name, well=each.state not in _ILL, words=_words(each)) for each in statuses]


def _words(status: ChildStatus) -> str:
    said = f"{status.state} since {utc_text(status.since.replace(second=0, microsecond=0))}"
    times = f", started again {status.restarts} times" if status.restarts else ""
    reason = f": {status.last_reason}" if status.last_reason and status.state in _ILL else ""
    return f"{said}{times}{reason}"
