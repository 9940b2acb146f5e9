from __future__ import annotations

import html.parser
import re
import ssl
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.domain.alerts import AlertState, Decision
from monitor.notify.check import example_notice
from monitor.notify.email import EmailSender, compose
from monitor.notify.links import DashboardLinks
from monitor.notify.notices import Notice, notice_of
from monitor.notify.outcomes import SendFailed, Sent
from monitor.notify.receivers import EmailReceiver, Security
from monitor.ports import OutboxRow
from tests.contracts.alert_examples import NOON, a_change, a_detail, an_alert
from tests.notify.servers import HandClock, Mailbox, SmtpStarter, SystemClock

DESK, BOSS = "desk@example.com", "boss@example.com"


def to_port(port: int, **more: Any) -> EmailReceiver:
    return EmailReceiver(
        **{
            "name": "desk", "host": "localhost", "port": port, "sender": "Bellwether <watch@example.com>",
            "to": (DESK,), "security": Security.NONE, "timeout_s": 5.0, **more,
        }
    )  # fmt: skip


def sender_to(port: int, **more: Any) -> EmailSender:
    return EmailSender(to_port(port, **more), SystemClock())


def a_notice(titles: tuple[str, str, str] | None = None, name: str = "Acme Works", **more: Any) -> Notice:
    change = a_change(**more)
    row = OutboxRow(1, "live", "key", "desk", change, 0, NOON)
    links = DashboardLinks("https://watch.example.com")
    return notice_of(row, None, a_detail(change.alert, name, titles), links, NOON)


def parts(message: EmailMessage) -> tuple[str, str]:
    plain, markup = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert markup is not None
    return plain.get_content(), markup.get_content()


def test_a_message_arrives_in_text_and_html(smtp: SmtpStarter) -> None:
    mailbox = Mailbox()
    outcome = sender_to(smtp(mailbox), to=(DESK, f"The boss <{BOSS}>")).send(a_notice(), "live-a1-1-desk")
    assert outcome == Sent(detail=f"localhost accepted it for {BOSS}, {DESK}")
    (recipients, message), *rest = mailbox.accepted
    assert not rest
    assert recipients == [DESK, BOSS]
    assert message["Subject"] == a_notice().subject
    assert message["From"] == "Bellwether <watch@example.com>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].datetime is not None
    for text in parts(message):
        for word in ("Negative opinion on Acme Works", "once in 41 days", "Acme Works recalls a lift", "few origins",
                     "https://news.example.com/story", "https://watch.example.com/alerts/a1?run=live"):  # fmt: skip
            assert word in text
        assert text.index("Acme Works misses its target") < re.search("the case against", text, re.I).start()  # type: ignore[union-attr]
        assert text.index("Acme Works hires") > re.search("the case against", text, re.I).start()  # type: ignore[union-attr]


def test_the_message_id_is_the_key_and_an_episode_is_one_thread() -> None:
    receiver = to_port(25)
    first, again = compose(a_notice(), "k1", receiver), compose(a_notice(), "k1", receiver)
    later = compose(a_notice(revision=2, decision=Decision.RESOLVED), "k2", receiver)
    assert first["Message-ID"] == again["Message-ID"] != later["Message-ID"]
    assert first["References"] == later["References"]


def test_a_simulated_alert_says_so_in_subject_and_body() -> None:
    message = compose(replace(a_notice(), simulated=True, run="demo", run_title="Demo feed"), "k", to_port(25))
    assert message["Subject"].startswith("[simulated] ")
    for text in parts(message):
        assert "SIMULATED" in text
        assert "Demo feed" in text


def test_a_resolution_by_hand_tells_who_and_why() -> None:
    notice = a_notice(
        decision=Decision.RESOLVED_BY_HAND, state=AlertState.RESOLVED, actor="Ada", note="old news", lasts_min=75
    )
    for text in parts(compose(notice, "k", to_port(25))):
        assert "RESOLVED" in text
        assert "Over after 1 h 15 min, resolved by Ada" in text
        assert "old news" in text


class _Tags(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)
        self.links += [value or "" for name, value in attrs if name in {"href", "src", "onclick", "onerror"}]


HOSTILE = "</title><script>alert(1)</script><img src=x onerror=alert(1)> \"' {{ 7*7 }} {% raw %}"


def test_hostile_titles_stay_text() -> None:
    notice = a_notice((HOSTILE, HOSTILE, HOSTILE), name=HOSTILE, actor=HOSTILE, note=HOSTILE)
    for decision in (Decision.FIRED, Decision.RESOLVED_BY_HAND):
        _, markup = parts(compose(replace(notice, decision=decision), "k", to_port(25)))
        tags = _Tags()
        tags.feed(markup)
        assert not tags.found & {"script", "img"}
        assert all(link.startswith("https://") for link in tags.links)
        assert "{{ 7*7 }}" in markup


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=90), st.text(max_size=90))
def test_no_title_can_add_a_header(title: str, name: str) -> None:
    hostile = f"{name}\r\nBcc: all@example.com\r\n\r\n{title}"
    message = compose(a_notice((hostile, title, name), name=hostile), "k", to_port(25))
    raw = message.as_bytes()
    head = raw.split(b"\r\n\r\n", 1)[0]
    names = [line.split(b":")[0].lower() for line in head.split(b"\r\n") if not line.startswith((b" ", b"\t"))]
    assert sorted(names) == sorted(
        [b"subject", b"from", b"to", b"message-id", b"references", b"auto-submitted", b"importance", b"mime-version",
         b"content-type"]
    )  # fmt: skip
    assert "\n" not in str(message["Subject"])


def test_starttls_encrypts_and_logs_in(
    smtp: SmtpStarter, server_tls: ssl.SSLContext, certificate: tuple[Path, Path]
) -> None:
    mailbox = Mailbox()
    port = smtp(
        mailbox, tls_context=server_tls, require_starttls=True, auth_required=True, authenticator=mailbox.authenticate
    )
    safe = {"security": Security.STARTTLS, "ca_file": str(certificate[0]), "user": "watch"}
    assert isinstance(sender_to(port, **safe, password="right").send(a_notice(), "k"), Sent)
    assert mailbox.encrypted == [True]
    refused = sender_to(port, **safe, password="wrong").send(a_notice(), "k")
    assert isinstance(refused, SendFailed)
    assert not refused.permanent
    assert "refused the login of watch: 535" in refused.reason
    assert "wrong" not in refused.reason
    assert set(mailbox.logins) == {"watch"}


def test_tls_encrypts_from_the_first_byte(
    smtp: SmtpStarter, server_tls: ssl.SSLContext, certificate: tuple[Path, Path]
) -> None:
    mailbox = Mailbox()
    port = smtp(mailbox, ssl_context=server_tls)
    assert isinstance(sender_to(port, security=Security.TLS, ca_file=str(certificate[0])).send(a_notice(), "k"), Sent)
    assert len(mailbox.accepted) == 1


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
def test_an_untrusted_certificate_is_refused(smtp: SmtpStarter, server_tls: ssl.SSLContext, security: Security) -> None:
    mailbox = Mailbox()
    options = {"ssl_context": server_tls} if security is Security.TLS else {"tls_context": server_tls}
    outcome = sender_to(smtp(mailbox, **options), security=security).send(a_notice(), "k")
    assert isinstance(outcome, SendFailed)
    assert "not trusted" in outcome.reason
    assert "`ca_file`" in outcome.reason
    assert not mailbox.accepted


def test_a_server_without_starttls_gets_nothing_in_the_clear(smtp: SmtpStarter) -> None:
    mailbox = Mailbox()
    outcome = sender_to(smtp(mailbox), security=Security.STARTTLS).send(a_notice(), "k")
    assert isinstance(outcome, SendFailed)
    assert not outcome.permanent
    assert "`security`" in outcome.reason
    assert not mailbox.accepted


def test_a_mailbox_refused_for_good_is_named_and_the_others_are_told(smtp: SmtpStarter) -> None:
    mailbox = Mailbox(answers={BOSS: "550 no such user"})
    outcome = sender_to(smtp(mailbox), to=(DESK, BOSS)).send(a_notice(), "k")
    assert outcome == Sent(detail=f"localhost accepted it for {DESK}; {BOSS} was refused: 550 no such user")
    assert [recipients for recipients, _ in mailbox.accepted] == [[DESK]]


def test_all_mailboxes_refused_for_good_is_final(smtp: SmtpStarter) -> None:
    outcome = sender_to(smtp(Mailbox(answers={DESK: "550 no such user"}))).send(a_notice(), "k")
    assert isinstance(outcome, SendFailed)
    assert outcome.permanent
    assert f"{DESK} was refused: 550 no such user" in outcome.reason


def test_a_mailbox_refused_for_now_is_tried_again_alone(smtp: SmtpStarter) -> None:
    mailbox = Mailbox(answers={BOSS: "451 greylisted"})
    sender = sender_to(smtp(mailbox), to=(DESK, BOSS))
    first = sender.send(a_notice(), "k")
    assert isinstance(first, SendFailed)
    assert not first.permanent
    mailbox.answers.clear()
    assert isinstance(sender.send(a_notice(), "k"), Sent)
    assert [recipients for recipients, _ in mailbox.accepted] == [[DESK], [BOSS]]


@pytest.mark.parametrize(("answer", "permanent"), [("554 spam", True), ("452 disk full", False)])
def test_a_refused_message_is_final_by_its_code(smtp: SmtpStarter, answer: str, permanent: bool) -> None:
    outcome = sender_to(smtp(Mailbox(on_message=answer))).send(a_notice(), "k")
    assert isinstance(outcome, SendFailed)
    assert outcome.permanent is permanent
    assert answer in outcome.reason


def test_a_server_that_is_down_is_named(free_port: int) -> None:
    outcome = sender_to(free_port).send(a_notice(), "k")
    assert isinstance(outcome, SendFailed)
    assert not outcome.permanent
    assert f"no connection to localhost:{free_port}" in outcome.reason


def test_a_host_that_does_not_exist_is_named() -> None:
    outcome = sender_to(25, host="mail.invalid", allow_plain=True).send(a_notice(), "k")
    assert isinstance(outcome, SendFailed)
    assert not outcome.permanent
    assert "mail.invalid" in outcome.reason


def test_the_example_is_marked_as_a_test() -> None:
    message = compose(example_notice(HandClock()), "k", to_port(25))
    assert message["Subject"].startswith("[TEST] ")
    assert all("TEST" in text for text in parts(message))


def test_without_documents_the_message_says_so() -> None:
    row = OutboxRow(1, "live", "key", "desk", a_change(), 0, NOON)
    notice = notice_of(row, None, None, DashboardLinks(""), NOON)
    for text in parts(compose(notice, "k", to_port(25))):
        assert "The documents are not in the store" in text
        assert "http" not in text
    assert an_alert().id in parts(compose(notice, "k", to_port(25)))[0]
