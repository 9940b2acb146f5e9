"""Alembic scripts, found by path."""
