"""Reads what a source answered: RSS and Atom by feedparser, JSON Feed and JSON APIs by a thin reader of our own."""

from __future__ import annotations

import calendar
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from io import BytesIO
from typing import Any, TypeAlias

import feedparser

from streams.sources.configuration import Source, SourceKind
from streams.sources.fetch import FailureReason, Fetched, FetchFailed
from streams.sources.text import instant, one_line, plain, safe_link

__all__ = ["FeedItem", "ParsedFeed", "parse"]

MAX_ITEMS = 5_000
"""Entries read from one answer; the rest is counted in `left_out`."""
MAX_TITLE = 500
"""Characters of a title; longer ones are a body in the wrong place, and are cut."""
MAX_KEY = 2_000
GARBLED = re.compile("[\x80-\x9f\ufffd]")
"""Characters that no writer means: controls of ISO 8859, and the mark of a byte that could not be read."""
GARBLED_SHARE = 0.05
"""Share of them in the titles from which a feed is refused; a stray one is a typing error."""

Paths: TypeAlias = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedItem:
    """One entry of a source, in plain text.

    Attributes:
        key: What identifies it at its source: the guid, else the address, else the title.
    """

    key: str
    title: str
    text: str
    url: str
    published_at: datetime | None = None
    author: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedFeed:
    """What an answer held.

    Attributes:
        ttl: How long the feed asks to be left alone.
        fault: Set if the answer broke off: its items are good, its cursor must not be kept.
        left_out: Entries without key or words, or beyond `MAX_ITEMS`.
    """

    kind: SourceKind
    title: str
    items: tuple[FeedItem, ...]
    language: str = ""
    ttl: timedelta | None = None
    fault: str = ""
    left_out: int = 0


def parse(answer: Fetched, source: Source) -> ParsedFeed | FetchFailed:
    """Read the body of an answer in the way the source's kind asks for, or in the way it looks like."""
    body = answer.body.lstrip(b"\t\n\r ")
    if not body.strip(b"\x00"):
        return _not_a_feed("the answer is empty")
    looks_like_json = body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in {b"{", b"["}
    if source.kind in {SourceKind.JSON_API, SourceKind.JSON_FEED} or (
        source.kind is SourceKind.AUTO and looks_like_json
    ):
        return _parse_json(answer, source)
    return _parse_xml(answer, body)


def _not_a_feed(detail: str) -> FetchFailed:
    return FetchFailed(reason=FailureReason.NOT_A_FEED, detail=detail)


def _parse_xml(answer: Fetched, body: bytes) -> ParsedFeed | FetchFailed:
    headers = {"content-location": answer.url, "content-type": answer.content_type or "application/xml"}
    # what feedparser would sanitise and resolve is turned into plain text here anyway
    feed = feedparser.parse(BytesIO(body), response_headers=headers, sanitize_html=False, resolve_relative_uris=False)
    fault = feed.get("bozo_exception")
    if isinstance(fault, feedparser.CharacterEncodingUnknown) or _is_garbled(feed.entries):
        detail = "the bytes fit no encoding that the feed or the server names"
        return FetchFailed(reason=FailureReason.WRONG_ENCODING, detail=detail)
    if not feed.version and not feed.entries:
        return _not_a_feed(_what_it_is(answer, body, fault))
    whole = re.search(rb"</\s*(\w+:)?(rss|feed|rdf|channel)\s*>[^<]*(<!--.*?-->\s*)*$", body[-4096:], re.I | re.S)
    broken_off = bool(feed.bozo) and not whole and _is_ascii_like(body)
    # the last entry of a feed that broke off may be half of itself: it comes whole with the next good answer
    entries = feed.entries[:-1] if broken_off else feed.entries
    items = [_feed_entry(entry, answer.url) for entry in entries[:MAX_ITEMS]]
    language = _language(dict.get(feed.feed, "language", ""))
    return ParsedFeed(
        kind=SourceKind.ATOM if feed.version.startswith("atom") else SourceKind.RSS,
        title=one_line(_text(dict.get(feed.feed, "title", "")))[:MAX_TITLE],
        items=_distinct(items),
        language=language,
        ttl=_ttl(feed.feed),
        fault=f"the feed breaks off after {len(entries)} whole entries" if broken_off else "",
        left_out=len(entries) - sum(item is not None for item in items),
    )


def _is_garbled(entries: Sequence[Any]) -> bool:
    """Tell whether titles were read in an encoding they are not in: feedparser ends with one that takes any byte."""
    titles = "".join(_text(dict.get(entry, "title")) for entry in entries)
    return len(GARBLED.findall(titles)) > GARBLED_SHARE * len(titles)


def _is_ascii_like(body: bytes) -> bool:
    """UTF-16 and UTF-32 cannot be searched for an end tag byte by byte; they are taken as whole."""
    return body.count(b"\x00", 0, 200) == 0


def _what_it_is(answer: Fetched, body: bytes, fault: object) -> str:
    start = body[:2000].lower()
    if b"<html" in start or b"<!doctype html" in start:
        return "the answer is an HTML page, not a feed; look for the page's RSS or Atom link"
    if start[:1] != b"<":
        return f"the answer is not XML (content type {answer.content_type or 'not given'})"
    return f"the answer is XML but no feed ({_first_line(fault)})" if fault else "the answer is XML but no feed"


def _first_line(fault: object) -> str:
    return " ".join(str(fault).split())[:150]


def _feed_entry(entry: Any, base: str) -> FeedItem | None:
    # dict.get throughout: feedparser's own look-up answers for `published` where only `updated` is given, with warnings
    get: Callable[[str], Any] = partial(dict.get, entry)
    title = one_line(_text(get("title")))[:MAX_TITLE]
    bodies = [_text(part.get("value")) for part in get("content") or [] if isinstance(part, dict)]
    text = max((plain(body) for body in [*bodies, _text(get("summary"))]), key=len)
    url = safe_link(_text(get("link")), base)
    return _item(
        key=_text(get("id")) or url or title,
        title=title,
        text="" if text == title else text,
        url=url,
        published_at=_moment(get("published_parsed") or get("updated_parsed") or get("created_parsed")),
        author=_text(get("author")),
        language=_language((get("title_detail") or {}).get("language")),
    )


def _item(*, key: str, title: str, text: str, **rest: Any) -> FeedItem | None:
    key = " ".join(plain(key).split())[:MAX_KEY]
    if not key or not (title or text):
        return None
    rest["author"] = one_line(rest["author"])[:MAX_TITLE]
    return FeedItem(key=key, title=title, text=text, **rest)


def _distinct(items: Sequence[FeedItem | None]) -> tuple[FeedItem, ...]:
    found: dict[str, FeedItem] = {}
    for item in items:
        if item is not None:
            found.setdefault(item.key, item)
    return tuple(found.values())


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return ""


def _language(value: object) -> str:
    found = re.match(r"[a-z]{2,3}(?![a-z])", _text(value).strip().lower())
    return found.group() if found else ""


def _moment(parsed: Any) -> datetime | None:
    try:
        return datetime.fromtimestamp(calendar.timegm(parsed), UTC) if parsed else None
    except (ValueError, OverflowError, OSError, TypeError):
        return None


def _ttl(feed: Any) -> timedelta | None:
    """Return the RSS ttl (minutes), else the interval of the syndication module."""
    ttl = _text(dict.get(feed, "ttl")).strip()
    if re.fullmatch(r"\d{1,6}", ttl, re.ASCII):
        return timedelta(minutes=int(ttl))
    period = _text(dict.get(feed, "sy_updateperiod")).strip().lower()
    lengths = {"hourly": timedelta(hours=1), "daily": timedelta(days=1), "weekly": timedelta(weeks=1)}
    times = _text(dict.get(feed, "sy_updatefrequency")).strip() or "1"
    if period not in lengths or not re.fullmatch(r"\d{1,4}", times, re.ASCII) or int(times) == 0:
        return None
    return lengths[period] / int(times)


def _parse_json(answer: Fetched, source: Source) -> ParsedFeed | FetchFailed:
    try:
        value = json.loads(answer.body.decode(_charset(answer.content_type)).removeprefix("\ufeff"))
    except (UnicodeDecodeError, LookupError):
        detail = f"the answer is not in the encoding {_charset(answer.content_type)}"
        return FetchFailed(reason=FailureReason.WRONG_ENCODING, detail=detail)
    except RecursionError:
        return _not_a_feed("the answer is JSON nested beyond reason")
    except ValueError as error:
        return _not_a_feed(f"the answer is not JSON ({_first_line(error)})")
    if source.kind is SourceKind.JSON_API:
        return _parse_api(value, answer, source)
    if (
        isinstance(value, dict)
        and "jsonfeed.org" in _text(value.get("version"))
        and isinstance(value.get("items"), list)
    ):
        return _parse_json_feed(value, answer)
    return _not_a_feed('the answer is JSON but no JSON Feed; describe it with kind = "json-api", `items` and `fields`')


def _charset(content_type: str) -> str:
    found = re.search(r"charset\s*=\s*\"?([\w-]+)", content_type, re.I)
    return found.group(1) if found else "utf-8"


def _parse_json_feed(feed: dict[str, Any], answer: Fetched) -> ParsedFeed:
    entries = [entry for entry in feed["items"] if isinstance(entry, dict)]
    items = [_json_entry(entry, answer.url) for entry in entries[:MAX_ITEMS]]
    return ParsedFeed(
        kind=SourceKind.JSON_FEED,
        title=one_line(_text(feed.get("title")))[:MAX_TITLE],
        items=_distinct(items),
        language=_language(feed.get("language")),
        left_out=len(feed["items"]) - sum(item is not None for item in items),
    )


def _json_entry(entry: dict[str, Any], base: str) -> FeedItem | None:
    title = one_line(_text(entry.get("title")))[:MAX_TITLE]
    texts = (_text(entry.get(name)) for name in ("content_text", "content_html", "summary"))
    url = safe_link(_text(entry.get("url")) or _text(entry.get("external_url")), base)
    authors = entry.get("authors")
    first = authors[0] if isinstance(authors, list) and authors else entry.get("author")
    return _item(
        key=_text(entry.get("id")) or url or title,
        title=title,
        text=next((text for text in map(plain, texts) if text), ""),
        url=url,
        published_at=instant(entry.get("date_published") or entry.get("date_modified")),
        author=_text(first.get("name")) if isinstance(first, dict) else "",
        language=_language(entry.get("language")),
    )


def _parse_api(value: Any, answer: Fetched, source: Source) -> ParsedFeed | FetchFailed:
    entries = at_path(value, source.items)
    if not isinstance(entries, list):
        kind = "nothing" if entries is None else type(entries).__name__
        where = source.items or "(the top)"
        return _not_a_feed(f"`items` path {where} leads to {kind}, not to a list")
    items = [_api_entry(entry, source, answer.url) for entry in entries[:MAX_ITEMS]]
    if entries and not any(items):
        return _not_a_feed("no entry has what `fields` name; check the paths of `title`, `text` and `key`")
    return ParsedFeed(
        kind=SourceKind.JSON_API,
        title=source.title,
        items=_distinct(items),
        left_out=len(entries) - sum(item is not None for item in items),
    )


def _api_entry(entry: Any, source: Source, base: str) -> FeedItem | None:
    def read(name: str) -> Any:
        path = source.fields.get(name)
        return at_path(entry, path) if path else None

    title = one_line(_text(read("title")))[:MAX_TITLE]
    text = plain(_text(read("text")))
    url = safe_link(_text(read("url")), base)
    return _item(
        key=_text(read("key")) or url or title or text[:200],
        title=title,
        text=text,
        url=url,
        published_at=instant(read("published")),
        author=_text(read("author")),
        language=_language(read("language")),
    )


def at_path(value: Any, path: str) -> Any:
    """Return what lies at a dotted path; numbers count into lists; None where it leads nowhere.

    >>> at_path({"data": [{"name": "x"}]}, "data.0.name")
    'x'
    """
    for step in path.split(".") if path else ():
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value
