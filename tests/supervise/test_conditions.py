"""What the dashboard says of the processes: nothing where nobody supervises, and in words where one is down."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from monitor.bootstrap.conditions import conditions
from monitor.supervise.children import ChildState, ChildStatus, write_children
from monitor.supervise.state import StateFolder, StateLock

SINCE = datetime(2026, 3, 2, 9, 30, 12, tzinfo=UTC)


def folder_with(tmp_path: Path, *statuses: ChildStatus) -> StateFolder:
    folder = StateFolder(tmp_path / "state").create()
    write_children(folder.children, statuses)
    return folder


def test_what_is_down_is_not_well_and_says_why(tmp_path: Path) -> None:
    folder = folder_with(
        tmp_path,
        ChildStatus(name="crawler", state=ChildState.RUNNING, since=SINCE, pid=1, restarts=2),
        ChildStatus(name="notifier", state=ChildState.GIVEN_UP, since=SINCE, last_reason="exit code 2"),
        ChildStatus(name="dashboard", state=ChildState.STARTING, since=SINCE),
    )
    with StateLock(folder):
        told = conditions(folder)
    assert [(one.name, one.well) for one in told] == [("crawler", True), ("notifier", False), ("dashboard", True)]
    assert told[0].words == "running since 2026-03-02T09:30:00Z, started again 2 times"
    assert told[1].words == "given up since 2026-03-02T09:30:00Z: exit code 2"


def test_without_a_supervisor_nothing_is_said(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, ChildStatus(name="crawler", state=ChildState.GIVEN_UP, since=SINCE))
    assert conditions(folder) == []
