"""The SQL store: SQLite by default, PostgreSQL by URL. One module per port; `engine` opens, `migrations` upgrade."""
