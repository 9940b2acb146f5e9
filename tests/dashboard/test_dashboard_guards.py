"""Who may look, who may act, and what every answer carries."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from dashboard import ids
from dashboard.app import create_app, refuse_open_door, serve
from dashboard.auth import Attempts, own_path
from dashboard.testing import FakeAccounts, FakeViewReader, RecordingFeedback
from monitor.domain.errors import InvalidConfiguration, PublishFailed
from tests.dashboard.conftest import Bench

ALERT = "0000000000000000"
SAME = {"Origin": "http://localhost"}


@pytest.fixture
def bench() -> Bench:
    return Bench(login_required=True)


@pytest.fixture
def client(bench: Bench) -> FlaskClient:
    return bench.app().server.test_client()


def log_in(client: FlaskClient, name: str, password: str | None = None, **form: str) -> Any:
    secret = f"password of {name}" if password is None else password
    return client.post("/login", data={"name": name, "password": secret, **form}, headers=SAME)


def act(client: FlaskClient, button: str = ids.ALERT_ACKNOWLEDGE, **headers: str) -> Any:
    """Press a button of an alert's page the way Dash does."""
    known = client.get("/_dash-dependencies").json
    callback = next(one for one in known if any(i["id"] == ids.ALERT_ACKNOWLEDGE for i in one["inputs"]))
    outputs = [
        {"id": ids.ALERT_ANSWER, "property": "children"},
        {"id": ids.ALERT_NOTE, "property": "value"},
    ]
    asked = {"path": f"/alerts/{ALERT}", "search": "?run=demo"}
    body = {
        "output": callback["output"],
        "outputs": outputs,
        "inputs": [
            {"id": one["id"], "property": "n_clicks", "value": 1 if one["id"] == button else None}
            for one in callback["inputs"]
        ],
        "changedPropIds": [f"{button}.n_clicks"],
        "state": [
            {"id": ids.ALERT_NOTE, "property": "value", "value": "known\x00 issue"},
            {"id": ids.ASK, "property": "data", "value": asked},
        ],
    }
    return client.post("/_dash-update-component", json=body, headers={**SAME, **headers})


@pytest.mark.parametrize("path", ["/_dash-layout", "/_dash-dependencies", "/_reload-hash"])
def test_every_endpoint_of_dash_is_behind_the_login(client: FlaskClient, path: str):
    assert client.get(path).status_code == 401


def test_a_callback_without_login_is_refused(client: FlaskClient):
    assert client.post("/_dash-update-component", json={}, headers=SAME).status_code == 401


@pytest.mark.parametrize("path", ["/", "/alerts", "/alerts/abc?run=demo", "/anything/else"])
def test_a_page_without_login_leads_to_the_login_and_back(client: FlaskClient, path: str):
    answer = client.get(path)
    assert answer.status_code == 302
    assert answer.location.startswith("/login?next=")
    assert log_in(client, "anna", next=path).location == path


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/login", "/assets/bellwether.css", "/assets/bellwether.js"])
def test_health_login_and_assets_are_open(client: FlaskClient, path: str):
    assert client.get(path, buffered=True).status_code == 200


def test_ready_tells_that_the_store_is_away(client: FlaskClient, bench: Bench):
    bench.reader.available = False
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200


def test_login_gives_a_cookie_that_scripts_and_other_sites_cannot_use(client: FlaskClient, bench: Bench):
    cookie = log_in(client, "anna").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie
    assert ("anna", "login", "", "127.0.0.1") in bench.accounts.audited


def test_cookie_is_secure_when_the_page_came_by_https(client: FlaskClient):
    answer = client.post(
        "/login",
        data={"name": "anna", "password": "password of anna"},
        base_url="https://localhost",
        headers={"Origin": "https://localhost"},
    )
    assert "Secure" in answer.headers["Set-Cookie"]


def test_a_failed_login_is_told_alike_for_every_reason_and_audited(client: FlaskClient, bench: Bench):
    wrong, unknown = log_in(client, "anna", "x"), log_in(client, "<b>nobody</b>", "x")
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.data == unknown.data
    assert [entry[1] for entry in bench.accounts.audited] == ["login failed", "login failed"]


def test_logins_are_limited_and_the_right_password_waits_too(client: FlaskClient):
    for _ in range(5):
        assert log_in(client, "anna", "wrong").status_code == 401
    assert log_in(client, "anna").status_code == 429
    assert log_in(client, "adam").status_code == 302


def test_attempts_are_forgotten_when_the_window_has_passed():
    now = [0.0]
    attempts = Attempts(2, window_s=60, now=lambda: now[0], kept=2)
    attempts.failed("a")
    attempts.failed("a")
    assert attempts.wait_s("a") == 60
    now[0] = 61
    assert attempts.wait_s("a") == 0
    for key in ("b", "c", "d"):
        attempts.failed(key)
    assert len(attempts._failures) == 2


def test_logout_ends_the_session(client: FlaskClient):
    log_in(client, "anna")
    assert client.get("/_dash-layout").status_code == 200
    client.post("/logout", headers=SAME)
    assert client.get("/_dash-layout").status_code == 401


def test_who_was_removed_is_out_at_once(client: FlaskClient, bench: Bench):
    log_in(client, "anna")
    del bench.accounts.users["anna"]
    assert client.get("/_dash-layout").status_code == 401


def test_a_forged_cookie_is_worth_nothing(client: FlaskClient):
    client.set_cookie("bellwether", "eyJuYW1lIjoiYWRhbSIsInNpbmNlIjoxfQ.forged.signature")
    assert client.get("/_dash-layout").status_code == 401


@pytest.mark.parametrize(
    "path", ["//evil.example/", "https://evil.example/", "/\\evil.example", "/login", "/_dash-layout", "x", "/a\nb"]
)
def test_login_never_leads_elsewhere(path: str):
    assert own_path(path) == "/"


@pytest.mark.parametrize("name", ["anna", "adam"])
def test_analyst_and_admin_acknowledge_with_a_note(client: FlaskClient, bench: Bench, name: str):
    log_in(client, name)
    assert act(client).status_code == 200
    run, sent = bench.feedback.sent[0]
    assert (run, sent.alert, sent.action, sent.actor) == ("demo", ALERT, "acknowledge", name)
    assert sent.note == "known issue"
    assert (name, "acknowledge", f"demo/{ALERT}", "known issue") in bench.accounts.audited


def test_analyst_resolves(client: FlaskClient, bench: Bench):
    log_in(client, "anna")
    act(client, ids.ALERT_RESOLVE)
    assert bench.feedback.sent[0][1].action == "resolve"


def test_viewer_cannot_act_even_without_the_page(client: FlaskClient, bench: Bench):
    log_in(client, "vera")
    answer = act(client)
    assert "Your role is viewer" in answer.get_data(as_text=True)
    assert bench.feedback.sent == []


def test_while_the_accounts_are_away_nobody_may_act(client: FlaskClient, bench: Bench):
    log_in(client, "adam")
    bench.accounts.available = False
    assert "Your role is viewer" in act(client).get_data(as_text=True)
    assert bench.feedback.sent == []


def test_without_login_the_actor_is_local():
    bench = Bench()
    act(bench.app().server.test_client())
    assert bench.feedback.sent[0][1].actor == "local"


def test_what_kafka_did_not_take_is_said_and_audited(client: FlaskClient, bench: Bench):
    log_in(client, "anna")
    bench.feedback.fails_with = PublishFailed("no broker")
    assert "nothing was changed" in act(client).get_data(as_text=True)
    assert [entry[1] for entry in bench.accounts.audited] == ["login", "acknowledge", "acknowledge failed"]


def test_an_alert_that_is_resolved_takes_no_action(client: FlaskClient, bench: Bench):
    log_in(client, "anna")
    act(client, ids.ALERT_RESOLVE)
    assert "not open any more" in act(client).get_data(as_text=True)
    assert len(bench.feedback.sent) == 1


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_what_another_site_sends_is_refused(client: FlaskClient, bench: Bench, headers: dict[str, str]):
    log_in(client, "anna")
    assert act(client, **headers).status_code == 403
    assert client.post("/logout", headers=headers).status_code == 403
    assert bench.feedback.sent == []


def test_a_form_cannot_pass_for_a_callback(client: FlaskClient):
    log_in(client, "anna")
    answer = client.post("/_dash-update-component", data="{}", content_type="text/plain", headers=SAME)
    assert answer.status_code == 415


def test_without_login_another_name_for_this_machine_is_refused():
    client = Bench().app().server.test_client()
    assert client.get("/", base_url="http://rebound.example").status_code == 421
    assert client.get("/", base_url="http://127.0.0.1:8050").status_code == 200


def test_every_answer_carries_the_security_headers(client: FlaskClient):
    for path in ("/login", "/healthz", "/assets/bellwether.js", "/nowhere"):
        headers = client.get(path, buffered=True).headers
        policy = headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in policy
        scripts = next(part for part in policy.split("; ") if part.startswith("script-src"))
        assert "unsafe" not in scripts
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"


def test_answers_go_out_compressed_to_those_who_take_it(client: FlaskClient):
    log_in(client, "anna")
    squeezed = client.get("/_dash-layout", headers={"Accept-Encoding": "gzip"})
    assert squeezed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in client.get("/_dash-layout").headers


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "bellwether.example", ""])
def test_without_login_it_listens_on_this_machine_only(host: str):
    with pytest.raises(InvalidConfiguration, match="`login_required`"):
        serve(Bench().app(), host, 0, 1)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "[::1]", "localhost", "127.8.8.8"])
def test_loopback_needs_no_login(host: str):
    refuse_open_door(Bench().app(), host)


def test_login_lets_it_listen_anywhere(bench: Bench):
    refuse_open_door(bench.app(), "0.0.0.0")


@pytest.mark.parametrize(
    ("accounts", "secret", "refresh_s", "field"),
    [
        (None, b"x" * 32, 5, "`login_required`"),
        (FakeAccounts(), b"short", 5, "`secret`"),
        (FakeAccounts(), b"x" * 32, 0.1, "`refresh_s`"),
    ],
)
def test_unfit_settings_are_named(accounts: FakeAccounts | None, secret: bytes, refresh_s: float, field: str):
    reader = FakeViewReader()
    with pytest.raises(InvalidConfiguration, match=field):
        create_app(
            reader,
            RecordingFeedback(),
            accounts,
            watch_lists=dict,
            secret=secret,
            login_required=True,
            refresh_s=refresh_s,
        )


def test_a_session_ends_after_half_a_day(client: FlaskClient):
    log_in(client, "anna")
    with client.session_transaction() as session:
        session["since"] -= int(timedelta(hours=13).total_seconds())
    assert client.get("/_dash-layout").status_code == 401
