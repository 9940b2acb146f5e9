"""How a stage with state takes a bundle: first all is computed, then sent, then written; a kill between is harmless.

A stage lives once per partition of its topic. `step` returns what to send and what to write, in the order of
docs/architecture.md, "Order of writes": sends first (the watermark last of them), awaited; then each key once; the
partition's own record last. Whoever runs the stage (Faust with a table, the replay with nothing) carries that out. A
stage whose step was not carried out whole is thrown away and loaded anew from what was kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, NamedTuple, Protocol

__all__ = ["Send", "Stage", "Step", "Write"]


class Send(NamedTuple):
    """Entries for one partition of a topic, in order; the runner may split them into several bundles."""

    topic: str
    partition: int
    entries: tuple[Any, ...]


class Write(NamedTuple):
    """A record to be kept under a key of this partition; None removes the key."""

    key: str
    record: Any | None


class Step(NamedTuple):
    """What one bundle makes a stage do."""

    sends: list[Send]
    writes: list[Write]


class Stage(Protocol):
    """One partition of a stage with state.

    A key is ``<kind>`` or ``<kind>:<rest>``; `records` tells the type of the record by kind. Every record is a
    dataclass of plain fields, fit for JSON, with a `version`.
    """

    records: ClassVar[dict[str, type]]

    def load(self, records: Iterable[tuple[str, Any]]) -> None:
        """Take over what was kept, in any order; called once, before the first step."""
        ...

    def step(self, offset: int, entries: Sequence[Any]) -> Step:
        """Take the bundle at `offset`; one seen before gives an empty step.

        The records in the step are the stage's own: encode them before the next call.
        """
        ...
