"""Recorded feeds as documents: CSV, JSON Lines, Parquet, also gzipped; columns mapped, times typed, nothing dropped
without a word.
"""

from __future__ import annotations

import csv
import gzip
import heapq
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

import msgspec

from monitor.domain.documents import MAX_TEXT_BYTES, Document, SourceClass, document_id
from monitor.domain.errors import InvalidConfiguration, InvalidMessage
from monitor.ports import StoryAssigner
from streams.feedmapping import FeedMapping
from streams.stories import story_text

__all__ = ["FeedReader"]

_SORT_WITHIN = 20_000
"""Rows held to put a nearly sorted file in order; a row older than that is an error that names file and row."""

_CHUNK_ROWS = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    file: Path
    number: int
    at: datetime
    values: dict[str, Any]


@dataclass(slots=True)
class FeedReader:
    """Reads feeds in order of time, as documents.

    Attributes:
        paths: Merged in order of time; each must be sorted but for _SORT_WITHIN rows.
        mapping: Which column means what.
        zone: For times without one; without it such a row is refused.
        start, end: Half-open span in event time.
        delay: From publication to the moment the monitor could have known it.
        read: Rows taken, and `refused`: rows left out, by reason.
    """

    paths: Sequence[Path]
    mapping: FeedMapping
    stories: StoryAssigner
    zone: ZoneInfo | None = None
    start: datetime | None = None
    end: datetime | None = None
    delay: timedelta = timedelta(0)
    read: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    _handles: list[tuple[BinaryIO, int]] = field(default_factory=list)
    _taken: int = 0
    _given: int = 0

    def documents(self) -> Iterator[Document]:
        """Yield documents in order of time; rows that name the same id one after the other become one.

        Raises:
            InvalidConfiguration: A file cannot be read, lacks a column, or is not in order.
        """
        merged = heapq.merge(*(self._sorted(path) for path in self.paths), key=lambda row: (row.at, str(row.file)))
        pending: Document | None = None
        for row in merged:
            self._given += 1
            document = self._document(row)
            if document is None:
                continue
            if pending is not None and pending.id == document.id:
                pending = _joined(pending, document)
                self.refused["same id as the row before: joined with it"] += 1
                continue
            if pending is not None:
                yield self._storied(pending)
            pending = document
        if pending is not None:
            yield self._storied(pending)

    def fraction(self) -> float:
        """Return how much of the feed has been given out, from 0 to 1: by bytes, less the rows held to be sorted."""
        total = sum(size for _, size in self._handles)
        done = sum(size if handle.closed else min(handle.tell(), size) for handle, size in self._handles)
        return done / total * self._given / max(1, self._taken) if total else 0.0

    def _sorted(self, path: Path) -> Iterator[_Row]:
        """Yield the rows of a file by time."""
        heap: list[tuple[datetime, int, _Row]] = []
        last: datetime | None = None
        for row in self._rows(path):
            if last is not None and row.at < last:
                msg = (
                    f"{path.name} row {row.number} is of {row.at.isoformat()}, more than {_SORT_WITHIN:,} rows behind "
                    f"its time ({last.isoformat()}); sort the file by time first"
                )
                raise InvalidConfiguration(msg)
            heapq.heappush(heap, (row.at, row.number, row))
            if len(heap) > _SORT_WITHIN:
                last, _, oldest = heapq.heappop(heap)
                yield oldest
        while heap:
            yield heapq.heappop(heap)[2]

    def _rows(self, path: Path) -> Iterator[_Row]:
        """Yield the rows of a file that carry a time within the span."""
        columns = self.mapping.for_file(path)
        for number, cells in enumerate(self._cells(path), 2):
            if isinstance(cells, str):
                self.refused[cells] += 1
                continue
            values = columns.values(cells)
            if number == 2:
                columns.require_time(path, values, cells)
            at = self._instant(values.get("published_at"))
            if isinstance(at, str):
                self.refused[at] += 1
            elif (self.start and at < self.start) or (self.end and at >= self.end):
                self.refused["outside --from and --to"] += 1
            else:
                self._taken += 1
                yield _Row(file=path, number=number, at=at, values=values)

    def _instant(self, value: Any) -> datetime | str:
        """Return a time in UTC, or why it is none."""
        try:
            if isinstance(value, int | float) and not isinstance(value, bool):
                return datetime.fromtimestamp(value / 1000 if value > 1e11 else value, UTC)
            at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value).strip())
        except (ValueError, OverflowError, OSError):
            return "its time cannot be read" if value else "it has no time"
        if at.tzinfo is None:
            if self.zone is None:
                return "its time has no zone (give --zone)"
            at = at.replace(tzinfo=self.zone)
        return at.astimezone(UTC)

    def _document(self, row: _Row) -> Document | None:
        values = row.values
        title, text = str(values.get("title") or "").strip(), str(values.get("text") or "").strip()
        cut = text.encode("utf-8", "replace")[:MAX_TEXT_BYTES].decode("utf-8", "ignore")
        source = str(values.get("source") or row.file.name.partition(".")[0])
        url = str(values.get("url") or "")
        key = str(values.get("id") or url or f"{row.at.isoformat()}\0{title}\0{cut[:500]}")
        known_at = row.at + self.delay
        try:
            self.read += 1
            return Document(
                id=document_id(source, key),
                source=source,
                source_class=SourceClass(str(values.get("source_class") or SourceClass.NEWS)),
                origin=str(values.get("origin") or source),
                title=title,
                text=cut,
                url=url,
                language=str(values.get("language") or "en"),
                published_at=row.at,
                crawled_at=known_at,
                event_at=known_at,
                story="",
                truncated=len(cut) < len(text),
                hints=_hints(values.get("hints")),
            )
        except InvalidMessage:
            self.refused["it has neither title nor text"] += 1
        except ValueError:
            self.refused[f"its source class is none of {', '.join(SourceClass)}"] += 1
        return None

    def _storied(self, document: Document) -> Document:
        comment = document.source_class is SourceClass.COMMENT
        text = story_text(document.title, document.text, comment=comment)
        story, copy = self.stories.assign(document.id, text, document.event_at)
        return replace(document, story=story, copy=copy)

    def _cells(self, path: Path) -> Iterator[dict[str, Any] | str]:
        """Yield the rows of a file as dictionaries, or why a line is none."""
        kind = path.name.lower().removesuffix(".gz").rpartition(".")[2]
        try:
            raw = path.open("rb")
        except OSError as error:
            msg = f"feed {path} cannot be read: {error.strerror}"
            raise InvalidConfiguration(msg) from None
        self._handles.append((raw, path.stat().st_size))
        with raw:
            stream: Any = gzip.GzipFile(fileobj=raw) if path.name.lower().endswith(".gz") else raw
            if kind == "csv":
                yield from _csv(stream, path)
            elif kind in {"jsonl", "ndjson", "json"}:
                yield from _json_lines(stream)
            elif kind == "parquet":
                yield from _parquet(path)
            else:
                msg = f"feed {path.name} must end in .csv, .jsonl, .ndjson or .parquet, each also with .gz"
                raise InvalidConfiguration(msg)


def _csv(stream: BinaryIO, path: Path) -> Iterator[dict[str, Any] | str]:
    csv.field_size_limit(16 * 1024 * 1024)
    with io.TextIOWrapper(stream, encoding="utf-8", errors="replace", newline="") as lines:
        reader = csv.DictReader(line.replace("\0", "") for line in lines)
        if not reader.fieldnames:
            msg = f"feed {path.name} is empty"
            raise InvalidConfiguration(msg)
        while True:
            try:
                row = next(reader)
            except StopIteration:
                return
            except (csv.Error, EOFError) as error:
                yield f"the line is no CSV: {error}"
                continue
            yield {name: value for name, value in row.items() if name is not None}


def _json_lines(stream: BinaryIO) -> Iterator[dict[str, Any] | str]:
    for line in stream:
        if not line.strip():
            continue
        try:
            row = msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            yield "the line is no JSON"
            continue
        yield row if isinstance(row, dict) else "the line is no JSON object"


def _parquet(path: Path) -> Iterator[dict[str, Any] | str]:
    from pyarrow import parquet

    for batch in parquet.ParquetFile(path).iter_batches(batch_size=_CHUNK_ROWS):
        yield from batch.to_pylist()


def _hints(value: Any) -> tuple[str, ...]:
    parts: Iterable[Any] = value if isinstance(value, list | tuple) else str(value or "").split("|")
    return tuple(dict.fromkeys(str(part).strip() for part in parts if str(part).strip()))


def _joined(one: Document, other: Document) -> Document:
    return replace(one, hints=tuple(dict.fromkeys((*one.hints, *other.hints))))
