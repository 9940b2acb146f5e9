"""Untrusted text on its way out: one line, no control characters, no address but a web address."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

__all__ = ["ALERT_TITLE", "DOCUMENT_TITLE", "NAME", "REASON", "one_line", "site_of", "web_link"]

NAME = 60
"""Characters of a company's name in a subject."""

ALERT_TITLE = 200
"""Characters of an alert's title: any name of that length, and the figures whole."""

DOCUMENT_TITLE = 160
"""Characters of a document's title in a message: a headline whole, a long comment cut."""

REASON = 300
"""Characters of what a server said in a delivery log."""

_UNSEEN = re.compile(
    "[\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069\\ufeff\\ud800-\\udfff]+"
)
"""Control characters, line separators, marks that turn the direction of text, and halves of characters."""


def one_line(text: str, limit: int) -> str:
    """Return text as one line of at most `limit` characters, without anything that cannot be seen.

    >>> one_line("Profit\\r\\nBcc: all@example.com", 60)
    'Profit Bcc: all@example.com'
    >>> one_line("abcdef", 4)
    'abc…'
    """
    clean = " ".join(_UNSEEN.sub(" ", text).split())
    return clean if len(clean) <= limit else clean[: limit - 1].rstrip() + "…"


def web_link(url: str) -> str:
    """Return an address if it is one that a browser may open (http or https, with a host), else an empty string.

    >>> web_link("https://example.com/a"), web_link("javascript:alert(1)")
    ('https://example.com/a', '')
    """
    if len(url) > 2000 or _UNSEEN.search(url) or any(character.isspace() for character in url):
        return ""
    return url if site_of(url) else ""


def site_of(url: str) -> str:
    """Return the host of an http or https address, or an empty string.

    >>> site_of("https://www.example.com/a"), site_of("mailto:a@example.com")
    ('example.com', '')
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return ""
    return host.removeprefix("www.") if parts.scheme in {"http", "https"} else ""
