"""Find a Chromium for the browser tests, or install one from the system's packages where that is possible.

Called by `make test`. Never fails: without a browser the browser tests are skipped, and this says how to get one.
The same search serves the tests: fixture `browser_path` of tests/conftest.py.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
APPLICATIONS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
APT = (
    ("apt-get", "update"),
    ("apt-get", "install", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300", "chromium"),
)
BY_HAND = "install it (Debian: apt-get install chromium) or name one: BROWSER_PATH=/path/to/chromium"

Run = Callable[[Sequence[str]], bool]


def find_browser() -> Path | None:
    """Return the browser that BROWSER_PATH names, or one of Chromium's kind on the path."""
    named = os.environ.get("BROWSER_PATH")
    if named:
        return Path(named) if os.access(named, os.X_OK) else None
    on_path = next(filter(None, map(shutil.which, NAMES)), None)
    found = on_path or next(filter(os.path.exists, APPLICATIONS), None)
    return Path(found) if found else None


def run_quietly(command: Sequence[str]) -> bool:
    """Run a command; print what it said only where it fails."""
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, env=quiet, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-3:]
        print(f"`{' '.join(command)}` failed: {' / '.join(last) or f'exit code {done.returncode}'}")
    return done.returncode == 0


def can_install() -> bool:
    """Say whether this user may install packages here: root on a Debian-like system."""
    return hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(run: Run = run_quietly) -> bool:
    """Install Chromium from the system's packages."""
    return all(run(command) for command in APT)


def main() -> int:
    """Tell which browser the tests will use, or why they will be skipped."""
    if find_browser():
        return 0
    if os.environ.get("BROWSER_PATH"):
        print(f"browser tests are skipped: BROWSER_PATH={os.environ['BROWSER_PATH']} cannot be run")
        return 0
    if not can_install():
        print(f"browser tests are skipped: no Chromium found; {BY_HAND}")
        return 0
    print("installing Chromium from the system's packages for the browser tests")
    if not install() or not find_browser():
        print(f"browser tests are skipped: Chromium could not be installed; {BY_HAND}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
