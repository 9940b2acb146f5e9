"""Watch lists: the companies a desk follows, in a TOML file that is read again when it changes.

    [own]
    title = "Our holdings"
    entities = ["AAPL", "JPM"]

    [peers]
    entities = ["MSFT", "GOOG"]

    [banks]
    title = "Banks we lend to"
    entities = ["BAC", "HSBC"]

`own` and `peers` have their meaning (`WatchList.kind`); every other name is a list of the desk's own making.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Lock

import structlog

from monitor.domain.errors import InvalidConfiguration
from monitor.register.registry import Register

__all__ = ["WatchList", "WatchLists", "parse_watch_lists"]

log = structlog.get_logger(__name__)

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_KEYS = frozenset({"title", "entities"})


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchList:
    """Companies followed together.

    Attributes:
        name: Lower-case letters, digits and dashes; stands in addresses and filters.
        title: What people see.
        entities: Ids of the register, in the order of the file, each once.
    """

    name: str
    title: str
    entities: tuple[str, ...]

    @property
    def kind(self) -> str:
        """``own``, ``peers`` or ``custom``."""
        return self.name if self.name in {"own", "peers"} else "custom"


def parse_watch_lists(text: str, register: Register, at: datetime, where: str) -> tuple[WatchList, ...]:
    """Return the lists of a TOML text.

    Args:
        at: When tickers are to be understood: FB was Facebook's until 2022.
        where: What the text is called in an error.

    Raises:
        InvalidConfiguration: The text is no TOML or names what is not known; every fault by list and field.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        msg = f"{where}: is no TOML ({error})"
        raise InvalidConfiguration(msg) from error
    faults = [fault for name, table in tables.items() for fault in _faults(name, table, register, at)]
    if faults:
        msg = f"{where}: " + "; ".join(faults)
        raise InvalidConfiguration(msg)
    return tuple(_watch_list(name, table, register, at) for name, table in tables.items())


def _faults(name: str, table: object, register: Register, at: datetime) -> Iterator[str]:
    if not _NAME.fullmatch(name):
        yield f"[{name}]: a list is named by 1 to 40 lower-case letters, digits and dashes"
    if not isinstance(table, dict):
        yield f"`{name}`: must be a table: write [{name}] and below it entities = [...]"
        return
    yield from (f"[{name}] `{key}`: is unknown; a list has title and entities" for key in table if key not in _KEYS)
    if not isinstance(table.get("title", ""), str):
        yield f"[{name}] `title`: must be a text"
    entities = table.get("entities")
    if not isinstance(entities, list) or not all(isinstance(entity, str) for entity in entities):
        yield f'[{name}] `entities`: must be a list of ids or tickers such as ["AAPL", "JPM"]'
        return
    for entity in entities:
        if _known(entity, register, at) is None:
            yield f"[{name}] `entities`: {entity!r} is neither id nor ticker in the register; add it there"


def _known(entity: str, register: Register, at: datetime) -> str | None:
    """Return the id meant: an id stands for itself even when its row has ended, so that a replay can be watched."""
    company = register.find(entity) or register.resolve(entity, at)
    return company.id if company else None


def _watch_list(name: str, table: dict[str, object], register: Register, at: datetime) -> WatchList:
    entities = table["entities"]
    assert isinstance(entities, list)
    ids = dict.fromkeys(id_ for entity in entities if (id_ := _known(entity, register, at)) is not None)
    return WatchList(name=name, title=str(table.get("title") or name.capitalize()), entities=tuple(ids))


class WatchLists:
    """The lists of a file, as they stand now.

    Every call of `current` looks at the file's time and size, and reads it again if they changed. A version with a
    fault, or a file that has gone, leaves the lists as they were, is logged once, and is told by `fault`.

    Args:
        path: The TOML file; None for no lists.
        at: When tickers in the file are to be understood.

    Raises:
        InvalidConfiguration: The first version is wrong or cannot be read.
    """

    def __init__(self, path: Path | None, register: Register, at: datetime) -> None:
        self._path = path
        self._register = register
        self._at = at
        self._lock = Lock()
        self._lists: tuple[WatchList, ...] = ()
        self._fault = ""
        self._stamp: tuple[int, int] | None = None
        if path is not None:
            self._stamp = _stamp(path)
            self._lists = self._read(path)

    @property
    def fault(self) -> str:
        """Why the newest version of the file is not in use; empty if it is."""
        return self._fault

    def current(self) -> tuple[WatchList, ...]:
        """Return the lists of the newest valid version. Safe to call from several threads."""
        if self._path is not None:
            with self._lock:
                self._refresh(self._path)
        return self._lists

    def entities(self, name: str) -> tuple[str, ...]:
        """Return the ids on a list; empty if there is no such list."""
        return next((watched.entities for watched in self.current() if watched.name == name), ())

    def _refresh(self, path: Path) -> None:
        stamp = _stamp(path)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._lists = self._read(path)
        except InvalidConfiguration as error:
            self._fault = f"{error}; the lists read before stay in use"
            log.warning("watch lists not read", file=path.name, reason=str(error))
        else:
            self._fault = ""
            log.info("watch lists read", file=path.name, lists=len(self._lists))

    def _read(self, path: Path) -> tuple[WatchList, ...]:
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            msg = f"{path}: cannot be read as UTF-8 text ({error})"
            raise InvalidConfiguration(msg) from error
        return parse_watch_lists(text, self._register, self._at, str(path))


def _stamp(path: Path) -> tuple[int, int]:
    """Return time (ns) and size of a file; (-1, -1) if it is not there."""
    try:
        found = path.stat()
    except OSError:
        return (-1, -1)
    return (found.st_mtime_ns, found.st_size)
