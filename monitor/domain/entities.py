"""Companies and the places where a text names them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from monitor.domain.errors import InvalidConfiguration

__all__ = ["Company", "Mention"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """One row of the register.

    Attributes:
        id: Stable key used in series, URLs and tables (upper-case ticker where there is one).
        ticker: Exchange symbol without the dollar sign; may be empty.
        aliases: Other names that mean this company wherever they stand.
        parent: Id of the owner, or empty.
        kind: ``company``, ``index``, ``central-bank``, ``regulator`` ...
        exclude: Phrases in which a name does not mean the company ("Barclays Center").
        valid_from: First day on which the row holds; None for always. `valid_to` is the first day it no longer does.
    """

    id: str
    ticker: str
    name: str
    aliases: tuple[str, ...] = ()
    sector: str = ""
    parent: str = ""
    kind: str = "company"
    exclude: tuple[str, ...] = ()
    valid_from: date | None = None
    valid_to: date | None = None

    def __post_init__(self) -> None:
        if not self.id or not self.name:
            msg = f"company needs `id` and `name`, was id={self.id!r} name={self.name!r}"
            raise InvalidConfiguration(msg)

    def is_valid_on(self, instant: datetime) -> bool:
        """Return whether the row holds at an instant (half-open: valid_from <= day < valid_to)."""
        day = instant.date()
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day < self.valid_to)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A company found in a text.

    Attributes:
        entity: Id of the company.
        start: First character in the text searched; -1 for a hint of the source.
        end: One past the last character; -1 for a hint of the source.
        matched: The characters found.
        why: ``name``, ``alias``, ``cashtag``, ``ticker`` or ``hint``.
    """

    entity: str
    start: int
    end: int
    matched: str
    why: str
