"""Real servers that do as told: SMTP, HTTP, TLS; and the fakes around the notifier."""

from __future__ import annotations

import http.server
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from monitor.domain.alerts import Alert
from monitor.domain.errors import StoreUnavailable
from monitor.domain.views import AlertDetail, RunView
from tests.contracts.alert_examples import NOON, a_detail

SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8G"


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass
class HandClock:
    at: datetime = NOON

    def now(self) -> datetime:
        return self.at

    def advance(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass
class FakeReader:
    """Knows every alert it is asked for."""

    simulated: bool = False
    unavailable: bool = False
    detail: Callable[[Alert], AlertDetail | None] = a_detail
    alerts: dict[str, Alert] = field(default_factory=dict)

    def runs(self) -> tuple[RunView, ...]:
        if self.unavailable:
            msg = "the database is away"
            raise StoreUnavailable(msg)
        return (
            RunView(
                name="live", title="Live", simulated=self.simulated, documents=1, as_of=NOON, last_document_at=NOON
            ),
        )

    def alert(self, run: str, alert: str) -> AlertDetail | None:
        from tests.contracts.alert_examples import an_alert

        return self.detail(self.alerts.get(alert) or an_alert(alert))


@dataclass
class Mailbox:
    """What an SMTP server received, and how it is to answer: by mailbox, and to the message as a whole."""

    answers: dict[str, str] = field(default_factory=dict)
    on_message: str = "250 accepted"
    accepted: list[tuple[list[str], EmailMessage]] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self.answers.get(address, "250 ok")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.on_message.startswith("250"):
            message = message_from_bytes(envelope.content or b"", policy=policy.default)
            assert isinstance(message, EmailMessage)
            self.encrypted.append(session.ssl is not None)
            self.accepted.append((list(envelope.rcpt_tos), message))
        return self.on_message

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, way: str, login: object) -> AuthResult:
        assert isinstance(login, LoginPassword)
        self.logins.append(login.login.decode())
        return AuthResult(success=login.password == b"right", handled=False)


class _Controller(Controller):
    """On a port that the system chose."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


SmtpStarter = Callable[..., int]


@pytest.fixture
def smtp() -> Iterator[SmtpStarter]:
    """Start SMTP servers: `smtp(mailbox, **options of aiosmtpd)` returns the port."""
    running: list[_Controller] = []

    def start(mailbox: Mailbox, **options: object) -> int:
        controller = _Controller(mailbox, hostname="127.0.0.1", port=0, **options)
        controller.start()
        running.append(controller)
        return controller.port

    yield start
    for controller in running:
        controller.stop()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for localhost and its key, made for this session."""
    folder = tmp_path_factory.mktemp("certificate")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = [
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
        "-keyout", str(key), "-out", str(certificate),
    ]  # fmt: skip
    try:
        subprocess.run(command, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not on the path")
    return certificate, key


@pytest.fixture
def server_tls(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context


@dataclass
class Asked:
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Script:
    """Answers in order, the last one for ever: (status, headers, body), or "hang" until `release`."""

    answers: list[tuple[int, dict[str, str], bytes] | str] = field(default_factory=lambda: [(200, {}, b"")])
    asked: list[Asked] = field(default_factory=list)
    release: threading.Event = field(default_factory=threading.Event)
    hanging: threading.Event = field(default_factory=threading.Event)


class _Handler(http.server.BaseHTTPRequestHandler):
    script: Script

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        script = self.script
        script.asked.append(Asked(self.path, dict(self.headers.items()), body))
        answer = script.answers.pop(0) if len(script.answers) > 1 else script.answers[0]
        if isinstance(answer, str):
            script.hanging.set()
            script.release.wait(20)
            return
        status, headers, text = answer
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


HttpStarter = Callable[..., str]


@pytest.fixture
def web() -> Iterator[HttpStarter]:
    """Start HTTP servers: `web(script, tls=context)` returns the address."""
    running: list[tuple[http.server.ThreadingHTTPServer, threading.Thread, Script]] = []

    def start(script: Script, tls: ssl.SSLContext | None = None) -> str:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"script": script}))
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        running.append((server, thread, script))
        port = server.server_address[1]
        return f"https://localhost:{port}/hook" if tls else f"http://127.0.0.1:{port}/hook"

    yield start
    for server, thread, script in running:
        script.release.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def free_port() -> int:
    """A port that nobody listens on."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
