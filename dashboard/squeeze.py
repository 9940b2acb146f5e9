"""Answers go out compressed: the scripts of the components are several megabytes, the figures compress tenfold."""

from __future__ import annotations

import gzip
from collections import OrderedDict
from threading import Lock

from flask import Flask, Response, request

__all__ = ["squeeze_answers"]

SMALLEST = 1_400
"""Bytes below which an answer fits one packet and is left as it is."""

KEPT = 64
"""Compressed scripts kept in memory; their addresses carry a fingerprint, so that they never change."""

_KINDS = ("text/", "application/json", "application/javascript", "image/svg")


def squeeze_answers(server: Flask) -> None:
    """Compress what a browser takes compressed."""
    kept: OrderedDict[str, bytes] = OrderedDict()
    lock = Lock()

    def squeezed(response: Response) -> bytes:
        lasting = request.path.startswith("/_dash-component-suites/") and ".v" in request.path
        if not lasting:
            return gzip.compress(response.get_data(), 4)
        with lock:
            known = kept.get(request.path)
        if known is None:
            known = gzip.compress(response.get_data(), 6)
            with lock:
                kept[request.path] = known
                while len(kept) > KEPT:
                    kept.popitem(last=False)
        return known

    @server.after_request
    def squeeze(response: Response) -> Response:
        takes = "gzip" in request.headers.get("Accept-Encoding", "").lower()
        plain = response.status_code == 200 and "Content-Encoding" not in response.headers
        if not takes or not plain or not (response.mimetype or "").startswith(_KINDS):
            return response
        response.direct_passthrough = False
        if len(response.get_data()) < SMALLEST:
            return response
        response.set_data(squeezed(response))
        response.headers["Content-Encoding"] = "gzip"
        response.vary.add("Accept-Encoding")
        return response
