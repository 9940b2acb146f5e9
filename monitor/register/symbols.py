"""Tickers as they are written in texts: cashtags, with their exchange, as Reuters codes, in brackets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from monitor.register.registry import symbol_key

__all__ = ["WrittenSymbol", "written_symbols"]

_CASHTAG = re.compile(r"(?<![\w$])\$([A-Za-z][A-Za-z0-9]{0,8})(?:([./-])([A-Za-z]{1,3}))?(?!\w)")
_EXCHANGE = re.compile(
    r"\b(NYSE(?: ?(?:MKT|Arca|American))?|N(?:ASDAQ|asdaq)(?:GS|GM|CM)?|AMEX|OTC(?:MKTS|QX|BB)?|LSE|LON|ETR|FRA"
    r"|XETRA|EPA|TSX|TYO|HKEX|HKG|SEHK|ASX|BIT|BME|AMS|STO|SWX|VTX|NSE|BSE|KRX)"
    r" ?: ?\$?([A-Z0-9]{1,6}(?:[.-][A-Z]{1,2})?)\b"
)
_REUTERS = re.compile(r"[<(\[]([A-Z0-9]{1,6})([a-z])?(?:_p)?\.([A-Z]{1,2})[>)\]]")
_BRACKETED = re.compile(r"[(\[<]([A-Z]{1,5}(?:[.-][A-Z])?)[>)\]]")
_SUFFIXES = {
    "LSE": "L",
    "LON": "L",
    "ETR": "DE",
    "FRA": "DE",
    "XETRA": "DE",
    "EPA": "PA",
    "TSX": "TO",
    "TYO": "T",
    "HKEX": "HK",
    "HKG": "HK",
    "SEHK": "HK",
    "ASX": "AX",
    "BIT": "MI",
    "BME": "MC",
    "AMS": "AS",
    "STO": "ST",
    "SWX": "S",
    "VTX": "S",
    "NSE": "NS",
    "BSE": "BO",
    "KRX": "KS",
}
"""What an exchange's companies end in, in the codes of the register; those of the United States in nothing."""

_AMERICAN = frozenset({"N", "O", "OQ", "K", "A", "P", "PK"})
"""Endings of Reuters codes whose first part is the ticker itself."""


class WrittenSymbol(NamedTuple):
    """A ticker in a text: where it stands, and the keys it may mean, the surest first.

    Attributes:
        why: ``cashtag`` or ``ticker``.
        sure: False if it stands in brackets only, where a word or an initial may stand as well.
    """

    start: int
    end: int
    keys: tuple[str, ...]
    why: str
    sure: bool


def written_symbols(text: str) -> Iterator[WrittenSymbol]:
    """Yield what is written as a ticker; what it means, if anything, the register knows."""
    if "$" in text:
        yield from map(_cashtag, _CASHTAG.finditer(text))
    if ":" in text:
        for match in _EXCHANGE.finditer(text):
            suffix = _SUFFIXES.get(match.group(1))
            keys = (symbol_key(match.group(2)) + (f".{suffix}" if suffix else ""),)
            yield WrittenSymbol(match.start(), match.end(), keys, "ticker", sure=True)
    if not {"(", "<", "["}.isdisjoint(text):
        yield from map(_reuters, _REUTERS.finditer(text))
        for match in _BRACKETED.finditer(text):
            yield WrittenSymbol(match.start(1), match.end(1), (symbol_key(match.group(1)),), "ticker", sure=False)


def _cashtag(match: re.Match[str]) -> WrittenSymbol:
    root, mark, share_class = match.groups()
    whole = symbol_key(root if share_class is None else f"{root}.{share_class}")
    keys: tuple[str, ...] = (whole,)
    # "$AAPL.but" is a sentence without its space, "$AAPL/MSFT" a list; "$T.TO" is another company in Toronto
    if share_class is not None and (mark == "/" or root.isupper() != share_class.isupper()):
        keys = (whole, symbol_key(root))
    return WrittenSymbol(match.start(), match.end() if len(keys) == 1 else match.end(1), keys, "cashtag", sure=True)


def _reuters(match: re.Match[str]) -> WrittenSymbol:
    root, share_class, exchange = match.groups()
    base = f"{root}.{share_class.upper()}" if share_class else root
    keys = (f"{base}.{exchange}", *((base,) if exchange in _AMERICAN else ()))
    return WrittenSymbol(match.start() + 1, match.end() - 1, keys, "ticker", sure=True)
