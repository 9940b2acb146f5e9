"""A port that is taken is named, with its holder and the way out."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from monitor.domain.errors import InvalidConfiguration
from monitor.supervise.ports import free_port, port_holder, port_is_free, require_free_port


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_taken_port_is_not_free(taken):
    assert not port_is_free("127.0.0.1", taken)


def test_a_port_is_free_again_once_its_holder_has_gone():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert port_is_free("127.0.0.1", port)


def test_the_refusal_names_port_holder_purpose_and_flag(taken):
    with pytest.raises(InvalidConfiguration) as refused:
        require_free_port("127.0.0.1", taken, wanted_by="the dashboard", flag="--port")
    for part in (str(taken), f"process {os.getpid()}", "the dashboard wants it", "`--port`"):
        assert part in str(refused.value)


def test_a_free_port_and_any_port_are_accepted():
    require_free_port("127.0.0.1", free_port(), wanted_by="kafka", flag="--kafka-port")
    require_free_port("127.0.0.1", 0, wanted_by="kafka", flag="--kafka-port")


def test_a_port_that_nobody_holds_has_no_holder():
    assert port_holder(free_port()) is None
