"""Runs: namespaces. Live is one, the demo feed and each replay are others; they never meet."""

from __future__ import annotations

import re
from dataclasses import dataclass

from monitor.domain.errors import InvalidConfiguration

__all__ = ["LIVE", "Run"]

LIVE = "live"
"""The run that crawls."""

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run: topic prefix, Faust app ids, ticks, state, and a column in every table of the store.

    Attributes:
        name: Lower-case letters, digits and dashes; the namespace itself.
        title: What people see.
        simulated: True if its documents are invented; said wherever the run shows.
        notifies: True if its alerts go to the receivers (live always; others only when asked for).
        partitions: Of each of its topics; never changes in its life.
    """

    name: str
    title: str
    simulated: bool = False
    notifies: bool = False
    partitions: int = 4

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            msg = f"`run` must be 1 to 40 lower-case letters, digits and dashes, was {self.name!r}"
            raise InvalidConfiguration(msg)
        if not 1 <= self.partitions <= 64:
            msg = f"`partitions` must be from 1 to 64, was {self.partitions}"
            raise InvalidConfiguration(msg)
