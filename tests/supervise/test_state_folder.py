"""The state folder is its owner's alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from monitor.domain.errors import InvalidConfiguration
from monitor.supervise.state import StateFolder, StateFolderTaken, StateLock, supervisor_pid

HOLDS = """
import sys
from pathlib import Path
from monitor.supervise.state import StateFolder, StateLock
with StateLock(StateFolder(Path(sys.argv[1]))):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path / "state").create()


def test_the_folder_is_made_for_its_owner_only(folder):
    for path in (folder.root, folder.secrets, folder.kafka, folder.logs):
        assert path.stat().st_mode & 0o777 == 0o700
    assert folder.create() == folder


def test_a_folder_that_cannot_be_made_names_the_flag(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InvalidConfiguration, match="`--state`"):
        StateFolder(tmp_path / "file" / "state").create()


def test_a_secret_is_made_once_and_read_by_its_owner_only(folder):
    first = folder.secret("session-key")
    assert len(first) >= 40
    assert folder.secret("session-key") == first
    assert folder.secret("another") != first
    assert (folder.secrets / "session-key").stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in folder.secrets.iterdir()) == ["another", "session-key"]


def test_a_secret_that_others_may_read_is_refused(folder):
    folder.secret("key")
    (folder.secrets / "key").chmod(0o644)
    with pytest.raises(InvalidConfiguration, match="chmod 600"):
        folder.secret("key")


def test_an_empty_secret_is_refused(folder):
    (folder.secrets / "key").touch(0o600)
    with pytest.raises(InvalidConfiguration, match="is empty"):
        folder.secret("key")


@pytest.mark.parametrize("name", ["", "../key", "a b", "KEY"])
def test_a_secret_name_is_no_path(folder, name):
    with pytest.raises(ValueError, match="lower-case letters"):
        folder.secret(name)


def test_the_lock_of_another_process_is_respected_until_it_dies(folder):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(folder.root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with holder:
        assert holder.stdout.readline() == b"held\n"
        assert supervisor_pid(folder) == holder.pid
        with pytest.raises(StateFolderTaken, match=str(holder.pid)):
            StateLock(folder).acquire()
        holder.kill()
    assert supervisor_pid(folder) is None
    with StateLock(folder):
        assert supervisor_pid(folder) is not None
    assert supervisor_pid(folder) is None


def test_a_folder_that_was_never_used_has_no_supervisor(tmp_path):
    assert supervisor_pid(StateFolder(tmp_path)) is None
