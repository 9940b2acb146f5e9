"""A local web server for every test that fetches."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from streams.sources.testing import FeedServer, feed_server


@pytest.fixture
def server() -> Iterator[FeedServer]:
    with feed_server() as running:
        yield running
