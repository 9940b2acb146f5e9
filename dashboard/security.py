"""What every answer carries, and which addresses may become links."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from flask import Flask, Response

__all__ = ["content_policy", "guard_answers", "safe_url"]

_LONGEST_URL = 4_000


def safe_url(url: str) -> str:
    """Return an address that may stand in a link, or an empty string: only http and https with a host.

    >>> safe_url("javascript:alert(1)")
    ''
    """
    if len(url) > _LONGEST_URL or any(ord(sign) <= 32 or ord(sign) == 127 for sign in url):
        return ""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return ""
    if parts.scheme.lower() not in {"http", "https"} or not host or parts.username or parts.password:
        return ""
    return url


def content_policy(script_hashes: Sequence[str]) -> str:
    """Return the Content-Security-Policy: everything from here, no script but ours.

    Styles may be inline: Mantine, Plotly and AG Grid set them as they draw.
    """
    rules = {
        "default-src": "'self'",
        "script-src": " ".join(["'self'", *script_hashes]),
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "connect-src": "'self'",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def guard_answers(server: Flask, script_hashes: Sequence[str]) -> None:
    """Put the security headers on every answer of a server."""
    headers = {
        "Content-Security-Policy": content_policy(script_hashes),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    }

    @server.after_request
    def add_headers(response: Response) -> Response:
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        if "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "no-store"
        return response
