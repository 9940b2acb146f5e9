"""Which column of a recorded feed means what: by flags, by a TOML file, else by names that speak for themselves.

[[file]]
match = "headlines*"
columns = { published_at = "ts_utc", origin = "kind" }
constants = { source = "wire", source_class = "news" }
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from monitor.domain.errors import InvalidConfiguration

__all__ = ["FIELDS", "FeedMapping", "FileMapping", "read_mapping"]

FIELDS: dict[str, tuple[str, ...]] = {
    "published_at": ("published_at", "ts_utc", "timestamp", "time", "date", "datetime", "published", "created_at"),
    "title": ("title", "headline"),
    "text": ("text", "body", "content", "message"),
    "id": ("id", "guid"),
    "url": ("url", "link"),
    "source": ("source", "publisher"),
    "source_class": ("source_class",),
    "origin": ("origin", "author", "user_hash", "user"),
    "language": ("language", "lang"),
    "hints": ("hints", "ticker", "tickers", "symbol"),
}
"""Fields of a document that a feed may fill, each with the column names taken for it where nothing else is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileMapping:
    """What the columns of one file mean."""

    columns: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)

    def values(self, cells: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields of a row: constants first, then columns as told, then columns that speak for themselves."""
        found: dict[str, Any] = dict(self.constants)
        for name, usual in FIELDS.items():
            if name in found:
                continue
            told = self.columns.get(name)
            column = told or next((column for column in usual if cells.get(column) not in (None, "")), None)
            if column is not None:
                found[name] = cells.get(column)
        return found

    def require_time(self, path: Path, values: Mapping[str, Any], cells: Mapping[str, Any]) -> None:
        """Refuse a file whose first row shows that its columns are not understood.

        Raises:
            InvalidConfiguration: A column that was named is missing, or none holds the time.
        """
        missing = [column for column in self.columns.values() if column not in cells]
        there = ", ".join(map(str, cells))
        if missing:
            msg = f"`--column` names {missing[0]!r}, which {path.name} does not have; it has {there}"
            raise InvalidConfiguration(msg)
        if "published_at" not in values:
            msg = f"no column of {path.name} holds the time; name it: --column published_at=COLUMN (it has {there})"
            raise InvalidConfiguration(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedMapping:
    """The mappings of several files: the first pattern that fits a file's name, and the flags for all."""

    files: tuple[tuple[str, FileMapping], ...] = ()
    common: FileMapping = FileMapping()

    def for_file(self, path: Path) -> FileMapping:
        """Return the mapping of a file; flags go before the mapping file."""
        own = next((mapping for pattern, mapping in self.files if fnmatch(path.name, pattern)), FileMapping())
        return FileMapping(
            columns={**own.columns, **self.common.columns}, constants={**own.constants, **self.common.constants}
        )


def read_mapping(path: Path | None, columns: Sequence[str], constants: Sequence[str]) -> FeedMapping:
    """Return the mapping of a TOML file and of flags such as ``title=headline``.

    Raises:
        InvalidConfiguration: The file or a flag is wrong; the text names it.
    """
    common = FileMapping(columns=_pairs("--column", columns), constants=_pairs("--constant", constants))
    if path is None:
        return FeedMapping(common=common)
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8")).get("file", [])
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        msg = f"mapping file {path} cannot be read: {error}"
        raise InvalidConfiguration(msg) from None
    return FeedMapping(
        files=tuple(_table(path, number, table) for number, table in enumerate(tables, 1)), common=common
    )


def _table(path: Path, number: int, table: Mapping[str, Any]) -> tuple[str, FileMapping]:
    unknown = set(table) - {"match", "columns", "constants"}
    if unknown or not isinstance(table.get("match"), str):
        msg = f"{path}: [[file]] number {number} must have `match` and may have `columns` and `constants`"
        raise InvalidConfiguration(msg)
    for section in ("columns", "constants"):
        _check_fields(f"{path}: `{section}`", table.get(section, {}))
    return table["match"], FileMapping(columns=table.get("columns", {}), constants=table.get("constants", {}))


def _pairs(flag: str, given: Sequence[str]) -> dict[str, str]:
    pairs = {}
    for text in given:
        name, sign, value = text.partition("=")
        if not sign:
            msg = f"`{flag}` must read field=value, was {text!r}"
            raise InvalidConfiguration(msg)
        pairs[name.strip()] = value.strip()
    _check_fields(f"`{flag}`", pairs)
    return pairs


def _check_fields(where: str, pairs: Mapping[str, Any]) -> None:
    for name in pairs:
        if name not in FIELDS:
            msg = f"{where} names the field {name!r}; there are {', '.join(FIELDS)}"
            raise InvalidConfiguration(msg)
