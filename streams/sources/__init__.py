"""The crawler: from public feeds and comment APIs to documents and ticks in the log."""
