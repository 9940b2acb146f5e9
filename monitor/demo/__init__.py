"""A demo feed: news and comments about companies that do not exist, with a quiet background and a script of events."""
