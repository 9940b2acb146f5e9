"""What came of one attempt to tell one receiver: a value, not an exception."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeAlias

from monitor.notify.notices import Notice

__all__ = ["Outcome", "SendFailed", "Sender", "Sent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The receiver has taken it over; `detail` is its answer, for the delivery log."""

    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SendFailed:
    """The receiver has not taken it.

    Attributes:
        reason: For people: what was answered and, where there is one, the way out. Never holds a secret.
        permanent: True if the same message would be refused again.
        retry_after_s: The earliest time for the next attempt, where the receiver named one.
        closes: True if the receiver wants nothing any more (410 Gone).
    """

    reason: str
    permanent: bool = False
    retry_after_s: float | None = None
    closes: bool = False


Outcome: TypeAlias = Sent | SendFailed


class Sender(Protocol):
    """Tells one receiver. Used by one thread at a time."""

    def send(self, notice: Notice, key: str) -> Outcome:
        """Try once. `key` is the same in every attempt of one notice; the receiver can tell a repeat by it."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...
