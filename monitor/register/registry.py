"""Reads a register of companies, names every fault by row and field, and joins the user's own to the shipped one.

The columns are the fields of `Company`; lists are separated by `|`. How names are read (docs of `finder` say how they
are found): a name with a capital letter is found in exactly that case (or in a line of capitals), one without is found
in any case; an alias that begins with `$` is a further ticker.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime
from importlib import resources
from io import StringIO
from pathlib import Path

from monitor.domain.entities import Company
from monitor.domain.errors import InvalidConfiguration
from monitor.register.folding import fold, plain

__all__ = [
    "COLUMNS",
    "Register",
    "load_register",
    "names_of",
    "read_companies",
    "shipped_companies",
    "symbol_key",
    "symbols_of",
]

COLUMNS = tuple(column.name for column in fields(Company))
"""The header of a register, in order."""

MAX_FAULTS = 20
"""Faults told at once; a file of another kind would give one for each row."""

_ID = re.compile(r"[A-Z0-9][A-Z0-9._-]{0,31}")
_TICKER = re.compile(r"[A-Z0-9]{1,9}(?:[.-][A-Z0-9]{1,3})?")
_KIND = re.compile(r"[a-z][a-z-]{0,31}")


def symbol_key(symbol: str) -> str:
    """Return a ticker as it is compared: `$brk-b` and `BRK.B` are one.

    >>> symbol_key("$brk-b")
    'BRK.B'
    """
    return symbol.removeprefix("$").upper().replace("-", ".").replace("/", ".")


def symbols_of(company: Company) -> list[str]:
    """Return the keys of every ticker of a company."""
    own = [symbol_key(company.ticker)] if company.ticker else []
    return own + [symbol_key(alias) for alias in company.aliases if alias.startswith("$")]


def names_of(company: Company) -> list[str]:
    """Return the name and the aliases that are no tickers, each once."""
    return list(dict.fromkeys([company.name, *(alias for alias in company.aliases if not alias.startswith("$"))]))


@dataclass(frozen=True, slots=True)
class Register:
    """Companies by id and by ticker."""

    companies: tuple[Company, ...]
    _by_id: dict[str, Company] = field(init=False, repr=False, compare=False)
    _by_symbol: dict[str, list[Company]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_symbol: dict[str, list[Company]] = {}
        for company in self.companies:
            for symbol in symbols_of(company):
                by_symbol.setdefault(symbol, []).append(company)
        object.__setattr__(self, "_by_id", {company.id: company for company in self.companies})
        object.__setattr__(self, "_by_symbol", by_symbol)

    def find(self, id_: str) -> Company | None:
        """Return the company with this id, or None."""
        return self._by_id.get(id_)

    def resolve(self, symbol: str, at: datetime) -> Company | None:
        """Return the company that an id or a ticker (with or without `$`) means at an instant, or None."""
        exact = self._by_id.get(symbol)
        candidates = [exact] if exact is not None else []
        candidates += self._by_symbol.get(symbol_key(symbol), [])
        return next((company for company in candidates if company.is_valid_on(at)), None)


def shipped_companies() -> tuple[Company, ...]:
    """Return the register that comes with the product."""
    text = resources.files("monitor.register").joinpath("companies.csv").read_text(encoding="utf-8")
    return _parse(text, "companies.csv")


def read_companies(path: Path) -> tuple[Company, ...]:
    """Return the companies of a CSV file (UTF-8, with the header `COLUMNS`; columns after `name` may be left out).

    Raises:
        InvalidConfiguration: The file cannot be read, or rows are wrong: each fault with row and field, 20 at most.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path}: cannot be read as UTF-8 text ({error}); save the register as CSV in UTF-8"
        raise InvalidConfiguration(msg) from error
    return _parse(text, str(path))


def load_register(path: Path | None = None, *, replaces: bool = False) -> Register:
    """Return the shipped register, extended or replaced by the user's own file.

    A row of the user's with a shipped id takes its place; a name or a ticker that the user gives to another company is
    taken from the shipped one.

    Args:
        path: The user's CSV file; None for the shipped register alone.
        replaces: Use nothing of the shipped register.

    Raises:
        InvalidConfiguration: The user's file is wrong.
    """
    if path is None:
        return Register(shipped_companies())
    own = read_companies(path)
    if replaces:
        return Register(_known_parents(own, own, str(path)))
    ids = {company.id for company in own}
    kept = tuple(_without_names_of(company, own) for company in shipped_companies() if company.id not in ids)
    return Register(_known_parents((*kept, *own), own, str(path)))


def _without_names_of(company: Company, own: Sequence[Company]) -> Company:
    """Return a shipped company without the names and tickers that companies of the user's bear at the same time."""
    rivals = [other for other in own if _overlap(company, other)]
    names = {fold(plain(name)) for other in rivals for name in names_of(other)}
    symbols = {symbol for other in rivals for symbol in symbols_of(other)}
    aliases = tuple(
        alias
        for alias in company.aliases
        if (symbol_key(alias) not in symbols if alias.startswith("$") else fold(plain(alias)) not in names)
    )
    ticker = "" if symbol_key(company.ticker) in symbols else company.ticker
    if fold(plain(company.name)) in names:
        msg = f"`name` {company.name!r} is that of the shipped company {company.id}; give your row the id {company.id}"
        raise InvalidConfiguration(msg)
    return replace(company, aliases=aliases, ticker=ticker)


def _known_parents(companies: tuple[Company, ...], judged: Iterable[Company], where: str) -> tuple[Company, ...]:
    ids = {company.id for company in companies}
    faults = [f"{c.id} `parent`: {c.parent!r} is no id of the register" for c in judged if c.parent not in ids | {""}]
    _refuse(where, faults)
    return companies


def _parse(text: str, where: str) -> tuple[Company, ...]:
    rows = csv.DictReader(StringIO(text), restkey="", strict=True)
    header = tuple(rows.fieldnames or ())
    _refuse(where, list(_header_faults(header)))
    companies: list[tuple[int, Company]] = []
    faults: list[str] = []
    try:
        for row in rows:
            if "" in row or None in row.values():
                faults.append(f"row {rows.line_num}: must have {len(header)} fields, as the header has")
                continue
            cells = {key: value.strip() for key, value in row.items()}
            found = list(_cell_faults(cells))
            faults += [f"row {rows.line_num} {fault}" for fault in found]
            if not found:
                companies.append((rows.line_num, _company(cells)))
    except csv.Error as error:
        faults.append(f"row {rows.line_num}: is no CSV ({error})")
    faults += _clashes(companies)
    _refuse(where, faults)
    return tuple(company for _, company in companies)


def _refuse(where: str, faults: list[str]) -> None:
    if faults:
        more = f" (and {len(faults) - MAX_FAULTS} more)" if len(faults) > MAX_FAULTS else ""
        msg = f"{where}: " + "; ".join(faults[:MAX_FAULTS]) + more
        raise InvalidConfiguration(msg)


def _header_faults(header: tuple[str, ...]) -> Iterator[str]:
    for column in ("id", "name"):
        if column not in header:
            yield f"header: column `{column}` is missing; the columns are {','.join(COLUMNS)}"
    for column in header:
        if column not in COLUMNS:
            yield f"header: column `{column}` is unknown; the columns are {','.join(COLUMNS)}"
        elif header.count(column) > 1:
            yield f"header: column `{column}` stands there {header.count(column)} times"


def _cell_faults(cells: dict[str, str]) -> Iterator[str]:
    if not _ID.fullmatch(cells["id"]):
        yield f"`id`: must be 1 to 32 of A-Z, 0-9, dot, dash, underscore, was {cells['id']!r}"
    if not cells["name"]:
        yield "`name`: must not be empty"
    ticker = cells.get("ticker", "")
    if ticker and not _TICKER.fullmatch(ticker):
        yield f"`ticker`: must be an exchange symbol such as AAPL or BRK.B, was {ticker!r}"
    if cells.get("kind") and not _KIND.fullmatch(cells["kind"]):
        yield f"`kind`: must be lower-case letters and dashes, was {cells['kind']!r}"
    for column in ("aliases", "exclude"):
        yield from _list_faults(column, _list(cells.get(column, "")))
    yield from _span_faults(cells)


def _list_faults(column: str, values: tuple[str, ...]) -> Iterator[str]:
    for value in values:
        if not value:
            yield f"`{column}`: has an empty entry between two `|`"
        elif value.startswith("$") and column == "aliases" and not _TICKER.fullmatch(symbol_key(value)):
            yield f"`{column}`: {value!r} is no ticker"
        elif not any(map(str.isalnum, value)):
            yield f"`{column}`: {value!r} has neither letter nor digit"
    for value, times in Counter(values).items():
        if value and times > 1:
            yield f"`{column}`: {value!r} stands there {times} times"


def _span_faults(cells: dict[str, str]) -> Iterator[str]:
    days = {}
    for column in ("valid_from", "valid_to"):
        try:
            days[column] = _day(cells.get(column, ""))
        except ValueError:
            yield f"`{column}`: must be a day such as 2014-12-31, was {cells[column]!r}"
    first, end = days.get("valid_from"), days.get("valid_to")
    if first and end and end <= first:
        yield f"`valid_to`: must be after `valid_from`, was {end} with {first}"


def _day(cell: str) -> date | None:
    return date.fromisoformat(cell) if cell else None


def _list(cell: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in cell.split("|")) if cell else ()


def _company(cells: dict[str, str]) -> Company:
    return Company(
        id=cells["id"],
        ticker=cells.get("ticker", ""),
        name=cells["name"],
        aliases=_list(cells.get("aliases", "")),
        sector=cells.get("sector", ""),
        parent=cells.get("parent", ""),
        kind=cells.get("kind") or "company",
        exclude=_list(cells.get("exclude", "")),
        valid_from=_day(cells.get("valid_from", "")),
        valid_to=_day(cells.get("valid_to", "")),
    )


def _overlap(one: Company, other: Company) -> bool:
    """Return whether there is a day on which both rows hold."""
    first = max(one.valid_from or date.min, other.valid_from or date.min)
    return first < min(one.valid_to or date.max, other.valid_to or date.max)


def _clashes(companies: Sequence[tuple[int, Company]]) -> list[str]:
    """Return where two rows share an id, or a name or a ticker on the same day."""
    faults: list[str] = []
    ids: dict[str, int] = {}
    bearers: dict[tuple[str, str], list[Company]] = {}
    for line, company in companies:
        if company.id in ids:
            faults.append(f"row {line} `id`: {company.id} is that of row {ids[company.id]} too")
        ids.setdefault(company.id, line)
        claims = {("aliases", fold(plain(name))): name for name in names_of(company)}
        claims |= {("ticker", symbol): symbol for symbol in symbols_of(company)}
        for (column, key), written in claims.items():
            rivals = bearers.setdefault((column, key), [])
            faults += [
                f"row {line} `{column}`: {written!r} means {rival.id} on the same days; tell them apart or date them"
                for rival in rivals
                if _overlap(company, rival) and rival.id != company.id
            ]
            rivals.append(company)
    return faults
