"""`make test` finds a browser, or says how to get one, and never fails over it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.install_browser import APT, find_browser, install

SCRIPT = Path(__file__).parents[1] / "install_browser.py"


@pytest.fixture
def fake_browser(tmp_path: Path) -> Path:
    path = tmp_path / "chromium"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def run(folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the script where the path holds one folder only, so that there is no apt-get either."""
    return subprocess.run(
        [sys.executable, str(SCRIPT)], env={"PATH": str(folder)} | env, capture_output=True, text=True, check=False
    )


def test_a_browser_on_the_path_needs_no_word(fake_browser):
    done = run(fake_browser.parent)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS keeps browsers outside the path")
def test_without_a_browser_the_way_out_is_named_and_nothing_fails(tmp_path):
    done = run(tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith("browser tests are skipped: no Chromium found; install it")


def test_a_named_browser_that_cannot_be_run_is_named(tmp_path):
    done = run(tmp_path, BROWSER_PATH=str(tmp_path / "nothing"))
    assert done.returncode == 0
    assert f"BROWSER_PATH={tmp_path / 'nothing'} cannot be run" in done.stdout


def test_a_named_browser_is_taken_before_the_path(fake_browser, monkeypatch):
    monkeypatch.setenv("BROWSER_PATH", str(fake_browser))
    assert find_browser() == fake_browser


def test_the_package_lists_are_fetched_before_the_package():
    ran = []
    assert install(lambda command: ran.append(tuple(command)) is None)
    assert ran == list(APT)


def test_nothing_is_installed_where_the_lists_cannot_be_fetched():
    ran = []
    assert not install(lambda command: ran.append(tuple(command)) is not None)
    assert ran == [APT[0]]


def test_what_is_on_the_path_can_be_run(browser_path):
    assert os.access(browser_path, os.X_OK)
