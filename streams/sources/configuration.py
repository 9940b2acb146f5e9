"""What the operator writes about sources: TOML tables `[[source]]`, or an OPML list from a feed reader."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal
from xml.parsers import expat

import httpx
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from monitor.domain.documents import SourceClass
from monitor.domain.errors import InvalidConfiguration, SourceRefused
from streams.sources.guard import check_url

__all__ = ["API_FIELDS", "Source", "SourceKind", "as_toml", "default_sources", "import_opml", "load_sources"]

API_FIELDS = ("key", "title", "text", "url", "published", "author", "language")
"""What `fields` of a JSON API may name."""
SHORTEST_INTERVAL = timedelta(seconds=5)
LONGEST_INTERVAL = timedelta(days=7)
OPML_BYTES = 5 * 1024 * 1024
"""Largest OPML file read; thousands of feeds fit."""
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class SourceKind(StrEnum):
    """How the answer of a source is read."""

    AUTO = "auto"
    RSS = "rss"
    ATOM = "atom"
    JSON_FEED = "json-feed"
    JSON_API = "json-api"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One public voice and how it is asked.

    Attributes:
        every: Shortest interval between two polls; the publisher may ask for a longer one.
        language: Taken where neither feed nor entry names one.
        article: Fetch the page behind each new entry and take its text.
        hints: Ids of entities that everything here is about.
        headers: Sent to the host of `url` only; may hold a key, so it is never logged or printed.
        allow_private: Private addresses may be dialled for it.
        items: Path to the list of entries in a JSON API, such as `data.children`; empty for the top.
        fields: From the words of `API_FIELDS` to paths inside an entry of a JSON API.
        origin: Who speaks, for news and reports; the host of `url` if not given.
    """

    id: str
    title: str
    url: str
    kind: SourceKind = SourceKind.AUTO
    source_class: SourceClass = SourceClass.NEWS
    every: timedelta = timedelta(minutes=5)
    language: str = "en"
    article: bool = False
    hints: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    allow_private: bool = False
    items: str = ""
    fields: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    origin: str = ""

    @property
    def host(self) -> str:
        """The host that is asked; politeness goes by it."""
        return httpx.URL(self.url).host


def _interval(value: object) -> timedelta:
    if isinstance(value, bool) or not isinstance(value, int | str):
        msg = f'must be a text such as "5m" or a number of seconds, was {value!r}'
        raise ValueError(msg)
    found = re.fullmatch(r"(\d{1,7})\s*([smhd]?)", str(value).strip(), re.ASCII)
    if not found:
        msg = f'must be a text such as "90s", "5m", "2h" or "1d", was {value!r}'
        raise ValueError(msg)
    length = timedelta(**{UNITS[found.group(2) or "s"]: int(found.group(1))})
    if not SHORTEST_INTERVAL <= length <= LONGEST_INTERVAL:
        msg = f"must lie between 5s and 7d, was {value!r}"
        raise ValueError(msg)
    return length


def _address(value: object) -> str:
    if not isinstance(value, str):
        msg = f"must be a text, was {value!r}"
        raise ValueError(msg)
    try:
        check_url(value)
    except SourceRefused as error:
        raise ValueError(str(error).removeprefix("`url` ")) from error
    return value


def _secret(value: object) -> str:
    """Read a header's value; `env:NAME` and `file:PATH` keep secrets out of the file."""
    if not isinstance(value, str):
        msg = "must be a text, `env:NAME` or `file:PATH`"
        raise ValueError(msg)
    scheme, _, rest = value.partition(":")
    if scheme == "env":
        if rest not in os.environ:
            msg = f"names the environment variable {rest}, which is not set"
            raise ValueError(msg)
        value = os.environ[rest]
    elif scheme == "file":
        try:
            value = Path(rest).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            msg = f"names the file {rest}, which cannot be read"
            raise ValueError(msg) from error
    if not value.isprintable() or not value.isascii():
        msg = "must be printable ASCII on one line"
        raise ValueError(msg)
    return value


class _SourceTable(BaseModel):
    """One `[[source]]` table, as written."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
    url: Annotated[str, BeforeValidator(_address)]
    title: Annotated[str, Field(max_length=200)] = ""
    kind: Literal["auto", "rss", "atom", "json-feed", "json-api"] = "auto"
    source_class: Annotated[Literal["news", "report", "comment"], Field(alias="class")] = "news"
    every: Annotated[timedelta, BeforeValidator(_interval)] = timedelta(minutes=5)
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}$")] = "en"
    article: bool = False
    hints: list[str] = []
    headers: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$")], Annotated[str, BeforeValidator(_secret)]] = {}
    allow_private: bool = False
    items: str = ""
    fields: dict[Literal["key", "title", "text", "url", "published", "author", "language"], str] = {}
    origin: Annotated[str, Field(max_length=200)] = ""

    @model_validator(mode="after")
    def _fits_its_kind(self) -> _SourceTable:
        if self.kind == "json-api" and not ({"title", "text"} & set(self.fields)):
            msg = '`fields` must name at least `title` or `text` for kind = "json-api"'
            raise ValueError(msg)
        if self.kind != "json-api" and (self.items or self.fields):
            msg = '`items` and `fields` are read only with kind = "json-api"'
            raise ValueError(msg)
        return self

    def source(self) -> Source:
        return Source(
            id=self.id,
            title=self.title or self.id,
            url=self.url,
            kind=SourceKind(self.kind),
            source_class=SourceClass(self.source_class),
            every=self.every,
            language=self.language,
            article=self.article,
            hints=tuple(self.hints),
            headers=MappingProxyType(dict(self.headers)),
            allow_private=self.allow_private,
            items=self.items,
            fields=MappingProxyType({str(name): path for name, path in self.fields.items()}),
            origin=self.origin,
        )


def load_sources(path: Path) -> list[Source]:
    """Read the operator's list.

    Raises:
        InvalidConfiguration: With every fault of the file, each named by table and field.
    """
    try:
        return read_sources(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        msg = f"sources file {path} cannot be read: {error.strerror}"
        raise InvalidConfiguration(msg) from error
    except UnicodeDecodeError as error:
        msg = f"sources file {path} is not UTF-8"
        raise InvalidConfiguration(msg) from error


def default_sources() -> list[Source]:
    """Return the list that is shipped."""
    return read_sources(files("streams.sources").joinpath("default.toml").read_text("utf-8"), "default.toml")


def read_sources(text: str, name: str) -> list[Source]:
    """Read a list from TOML; `name` stands in the faults."""
    try:
        written = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        msg = f"{name} is not TOML: {error}"
        raise InvalidConfiguration(msg) from error
    tables = written.pop("source", [])
    faults = [f"{name}: `{key}` is not known; sources are tables named [[source]]" for key in written]
    if not isinstance(tables, list):
        tables, faults = [], [*faults, f"{name}: `source` must be a list of tables, each begun by [[source]]"]
    sources: list[Source] = []
    for position, table in enumerate(tables, start=1):
        try:
            sources.append(_SourceTable.model_validate(table).source())
        except ValidationError as error:
            faults += _faults(name, position, table, error)
    faults += [f"{name}: `id` {one!r} is given to more than one source" for one in _repeated(s.id for s in sources)]
    if faults:
        raise InvalidConfiguration("\n".join(faults))
    return sources


def _faults(name: str, position: int, table: Any, error: ValidationError) -> list[str]:
    label = f"source {position}"
    if isinstance(table, dict) and isinstance(table.get("id"), str):
        label += f" ({table['id'][:64]})"
    lines = []
    for fault in error.errors(include_url=False, include_input=False, include_context=False):
        where = ".".join(str(part) for part in fault["loc"] if part != "[key]")
        said = fault["msg"].removeprefix("Value error, ")
        said = said[0].lower() + said[1:]
        lines.append(f"{name}: {label}: `{where}` {said}" if where else f"{name}: {label}: {said}")
    return lines


def _repeated(names: Iterable[str]) -> list[str]:
    seen: set[str] = set()
    return sorted({one for one in names if one in seen or seen.add(one)})  # type: ignore[func-returns-value]


def import_opml(path: Path) -> list[Source]:
    """Read the feeds of an OPML file, in order; ids are made from their titles.

    Entity declarations are refused: no reader writes them, and they are how an XML file attacks its reader.

    Raises:
        InvalidConfiguration: Not readable, not OPML, with entities, or with an address that must not be fetched.
    """
    try:
        text = path.read_bytes()[: OPML_BYTES + 1]
    except OSError as error:
        msg = f"OPML file {path} cannot be read: {error.strerror}"
        raise InvalidConfiguration(msg) from error
    if len(text) > OPML_BYTES:
        msg = f"OPML file {path} is larger than {OPML_BYTES} bytes"
        raise InvalidConfiguration(msg)
    sources: dict[str, Source] = {}
    faults: list[str] = []
    for outline in _outlines(text, path):
        title = " ".join((outline.get("title") or outline.get("text") or "").split())[:200]
        try:
            url = str(check_url(outline["xmlUrl"].strip()))
        except SourceRefused as error:
            faults.append(f"{path}: outline {title!r}: {str(error).replace('`url`', '`xmlUrl`')}")
            continue
        if url not in {source.url for source in sources.values()}:
            one = _free_id(title or httpx.URL(url).host, sources)
            sources[one] = Source(id=one, title=title or one, url=url)
    if faults:
        raise InvalidConfiguration("\n".join(faults))
    return list(sources.values())


def _outlines(text: bytes, path: Path) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    roots: list[str] = []

    def begin(name: str, attributes: dict[str, str]) -> None:
        if not roots:
            roots.append(name)
        if name == "outline" and attributes.get("xmlUrl", "").strip():
            found.append(attributes)

    def refuse(*_: object) -> int:
        msg = f"OPML file {path} declares entities, which is refused; remove its DOCTYPE"
        raise InvalidConfiguration(msg)

    parser = expat.ParserCreate()
    parser.StartElementHandler = begin
    parser.EntityDeclHandler = refuse
    parser.ExternalEntityRefHandler = refuse
    try:
        parser.Parse(text, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        if isinstance(error, InvalidConfiguration):
            raise
        msg = f"OPML file {path} is not XML: {error}"
        raise InvalidConfiguration(msg) from error
    if roots[:1] != ["opml"]:
        msg = f"OPML file {path} begins with <{roots[0] if roots else ''}>, not <opml>"
        raise InvalidConfiguration(msg)
    return found


def _free_id(title: str, taken: Mapping[str, Source]) -> str:
    stem = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:56].strip("-") or "source"
    number, one = 1, stem
    while one in taken:
        number += 1
        one = f"{stem}-{number}"
    return one


def as_toml(sources: Iterable[Source]) -> str:
    """Return sources as the tables that `load_sources` reads; headers are left out, they may hold keys."""
    tables = []
    for source in sources:
        lines = ["[[source]]", f"id = {json.dumps(source.id)}", f"title = {_quoted(source.title)}"]
        lines += [f"url = {_quoted(source.url)}", f'class = "{source.source_class}"']
        if source.kind is not SourceKind.AUTO:
            lines.append(f'kind = "{source.kind}"')
        lines.append(f'every = "{int(source.every.total_seconds())}s"')
        lines.append(f"language = {json.dumps(source.language)}")
        lines += [f"{name} = true" for name in ("article", "allow_private") if getattr(source, name)]
        lines += [f"{name} = {_quoted(getattr(source, name))}" for name in ("items", "origin") if getattr(source, name)]
        if source.hints:
            lines.append(f"hints = [{', '.join(_quoted(hint) for hint in source.hints)}]")
        if source.fields:
            lines.append("fields = {" + ", ".join(f"{n} = {_quoted(p)}" for n, p in source.fields.items()) + "}")
        tables.append("\n".join(lines) + "\n")
    return "\n".join(tables)


def _quoted(text: str) -> str:
    """Return a TOML basic string: JSON's escapes are TOML's, but for the delete character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
