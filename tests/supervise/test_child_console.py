"""The terminal shows troubles and changes, and nothing that a web page smuggled into a log line."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from monitor.supervise.children import ChildEvent, ChildState, ChildStatus
from monitor.supervise.console import ChildConsole, needs_attention


@pytest.fixture
def printed():
    return io.StringIO()


@pytest.fixture
def shown(printed) -> ChildConsole:
    console = Console(file=printed, width=200, soft_wrap=True, highlight=False)
    return ChildConsole(["kafka", "worker"], Path("state/logs"), console=console)


@pytest.mark.parametrize(
    ("line", "needs"),
    [
        ("2026-01-01 [warning  ] source is slow", True),
        ('{"event": "x", "level": "error"}', True),
        ("2026-01-01T00:00:00 ERROR KafkaServer died", True),
        ("level=critical msg=x", True),
        ("Traceback (most recent call last):", True),
        ("2026-01-01 [info     ] classified 200 documents", False),
        ('{"event": "markets warn of error", "level": "info"}', False),
    ],
)
def test_warnings_and_worse_need_attention(line, needs):
    assert needs_attention(line) is needs


def test_a_traceback_is_shown_to_its_last_line_and_not_further(shown, printed):
    for line in ("quiet", "Traceback (most recent call last):", '  File "x.py", line 1', "ValueError: no", "quiet"):
        shown.on_line("worker", line)
    assert printed.getvalue().splitlines() == [
        "worker | Traceback (most recent call last):",
        'worker |   File "x.py", line 1',
        "worker | ValueError: no",
    ]


def test_control_characters_and_markup_of_a_line_stay_text(shown, printed):
    shown.on_line("kafka", "ERROR \x1b]0;owned\x07[bold]title[/bold]")
    assert printed.getvalue() == "kafka  | ERROR \ufffd]0;owned\ufffd[bold]title[/bold]\n"


def test_a_child_that_was_given_up_names_reason_log_and_way_out(shown, printed):
    status = ChildStatus(
        name="worker", state=ChildState.GIVEN_UP, since=datetime.now(UTC), last_reason="exit code 3: no space left"
    )
    shown.on_event(ChildEvent(status=status))
    assert "exit code 3: no space left" in printed.getvalue()
    assert "see state/logs/worker.log, mend it, start again" in printed.getvalue()


def test_a_restart_tells_its_reason_and_pause(shown, printed):
    status = ChildStatus(
        name="worker", state=ChildState.BACKING_OFF, since=datetime.now(UTC), last_reason="killed by SIGKILL"
    )
    shown.on_event(ChildEvent(status=status, pause_s=1.25))
    assert printed.getvalue() == "worker | died (killed by SIGKILL); again in 1.2 s\n"
