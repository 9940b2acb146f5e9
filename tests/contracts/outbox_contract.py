"""What every `Outbox` must do. A test module inherits `OutboxContract` and gives the fixture `desk`."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Protocol

from monitor.domain.alerts import AlertChange, Decision
from monitor.ports import Outbox, OutboxRow
from tests.contracts.alert_examples import NOON, a_change

SECOND = timedelta(seconds=1)


class OutboxDesk(Protocol):
    """An empty outbox, how it is filled, and how it looks from another process."""

    outbox: Outbox

    def tell(self, change: AlertChange, receiver: str, at: datetime) -> None:
        """Put one row in, as `Sink.write_alerts` does; nothing happens if its key is there already."""
        ...

    def reopened(self) -> Outbox:
        """Return the same outbox as another process would open it after this one died."""
        ...


def _seen(rows: list[OutboxRow]) -> list[tuple[str, str, int]]:
    return [(row.receiver, row.change.alert.id, row.change.alert.revision) for row in rows]


class OutboxContract:
    """Inherited by the tests of the fake and of the real outbox."""

    def test_what_was_told_is_due_oldest_first(self, desk: OutboxDesk) -> None:
        desk.tell(a_change("a"), "mail", NOON)
        desk.tell(a_change("b"), "hook", NOON + SECOND)
        rows = desk.outbox.due(NOON + 2 * SECOND)
        assert _seen(rows) == [("mail", "a", 1), ("hook", "b", 1)]
        assert rows[0].change == a_change("a")
        assert rows[0].attempts == 0
        assert (rows[0].run, rows[0].created_at) == ("live", NOON)

    def test_an_empty_outbox_has_nothing_due(self, desk: OutboxDesk) -> None:
        assert desk.outbox.due(NOON) == []

    def test_no_more_rows_come_than_asked_for(self, desk: OutboxDesk) -> None:
        for number in range(5):
            desk.tell(a_change(f"a{number}"), "mail", NOON)
        assert len(desk.outbox.due(NOON, 3)) == 3

    def test_the_same_change_told_twice_is_one_row(self, desk: OutboxDesk) -> None:
        desk.tell(a_change(), "mail", NOON)
        desk.tell(a_change(), "mail", NOON + SECOND)
        assert len(desk.outbox.due(NOON + 2 * SECOND)) == 1

    def test_a_change_told_again_after_its_delivery_is_not_due_again(self, desk: OutboxDesk) -> None:
        desk.tell(a_change(), "mail", NOON)
        desk.outbox.delivered(desk.outbox.due(NOON)[0], NOON, "250 ok")
        desk.tell(a_change(), "mail", NOON + SECOND)
        assert desk.outbox.due(NOON + 2 * SECOND) == []

    def test_keys_differ_by_receiver_alert_and_revision(self, desk: OutboxDesk) -> None:
        desk.tell(a_change("a"), "mail", NOON)
        desk.tell(a_change("a"), "hook", NOON)
        desk.tell(a_change("b"), "mail", NOON)
        rows = desk.outbox.due(NOON)
        desk.tell(a_change("a", 2, Decision.ESCALATED), "hook", NOON)
        for row in rows:
            desk.outbox.delivered(row, NOON, "ok")
        rows += desk.outbox.due(NOON)
        assert len({row.key for row in rows}) == 4

    def test_keys_can_stand_in_a_header(self, desk: OutboxDesk) -> None:
        desk.tell(a_change(), "mail", NOON)
        key = desk.outbox.due(NOON)[0].key
        assert key.isascii()
        assert key.isprintable()
        assert 0 < len(key) <= 200
        assert "." not in key  # it separates what a webhook's signature covers

    def test_a_delivered_row_never_comes_again(self, desk: OutboxDesk) -> None:
        desk.tell(a_change(), "mail", NOON)
        desk.outbox.delivered(desk.outbox.due(NOON)[0], NOON, "250 ok")
        assert desk.outbox.due(NOON + timedelta(days=9)) == []
        assert desk.reopened().due(NOON + timedelta(days=9)) == []

    def test_an_undelivered_row_is_still_due_after_a_restart_with_the_same_key(self, desk: OutboxDesk) -> None:
        desk.tell(a_change(), "mail", NOON)
        before = desk.outbox.due(NOON)
        assert desk.reopened().due(NOON) == before

    def test_a_failed_row_comes_again_when_its_time_has_come_and_not_before(self, desk: OutboxDesk) -> None:
        desk.tell(a_change(), "mail", NOON)
        first = desk.outbox.due(NOON)[0]
        desk.outbox.failed(first, NOON, "450 later", NOON + 5 * SECOND)
        assert desk.outbox.due(NOON + 4 * SECOND) == []
        again = desk.reopened().due(NOON + 5 * SECOND)[0]
        assert again == first._replace(attempts=1)

    def test_a_row_given_up_never_comes_again(self, desk: OutboxDesk) -> None:
        desk.tell(a_change(), "mail", NOON)
        desk.outbox.failed(desk.outbox.due(NOON)[0], NOON, "550 no such user", None)
        assert desk.outbox.due(NOON + timedelta(days=9)) == []

    def test_a_later_revision_waits_until_the_earlier_one_is_closed(self, desk: OutboxDesk) -> None:
        desk.tell(a_change("a", 1), "mail", NOON)
        desk.outbox.failed(desk.outbox.due(NOON)[0], NOON, "450 later", NOON + 60 * SECOND)
        desk.tell(a_change("a", 2, Decision.RESOLVED), "mail", NOON + SECOND)
        desk.tell(a_change("a", 2, Decision.RESOLVED), "hook", NOON + SECOND)
        assert _seen(desk.outbox.due(NOON + 10 * SECOND)) == [("hook", "a", 2)]
        waited = [row for row in desk.outbox.due(NOON + 60 * SECOND) if row.receiver == "mail"]
        assert _seen(waited)[0] == ("mail", "a", 1)
        desk.outbox.delivered(waited[0], NOON + 60 * SECOND, "250 ok")
        assert ("mail", "a", 2) in _seen(desk.outbox.due(NOON + 60 * SECOND))

    def test_a_later_revision_goes_on_when_the_earlier_one_was_given_up(self, desk: OutboxDesk) -> None:
        desk.tell(a_change("a", 1), "mail", NOON)
        desk.tell(a_change("a", 2, Decision.RESOLVED), "mail", NOON)
        desk.outbox.failed(desk.outbox.due(NOON)[0], NOON, "550 no", None)
        assert _seen(desk.outbox.due(NOON)) == [("mail", "a", 2)]

    def test_several_threads_may_record_at_once(self, desk: OutboxDesk) -> None:
        for number in range(12):
            desk.tell(a_change(f"a{number}"), "mail", NOON)
        rows = desk.outbox.due(NOON)
        threads = [threading.Thread(target=desk.outbox.delivered, args=(row, NOON, "ok")) for row in rows]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert desk.outbox.due(NOON) == []
