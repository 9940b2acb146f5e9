"""The jars are those of the lock, byte for byte, and are fetched once."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Sequence
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from monitor.domain.errors import InvalidConfiguration
from monitor.supervise.jars import LOCK_FILE, LockedJar, ensure_jars, read_lock

CONTENTS = {"one-1.0.jar": b"first", "two-2.0.jar": b"second"}


class Repository:
    """Brings jars from memory and counts them."""

    def __init__(self, contents: dict[str, bytes] = CONTENTS) -> None:
        self.contents = contents
        self.asked: list[str] = []

    def __call__(self, jars: Sequence[LockedJar], staging: Path) -> None:
        for jar in jars:
            self.asked.append(jar.file_name)
            (staging / jar.file_name).write_bytes(self.contents[jar.file_name])


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    lines = (
        f"{hashlib.sha256(content).hexdigest()}  org.example:{name.removesuffix('.jar').replace('-', ':')}"
        for name, content in CONTENTS.items()
    )
    path = tmp_path / "test.lock"
    path.write_text("# a comment\n" + "\n".join(lines) + "\n")
    return path


def test_jars_are_fetched_once(tmp_path, lock):
    repository = Repository()
    folder = ensure_jars(tmp_path, lock, repository)
    assert {path.name: path.read_bytes() for path in folder.glob("*.jar")} == CONTENTS
    assert ensure_jars(tmp_path, lock, repository) == folder
    assert repository.asked == ["one-1.0.jar", "two-2.0.jar"]


def test_a_jar_with_another_digest_is_refused_and_not_kept(tmp_path, lock):
    with pytest.raises(InvalidConfiguration, match=r"`two-2.0.jar` has SHA-256 .* serves another file"):
        ensure_jars(tmp_path, lock, Repository(CONTENTS | {"two-2.0.jar": b"forged"}))
    assert not list(tmp_path.rglob("*.jar"))


def test_a_jar_that_was_altered_in_the_cache_is_fetched_again(tmp_path, lock):
    folder = ensure_jars(tmp_path, lock, Repository())
    (folder / "one-1.0.jar").write_bytes(b"altered")
    again = Repository()
    ensure_jars(tmp_path, lock, again)
    assert again.asked == ["one-1.0.jar"]
    assert (folder / "one-1.0.jar").read_bytes() == b"first"


def test_a_jar_that_nobody_locked_leaves_the_folder(tmp_path, lock):
    folder = ensure_jars(tmp_path, lock, Repository())
    (folder / "stranger.jar").write_bytes(b"?")
    (folder / "verified.json").unlink()
    ensure_jars(tmp_path, lock, Repository())
    assert not (folder / "stranger.jar").exists()


def test_without_network_and_cache_the_ways_out_are_named(tmp_path, lock):
    def offline(_jars: Sequence[LockedJar], _staging: Path) -> None:
        raise OSError("network is unreachable")

    with pytest.raises(InvalidConfiguration, match=r"unreachable.*KAFKA_BOOTSTRAP_SERVERS.*connect once"):
        ensure_jars(tmp_path, lock, offline)


def test_a_lock_line_that_is_no_coordinate_is_refused(tmp_path):
    path = tmp_path / "bad.lock"
    path.write_text("abc  org.example:one\n")
    with pytest.raises(InvalidConfiguration, match="sha256  group:artifact:version"):
        read_lock(path)


def test_the_shipped_lock_has_one_broker_with_the_client_of_its_own_release():
    versions = dict(jar.coordinate.rsplit(":", 1) for jar in read_lock())
    assert versions["org.apache.kafka:kafka_2.13"] == versions["org.apache.kafka:kafka-clients"] == "4.3.1"
    assert len(versions) == 46
    assert "://" not in LOCK_FILE.read_text()


@pytest.fixture
def maven_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A Maven repository on loopback that jgo's own configuration file names; nothing else is asked."""
    root = tmp_path / "repository"
    for name, content in CONTENTS.items():
        artifact, version = name.removesuffix(".jar").split("-")
        folder = root / "org" / "example" / artifact / version
        folder.mkdir(parents=True)
        (folder / name).write_bytes(content)
        (folder / f"{name}.sha1").write_text(hashlib.sha1(content, usedforsecurity=False).hexdigest())
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(root)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    settings = tmp_path / "jgo.conf"
    settings.write_text(f"[repositories]\ncentral = http://127.0.0.1:{server.server_port}\n")
    monkeypatch.setenv("JGO_CONFIG_FILE", str(settings))
    monkeypatch.setenv("M2_REPO", str(tmp_path / "m2"))
    yield root
    server.shutdown()
    server.server_close()
    thread.join()


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def test_jars_come_from_the_repository_that_the_environment_names(tmp_path, lock, maven_repository):
    folder = ensure_jars(tmp_path / "cache", lock)
    assert {path.name: path.read_bytes() for path in folder.glob("*.jar")} == CONTENTS
    assert [path.name for path in folder.parent.iterdir() if path.is_dir()] == [folder.name]


def test_jars_in_the_users_own_maven_repository_are_not_fetched(tmp_path, lock, maven_repository):
    maven_repository.rename(tmp_path / "m2")
    assert len(list(ensure_jars(tmp_path / "cache", lock).glob("*.jar"))) == 2


def test_a_repository_that_lacks_a_jar_is_an_error_with_the_ways_out(tmp_path, lock, maven_repository):
    next(maven_repository.rglob("two-2.0.jar")).unlink()
    with pytest.raises(InvalidConfiguration, match=r"two.*KAFKA_BOOTSTRAP_SERVERS"):
        ensure_jars(tmp_path / "cache", lock)
