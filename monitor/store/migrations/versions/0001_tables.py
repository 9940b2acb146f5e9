"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
"""Ordered by code point."""


def upgrade() -> None:
    op.create_table(
        "alert_steps",
        sa.Column("run", _KEY, nullable=False),
        sa.Column("alert", _KEY, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("at_min", sa.Integer(), nullable=False),
        sa.Column("decision", _KEY, nullable=False),
        sa.Column("severity", _KEY, nullable=False),
        sa.Column("actor", _KEY, nullable=False),
        sa.Column("note", _KEY, nullable=False),
        sa.PrimaryKeyConstraint("run", "alert", "revision", name=op.f("pk_alert_steps")),
    )
    op.create_table(
        "alerts",
        sa.Column("run", _KEY, nullable=False),
        sa.Column("id", _KEY, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("series", _KEY, nullable=False),
        sa.Column("entity", _KEY, nullable=False),
        sa.Column("family", _KEY, nullable=False),
        sa.Column("severity", _KEY, nullable=False),
        sa.Column("state", _KEY, nullable=False),
        sa.Column("opened_min", sa.Integer(), nullable=False),
        sa.Column("updated_min", sa.Integer(), nullable=False),
        sa.Column("body", _KEY, nullable=False),
        sa.PrimaryKeyConstraint("run", "id", name=op.f("pk_alerts")),
    )
    op.create_index("ix_alerts_series", "alerts", ["run", "series", "opened_min"], unique=False)
    op.create_index("ix_alerts_state", "alerts", ["run", "state", "opened_min"], unique=False)
    op.create_table(
        "audit_log",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("actor", _KEY, nullable=False),
        sa.Column("action", _KEY, nullable=False),
        sa.Column("subject", _KEY, nullable=False),
        sa.Column("detail", _KEY, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_log")),
    )
    op.create_index("ix_audit_log_at_us", "audit_log", ["at_us"], unique=False)
    op.create_table(
        "deliveries",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("run", _KEY, nullable=False),
        sa.Column("alert", _KEY, nullable=False),
        sa.Column("key", _KEY, nullable=False),
        sa.Column("receiver", _KEY, nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("outcome", _KEY, nullable=False),
        sa.Column("reason", _KEY, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
    )
    op.create_index("ix_deliveries_alert", "deliveries", ["run", "alert"], unique=False)
    op.create_table(
        "documents",
        sa.Column("run", _KEY, nullable=False),
        sa.Column("id", _KEY, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("source", _KEY, nullable=False),
        sa.Column("source_class", _KEY, nullable=False),
        sa.Column("origin", _KEY, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("url", _KEY, nullable=False),
        sa.Column("language", _KEY, nullable=False),
        sa.Column("published_us", sa.BigInteger(), nullable=True),
        sa.Column("crawled_us", sa.BigInteger(), nullable=False),
        sa.Column("event_us", sa.BigInteger(), nullable=False),
        sa.Column("effective_min", sa.Integer(), nullable=True),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("story", _KEY, nullable=False),
        sa.Column("copy", sa.Boolean(), nullable=False),
        sa.Column("backlog", sa.Boolean(), nullable=False),
        sa.Column("truncated", sa.Boolean(), nullable=False),
        sa.Column("hints", _KEY, nullable=False),
        sa.Column("found", _KEY, nullable=False),
        sa.Column("label", sa.SmallInteger(), nullable=False),
        sa.Column("negative", sa.Integer(), nullable=False),
        sa.Column("neutral", sa.Integer(), nullable=False),
        sa.Column("positive", sa.Integer(), nullable=False),
        sa.Column("topic", sa.SmallInteger(), nullable=False),
        sa.Column("topic_confidence", sa.Integer(), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("model", _KEY, nullable=False),
        sa.Column("classified_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("run", "id", "revision", name=op.f("pk_documents")),
    )
    op.create_index(
        "ix_documents_counted", "documents", ["run", "effective_min", "event_us", "id", "revision"], unique=False
    )
    op.create_index("ix_documents_facets", "documents", ["run", "label", "topic", "source", "event_us"], unique=False)
    op.create_index("ix_documents_newest", "documents", ["run", "event_us", "id", "revision"], unique=False)
    op.create_table(
        "mentions",
        sa.Column("run", _KEY, nullable=False),
        sa.Column("entity", _KEY, nullable=False),
        sa.Column("event_us", sa.BigInteger(), nullable=False),
        sa.Column("document", _KEY, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("effective_min", sa.Integer(), nullable=True),
        sa.Column("topic", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("run", "entity", "event_us", "document", "revision", name=op.f("pk_mentions")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_mentions_counted", "mentions", ["run", "entity", "effective_min"], unique=False)
    op.create_index("ix_mentions_document", "mentions", ["run", "document", "revision"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("run", _KEY, nullable=False),
        sa.Column("key", _KEY, nullable=False),
        sa.Column("receiver", _KEY, nullable=False),
        sa.Column("alert", _KEY, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("change", _KEY, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("due_us", sa.BigInteger(), nullable=False),
        sa.Column("closed_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("key", name=op.f("uq_outbox_key")),
    )
    op.create_index("ix_outbox_alert", "outbox", ["run", "alert", "receiver", "revision"], unique=False)
    op.create_index("ix_outbox_open", "outbox", ["closed_us", "due_us"], unique=False)
    op.create_table(
        "positions",
        sa.Column("run", _KEY, nullable=False),
        sa.Column("topic", _KEY, nullable=False),
        sa.Column("partition", sa.SmallInteger(), nullable=False),
        sa.Column("stage", _KEY, nullable=False),
        sa.Column("last_offset", sa.BigInteger(), nullable=False),
        sa.Column("watermark_min", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("run", "topic", "partition", name=op.f("pk_positions")),
    )
    op.create_table(
        "runs",
        sa.Column("name", _KEY, nullable=False),
        sa.Column("title", _KEY, nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("notifies", sa.Boolean(), nullable=False),
        sa.Column("partitions", sa.SmallInteger(), nullable=False),
        sa.Column("state", _KEY, nullable=False),
        sa.Column("topics", _KEY, nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_runs")),
    )
    op.create_table(
        "seen_items",
        sa.Column("source", _KEY, nullable=False),
        sa.Column("document", _KEY, nullable=False),
        sa.Column("text_digest", _KEY, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("first_crawled_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source", "document", name=op.f("pk_seen_items")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "source_states",
        sa.Column("source", _KEY, nullable=False),
        sa.Column("title", _KEY, nullable=False),
        sa.Column("url", _KEY, nullable=False),
        sa.Column("health", _KEY, nullable=False),
        sa.Column("etag", _KEY, nullable=False),
        sa.Column("last_modified", _KEY, nullable=False),
        sa.Column("last_attempt_us", sa.BigInteger(), nullable=True),
        sa.Column("last_success_us", sa.BigInteger(), nullable=True),
        sa.Column("last_document_us", sa.BigInteger(), nullable=True),
        sa.Column("next_poll_us", sa.BigInteger(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("reason", _KEY, nullable=False),
        sa.Column("documents", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_source_states")),
    )
    op.create_table(
        "users",
        sa.Column("name", _KEY, nullable=False),
        sa.Column("role", _KEY, nullable=False),
        sa.Column("password_hash", _KEY, nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_users")),
    )
    op.create_table(
        "windows",
        sa.Column("run", _KEY, nullable=False),
        sa.Column("kind", _KEY, nullable=False),
        sa.Column("size_min", sa.SmallInteger(), nullable=False),
        sa.Column("start_min", sa.Integer(), nullable=False),
        sa.Column("series", _KEY, nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.Column("covered", sa.Boolean(), nullable=False),
        sa.Column("documents", sa.Integer(), nullable=False),
        sa.Column("negative", sa.Integer(), nullable=False),
        sa.Column("neutral", sa.Integer(), nullable=False),
        sa.Column("positive", sa.Integer(), nullable=False),
        sa.Column("polarity", sa.BigInteger(), nullable=False),
        sa.Column("squares", sa.BigInteger(), nullable=False),
        sa.Column("originals", sa.Integer(), nullable=False),
        sa.Column("negative_originals", sa.Integer(), nullable=False),
        sa.Column("positive_originals", sa.Integer(), nullable=False),
        sa.Column("late", sa.Integer(), nullable=False),
        sa.Column("stories", sa.Integer(), nullable=False),
        sa.Column("sources", sa.Integer(), nullable=False),
        sa.Column("origins", sa.Integer(), nullable=False),
        sa.Column("surprise", sa.Double(), nullable=True),
        sa.Column("surprises", _KEY, nullable=True),
        sa.PrimaryKeyConstraint("run", "kind", "size_min", "start_min", "series", name=op.f("pk_windows")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_windows_series", "windows", ["run", "series", "size_min", "start_min"], unique=False)


def downgrade() -> None:

    op.drop_index("ix_windows_series", table_name="windows")
    op.drop_table("windows")
    op.drop_table("users")
    op.drop_table("source_states")
    op.drop_table("seen_items")
    op.drop_table("runs")
    op.drop_table("positions")
    op.drop_index("ix_outbox_open", table_name="outbox")
    op.drop_index("ix_outbox_alert", table_name="outbox")
    op.drop_table("outbox")
    op.drop_index("ix_mentions_document", table_name="mentions")
    op.drop_index("ix_mentions_counted", table_name="mentions")
    op.drop_table("mentions")
    op.drop_index("ix_documents_newest", table_name="documents")
    op.drop_index("ix_documents_facets", table_name="documents")
    op.drop_index("ix_documents_counted", table_name="documents")
    op.drop_table("documents")
    op.drop_index("ix_deliveries_alert", table_name="deliveries")
    op.drop_table("deliveries")
    op.drop_index("ix_audit_log_at_us", table_name="audit_log")
    op.drop_table("audit_log")
    op.drop_index("ix_alerts_state", table_name="alerts")
    op.drop_index("ix_alerts_series", table_name="alerts")
    op.drop_table("alerts")
    op.drop_table("alert_steps")
