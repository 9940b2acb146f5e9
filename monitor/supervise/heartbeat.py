"""A sign of life from a child to its supervisor: a file whose modification time is the last beat.

A process that is stopped or stuck says nothing, and Kafka may give its partitions to another one meanwhile: it must
not wake up and write on. So a child that beats and then stays silent is killed and started anew.
"""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["HEARTBEAT_FILE", "Heartbeat", "heartbeat_from_environment"]

HEARTBEAT_FILE = "BELLWETHER_HEARTBEAT_FILE"
"""The environment variable by which a supervisor tells a child which file to touch."""


class Heartbeat:
    """Beats into one file; call `beat` about once a second from the loop whose life it proves.

    Args:
        path: The file; None makes every beat a no-op, for a process that nobody supervises.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def beat(self) -> None:
        """Say that this process is alive and working. A full or vanished disk does not end the work."""
        if self._path is None:
            return
        try:
            self._path.touch()
            os.utime(self._path)
        except OSError:
            return


def heartbeat_from_environment() -> Heartbeat:
    """Return the heartbeat that this process's supervisor asked for, or one that does nothing."""
    path = os.environ.get(HEARTBEAT_FILE)
    return Heartbeat(Path(path) if path else None)
