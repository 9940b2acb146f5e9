"""Outbox, sources, accounts and runs on both databases."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import Engine, func, select

from monitor.domain.alerts import AlertChange
from monitor.domain.errors import InvalidConfiguration
from monitor.domain.runs import Run
from monitor.domain.sources import SeenItem, SourceHealth, SourceState
from monitor.store import schema
from monitor.store.accounts import SqlAccounts
from monitor.store.engine import reading
from monitor.store.exports import export_documents
from monitor.store.outbox import SqlOutbox
from monitor.store.runs import SqlRuns
from monitor.store.sink import SqlSink
from monitor.store.sources import SqlSourceStore
from tests.contracts.outbox_contract import OutboxContract
from tests.store.store_facts import OTHER, RUN, change, random_documents, trends_of

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
LIVE_RUN = Run(name="live", title="Live", notifies=True)


@dataclasses.dataclass
class SetClock:
    """Shows the time it was set to."""

    at: datetime = NOON

    def now(self) -> datetime:
        return self.at


class SqlDesk:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.outbox = SqlOutbox(engine)

    def tell(self, what: AlertChange, receiver: str, at: datetime) -> None:
        SqlSink(self._engine, LIVE_RUN, (receiver,), SetClock(at)).write_alerts([what], [])

    def reopened(self) -> SqlOutbox:
        return SqlOutbox(self._engine)


class TestSqlOutbox(OutboxContract):
    @pytest.fixture
    def desk(self, engine: Engine) -> SqlDesk:
        return SqlDesk(engine)

    def test_a_receiver_of_any_name_has_a_key_that_can_stand_in_a_header(self, desk: SqlDesk) -> None:
        for receiver in ("b\u00f6rse@desk.example", "x" * 500, "a b\r\nc"):
            desk.tell(change(), receiver, NOON)
        keys = {row.key for row in desk.outbox.due(NOON)}
        assert len(keys) == 3
        assert all(key.isascii() and key.isprintable() and "." not in key and len(key) <= 200 for key in keys)

    def test_a_delivery_recorded_twice_is_logged_once(self, desk: SqlDesk, engine: Engine) -> None:
        desk.tell(change(), "mail", NOON)
        row = desk.outbox.due(NOON)[0]
        assert desk.outbox.waiting() == 1
        desk.outbox.delivered(row, NOON, "250 ok")
        desk.outbox.delivered(row, NOON, "250 ok")
        desk.outbox.failed(row, NOON, "too late", None)
        assert desk.outbox.waiting() == 0
        with reading(engine) as connection:
            assert [found.outcome for found in connection.execute(select(schema.deliveries))] == ["delivered"]


STATE = SourceState(
    source="gazette",
    title="The Gazette",
    url="https://example.org/feed",
    health=SourceHealth.OK,
    etag='W/"abc"',
    last_modified="Mon, 02 Mar 2026 12:00:00 GMT",
    last_attempt_at=NOON + timedelta(microseconds=1),
    last_success_at=NOON,
    last_document_at=NOON - timedelta(days=9_000),
    next_poll_at=NOON + timedelta(seconds=1.5),
    failures=2,
    reason="404 not found",
    documents=17,
)


def _seen(document: str, **changed: object) -> SeenItem:
    item = SeenItem(document=document, text_digest="aa", revision=0, first_crawled_at=NOON + timedelta(microseconds=7))
    return dataclasses.replace(item, **changed)  # type: ignore[arg-type]


def test_a_cursor_comes_back_to_the_microsecond(engine: Engine) -> None:
    store = SqlSourceStore(engine)
    new = SourceState(source="new", title="", url="")
    store.save(new)
    store.save(STATE)
    assert store.load() == {"gazette": STATE, "new": new}
    moved = dataclasses.replace(STATE, etag="", last_document_at=None, failures=0)
    store.save(moved)
    assert store.load()["gazette"] == moved


def test_seen_items_belong_to_their_source_and_the_last_word_counts(engine: Engine) -> None:
    store = SqlSourceStore(engine)
    store.save(STATE, [_seen(f"d{number}") for number in range(1_200)])
    edited = _seen("d7", text_digest="bb", revision=1)
    store.save(STATE, [_seen("d7", text_digest="x"), edited])
    found = store.seen("gazette", [f"d{number}" for number in range(2_000)])
    assert len(found) == 1_200
    assert (found["d7"], found["d8"]) == (edited, _seen("d8"))
    assert store.seen("other", ["d7"]) == {}
    assert store.seen("gazette", []) == {}


PASSWORD = "correct horse battery"


@pytest.fixture
def accounts(engine: Engine) -> SqlAccounts:
    return SqlAccounts(engine, SetClock(), PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


def test_only_the_right_password_of_a_known_name_opens(accounts: SqlAccounts) -> None:
    created = accounts.create("Ann", "analyst", PASSWORD)
    assert (created.name, created.role, created.created_at) == ("ann", "analyst", NOON)
    assert accounts.verify("ann", PASSWORD) == accounts.verify(" ANN ", PASSWORD) == accounts.find("ann") == created
    for name, password in (
        ("ann", "wrong"), ("ann", ""), ("bob", PASSWORD), ("", ""), ("ann", "x" * 10**6), ("a\0nn", PASSWORD),
        ("ann", "\ud800"),
    ):  # fmt: skip
        assert accounts.verify(name, password) is None
    assert accounts.find("bob") is None


def test_an_unknown_name_costs_one_hash_as_a_known_one_does(engine: Engine) -> None:
    hashed: list[str] = []

    class Counting(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # type: ignore[override]
            hashed.append(str(hash))
            return bool(super().verify(hash, password))

    accounts = SqlAccounts(engine, SetClock(), Counting(time_cost=1, memory_cost=8, parallelism=1))
    accounts.create("ann", "viewer", PASSWORD)
    for name in ("ann", "nobody", "nobody"):
        accounts.verify(name, "wrong password")
    assert len(hashed) == 3
    assert len({text.rsplit("$", 2)[0] for text in hashed}) == 1


def test_passwords_are_never_stored_or_logged(engine: Engine, accounts: SqlAccounts) -> None:
    accounts.create("ann", "viewer", PASSWORD)
    accounts.set_password("ann", PASSWORD + "!")
    with reading(engine) as connection:
        held = str(connection.execute(select(schema.users)).all()) + str(accounts.audited())
    assert PASSWORD not in held
    assert "$argon2id$" in held


def test_a_hash_of_another_cost_is_renewed_at_the_next_login(engine: Engine, accounts: SqlAccounts) -> None:
    accounts.create("ann", "viewer", PASSWORD)
    stronger = SqlAccounts(engine, SetClock(), PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    assert stronger.verify("ann", PASSWORD)
    with reading(engine) as connection:
        assert "m=16,t=2" in connection.execute(select(schema.users.c.password_hash)).scalar_one()
    assert accounts.verify("ann", PASSWORD)


def test_roles_and_passwords_change_and_users_go(accounts: SqlAccounts) -> None:
    accounts.create("ann", "viewer", PASSWORD)
    accounts.set_role("ann", "admin", actor="root")
    accounts.set_password("ann", "another password")
    assert accounts.verify("ann", PASSWORD) is None
    user = accounts.verify("ann", "another password")
    assert user is not None
    assert user.role == "admin"
    assert accounts.list() == (user,)
    accounts.remove("ann")
    assert accounts.list() == ()
    accounts.audit("ann", "alert acknowledged", "a1", "seen")
    lines = [(line.actor, line.action, line.subject, line.detail) for line in accounts.audited()]
    assert lines == [
        ("ann", "alert acknowledged", "a1", "seen"),
        ("command line", "user removed", "ann", ""),
        ("command line", "password set", "ann", ""),
        ("root", "role set", "ann", "admin"),
        ("command line", "user created", "ann", "viewer"),
    ]
    assert accounts.audited(1)[0].at == NOON


@pytest.mark.parametrize(
    ("name", "role", "password", "field"),
    [
        ("", "viewer", PASSWORD, "`name`"),
        ("two words", "viewer", PASSWORD, "`name`"),
        ("ann", "king", PASSWORD, "`role`"),
        ("ann", "viewer", "short", "`password`"),
        ("taken", "viewer", PASSWORD, "taken"),
    ],
)
def test_a_wrong_account_is_refused_by_field(
    accounts: SqlAccounts, name: str, role: str, password: str, field: str
) -> None:
    accounts.create("taken", "viewer", PASSWORD)
    with pytest.raises(InvalidConfiguration, match=field) as refused:
        accounts.create(name, role, password)
    assert password not in str(refused.value)


def test_what_nobody_is_called_cannot_be_changed(accounts: SqlAccounts) -> None:
    for refused in (
        lambda: accounts.remove("bob"),
        lambda: accounts.set_role("bob", "admin"),
        lambda: accounts.set_password("bob", PASSWORD),
    ):
        with pytest.raises(InvalidConfiguration, match="no user 'bob'"):
            refused()
    assert accounts.audited() == ()


def test_a_run_is_found_as_registered_and_may_change_its_title_only(engine: Engine) -> None:
    runs = SqlRuns(engine, SetClock())
    assert runs.find(RUN.name) is None
    runs.register(RUN)
    renamed = dataclasses.replace(RUN, title="Renamed", notifies=False)
    runs.register(renamed)
    assert runs.find(RUN.name) == renamed
    with pytest.raises(InvalidConfiguration, match="begun with 2 partitions, `partitions` is 8 now"):
        runs.register(dataclasses.replace(RUN, partitions=8, title="Not taken"))
    assert runs.list() == (renamed,)


def test_a_run_remembers_its_topics_and_how_it_stands(engine: Engine) -> None:
    runs = SqlRuns(engine)
    assert (runs.topics("no-such"), runs.state("no-such")) == ({}, "")
    runs.register(RUN)
    assert (runs.topics(RUN.name), runs.state(RUN.name)) == ({}, "running")
    runs.remember_topics(RUN.name, {"documents": "Zm9v", "classified": "YmFy"})
    runs.set_state(RUN.name, "finished")
    assert runs.topics(RUN.name) == {"documents": "Zm9v", "classified": "YmFy"}
    assert runs.state(RUN.name) == "finished"
    runs.register(RUN)
    assert runs.topics(RUN.name) == {"documents": "Zm9v", "classified": "YmFy"}
    with pytest.raises(InvalidConfiguration, match="no run 'no-such'"):
        runs.set_state("no-such", "finished")


def test_deleting_a_run_leaves_the_others_whole(engine: Engine) -> None:
    runs, documents = SqlRuns(engine), random_documents(200, minutes=300)
    for run in (RUN, OTHER):
        runs.register(run)
        sink = SqlSink(engine, dataclasses.replace(run, notifies=True), ("desk",))
        sink.write_documents(documents, [])
        sink.write_trends(trends_of(documents, until=0), [])
        sink.write_alerts([change()], [])
    before = list(export_documents(engine, OTHER.name))
    assert runs.delete(RUN.name) > 2_000
    assert runs.list() == (OTHER,)
    assert list(export_documents(engine, OTHER.name)) == before
    with reading(engine) as connection:
        for table in schema.RUN_TABLES:
            query = select(func.count()).select_from(table).where(table.c.run == RUN.name)
            assert connection.execute(query).scalar_one() == 0
    assert runs.delete("no-such") == 0
