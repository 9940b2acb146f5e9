from __future__ import annotations

import json
import math
import ssl
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from monitor.notify.links import DashboardLinks
from monitor.notify.notices import Notice, notice_of
from monitor.notify.outcomes import Outcome, SendFailed, Sent
from monitor.notify.receivers import WebhookReceiver
from monitor.notify.webhook import WebhookSender, resolve
from monitor.notify.webhook_body import WebhookBody, body_of, schema
from monitor.ports import OutboxRow
from tests.contracts.alert_examples import NOON, a_change, a_detail, a_surprise, an_alert
from tests.notify.servers import SECRET, HttpStarter, Script, SystemClock


def a_notice(**more: Any) -> Notice:
    change = a_change(**more)
    row = OutboxRow(1, "live", "key", "hook", change, 0, NOON)
    return notice_of(row, None, a_detail(change.alert), DashboardLinks("https://watch.example.com"), NOON)


def send(url: str, notice: Notice | None = None, key: str = "live-a1-1-hook", **more: Any) -> Outcome:
    given: dict[str, Any] = {"timeout_s": 5.0, "allow_private": True, **more}
    resolver = given.pop("resolver", resolve)
    sender = WebhookSender(WebhookReceiver(name="hook", url=url, secret=SECRET, **given), SystemClock(), resolver)
    try:
        return sender.send(notice or a_notice(), key)
    finally:
        sender.close()


def test_a_post_is_signed_and_its_id_is_the_key(web: HttpStarter) -> None:
    script = Script()
    assert send(web(script)) == Sent(detail="answered 200")
    (asked,) = script.asked
    headers = {name.lower(): value for name, value in asked.headers.items()}
    assert headers["webhook-id"] == "live-a1-1-hook"
    assert headers["content-type"] == "application/json"
    body = Webhook(SECRET).verify(asked.body, headers)
    assert body["type"] == "alert"
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(asked.body.replace(b"critical", b"info"), headers)
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + "A" * 32).verify(asked.body, headers)


def test_the_body_holds_the_alert_its_documents_and_the_link(web: HttpStarter) -> None:
    script = Script()
    send(web(script))
    body = json.loads(script.asked[0].body)
    assert msgspec.json.decode(script.asked[0].body, type=WebhookBody) == body_of(a_notice())
    assert body["version"] == 1
    assert body["run"] == {"name": "live", "title": "live", "simulated": False}
    assert body["decision"] == "fired"
    alert = body["alert"]
    assert (alert["id"], alert["revision"], alert["series"], alert["severity"]) == ("a1", 1, "entity:ACME", "critical")
    assert (alert["observed"], alert["expected"], alert["interval"], alert["once_in_days"]) == (41, 12.2, [5, 20], 41.0)
    assert (alert["window_start"], alert["opened_at"]) == ("2026-03-02T11:00:00Z", "2026-03-02T12:00:00Z")
    assert alert["flags"] == ["few origins"]
    assert [(document["id"], document["side"]) for document in body["documents"]] == [
        ("n1", "for"), ("n2", "for"), ("p1", "against"),
    ]  # fmt: skip
    assert body["link"].startswith("https://watch.example.com/alerts/a1?run=live&")


def test_the_schema_beside_the_code_is_that_of_the_types() -> None:
    kept = json.loads(files("monitor.notify").joinpath("webhook.schema.json").read_text(encoding="utf-8"))
    assert kept == schema(), (
        "webhook.schema.json is out of date; write json.dumps(monitor.notify.webhook_body.schema(), indent=2) to it, "
        "and raise VERSION if a field changed its meaning or went"
    )


def test_the_schema_names_every_field_that_is_sent() -> None:
    defs = schema()["$defs"]
    assert isinstance(defs, dict)
    body = msgspec.to_builtins(body_of(a_notice()))
    for name, sent in (("WebhookBody", body), ("AlertBody", body["alert"]), ("DocumentBody", body["documents"][0])):
        assert set(sent) == set(defs[name]["required"]) == set(defs[name]["properties"])


def test_a_rarity_without_a_number_is_null() -> None:
    notice = a_notice()
    endless = replace(notice.alert, surprise=replace(a_surprise(), once_in_days=math.inf))
    assert body_of(replace(notice, alert=endless)).alert.once_in_days is None


def test_a_simulated_run_is_marked() -> None:
    body = body_of(replace(a_notice(), simulated=True))
    assert body.simulated
    assert body.run.simulated
    assert body.summary.startswith("[simulated] ")


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503])
def test_an_answer_that_may_change_is_asked_again(web: HttpStarter, status: int) -> None:
    outcome = send(web(Script([(status, {}, b"later")])))
    assert isinstance(outcome, SendFailed)
    assert not outcome.permanent
    assert f"answered {status}" in outcome.reason
    assert outcome.reason.endswith("later")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 413, 422])
def test_a_refusal_is_final(web: HttpStarter, status: int) -> None:
    outcome = send(web(Script([(status, {}, b"")])))
    assert isinstance(outcome, SendFailed)
    assert outcome.permanent
    assert not outcome.closes


def test_gone_closes_the_receiver(web: HttpStarter) -> None:
    outcome = send(web(Script([(410, {}, b"")])))
    assert isinstance(outcome, SendFailed)
    assert outcome.permanent
    assert outcome.closes


@pytest.mark.parametrize(
    ("headers", "wish_s"),
    [
        ({"retry-after": "120"}, 120.0),
        ({"retry-after": "Mon, 02 Mar 2099 12:00:00 GMT"}, "far"),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, None),
        ({}, None),
    ],
    ids=["in seconds", "as a date", "as a word", "below zero", "not at all"],
)
def test_retry_after_is_read(web: HttpStarter, headers: dict[str, str], wish_s: float | str | None) -> None:
    outcome = send(web(Script([(429, headers, b"")])))
    assert isinstance(outcome, SendFailed)
    if wish_s == "far":
        assert outcome.retry_after_s is not None
        assert outcome.retry_after_s > 1e9
    else:
        assert outcome.retry_after_s == wish_s


def test_redirects_are_not_followed(web: HttpStarter) -> None:
    inside = Script()
    outcome = send(web(Script([(302, {"location": web(inside)}, b"")])))
    assert isinstance(outcome, SendFailed)
    assert "redirects are not followed" in outcome.reason
    assert not inside.asked


def test_an_endless_answer_is_not_read_to_its_end(web: HttpStarter) -> None:
    outcome = send(web(Script([(500, {}, b"\x1b[31mno\r\n" + b"x" * 3_000_000)])))
    assert isinstance(outcome, SendFailed)
    assert len(outcome.reason) <= 300
    assert outcome.reason.isprintable()


def test_a_server_that_hangs_is_left_in_time(web: HttpStarter) -> None:
    script = Script(["hang"])
    outcome = send(web(script), timeout_s=0.3)
    assert outcome == SendFailed(reason="127.0.0.1 gave no answer in 0.3 s")


def test_a_server_that_is_down_is_named(free_port: int) -> None:
    outcome = send(f"http://127.0.0.1:{free_port}/")
    assert isinstance(outcome, SendFailed)
    assert not outcome.permanent
    assert "no connection to 127.0.0.1" in outcome.reason


def test_an_unknown_host_is_named() -> None:
    def nobody(host: str, port: int) -> list[str]:
        msg = "Name or service not known"
        raise OSError(msg)

    outcome = send("https://hooks.example.com/", resolver=nobody)
    assert outcome == SendFailed(reason="host hooks.example.com was not found: Name or service not known")


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.7", "169.254.169.254", "::1", "::ffff:192.168.1.1"])
def test_a_private_address_is_refused_unless_allowed(address: str) -> None:
    outcome = send("https://hooks.example.com/", allow_private=False, resolver=lambda *_: ["93.184.216.34", address])
    assert isinstance(outcome, SendFailed)
    assert "`allow_private`" in outcome.reason


def test_the_judged_address_is_the_one_that_is_dialled(web: HttpStarter) -> None:
    script = Script()
    port = web(script).split(":")[2].split("/")[0]
    asked: list[tuple[str, int]] = []

    def here(host: str, number: int) -> list[str]:
        asked.append((host, number))
        return ["127.0.0.1"]

    assert send(f"http://hooks.example.com:{port}/hook?token=abc", resolver=here) == Sent(detail="answered 200")
    assert asked == [("hooks.example.com", int(port))]
    assert script.asked[0].headers["host"] == f"hooks.example.com:{port}"
    assert script.asked[0].path == "/hook?token=abc"


def test_the_next_address_is_tried_when_one_does_not_answer(web: HttpStarter) -> None:
    script = Script()
    port = web(script).split(":")[2].split("/")[0]
    outcome = send(f"http://hooks.example.com:{port}/", resolver=lambda *_: ["127.0.0.2", "127.0.0.1"])
    assert isinstance(outcome, Sent)


def test_a_certificate_is_checked_against_the_name(
    web: HttpStarter, server_tls: ssl.SSLContext, certificate: tuple[Path, Path]
) -> None:
    script = Script()
    url = web(script, tls=server_tls)
    assert isinstance(send(url, ca_file=str(certificate[0]), resolver=lambda *_: ["127.0.0.1"]), Sent)
    other = url.replace("localhost", "hooks.example.com")
    for refused in (
        send(other, ca_file=str(certificate[0]), resolver=lambda *_: ["127.0.0.1"]),
        send(url, resolver=lambda *_: ["127.0.0.1"]),
    ):
        assert isinstance(refused, SendFailed)
        assert "certificate" in refused.reason
    assert len(script.asked) == 1


def test_no_reason_tells_the_address_or_the_secret(free_port: int) -> None:
    outcome = send(f"http://127.0.0.1:{free_port}/T0KEN?key=T0KEN")
    assert isinstance(outcome, SendFailed)
    assert "T0KEN" not in outcome.reason
    assert an_alert().id not in outcome.reason
