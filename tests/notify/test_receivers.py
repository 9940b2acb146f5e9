from __future__ import annotations

from typing import Any

import pytest

from monitor.domain.errors import InvalidConfiguration
from monitor.notify.receivers import ChatReceiver, ConsoleReceiver, EmailReceiver, Security, WebhookReceiver, kind_of
from tests.notify.servers import SECRET

EMAIL: dict[str, Any] = {
    "name": "desk", "host": "mail.example.com", "port": 587, "sender": "Bellwether <watch@example.com>",
    "to": ("desk@example.com",), "user": "watch", "password": "hunter2-secret",
}  # fmt: skip
WEBHOOK: dict[str, Any] = {"name": "hook", "url": "https://hooks.example.com/T0KEN", "secret": SECRET}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "Desk 1"),
        ("host", ""),
        ("host", "smtp://mail.example.com"),
        ("port", 0),
        ("port", "587"),
        ("port", True),
        ("to", "desk@example.com"),
        ("to", (1,)),
        ("allow_plain", "yes"),
        ("timeout_s", "10"),
        ("timeout_s", float("nan")),
        ("port", 65536),
        ("security", "ssl"),
        ("sender", "nobody"),
        ("sender", "watch@example.com\r\nBcc: all@example.com"),
        ("to", ()),
        ("to", ("desk@example.com", "two words@example.com")),
        ("timeout_s", 0),
        ("timeout_s", 600),
        ("password", ""),
        ("user", ""),
        ("security", Security.NONE),
    ],
)
def test_a_wrong_email_receiver_is_refused_by_field(field: str, value: object) -> None:
    with pytest.raises(InvalidConfiguration, match=f"receiver '.*': `{field}`"):
        EmailReceiver(**{**EMAIL, field: value})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "-"),
        ("url", "ftp://hooks.example.com"),
        ("url", "https://"),
        ("url", "http://hooks.example.com/"),
        ("url", "https://hooks.example.com:99999/"),
        ("url", "https://hooks.example.com/a b"),
        ("secret", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        ("secret", "whsec_short"),
        ("secret", "whsec_!!!!KQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        ("timeout_s", -1),
    ],
)
def test_a_wrong_webhook_receiver_is_refused_by_field(field: str, value: object) -> None:
    with pytest.raises(InvalidConfiguration, match=f"receiver '.*': `{field}`"):
        WebhookReceiver(**{**WEBHOOK, field: value})


def test_plain_smtp_is_allowed_to_this_machine_and_where_it_is_said_so() -> None:
    near = EmailReceiver(**{**EMAIL, "host": "127.0.0.1", "security": Security.NONE})
    far = EmailReceiver(**{**EMAIL, "security": Security.NONE, "allow_plain": True})
    assert near.security is far.security is Security.NONE


def test_chat_addresses_are_refused_by_number() -> None:
    with pytest.raises(InvalidConfiguration, match=r"`urls\[1\]`"):
        ChatReceiver(name="chat", urls=("json://localhost", "localhost"))
    with pytest.raises(InvalidConfiguration, match="`urls`"):
        ChatReceiver(name="chat", urls=())


def test_no_secret_shows() -> None:
    shown = repr((EmailReceiver(**EMAIL), WebhookReceiver(**WEBHOOK), ChatReceiver(name="c", urls=("slack://T0KEN",))))
    for secret in ("hunter2-secret", SECRET, SECRET.removeprefix("whsec_"), "T0KEN"):
        assert secret not in shown


def test_a_refusal_does_not_tell_the_secret() -> None:
    with pytest.raises(InvalidConfiguration) as refused:
        WebhookReceiver(**{**WEBHOOK, "secret": "whsec_tooshort"})
    assert "tooshort" not in str(refused.value)
    with pytest.raises(InvalidConfiguration) as refused:
        WebhookReceiver(**{**WEBHOOK, "url": "ftp://hooks.example.com/T0KEN"})
    assert "T0KEN" not in str(refused.value)


def test_kinds_have_names() -> None:
    kinds = [EmailReceiver(**EMAIL), WebhookReceiver(**WEBHOOK), ConsoleReceiver(name="c")]
    assert [kind_of(receiver) for receiver in kinds] == ["email", "webhook", "console"]
