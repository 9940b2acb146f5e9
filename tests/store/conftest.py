"""One empty store per test, on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, make_url, text

from monitor.store import schema
from monitor.store.engine import open_engine

_numbers = itertools.count()


def _server_folder() -> Path | None:
    """The folder of PostgreSQL's server programs: named by pg_config, else the one of postgres on the path."""
    if config := shutil.which("pg_config"):
        folder = Path(subprocess.run([config, "--bindir"], capture_output=True, text=True, check=True).stdout.strip())
        if (folder / "initdb").exists():
            return folder
    found = shutil.which("postgres")
    return Path(found).resolve().parent if found else None


class _Account:
    """Who runs the server: ourselves, or an unprivileged account where we are root, which PostgreSQL refuses."""

    def __init__(self) -> None:
        self.name, self.prefix = pwd.getpwuid(os.getuid()).pw_name, []
        if os.getuid() != 0:
            return
        known = {entry.pw_name: entry for entry in pwd.getpwall()}
        entry = known.get("postgres") or known.get("nobody")
        if entry is None or not shutil.which("setpriv"):
            pytest.skip("PostgreSQL refuses to run as root, and there is no other account (or no setpriv) to run it")
        self.name = entry.pw_name
        self.prefix = ["setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups"]

    def run(self, *command: str) -> None:
        subprocess.run([*self.prefix, *command], check=True, capture_output=True, cwd="/")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a real server, on a Unix socket only; its databases vanish with the session."""
    programs = _server_folder()
    if programs is None:
        pytest.skip("no PostgreSQL server on this machine (neither pg_config nor postgres on the path)")
    account = _Account()
    folder = Path(tempfile.mkdtemp(prefix="bw-pg-", dir="/tmp"))
    try:
        shutil.chown(folder, account.name)
        cluster = str(folder / "cluster")
        account.run(
            str(programs / "initdb"), "-D", cluster, "-U", "bellwether", "-A", "trust", "-E", "UTF8", "--no-sync"
        )
        settings = f"-k {folder} -c listen_addresses='' -c fsync=off -c shared_buffers=64MB"
        log = str(folder / "log")
        account.run(str(programs / "pg_ctl"), "-D", cluster, "-l", log, "-w", "-o", settings, "start")
        try:
            yield f"postgresql+psycopg://bellwether@/postgres?host={folder}"
        finally:
            account.run(str(programs / "pg_ctl"), "-D", cluster, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> str:
    """The name of a database that holds the empty schema."""
    url = _database(postgres_server)
    open_engine(url).dispose()
    return str(make_url(url).database)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that holds the empty schema."""
    path = tmp_path_factory.mktemp("template") / "store.db"
    open_engine(f"sqlite:///{path}").dispose()
    return path


@pytest.fixture(scope="session")
def postgres_store(postgres_server: str, postgres_template: str) -> str:
    """The address of a database that the tests use in turn: emptying one is quicker than making one."""
    return _database(postgres_server, postgres_template)


BOTH = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(params=BOTH)
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty, upgraded store."""
    if request.param == "sqlite":
        return _copy(request.getfixturevalue("sqlite_template"), tmp_path)
    url: str = request.getfixturevalue("postgres_store")
    engine = create_engine(url)
    with engine.begin() as connection:
        tables = ", ".join(schema.metadata.tables)
        connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY"))
    engine.dispose()
    return url


@pytest.fixture(params=BOTH, scope="module")
def own_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of an empty, upgraded store that a whole module shares and nobody empties."""
    if request.param == "sqlite":
        return _copy(request.getfixturevalue("sqlite_template"), tmp_path_factory.mktemp("module"))
    return _database(request.getfixturevalue("postgres_server"), request.getfixturevalue("postgres_template"))


@pytest.fixture(params=BOTH)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database with nothing in it."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'folder' / 'store.db'}"
    return _database(request.getfixturevalue("postgres_server"))


@pytest.fixture
def engine(store_url: str) -> Iterator[Engine]:
    """An engine on `store_url`."""
    engine = open_engine(store_url)
    yield engine
    engine.dispose()


def _copy(template: Path, folder: Path) -> str:
    shutil.copy(template, folder / "store.db")
    return f"sqlite:///{folder / 'store.db'}"


def _database(server: str, template: str | None = None) -> str:
    """Make a database and return its address."""
    name = f"t{next(_numbers)}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else "")))
    engine.dispose()
    return make_url(server).set(database=name).render_as_string(hide_password=False)
