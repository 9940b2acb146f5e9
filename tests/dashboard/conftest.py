"""A dashboard over fakes: in process, and behind a real server for the browser."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import dash
import pytest
from waitress.server import create_server

from dashboard.app import create_app
from dashboard.invented import AS_OF
from dashboard.testing import FakeAccounts, FakeViewReader, RecordingFeedback

WATCH_LISTS = {"own": ("ALDR", "CEDR"), "peers": ("DOGW",), "nobody": ()}
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass
class Bench:
    """A dashboard and the fakes it stands on."""

    reader: FakeViewReader = field(default_factory=FakeViewReader)
    accounts: FakeAccounts = field(default_factory=FakeAccounts)
    login_required: bool = False
    default_run: str | None = "demo"
    refresh_s: float = 60
    status: Callable[[], Any] | None = None

    def __post_init__(self) -> None:
        self.feedback = RecordingFeedback(self.reader)

    def app(self) -> dash.Dash:
        return create_app(
            self.reader,
            self.feedback,
            self.accounts,
            watch_lists=lambda: dict(WATCH_LISTS),
            secret=b"a secret of the tests alone",
            status=self.status,
            login_required=self.login_required,
            default_run=self.default_run,
            refresh_s=self.refresh_s,
            clock=lambda: AS_OF + timedelta(minutes=1),
        )


@contextmanager
def served(bench: Bench) -> Iterator[str]:
    """Serve a bench on a free port; yields its address."""
    server = create_server(bench.app().server, host="127.0.0.1", port=0, threads=8)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        server.close()
        thread.join(timeout=5)


@pytest.fixture(scope="session")
def chromium(browser_path: Path) -> Iterator[Any]:
    """One browser for the session."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(browser_path), args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def quiet_site() -> Iterator[str]:
    """A dashboard that many tests look at and none changes."""
    with served(Bench()) as address:
        yield address
