"""Start a command on a leash: in a session of its own, and dead when its owner is."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

__all__ = ["Leashed"]

LEASH = Path(__file__).with_name("leash.py")
KILL_WITHIN_S = 2.0
"""How long the end of a killed command may take; a JVM gives back some hundred megabytes."""

GRACE_S = 3.0
"""How long a command may go on after SIGTERM once its owner has died."""


class Leashed:
    """A running command that ends when this process does, whatever kills it.

    Args:
        command: Program and arguments.
        env: The whole environment; this process's own by default.
        stdout: Where both outputs go: a file or `subprocess.PIPE`.
        cwd: The working folder.
        keep_open: File descriptors that the leash (not the command) holds open until everything has ended.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        stdout: int | IO[bytes] = subprocess.DEVNULL,
        cwd: Path | None = None,
        keep_open: Sequence[int] = (),
    ) -> None:
        self._owner, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(LEASH), str(theirs.fileno()), str(GRACE_S), *command],
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=subprocess.STDOUT,
                cwd=cwd,
                start_new_session=True,
                pass_fds=(theirs.fileno(), *keep_open),
            )
        told = self._owner.recv(32).strip()
        self.pid = int(told) if told else self.process.pid
        """The command's own process id, not the leash's."""

    def poll(self) -> int | None:
        """Return the exit code (negative: the signal), or None while the command runs.

        Once it has ended, whatever it left in its process group is killed.
        """
        code = self.process.poll()
        if code is not None:
            self._sweep()
            self._owner.close()
        return code

    def terminate(self) -> None:
        """Ask the command to stop (SIGTERM)."""
        self.send(signal.SIGTERM)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the command itself."""
        if self.process.poll() is None:
            self.process.send_signal(number)

    def kill(self) -> None:
        """Kill the command (SIGKILL), wait until it has gone, and kill what it left in its process group.

        The command goes first and its leash waits for it, so that its ports and locks are free on return.
        """
        with contextlib.suppress(ProcessLookupError):
            if self.process.poll() is None:
                os.kill(self.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(KILL_WITHIN_S)
        self._sweep()
        self._owner.close()

    def _sweep(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: not permitted for a group of zombies
            os.killpg(self.process.pid, signal.SIGKILL)

    def wait(self, timeout_s: float | None = None) -> int:
        """Wait for the end and return the exit code.

        Raises:
            subprocess.TimeoutExpired: It still runs after `timeout_s` seconds.
        """
        self.process.wait(timeout_s)
        code = self.poll()
        assert code is not None
        return code

    def stop(self, within_s: float) -> int:
        """SIGTERM, and SIGKILL to the whole group where that is not obeyed within `within_s` seconds."""
        self.terminate()
        try:
            return self.wait(within_s)
        except subprocess.TimeoutExpired:
            self.kill()
            return self.wait()
