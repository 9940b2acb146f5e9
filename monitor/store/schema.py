"""The tables. The truth about them is the last migration; a test holds the two equal.

Everything that belongs to a run starts its key with the run. There are no foreign keys: facts come from several logs in
any order, and are deleted in batches. Windows are clustered by time, because the overview reads all series of a few
windows; a chart of one series goes through `ix_windows_series`.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    UniqueConstraint,
)

from monitor.store.columns import CleanText, KeyText

__all__ = [
    "RUN_TABLES",
    "alert_steps",
    "alerts",
    "audit_log",
    "deliveries",
    "documents",
    "mentions",
    "metadata",
    "outbox",
    "positions",
    "runs",
    "seen_items",
    "source_states",
    "users",
    "windows",
]

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_Serial = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite numbers rows by itself only in a column of exactly INTEGER."""


def _text(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, KeyText, nullable=nullable)


def _prose(name: str) -> Column[str]:
    return Column(name, CleanText, nullable=False)


def _count(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False)


def _instant(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=nullable)


def _flag(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False)


runs = Table(
    "runs",
    metadata,
    _text("name"),
    _text("title"),
    _flag("simulated"),
    _flag("notifies"),
    Column("partitions", SmallInteger, nullable=False),
    _text("state"),
    _text("topics"),
    _instant("created_us"),
    PrimaryKeyConstraint("name"),
)
"""`topics`: JSON of Kafka's ids by topic, so that a recreated topic is noticed."""

documents = Table(
    "documents",
    metadata,
    _text("run"),
    _text("id"),
    Column("revision", Integer, nullable=False),
    _text("source"),
    _text("source_class"),
    _text("origin"),
    _prose("title"),
    _prose("text"),
    _text("url"),
    _text("language"),
    _instant("published_us", nullable=True),
    _instant("crawled_us"),
    _instant("event_us"),
    Column("effective_min", Integer),
    _flag("late"),
    _text("story"),
    _flag("copy"),
    _flag("backlog"),
    _flag("truncated"),
    _text("hints"),
    _text("found"),
    Column("label", SmallInteger, nullable=False),
    _count("negative"),
    _count("neutral"),
    _count("positive"),
    Column("topic", SmallInteger, nullable=False),
    _count("topic_confidence"),
    Column("parts", Integer, nullable=False),
    _text("model"),
    Column("classified_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("run", "id", "revision"),
    Index("ix_documents_newest", "run", "event_us", "id", "revision"),
    Index("ix_documents_counted", "run", "effective_min", "event_us", "id", "revision"),
    Index("ix_documents_source", "run", "source", "event_us", "id", "revision"),
    Index("ix_documents_facets", "run", "label", "topic", "source", "event_us"),
)
"""`hints`: JSON list of entity ids. `found`: JSON list of mentions, as in the message. Scores are millionths."""

mentions = Table(
    "mentions",
    metadata,
    _text("run"),
    _text("entity"),
    _instant("event_us"),
    _text("document"),
    Column("revision", Integer, nullable=False),
    Column("effective_min", Integer),
    Column("topic", SmallInteger, nullable=False),
    PrimaryKeyConstraint("run", "entity", "event_us", "document", "revision"),
    Index("ix_mentions_counted", "run", "entity", "effective_min", "event_us", "document", "revision"),
    sqlite_with_rowid=False,
)
"""One row per company and document, to find the documents of a company by time. It has no index by document: SQLite,
which keeps no statistics unless told, would take that one for every question."""

windows = Table(
    "windows",
    metadata,
    _text("run"),
    _text("kind"),
    Column("size_min", SmallInteger, nullable=False),
    Column("start_min", Integer, nullable=False),
    _text("series"),
    _flag("closed"),
    _flag("covered"),
    _count("documents"),
    _count("negative"),
    _count("neutral"),
    _count("positive"),
    Column("polarity", BigInteger, nullable=False),
    Column("squares", BigInteger, nullable=False),
    _count("originals"),
    _count("negative_originals"),
    _count("positive_originals"),
    _count("late"),
    _count("stories"),
    _count("sources"),
    _count("origins"),
    Column("surprise", Double),
    _text("surprises", nullable=True),
    PrimaryKeyConstraint("run", "kind", "size_min", "start_min", "series"),
    Index("ix_windows_series", "run", "series", "size_min", "start_min"),
    sqlite_with_rowid=False,
)
"""`polarity`, `squares`: sums as in `monitor.domain.windows.Counts`; mean and interval follow from them. `surprise`:
the greatest score; `surprises`: all of them as JSON, or NULL where none was judged."""

alerts = Table(
    "alerts",
    metadata,
    _text("run"),
    _text("id"),
    Column("revision", Integer, nullable=False),
    _text("series"),
    _text("entity"),
    _text("family"),
    _text("severity"),
    _text("state"),
    Column("opened_min", Integer, nullable=False),
    Column("updated_min", Integer, nullable=False),
    _text("body"),
    PrimaryKeyConstraint("run", "id"),
    Index("ix_alerts_state", "run", "state", "opened_min"),
    Index("ix_alerts_series", "run", "series", "opened_min"),
)
"""`body`: the alert as JSON; the other columns are for finding it."""

alert_steps = Table(
    "alert_steps",
    metadata,
    _text("run"),
    _text("alert"),
    Column("revision", Integer, nullable=False),
    Column("at_min", Integer, nullable=False),
    _text("decision"),
    _text("severity"),
    _text("actor"),
    _text("note"),
    PrimaryKeyConstraint("run", "alert", "revision"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", _Serial, autoincrement=True, nullable=False),
    _text("run"),
    _text("key"),
    _text("receiver"),
    _text("alert"),
    Column("revision", Integer, nullable=False),
    _text("change"),
    Column("attempts", Integer, nullable=False),
    _instant("created_us"),
    _instant("due_us"),
    _instant("closed_us", nullable=True),
    PrimaryKeyConstraint("id"),
    UniqueConstraint("key"),
    Index("ix_outbox_open", "closed_us", "due_us"),
    Index("ix_outbox_alert", "run", "alert", "receiver", "revision"),
)
"""`closed_us` is NULL until it is delivered or given up."""

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", _Serial, autoincrement=True, nullable=False),
    _text("run"),
    _text("alert"),
    _text("key"),
    _text("receiver"),
    _instant("at_us"),
    _text("outcome"),
    _text("reason"),
    Column("attempt", Integer, nullable=False),
    PrimaryKeyConstraint("id"),
    Index("ix_deliveries_alert", "run", "alert"),
)

source_states = Table(
    "source_states",
    metadata,
    _text("source"),
    _text("title"),
    _text("url"),
    _text("health"),
    _text("etag"),
    _text("last_modified"),
    _instant("last_attempt_us", nullable=True),
    _instant("last_success_us", nullable=True),
    _instant("last_document_us", nullable=True),
    _instant("next_poll_us", nullable=True),
    _count("failures"),
    _text("reason"),
    _count("documents"),
    PrimaryKeyConstraint("source"),
)

seen_items = Table(
    "seen_items",
    metadata,
    _text("source"),
    _text("document"),
    _text("text_digest"),
    Column("revision", Integer, nullable=False),
    _instant("first_crawled_us"),
    PrimaryKeyConstraint("source", "document"),
    sqlite_with_rowid=False,
)

positions = Table(
    "positions",
    metadata,
    _text("run"),
    _text("topic"),
    Column("partition", SmallInteger, nullable=False),
    _text("stage"),
    Column("last_offset", BigInteger, nullable=False),
    Column("watermark_min", Integer),
    PrimaryKeyConstraint("run", "topic", "partition"),
)
"""`stage`: what was written with it (``documents``, ``trends`` or ``alerts``)."""

users = Table(
    "users",
    metadata,
    _text("name"),
    _text("role"),
    _text("password_hash"),
    _instant("created_us"),
    PrimaryKeyConstraint("name"),
)

audit_log = Table(
    "audit_log",
    metadata,
    Column("id", _Serial, autoincrement=True, nullable=False),
    _instant("at_us"),
    _text("actor"),
    _text("action"),
    _text("subject"),
    _text("detail"),
    PrimaryKeyConstraint("id"),
    Index("ix_audit_log_at_us", "at_us"),
)

RUN_TABLES: tuple[Table, ...] = (documents, mentions, windows, alerts, alert_steps, outbox, deliveries, positions)
"""What goes when a run is deleted, in this order; its row in `runs` goes last."""
