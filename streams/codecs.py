"""Messages and records as bytes: versioned JSON, the same bytes for the same facts.

A message is a *bundle*: ``{"version": 1, "entries": [["document", {...}], ["tick", {...}]]}``, in order. Entries are
decoded one by one, so that a bad one never takes the rest with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from typing import Any, NamedTuple

import msgspec

from monitor.domain.alerts import AlertChange, Feedback
from monitor.domain.documents import Document, Tick
from monitor.domain.errors import InvalidMessage, NewerVersion
from monitor.domain.sentiment import Classified
from monitor.domain.trends import ClosedUpTo, Judgement, Trend
from monitor.domain.windows import PaneTotal, Watermark

__all__ = [
    "BUNDLE_VERSION",
    "MAX_BUNDLE_BYTES",
    "MAX_ENTRIES",
    "Bundle",
    "Refused",
    "decode_bundle",
    "decode_record",
    "encode_bundles",
    "encode_record",
]

BUNDLE_VERSION = 1
"""Raised when an entry changes so that an older release would misread it."""

MAX_ENTRIES = 200
"""Entries in a bundle."""

MAX_BUNDLE_BYTES = 256 * 1024
"""A bundle is closed before it grows beyond this; a single larger entry travels alone."""

ENTRY_TYPES: dict[str, type] = {
    "document": Document,
    "tick": Tick,
    "classified": Classified,
    "pane": PaneTotal,
    "watermark": Watermark,
    "trend": Trend,
    "judgement": Judgement,
    "closed": ClosedUpTo,
    "alert": AlertChange,
    "feedback": Feedback,
}
"""The word on the wire for each type of entry."""

_WORDS = {type_: word for word, type_ in ENTRY_TYPES.items()}
_encoder = msgspec.json.Encoder(order="deterministic")
_record_encoder = msgspec.json.Encoder()
_decoders: dict[str, msgspec.json.Decoder[Any]] = {
    word: msgspec.json.Decoder(type_) for word, type_ in ENTRY_TYPES.items()
}
_HEAD = b'{"version":%d,"entries":[' % BUNDLE_VERSION


class _Envelope(msgspec.Struct):
    version: int
    entries: list[tuple[str, msgspec.Raw]]


class _Versioned(msgspec.Struct):
    version: int


class Refused(NamedTuple):
    """An entry that could not be read, as it came, and why."""

    original: bytes
    reason: str


class Bundle(NamedTuple):
    """What a message held: the entries that could be read, in order, and those that could not."""

    entries: tuple[Any, ...]
    refused: tuple[Refused, ...]


def encode_bundles(entries: Iterable[Any]) -> Iterator[bytes]:
    """Yield entries as bundles, in order, each within MAX_ENTRIES and MAX_BUNDLE_BYTES.

    Raises:
        KeyError: An entry is of no type that travels.
    """
    parts: list[bytes] = []
    size = 0
    for entry in entries:
        part = b'["%s",%s]' % (_WORDS[type(entry)].encode(), _encoder.encode(entry))
        if parts and (len(parts) >= MAX_ENTRIES or size + len(part) > MAX_BUNDLE_BYTES):
            yield _HEAD + b",".join(parts) + b"]}"
            parts, size = [], 0
        parts.append(part)
        size += len(part) + 1
    if parts:
        yield _HEAD + b",".join(parts) + b"]}"


def decode_bundle(message: bytes) -> Bundle:
    """Return what a message holds.

    Raises:
        NewerVersion: A newer release wrote it; nothing of it is taken.
        InvalidMessage: It is no bundle at all.
    """
    try:
        version = msgspec.json.decode(message, type=_Versioned).version
        if version > BUNDLE_VERSION:
            raise NewerVersion("message", version, BUNDLE_VERSION)
        envelope = msgspec.json.decode(message, type=_Envelope)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        msg = f"message is no bundle: {error}"
        raise InvalidMessage(msg) from None
    return _decoded(envelope.entries)


def _decoded(raw: Sequence[tuple[str, msgspec.Raw]]) -> Bundle:
    entries, refused = [], []
    for word, original in raw:
        decoder = _decoders.get(word)
        if decoder is None:
            refused.append(Refused(bytes(original), f"unknown kind of entry {word[:40]!r}"))
            continue
        try:
            entries.append(decoder.decode(original))
        except (msgspec.MsgspecError, ValueError, TypeError) as error:
            refused.append(Refused(b'["%s",%s]' % (word.encode(), bytes(original)), f"{word}: {error}"[:500]))
    return Bundle(tuple(entries), tuple(refused))


def encode_record(record: Any) -> bytes:
    """Return a stage's record as bytes; its `version` field is in them."""
    return _record_encoder.encode(record)


def decode_record(type_: type, encoded: bytes) -> Any:
    """Return a record.

    Raises:
        NewerVersion: A newer release wrote it.
        InvalidMessage: It cannot be read.
    """
    reads = _reads(type_)
    try:
        version = msgspec.json.decode(encoded, type=_Versioned).version
        if version > reads:
            raise NewerVersion(type_.__name__, version, reads)
        return msgspec.json.decode(encoded, type=type_)
    except msgspec.MsgspecError as error:
        msg = f"record {type_.__name__} cannot be read: {error}"
        raise InvalidMessage(msg) from None


def _reads(type_: type) -> int:
    """Return the version of a record type that this release writes: the default of its field."""
    return int(next(field.default for field in fields(type_) if field.name == "version"))  # type: ignore[arg-type]
