"""Watch lists: what a file may say, and that it is read again when it changes."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from monitor.domain.errors import InvalidConfiguration
from monitor.register.registry import Register
from monitor.register.watchlists import WatchLists

AT = datetime(2024, 6, 3, tzinfo=UTC)


class Desk:
    """A file that is written with a new time whenever it is saved."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._saved = 0

    def save(self, text: str) -> None:
        self.path.write_text(text, encoding="utf-8")
        self._saved += 1
        os.utime(self.path, ns=(self._saved * 10**9, self._saved * 10**9))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "watch.toml")


def test_lists_have_kind_title_and_ids(desk: Desk, register: Register) -> None:
    desk.save(
        '[own]\ntitle = "Ours"\nentities = ["AAPL", "JPM", "AAPL"]\n[peers]\nentities = []\n[banks]\nentities = ["C"]\n'
    )
    lists = WatchLists(desk.path, register, AT).current()
    assert [(listed.name, listed.kind, listed.title, listed.entities) for listed in lists] == [
        ("own", "own", "Ours", ("AAPL", "JPM")),
        ("peers", "peers", "Peers", ()),
        ("banks", "custom", "Banks", ("C",)),
    ]


def test_tickers_stand_for_the_company_that_has_them(desk: Desk, register: Register) -> None:
    desk.save('[own]\nentities = ["$googl", "BRK-A", "FB"]\n')
    assert WatchLists(desk.path, register, AT).entities("own") == ("GOOG", "BRK.B", "FB")


def test_changed_file_is_read_again(desk: Desk, register: Register) -> None:
    desk.save('[own]\nentities = ["AAPL"]\n')
    lists = WatchLists(desk.path, register, AT)
    assert lists.entities("own") == ("AAPL",)
    desk.save('[own]\nentities = ["MSFT"]\n')
    assert lists.entities("own") == ("MSFT",)
    assert lists.fault == ""


def test_faulty_version_keeps_the_lists_and_is_told_once(desk: Desk, register: Register) -> None:
    desk.save('[own]\nentities = ["AAPL"]\n')
    lists = WatchLists(desk.path, register, AT)
    desk.save('[own]\nentities = ["NOSUCH"]\n')
    with capture_logs() as logs:
        assert lists.entities("own") == ("AAPL",)
        assert lists.entities("own") == ("AAPL",)
    assert "'NOSUCH' is neither id nor ticker" in lists.fault
    assert [entry["event"] for entry in logs] == ["watch lists not read"]
    desk.save('[own]\nentities = ["MSFT"]\n')
    assert lists.entities("own") == ("MSFT",)
    assert lists.fault == ""


def test_file_that_goes_away_keeps_the_lists(desk: Desk, register: Register) -> None:
    desk.save('[own]\nentities = ["AAPL"]\n')
    lists = WatchLists(desk.path, register, AT)
    desk.path.unlink()
    assert lists.entities("own") == ("AAPL",)
    assert "stay in use" in lists.fault


def test_no_file_means_no_lists(register: Register) -> None:
    lists = WatchLists(None, register, AT)
    assert lists.current() == ()
    assert lists.entities("own") == ()


FAULTS = [
    ("no TOML", "own = [", "is no TOML"),
    ("list that is no table", 'own = ["AAPL"]', "`own`: must be a table"),
    ("name with a space", '["my list"]\nentities = []', "named by 1 to 40"),
    ("no entities", '[own]\ntitle = "x"', "[own] `entities`: must be a list"),
    ("entities that are numbers", "[own]\nentities = [1]", "[own] `entities`: must be a list"),
    ("unknown key", "[own]\nentities = []\ncolour = 1", "[own] `colour`: is unknown"),
    ("title that is no text", "[own]\nentities = []\ntitle = 1", "[own] `title`: must be a text"),
    ("unknown company", '[own]\nentities = ["NOSUCH"]', "'NOSUCH' is neither id nor ticker"),
]


@pytest.mark.parametrize(("text", "told"), [fault[1:] for fault in FAULTS], ids=[fault[0] for fault in FAULTS])
def test_first_version_with_a_fault_is_refused(desk: Desk, register: Register, text: str, told: str) -> None:
    desk.save(text)
    with pytest.raises(InvalidConfiguration) as raised:
        WatchLists(desk.path, register, AT)
    assert told in str(raised.value)
    assert "watch.toml" in str(raised.value)


def test_missing_file_is_refused_at_the_start(desk: Desk, register: Register) -> None:
    with pytest.raises(InvalidConfiguration, match="cannot be read"):
        WatchLists(desk.path, register, AT)
