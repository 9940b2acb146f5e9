from __future__ import annotations

import io
import json

import pytest

from monitor.domain.errors import InvalidConfiguration
from monitor.notify import check
from monitor.notify.chat import ChatSender, chat_text
from monitor.notify.console import ConsoleSender
from monitor.notify.links import DashboardLinks
from monitor.notify.notices import Notice, notice_of
from monitor.notify.outcomes import SendFailed, Sent
from monitor.notify.receivers import ChatReceiver, ConsoleReceiver, EmailReceiver, Security, WebhookReceiver
from monitor.notify.senders import open_sender
from monitor.ports import OutboxRow
from tests.contracts.alert_examples import NOON, a_change, a_detail
from tests.notify.servers import SECRET, HttpStarter, Mailbox, Script, SmtpStarter, SystemClock

HOSTILE = "[bold red]x[/] \x1b[31m @everyone <!channel> \r\nnext"


def a_notice(title: str = "Acme Works misses its target") -> Notice:
    row = OutboxRow(1, "live", "key", "desk", a_change(), 0, NOON)
    detail = a_detail(row.change.alert, name=title, titles=(title, title, title))
    return notice_of(row, None, detail, DashboardLinks("https://watch.example.com"), NOON)


def test_the_console_gets_one_line() -> None:
    stream = io.StringIO()
    assert ConsoleSender(stream).send(a_notice("Acme"), "key") == Sent(detail="printed")
    assert stream.getvalue() == (
        "2026-03-02T12:00:00Z [critical] Negative opinion on Acme: 41 of 58 stories negative, 12 expected, "
        "once in 41 days https://watch.example.com/alerts/a1?run=live&from=2026-03-01T11:00:00Z"
        "&to=2026-03-02T16:00:00Z\n"
    )


def test_the_console_takes_nothing_for_markup_or_control() -> None:
    stream = io.StringIO()
    ConsoleSender(stream).send(a_notice(HOSTILE), "key")
    assert "[bold red]x[/]" in stream.getvalue()
    assert "\x1b" not in stream.getvalue()
    assert stream.getvalue().count("\n") == 1


def test_a_console_of_another_alphabet_and_a_closed_one_stop_nothing() -> None:
    narrow = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    assert isinstance(ConsoleSender(narrow).send(a_notice("Société Générale 株式"), "key"), Sent)
    closed = io.StringIO()
    closed.close()
    assert isinstance(ConsoleSender(closed).send(a_notice(), "key"), SendFailed)


def test_a_chat_message_calls_nobody() -> None:
    text = chat_text(a_notice(HOSTILE))
    assert "@everyone" not in text
    assert "<!channel>" not in text
    assert "\x1b" not in text


def test_chat_services_are_told_once_each(web: HttpStarter) -> None:
    good, flaky = Script(), Script([(503, {}, b""), (200, {}, b"")])
    urls = tuple(web(script).replace("http://", "json://") for script in (good, flaky))
    sender = ChatSender(ChatReceiver(name="chat", urls=urls))
    first = sender.send(a_notice(), "key")
    assert isinstance(first, SendFailed)
    assert first.reason.startswith("1 of 2 accepted it; ")
    assert "503" in first.reason
    assert sender.send(a_notice(), "key") == Sent(detail="2 of 2 services accepted it")
    assert (len(good.asked), len(flaky.asked)) == (1, 2)
    told = json.loads(good.asked[0].body)
    assert told["title"] == a_notice().subject
    assert "Acme Works misses its target" in told["message"]
    assert told["type"] == "failure"


def test_a_chat_service_that_is_down_is_named(free_port: int) -> None:
    outcome = ChatSender(ChatReceiver(name="chat", urls=(f"json://127.0.0.1:{free_port}/",))).send(a_notice(), "key")
    assert isinstance(outcome, SendFailed)
    assert not outcome.permanent
    assert "JSON did not" in outcome.reason


def test_an_unknown_chat_address_is_refused_without_telling_it(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    with pytest.raises(InvalidConfiguration, match=r"`urls\[0\]`") as refused:
        open_sender(ChatReceiver(name="chat", urls=("nosuch://T0KEN",)), SystemClock())
    assert "T0KEN" not in str(refused.value)
    assert "T0KEN" not in caplog.text


def test_a_wrong_authority_file_is_refused(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    path.write_text("no certificate")
    receiver = WebhookReceiver(name="hook", url="https://hooks.example.com", secret=SECRET, ca_file=str(path))
    with pytest.raises(InvalidConfiguration, match="`ca_file`"):
        open_sender(receiver, SystemClock())


def test_a_test_message_reaches_a_mailbox(smtp: SmtpStarter) -> None:
    mailbox = Mailbox()
    receiver = EmailReceiver(
        name="desk", host="127.0.0.1", port=smtp(mailbox), sender="watch@example.com", to=("desk@example.com",),
        security=Security.NONE,
    )  # fmt: skip
    report = check.test_receiver(receiver, SystemClock())
    assert (report.receiver, report.kind, report.ok) == ("desk", "email", True)
    assert "desk@example.com" in report.detail
    assert mailbox.accepted[0][1]["Subject"].startswith("[TEST] [warning] Negative opinion on Example Company")


def test_a_test_message_reaches_a_webhook_and_says_so_in_its_type(web: HttpStarter) -> None:
    script = Script()
    receiver = WebhookReceiver(name="hook", url=web(script), secret=SECRET, allow_private=True)
    assert check.test_receiver(receiver, SystemClock()).ok
    assert json.loads(script.asked[0].body)["type"] == "test"
    assert script.asked[0].headers["webhook-id"].startswith("test-")


def test_a_failed_test_says_why(free_port: int) -> None:
    receiver = WebhookReceiver(name="hook", url=f"http://127.0.0.1:{free_port}", secret=SECRET, allow_private=True)
    report = check.test_receiver(receiver, SystemClock())
    assert not report.ok
    assert "no connection to 127.0.0.1" in report.detail
    assert report.text.startswith("webhook receiver 'hook' was NOT told in 0.")


def test_a_test_message_reaches_the_console(capsys: pytest.CaptureFixture[str]) -> None:
    assert check.test_receiver(ConsoleReceiver(name="screen"), SystemClock()).ok
    assert "[TEST] [warning]" in capsys.readouterr().out
