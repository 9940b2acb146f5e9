from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from standardwebhooks import Webhook
from structlog.testing import capture_logs

from monitor.domain.alerts import Decision
from monitor.domain.errors import InvalidConfiguration, StoreUnavailable
from monitor.notify.notices import Notice
from monitor.notify.notifier import Notifier
from monitor.notify.outcomes import Outcome, SendFailed, Sent
from monitor.notify.receivers import ConsoleReceiver, EmailReceiver, Receiver, Security, WebhookReceiver
from monitor.ports import Clock, OutboxRow
from tests.contracts.alert_examples import NOON, a_change
from tests.contracts.memory_outbox import MemoryOutbox
from tests.notify.servers import (
    SECRET,
    FakeReader,
    HandClock,
    HttpStarter,
    Mailbox,
    Script,
    SmtpStarter,
    SystemClock,
)

LIMIT_S = 10.0


@dataclass
class FakeSender:
    """Takes everything, or answers as told; `gate` holds it up."""

    outcomes: list[Outcome] = field(default_factory=list)
    told: list[tuple[str, int]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    gate: threading.Event | None = None
    begun: threading.Event = field(default_factory=threading.Event)
    closed: bool = False

    def send(self, notice: Notice, key: str) -> Outcome:
        self.begun.set()
        if self.gate:
            self.gate.wait(LIMIT_S)
        self.keys.append(key)
        outcome = self.outcomes.pop(0) if self.outcomes else Sent(detail="ok")
        if isinstance(outcome, Sent):
            self.told.append((notice.alert.id, notice.alert.revision))
        return outcome

    def close(self) -> None:
        self.closed = True


@dataclass
class Desk:
    """A notifier with fakes around it."""

    outbox: MemoryOutbox = field(default_factory=MemoryOutbox)
    reader: FakeReader = field(default_factory=FakeReader)
    clock: HandClock = field(default_factory=HandClock)
    senders: dict[str, FakeSender] = field(default_factory=dict)
    open: list[Notifier] = field(default_factory=list)
    stops: list[threading.Event] = field(default_factory=list)

    def notifier(self, *names: str, grace_s: float = 5.0, outbox: MemoryOutbox | None = None) -> Notifier:
        def open_fake(receiver: Receiver, clock: Clock) -> FakeSender:
            return self.senders.setdefault(receiver.name, FakeSender())

        receivers = [ConsoleReceiver(name=name) for name in names]
        notifier = Notifier(
            outbox or self.outbox, self.reader, receivers, self.clock,
            poll_s=0.01, grace_s=grace_s, store_wait_s=0.01, luck=lambda: 0.5, open_sender=open_fake,
        )  # type: ignore[arg-type]  # fmt: skip
        self.open.append(notifier)
        return notifier

    def running(self, notifier: Notifier, stop: threading.Event) -> threading.Thread:
        """Run a notifier in a thread that ends with the test, whatever becomes of it."""
        self.stops.append(stop)
        thread = threading.Thread(target=notifier.run_until, args=(stop,), daemon=True)
        thread.start()
        return thread


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    yield desk
    for stop in desk.stops:
        stop.set()
    for sender in desk.senders.values():
        if sender.gate:
            sender.gate.set()
    for notifier in desk.open:
        notifier.close()


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        threading.Event().wait(0.005)


def test_due_rows_are_sent_and_closed(desk: Desk) -> None:
    notifier = desk.notifier("mail", "hook")
    desk.outbox.tell(a_change("a"), "mail", NOON)
    desk.outbox.tell(a_change("a"), "hook", NOON)
    assert notifier.drain_once() == 2
    assert notifier.drain_once() == 0
    assert desk.senders["mail"].told == desk.senders["hook"].told == [("a", 1)]
    assert desk.outbox.open_rows == 0
    assert desk.outbox.log_of("mail") == [("delivered", "ok")]


def test_a_failure_is_tried_again_later_with_the_same_key(desk: Desk) -> None:
    desk.senders["mail"] = FakeSender([SendFailed(reason="450 later"), SendFailed(reason="450 later")])
    notifier = desk.notifier("mail")
    desk.outbox.tell(a_change(), "mail", NOON)
    notifier.drain_once()
    assert notifier.drain_once() == 0
    desk.clock.advance(3.7)
    assert notifier.drain_once() == 0
    desk.clock.advance(0.1)
    assert notifier.drain_once() == 1
    desk.clock.advance(7.5)
    assert notifier.drain_once() == 1
    assert len(set(desk.senders["mail"].keys)) == 1
    assert [outcome for outcome, _ in desk.outbox.log_of("mail")] == ["failed", "failed", "delivered"]


def test_retry_after_is_honoured(desk: Desk) -> None:
    desk.senders["hook"] = FakeSender([SendFailed(reason="429", retry_after_s=100.0)])
    notifier = desk.notifier("hook")
    desk.outbox.tell(a_change(), "hook", NOON)
    notifier.drain_once()
    desk.clock.advance(99)
    assert notifier.drain_once() == 0
    desk.clock.advance(1)
    assert notifier.drain_once() == 1


def test_a_final_refusal_is_given_up_with_a_word(desk: Desk) -> None:
    desk.senders["mail"] = FakeSender([SendFailed(reason="550 no such user", permanent=True)])
    notifier = desk.notifier("mail")
    desk.outbox.tell(a_change(), "mail", NOON)
    with capture_logs() as logs:
        notifier.drain_once()
    assert desk.outbox.log_of("mail") == [("gave up", "550 no such user")]
    assert [entry["event"] for entry in logs] == ["gave up telling an alert"]
    assert logs[0]["reason"] == "550 no such user"


def test_after_three_days_it_gives_up(desk: Desk) -> None:
    desk.senders["mail"] = FakeSender([SendFailed(reason="down")] * 500)
    notifier = desk.notifier("mail")
    desk.outbox.tell(a_change(), "mail", NOON)
    while desk.outbox.open_rows:
        desk.clock.at = desk.outbox.kept[0].due_at or desk.clock.at
        assert notifier.drain_once() == 1
    assert desk.clock.at == NOON + timedelta(days=3)
    assert desk.outbox.log_of("mail")[-1] == ("gave up", "down")


def test_a_receiver_that_is_gone_is_closed_and_asked_no_more(desk: Desk) -> None:
    desk.senders["hook"] = FakeSender([SendFailed(reason="answered 410 Gone", permanent=True, closes=True)])
    notifier = desk.notifier("hook")
    desk.outbox.tell(a_change("a"), "hook", NOON)
    notifier.drain_once()
    desk.outbox.tell(a_change("b"), "hook", NOON)
    notifier.drain_once()
    assert len(desk.senders["hook"].keys) == 1
    assert desk.outbox.log_of("hook") == [("gave up", "answered 410 Gone")] * 2


def test_a_row_of_a_receiver_that_is_not_configured_waits_for_it(desk: Desk) -> None:
    desk.outbox.tell(a_change(), "pager", NOON)
    desk.notifier("mail").drain_once()
    ((outcome, reason),) = desk.outbox.log_of("pager")
    assert (outcome, "'pager' is not configured" in reason) == ("failed", True)
    desk.clock.advance(5)
    desk.notifier("pager").drain_once()
    assert desk.senders["pager"].told == [("a1", 1)]


def test_revisions_of_an_alert_arrive_in_order_though_the_first_one_fails(desk: Desk) -> None:
    desk.senders["mail"] = FakeSender([SendFailed(reason="450 later")])
    notifier = desk.notifier("mail")
    desk.outbox.tell(a_change("a", 1), "mail", NOON)
    desk.outbox.tell(a_change("a", 2, Decision.ESCALATED), "mail", NOON)
    desk.outbox.tell(a_change("b", 1), "mail", NOON)
    for _ in range(6):
        notifier.drain_once()
        desk.clock.advance(2)
    assert desk.senders["mail"].told == [("b", 1), ("a", 1), ("a", 2)]


def test_a_dead_receiver_delays_nobody_else_however_long_its_queue(desk: Desk) -> None:
    gate = threading.Event()
    desk.senders["mail"] = FakeSender(gate=gate)
    notifier = desk.notifier("mail", "hook")
    for number in range(300):
        desk.outbox.tell(a_change(f"a{number}"), "mail", NOON)
    desk.outbox.tell(a_change("z"), "hook", NOON + timedelta(seconds=1))
    desk.clock.advance(2)
    stop = threading.Event()
    thread = desk.running(notifier, stop)
    wait_for(lambda: desk.senders["hook"].told == [("z", 1)])
    assert desk.senders["mail"].told == []
    gate.set()
    wait_for(lambda: desk.outbox.open_rows == 0)
    stop.set()
    thread.join(LIMIT_S)
    assert len(desk.senders["mail"].told) == len(set(desk.senders["mail"].told)) == 300


class _Stale(MemoryOutbox):
    """Reads, then something happens, then it answers with what it read."""

    meanwhile: Callable[[], None] | None = None

    def due(self, now: datetime, limit: int = 50) -> list[OutboxRow]:
        rows = super().due(now, limit)
        if self.meanwhile:
            self.meanwhile()
        return rows


def test_a_row_that_lands_while_the_outbox_is_read_is_not_sent_again(desk: Desk) -> None:
    outbox, gate = _Stale(), threading.Event()
    desk.senders["mail"] = FakeSender(gate=gate)
    notifier = desk.notifier("mail", outbox=outbox)
    outbox.tell(a_change(), "mail", NOON)
    first = threading.Thread(target=notifier.drain_once, daemon=True)
    first.start()
    assert desk.senders["mail"].begun.wait(LIMIT_S)

    def land() -> None:
        gate.set()
        first.join(LIMIT_S)

    outbox.meanwhile = land
    assert notifier.drain_once() == 0
    assert desk.senders["mail"].told == [("a1", 1)]


def test_it_stops_within_its_grace_though_a_receiver_hangs(desk: Desk) -> None:
    desk.senders["mail"] = FakeSender(gate=threading.Event())
    notifier = desk.notifier("mail", grace_s=0.2)
    desk.outbox.tell(a_change(), "mail", NOON)
    stop = threading.Event()
    thread = desk.running(notifier, stop)
    assert desk.senders["mail"].begun.wait(LIMIT_S)
    begun = time.monotonic()
    stop.set()
    thread.join(LIMIT_S)
    assert not thread.is_alive()
    assert time.monotonic() - begun < 2.0
    assert desk.outbox.open_rows == 1


def test_a_restart_neither_loses_nor_repeats(desk: Desk) -> None:
    for number in range(4):
        desk.outbox.tell(a_change(f"a{number}"), "mail", NOON)
    desk.senders["mail"] = FakeSender([Sent(detail="ok"), Sent(detail="ok"), SendFailed(reason="450")])
    desk.notifier("mail").drain_once()
    desk.clock.advance(10)
    assert desk.notifier("mail", outbox=desk.outbox.reopened()).drain_once() == 1
    assert desk.notifier("mail", outbox=desk.outbox.reopened()).drain_once() == 0
    assert sorted(desk.senders["mail"].told) == [("a0", 1), ("a1", 1), ("a2", 1), ("a3", 1)]


class _Crashing(MemoryOutbox):
    """Dies between the sending and the record of it."""

    def delivered(self, *args: object) -> None:
        msg = "the process is gone"
        raise RuntimeError(msg)


def test_a_crash_between_sending_and_recording_repeats_the_same_key(desk: Desk) -> None:
    desk.outbox.tell(a_change(), "mail", NOON)
    desk.notifier("mail", outbox=_Crashing(desk.outbox.kept)).drain_once()
    desk.notifier("mail", outbox=desk.outbox.reopened()).drain_once()
    keys = desk.senders["mail"].keys
    assert len(keys) == 2
    assert len(set(keys)) == 1


class _Flaky(MemoryOutbox):
    """Loses its database for the first `misses` records."""

    misses = 5

    def delivered(self, *args: object) -> None:
        if self.misses:
            self.misses -= 1
            msg = "away"
            raise StoreUnavailable(msg)
        super().delivered(*args)  # type: ignore[arg-type]


def test_a_sent_row_waits_for_the_store_and_is_not_sent_again(desk: Desk) -> None:
    outbox = _Flaky()
    outbox.tell(a_change(), "mail", NOON)
    desk.notifier("mail", outbox=outbox).drain_once()
    assert desk.senders["mail"].told == [("a1", 1)]
    assert outbox.log_of("mail") == [("delivered", "ok")]


def test_a_store_that_is_away_is_waited_for_and_named_once(desk: Desk) -> None:
    desk.outbox.tell(a_change(), "mail", NOON)
    desk.outbox.unavailable = True
    notifier = desk.notifier("mail")
    stop = threading.Event()
    with capture_logs() as logs:
        thread = desk.running(notifier, stop)
        wait_for(lambda: bool(logs))
        assert notifier.progressed_at is None
        desk.outbox.unavailable = False
        wait_for(lambda: desk.outbox.open_rows == 0)
        stop.set()
        thread.join(LIMIT_S)
    events = [entry["event"] for entry in logs]
    assert events[0] == "the store does not answer; the outbox waits"
    assert sorted(events[1:]) == ["alert told", "the store answers again; the outbox goes on"]
    assert notifier.progressed_at == NOON
    assert desk.senders["mail"].closed


def test_evidence_that_cannot_be_read_now_is_waited_for(desk: Desk) -> None:
    desk.reader.unavailable = True
    notifier = desk.notifier("mail")
    desk.outbox.tell(a_change(), "mail", NOON)
    drain = threading.Thread(target=notifier.drain_once, daemon=True)
    with capture_logs() as logs:
        drain.start()
        wait_for(lambda: bool(logs))
        desk.reader.unavailable = False
        drain.join(LIMIT_S)
    assert desk.senders["mail"].told == [("a1", 1)]
    assert desk.outbox.log_of("mail") == [("delivered", "ok")]


class _Broken(FakeSender):
    def send(self, notice: Notice, key: str) -> Outcome:
        if notice.alert.id == "bad":
            msg = "no words for this"
            raise KeyError(msg)
        return super().send(notice, key)


def test_a_fault_in_one_notice_stops_no_other(desk: Desk) -> None:
    desk.senders["mail"] = _Broken()
    notifier = desk.notifier("mail")
    desk.outbox.tell(a_change("bad"), "mail", NOON)
    desk.outbox.tell(a_change("good"), "mail", NOON)
    notifier.drain_once()
    assert desk.senders["mail"].told == [("good", 1)]
    assert desk.outbox.log_of("mail")[0] == ("failed", "fault in Bellwether: KeyError: 'no words for this'")


def test_two_receivers_of_one_name_are_refused(desk: Desk) -> None:
    with pytest.raises(InvalidConfiguration, match="`receivers` must have different names, 'mail'"):
        desk.notifier("mail", "mail")


def test_a_webhook_that_fails_once_gets_the_same_id_twice_and_mail_arrives(
    web: HttpStarter, smtp: SmtpStarter, free_port: int
) -> None:
    script = Script([(500, {}, b"oops"), (200, {}, b"")])
    mailbox = Mailbox()
    outbox, clock = MemoryOutbox(), HandClock(SystemClock().now())
    mail = {"sender": "watch@example.com", "to": ("desk@example.com",), "security": Security.NONE, "host": "127.0.0.1"}
    receivers: list[Receiver] = [
        WebhookReceiver(name="hook", url=web(script), secret=SECRET, allow_private=True),
        EmailReceiver(name="mail", port=smtp(mailbox), **mail),  # type: ignore[arg-type]
        EmailReceiver(name="dead", port=free_port, **mail),  # type: ignore[arg-type]
    ]
    notifier = Notifier(outbox, FakeReader(), receivers, clock, base_url="https://watch.example.com")  # type: ignore[arg-type]
    for receiver in receivers:
        outbox.tell(a_change(), receiver.name, clock.now())
    notifier.drain_once()
    clock.advance(5)
    notifier.drain_once()
    notifier.close()
    first, second = script.asked
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    body = Webhook(SECRET).verify(second.body, second.headers)
    assert body["alert"]["id"] == "a1"
    assert [outcome for outcome, _ in outbox.log_of("hook")] == ["failed", "delivered"]
    assert len(mailbox.accepted) == 1
    assert {outcome for outcome, _ in outbox.log_of("dead")} == {"failed"}
