"""What every test may ask for; kept small."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.install_browser import BY_HAND, find_browser


def pytest_configure(config: pytest.Config) -> None:
    """Let pass what libraries warn of while they are imported, which no test can mend."""
    # kafka-python 3.0 reads its schemas by functions that Python 3.11 and 3.12 call deprecated
    config.addinivalue_line("filterwarnings", "ignore:(read|open)_text is deprecated:DeprecationWarning")


@pytest.fixture(scope="session")
def kafka_bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of one real Kafka for the whole session; KAFKA_BOOTSTRAP_SERVERS, where set, is used instead.

    All tests share it: name topics and groups so that no two tests meet.
    """
    given = os.environ.get("KAFKA_BOOTSTRAP_SERVERS")
    if given:
        yield given
        return
    from monitor.supervise.kafka import EmbeddedKafka

    with EmbeddedKafka(tmp_path_factory.mktemp("kafka")) as kafka:
        yield kafka.bootstrap


@pytest.fixture(scope="session")
def browser_path() -> Path:
    """The Chromium to test with; a test that asks for it is skipped where there is none."""
    found = find_browser()
    if found is None:
        pytest.skip(f"no Chromium found; {BY_HAND}")
    return found
