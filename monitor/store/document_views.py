"""Finding documents: filters to conditions, rows to views."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Select, Subquery, and_, false, func, or_, select

from monitor.domain.entities import Mention
from monitor.domain.sentiment import MICRO, TOPICS, Label
from monitor.domain.series import TOPIC_SLUGS, entity_of
from monitor.domain.timespans import from_minute, minute_of
from monitor.domain.views import DocumentFilter, DocumentPage, DocumentView
from monitor.store import schema
from monitor.store.columns import from_json, from_us, from_us_or_none

__all__ = ["documents_by_id", "find_documents"]

_document, _mention = schema.documents.c, schema.mentions.c


def find_documents(
    connection: Connection, run: str, filter_: DocumentFilter, limit: int, offset: int, names: Callable[[str], str]
) -> DocumentPage:
    """Return a page of what `filter_` leaves in.

    Newest first: by the minute a document counts in where the filter bounds it, else by the time it was said. An edit
    is a row of its own, its id followed by ``~`` and its revision.
    """
    named = _named(run, filter_)
    source: FromClause = schema.documents
    for group in named:
        source = source.join(group, and_(_document.id == group.c.document, _document.revision == group.c.revision))
    conditions = _conditions(run, filter_)
    total = connection.execute(select(func.count()).select_from(source).where(*conditions)).scalar_one()
    order = _order(filter_, named[0] if named else None)
    query = select(schema.documents).select_from(source).where(*conditions).order_by(*order)
    rows = connection.execute(query.limit(limit).offset(offset)).all() if total > offset else []
    return DocumentPage(rows=tuple(_view(row, names) for row in rows), total=total)


def documents_by_id(
    connection: Connection, run: str, ids: Sequence[str], names: Callable[[str], str]
) -> tuple[DocumentView, ...]:
    """Return the counted revision of each document that is still stored, in the order asked."""
    query = select(schema.documents).where(_document.run == run, _document.id.in_(ids), _document.revision == 0)
    found = {row.id: row for row in connection.execute(query)} if ids else {}
    return tuple(_view(found[id_], names) for id_ in ids if id_ in found)


def _entities(filter_: DocumentFilter) -> tuple[list[str], ...]:
    """Return groups of companies; a document must name one of each group."""
    of_series = entity_of(filter_.series)
    groups = (list(filter_.entities), [of_series] if of_series else [])
    return tuple(group for group in groups if group)


def _named(run: str, filter_: DocumentFilter) -> list[Subquery]:
    """Return the mentions of each group of companies; one that names several of a group stands there once."""
    shown = (_mention.document, _mention.revision, _mention.effective_min, _mention.event_us)
    found = []
    for number, group in enumerate(_entities(filter_)):
        query = select(*shown).where(_mention.run == run, *_bounds(_mention.effective_min, filter_))
        query = query.where(_mention.entity == group[0]) if len(group) == 1 else _any_of(query, group)
        found.append(query.subquery(f"named_{number}"))
    return found


def _any_of(query: Select[Any], group: list[str]) -> Select[Any]:
    return query.where(_mention.entity.in_(group)).distinct()


def _conditions(run: str, filter_: DocumentFilter) -> list[ColumnElement[bool]]:
    conditions = [_document.run == run, *_bounds(_document.effective_min, filter_)]
    if filter_.label:
        labels = [label.value for label in Label if label.word == filter_.label]
        conditions.append(_document.label == labels[0] if labels else false())
    _, of_topic, slug = filter_.series.rpartition("topic:")
    conditions += [_topic_is(topic) for topic in (filter_.topic, slug if of_topic else "") if topic]
    if filter_.source:
        conditions.append(_document.source == filter_.source)
    conditions += [
        or_(_document.title.icontains(word, autoescape=True), _document.text.icontains(word, autoescape=True))
        for word in filter_.text.split()
    ]
    return conditions


def _topic_is(topic: str) -> ColumnElement[bool]:
    """Take a topic by its name or by its slug."""
    for known in (TOPICS, TOPIC_SLUGS):
        if topic in known:
            return _document.topic == known.index(topic)
    return false()


def _bounds(column: Any, filter_: DocumentFilter) -> Iterable[ColumnElement[bool]]:
    if filter_.start is not None:
        yield column >= minute_of(filter_.start)
    if filter_.end is not None:
        yield column < minute_of(filter_.end)


def _order(filter_: DocumentFilter, named: Subquery | None) -> Iterable[ColumnElement[Any]]:
    """Order newest first, by the mentions of a company where there are some: their index has that very order."""
    column = schema.documents.c if named is None else named.c
    if filter_.start is not None or filter_.end is not None:
        yield column.effective_min.desc()
    yield column.event_us.desc()
    yield (_document.id if named is None else named.c.document).desc()
    yield column.revision.desc()


def _view(row: Any, names: Callable[[str], str]) -> DocumentView:
    label = Label(row.label)
    entities = sorted({mention.entity for mention in from_json(row.found, tuple[Mention, ...])})
    return DocumentView(
        id=row.id if row.revision == 0 else f"{row.id}~{row.revision}",
        title=row.title,
        text=row.text,
        url=row.url,
        source=row.source,
        source_class=row.source_class,
        origin=row.origin,
        published_at=from_us_or_none(row.published_us),
        crawled_at=from_us(row.crawled_us),
        event_at=from_us(row.event_us),
        effective_at=None if row.effective_min is None else from_minute(row.effective_min),
        late=bool(row.late),
        copy=bool(row.copy),
        label=label.word,
        confidence=max(row.negative, row.neutral, row.positive) / MICRO,
        polarity=(row.positive - row.negative) / MICRO,
        topic=TOPICS[row.topic],
        topic_confidence=row.topic_confidence / MICRO,
        entities=tuple((entity, names(entity)) for entity in entities),
        story=row.story,
    )
