"""Telling people: e-mail, signed webhook, chat, console; the outbox emptied with patience; the heartbeat."""
