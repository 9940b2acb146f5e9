"""From what publishers send to plain text: no markup, no control characters, nothing that UTF-8 cannot hold."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import httpx
from lxml import html  # type: ignore[import-untyped]
from lxml.etree import LxmlError, iterwalk  # type: ignore[import-untyped]

from streams.sources.politeness import http_date

__all__ = ["instant", "one_line", "plain", "safe_link"]

UNWANTED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\ufffe\uffff]"
)
"""Control characters, and the invisible ones that turn text around on a screen."""
MARKUP = re.compile(r"<[a-zA-Z!/?][^<>]{0,2000}>|&#?\w{1,32};")
"""A whole tag or reference; "profit <forecast" is a sentence."""
BLOCKS = frozenset(
    re.findall(
        r"\w+",
        "address article aside blockquote br dd div dl dt figure footer h1 h2 h3 h4 h5 h6 header hr li main nav ol p "
        "pre section table td th tr ul",
    )
)
SILENT = frozenset(["script", "style", "noscript", "template", "iframe", "object", "svg", "head", "title"])
HOST = re.compile(r"[\w.:-]+")
MARKUP_CHARS = 2_000_000
"""Longer markup is cut before it is read: 30 times what a document can hold."""
MILLISECONDS_FROM = 10**11
"""Numbers from here on are milliseconds; as seconds they would lie beyond the year 5000."""


def plain(text: str) -> str:
    """Return text without markup, paragraphs parted by line ends.

    >>> plain("<p>Profit &amp; loss</p><script>x</script>")
    'Profit & loss'
    """
    text = UNWANTED.sub("", text[:MARKUP_CHARS].replace("\r\n", "\n").replace("\r", "\n"))
    text = text.encode("utf-8", "replace").decode("utf-8")
    if MARKUP.search(text):
        text = UNWANTED.sub("", _without_markup(text))
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


def one_line(text: str) -> str:
    """Return `plain` text on one line, for titles and names."""
    return " ".join(plain(text).split())


def _without_markup(text: str) -> str:
    try:
        root = html.fragment_fromstring(text, create_parent="div")
    except (LxmlError, ValueError):  # nothing but a comment, or nesting beyond libxml2's bound
        return re.sub(r"<[^>]{0,2000}>", " ", text)
    parts: list[str] = []
    silent = 0
    for event, element in iterwalk(root, events=("start", "end", "comment", "pi")):
        tag = element.tag if isinstance(element.tag, str) else ""
        if event == "start":
            silent += tag in SILENT
            if tag in BLOCKS:
                parts.append("\n")
            if not silent and tag and element.text:
                parts.append(element.text)
            continue
        silent -= tag in SILENT
        if tag in BLOCKS:
            parts.append("\n")
        if not silent and element is not root and element.tail:
            parts.append(element.tail)
    return "".join(parts)


def safe_link(link: str, base: str) -> str:
    """Return an absolute http(s) address, or nothing: a link is shown to people and fetched by us."""
    try:
        url = httpx.URL(base).join(UNWANTED.sub("", link).strip()) if link.strip() else None
    except (httpx.InvalidURL, ValueError, TypeError):
        return ""
    if url is None or url.scheme not in {"http", "https"} or url.userinfo or not HOST.fullmatch(url.host):
        return ""
    return str(url)[:2000]


def instant(value: object) -> datetime | None:
    """Read a date of an API: ISO 8601, RFC 2822, or seconds or milliseconds since 1970; None for nonsense.

    >>> instant(1700000000).isoformat(), instant("2026-01-02T03:04:05Z").isoformat(), instant("soon")
    ('2023-11-14T22:13:20+00:00', '2026-01-02T03:04:05+00:00', None)
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and re.fullmatch(r"-?\d{9,13}(\.\d+)?", value.strip(), re.ASCII):
        value = float(value)
    if isinstance(value, int | float):
        try:
            seconds = value / 1000 if abs(value) >= MILLISECONDS_FROM else value
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
        except (OverflowError, ValueError):
            return None
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return http_date(value)
