"""The fake outbox keeps the contract that the real one must keep."""

from __future__ import annotations

from datetime import datetime

import pytest

from monitor.domain.alerts import AlertChange
from tests.contracts.memory_outbox import MemoryOutbox
from tests.contracts.outbox_contract import OutboxContract


class MemoryDesk:
    def __init__(self) -> None:
        self.outbox = MemoryOutbox()

    def tell(self, change: AlertChange, receiver: str, at: datetime) -> None:
        self.outbox.tell(change, receiver, at)

    def reopened(self) -> MemoryOutbox:
        return self.outbox.reopened()


class TestMemoryOutbox(OutboxContract):
    @pytest.fixture
    def desk(self) -> MemoryDesk:
        return MemoryDesk()
