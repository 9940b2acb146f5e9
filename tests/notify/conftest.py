"""The fixtures of `servers`, for every test of this folder."""

from tests.notify.servers import certificate, free_port, server_tls, smtp, web

__all__ = ["certificate", "free_port", "server_tls", "smtp", "web"]
