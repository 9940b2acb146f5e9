"""The one way a text is prepared for the network, in training and at run time alike."""

from __future__ import annotations

import html
import re
import unicodedata

__all__ = ["URL_TOKEN", "normalise", "shingle_text"]

URL_TOKEN = "http"  # noqa: S105  (a word of the vocabulary, not a secret)
"""What stands for any address: one word piece of every BERT vocabulary, where an address costs a dozen."""

_URLS = re.compile(r"(?:(?:https?://|www\.|\bt\.co/|\bpic\.twitter\.com/)\S*\s*)+", re.IGNORECASE)
"""One or several addresses in a row."""

_SPACE = re.compile(r"\s+")
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_PUNCTUATION = re.compile(r"[^\w\s%$]|_")
_MENTION = re.compile(r"(?:^RT\s+)?@\w+:?")

_CP1252_TAIL = "".join(
    bytes([code]).decode("cp1252") for code in range(0x80, 0xC0) if code not in {0x81, 0x8D, 0x8F, 0x90, 0x9D}
)
_MOJIBAKE = re.compile(f"[\u00c2-\u00f4][{re.escape(_CP1252_TAIL)}\x81\x8d\x8f\x90\x9d]{{1,3}}")
"""A UTF-8 lead byte and its tail as they look when read as Windows-1252."""


def normalise(text: str) -> str:
    """Return `text` as the network sees it: one line, addresses as URL_TOKEN, entities and mojibake undone.

    Linear in the length of the text; any text is accepted, the result may be empty.

    >>> normalise("Acme&amp;Co  rises 5% https://t.co/abc")
    'Acme&Co rises 5% http'
    """
    text = _SURROGATE.sub(" ", text)
    text = html.unescape(html.unescape(text)) if "&" in text else text
    text = _mended(text)
    text = unicodedata.normalize("NFKC", _UNSEEN.sub("", text))
    return _SPACE.sub(" ", _URLS.sub(f" {URL_TOKEN} ", _SURROGATE.sub(" ", text))).strip()


def _mended(text: str) -> str:
    """Undo mojibake, which is often made twice or three times over."""
    for _ in range(3):
        mended = _MOJIBAKE.sub(_decoded, text)
        if mended == text:
            break
        text = mended
    return text


def _decoded(match: re.Match[str]) -> str:
    """Return what the bytes behind a run of mojibake say, or the run itself where they say nothing."""
    run = match.group()
    raw = bytearray()
    for character in run:
        try:
            raw += character.encode("cp1252")
        except UnicodeEncodeError:
            raw.append(ord(character))
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return run


def shingle_text(text: str) -> str:
    """Return what two copies of a text have in common: no case, punctuation, addresses or retweet marks.

    >>> shingle_text("RT @desk: Acme rises, again! http")
    'acme rises again'
    """
    bare = _MENTION.sub(" ", text).replace(URL_TOKEN, " ").casefold()
    return _SPACE.sub(" ", _PUNCTUATION.sub(" ", bare)).strip()
