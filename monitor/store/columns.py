"""Types of columns, and how instants and texts cross the edge.

Instants are whole microseconds since 1970-01-01T00:00Z (``_us``): what a datetime holds, no more and no less, in both
databases. Minutes of windows are ``_min``. Nothing is stored in a local time.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from sqlalchemy import Text
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect
    from sqlalchemy.types import TypeEngine

__all__ = [
    "CleanText",
    "KeyText",
    "clean",
    "from_json",
    "from_us",
    "from_us_or_none",
    "to_json",
    "to_us",
    "to_us_or_none",
]

T = TypeVar("T")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def clean(text: str) -> str:
    r"""Return text that both databases take: NUL and lone surrogates become U+FFFD, all else stays.

    >>> clean("a\0b\ud83d\ude00\ud800") == "a\ufffdb\U0001f600\ufffd"
    True
    """
    if "\0" in text:
        text = text.replace("\0", _REPLACEMENT)
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


class CleanText(TypeDecorator[str]):
    """Text that is cleaned on the way in, in values and in what is searched for."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Return the cleaned text."""
        del dialect
        return None if value is None else clean(value)


class KeyText(CleanText):
    """Clean text that is compared and ordered by code point on both databases: ids, names, words of ours."""

    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the column's type; SQLite compares by code point anyway."""
        return Text(collation="C" if dialect.name == "postgresql" else None)


def to_us(instant: datetime) -> int:
    """Return microseconds since the epoch of an aware instant."""
    return (instant - _EPOCH) // _MICROSECOND


def to_us_or_none(instant: datetime | None) -> int | None:
    """Return microseconds since the epoch, or None."""
    return None if instant is None else to_us(instant)


def from_us(microseconds: int) -> datetime:
    """Return the instant, in UTC."""
    return _EPOCH + timedelta(microseconds=int(microseconds))


def from_us_or_none(microseconds: int | None) -> datetime | None:
    """Return the instant, or None."""
    return None if microseconds is None else from_us(microseconds)


def to_json(fact: Any) -> str:
    """Return a message as JSON text with every string in it clean."""
    try:
        return msgspec.json.encode(fact).decode()
    except UnicodeEncodeError:
        return msgspec.json.encode(_cleaned(msgspec.to_builtins(fact))).decode()


def from_json(text: str, kind: type[T]) -> T:
    """Return the message that `to_json` wrote; fields that a newer release added are passed over."""
    return msgspec.json.decode(text, type=kind)


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {_cleaned(key): _cleaned(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(inner) for inner in value]
    return value
