"""Indices that fit how documents are asked for: by company and time, and by source and time."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_mentions_document", table_name="mentions")
    op.drop_index("ix_mentions_counted", table_name="mentions")
    op.create_index(
        "ix_mentions_counted", "mentions", ["run", "entity", "effective_min", "event_us", "document", "revision"]
    )
    op.create_index("ix_documents_source", "documents", ["run", "source", "event_us", "id", "revision"])


def downgrade() -> None:
    op.drop_index("ix_documents_source", table_name="documents")
    op.drop_index("ix_mentions_counted", table_name="mentions")
    op.create_index("ix_mentions_counted", "mentions", ["run", "entity", "effective_min"])
    op.create_index("ix_mentions_document", "mentions", ["run", "document", "revision"])
