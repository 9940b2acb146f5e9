"""The state folder: everything that Bellwether keeps on one machine, and the lock that lets one supervisor in."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from monitor.domain.errors import InvalidConfiguration, MonitorError

__all__ = ["StateFolder", "StateFolderTaken", "StateLock", "supervisor_pid"]

SECRET_BYTES = 32
SECRET_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
POLL_S = 0.05
PATIENCE_S = 10.0
"""How long to wait for the children of a supervisor that was killed; they have 3 s to end (leashed.GRACE_S)."""


class StateFolderTaken(MonitorError, OSError):
    """Another supervisor runs in this state folder."""


@dataclass(frozen=True, slots=True)
class StateFolder:
    """Where things lie in a state folder. `create` makes it; reading a path makes nothing.

    Args:
        root: The folder itself.
    """

    root: Path

    @property
    def kafka(self) -> Path:
        """The embedded Kafka's own folder: configuration, log, segments."""
        return self.root / "kafka"

    @property
    def logs(self) -> Path:
        """What the children wrote, one rotated file each."""
        return self.root / "logs"

    @property
    def heartbeats(self) -> Path:
        """One file for each child that beats; its modification time is the last beat."""
        return self.root / "heartbeats"

    @property
    def database(self) -> Path:
        """The SQLite store, where no other database is named."""
        return self.root / "bellwether.sqlite3"

    @property
    def secrets(self) -> Path:
        """Files that only their owner may read."""
        return self.root / "secrets"

    @property
    def lock(self) -> Path:
        """Held by the one supervisor of this folder; the text is its process id."""
        return self.root / "lock"

    @property
    def children(self) -> Path:
        """What the supervisor last knew of its children, as JSON."""
        return self.root / "children.json"

    def create(self) -> Self:
        """Make what is missing, for this user's eyes only, and return the folder.

        Raises:
            InvalidConfiguration: The folder cannot be made or written.
        """
        try:
            for folder in (self.root, self.kafka, self.logs, self.heartbeats, self.secrets):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            msg = f"the state folder `{self.root}` cannot be made: {error.strerror}; name another one with `--state`"
            raise InvalidConfiguration(msg) from error
        if not os.access(self.root, os.W_OK | os.X_OK):
            msg = f"the state folder `{self.root}` cannot be written by this user; name another one with `--state`"
            raise InvalidConfiguration(msg)
        return self

    def secret(self, name: str) -> str:
        """Return a secret of this installation, made at random when it is first asked for.

        Args:
            name: Lower-case letters, digits, dashes; the name of its file.

        Raises:
            InvalidConfiguration: The file is empty or others may read it.
        """
        if not SECRET_NAME.fullmatch(name):
            msg = f"`name` of a secret must be lower-case letters, digits and dashes, was {name!r}"
            raise ValueError(msg)
        path = self.secrets / name
        if not path.exists():
            self._make_secret(path)
        if path.stat().st_mode & 0o077:
            msg = f"the secret `{path}` may be read by others; run: chmod 600 {path}"
            raise InvalidConfiguration(msg)
        text = path.read_text("utf-8").strip()
        if not text:
            msg = f"the secret `{path}` is empty; remove it and a new one is made"
            raise InvalidConfiguration(msg)
        return text

    def _make_secret(self, path: Path) -> None:
        self.secrets.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(handle, "w", encoding="utf-8") as file:
            file.write(secrets.token_urlsafe(SECRET_BYTES) + "\n")
        with contextlib.suppress(FileExistsError):  # another process was first; its secret is the one
            os.link(part, path)
        part.unlink()


class StateLock:
    """The right to supervise a state folder; held until closed and every leash that keeps it open has ended.

    Args:
        folder: The state folder; it must exist.
        patience_s: How long to wait where the holder has died but its children are still ending.
    """

    def __init__(self, folder: StateFolder, patience_s: float = PATIENCE_S) -> None:
        self._folder = folder
        self._patience_s = patience_s
        self._handle = -1

    def fileno(self) -> int:
        """Return the open file descriptor, which a leash may keep open too."""
        return self._handle

    def acquire(self) -> Self:
        """Take the lock and write this process's id into it.

        Raises:
            StateFolderTaken: A living supervisor holds it; the text names its process.
        """
        handle = os.open(self._folder.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        until = time.monotonic() + self._patience_s
        while not _try_lock(handle, fcntl.LOCK_EX):
            holder = _written_pid(self._folder)
            alive = holder is not None and psutil.pid_exists(holder)
            if alive or time.monotonic() > until:
                os.close(handle)
                msg = (
                    f"another bellwether (process {holder or 'unknown'}) runs in `{self._folder.root}`; "
                    "stop it first, or name another folder with `--state`"
                )
                raise StateFolderTaken(msg)
            time.sleep(POLL_S)
        os.truncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        self._handle = handle
        return self

    def release(self) -> None:
        """Give the lock back."""
        if self._handle >= 0:
            os.truncate(self._handle, 0)
            os.close(self._handle)
            self._handle = -1

    def __enter__(self) -> Self:
        return self.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def supervisor_pid(folder: StateFolder) -> int | None:
    """Return the process id of the supervisor that runs in a folder, or None where none does."""
    holder = _written_pid(folder)
    if holder is None or not psutil.pid_exists(holder):
        return None
    with folder.lock.open("rb") as handle:
        return None if _try_lock(handle.fileno(), fcntl.LOCK_SH) else holder


def _try_lock(handle: int, kind: int) -> bool:
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _written_pid(folder: StateFolder) -> int | None:
    try:
        return int(folder.lock.read_text("utf-8"))
    except (OSError, ValueError):
        return None
