from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec
import pytest
from standardwebhooks import Webhook
from structlog.testing import capture_logs

from monitor.notify.heartbeat import Heartbeat, ProgressReport
from monitor.notify.receivers import WebhookReceiver
from monitor.notify.webhook_body import HeartbeatBody
from tests.notify.servers import SECRET, HttpStarter, Script, SystemClock


class Progress:
    """Everything moved just now, unless told otherwise."""

    def __init__(self) -> None:
        self.changes: dict[str, datetime | None] = {}
        self.fault: Exception | None = None

    def __call__(self) -> ProgressReport:
        if self.fault:
            raise self.fault
        now = SystemClock().now()
        return ProgressReport(**{"ticks_at": now, "classified_at": now, "outbox_at": now, **self.changes})


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def progress() -> Progress:
    return Progress()


@pytest.fixture
def heartbeat(web: HttpStarter, script: Script, progress: Progress) -> Iterator[Heartbeat]:
    receiver = WebhookReceiver(name="watchdog", url=web(script), secret=SECRET, allow_private=True)
    heartbeat = Heartbeat(receiver, progress, SystemClock(), every_s=0.01)
    yield heartbeat
    stopped = threading.Event()
    stopped.set()
    heartbeat.run_until(stopped)


def test_a_beat_is_signed_and_says_how_far_all_is(heartbeat: Heartbeat, script: Script) -> None:
    assert heartbeat.beat_once() == ""
    (asked,) = script.asked
    assert Webhook(SECRET).verify(asked.body, asked.headers)["type"] == "heartbeat"
    assert msgspec.json.decode(asked.body, type=HeartbeatBody).run == "live"


@pytest.mark.parametrize(
    ("step", "words"), [("ticks_at", "ticks"), ("classified_at", "classification"), ("outbox_at", "the outbox")]
)
def test_no_beat_leaves_while_a_step_stands_still(
    heartbeat: Heartbeat, script: Script, progress: Progress, step: str, words: str
) -> None:
    progress.changes[step] = SystemClock().now() - timedelta(seconds=181)
    assert f"{words} did not move since" in heartbeat.beat_once()
    progress.changes[step] = None
    assert heartbeat.beat_once() == f"{words} never moved"
    assert not script.asked


def test_not_to_know_is_to_be_silent(heartbeat: Heartbeat, script: Script, progress: Progress) -> None:
    progress.fault = OSError("the database is away")
    assert "the database is away" in heartbeat.beat_once()
    assert not script.asked


def test_why_it_is_silent_is_logged_once_per_change(heartbeat: Heartbeat, script: Script, progress: Progress) -> None:
    script.answers = [(503, {}, b""), (503, {}, b""), (200, {}, b"")]
    with capture_logs() as logs:
        for _ in range(4):
            heartbeat.beat_once()
        progress.changes["ticks_at"] = None
        for _ in range(3):
            heartbeat.beat_once()
    assert [(entry["event"], entry.get("reason")) for entry in logs] == [
        ("heartbeat does not go out", "receiver answered 503 Service Unavailable"),
        ("heartbeat goes out again", None),
        ("heartbeat does not go out", "ticks never moved"),
    ]


def test_it_beats_until_it_is_stopped(heartbeat: Heartbeat, script: Script) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=heartbeat.run_until, args=(stop,), daemon=True)
    thread.start()
    while len(script.asked) < 3:
        threading.Event().wait(0.005)
    stop.set()
    thread.join(5)
    assert not thread.is_alive()
