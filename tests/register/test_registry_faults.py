"""A register file: what is read, and how every fault is told."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from monitor.domain.errors import InvalidConfiguration
from monitor.register.registry import COLUMNS, load_register, read_companies, symbol_key

HEADER = ",".join(COLUMNS)
GOOD = "ACME,ACME,Acme Corp,Acme,Tools,,company,acme of perfection,2001-02-03,2030-01-01"


def _file(tmp_path: Path, *rows: str, header: str = HEADER) -> Path:
    path = tmp_path / "own.csv"
    path.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return path


def test_every_column_is_read(tmp_path: Path) -> None:
    (acme,) = read_companies(_file(tmp_path, GOOD))
    assert (acme.id, acme.ticker, acme.name, acme.aliases) == ("ACME", "ACME", "Acme Corp", ("Acme",))
    assert (acme.sector, acme.kind, acme.exclude) == ("Tools", "company", ("acme of perfection",))
    assert (acme.valid_from, acme.valid_to) == (date(2001, 2, 3), date(2030, 1, 1))


def test_columns_after_the_name_may_be_left_out(tmp_path: Path) -> None:
    (acme,) = read_companies(_file(tmp_path, "ACME,Acme Corp", header="id,name"))
    assert (acme.kind, acme.aliases, acme.valid_to) == ("company", (), None)


def test_byte_order_mark_of_a_spreadsheet_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text(f"{HEADER}\n{GOOD}\n", encoding="utf-8-sig")
    assert read_companies(path)[0].id == "ACME"


FAULTS = [
    ("id in small letters", "acme,,Acme,,,,,,,", "row 2 `id`"),
    ("id with a slash", "A/B,,Acme,,,,,,,", "row 2 `id`"),
    ("empty name", "ACME,,,,,,,,,", "row 2 `name`"),
    ("ticker with a space", "ACME,A CME,Acme,,,,,,,", "row 2 `ticker`"),
    ("kind with capitals", "ACME,,Acme,,,,Central Bank,,,", "row 2 `kind`"),
    ("empty alias", "ACME,,Acme,Acme Inc||Acme Ltd,,,,,,", "row 2 `aliases`: has an empty entry"),
    ("alias without letters", "ACME,,Acme,--,,,,,,", "row 2 `aliases`"),
    ("alias twice", "ACME,,Acme,Acm|Acm,,,,,,", "row 2 `aliases`: 'Acm' stands there 2 times"),
    ("alias that is no ticker", "ACME,,Acme,$A CME,,,,,,", "row 2 `aliases`: '$A CME' is no ticker"),
    ("exclude phrase without letters", "ACME,,Acme,,,,,!,,", "row 2 `exclude`"),
    ("day that is none", "ACME,,Acme,,,,,,20140101x,", "row 2 `valid_from`"),
    ("day that does not exist", "ACME,,Acme,,,,,,,2014-02-30", "row 2 `valid_to`"),
    ("end before start", "ACME,,Acme,,,,,,2014-02-02,2014-02-02", "row 2 `valid_to`: must be after"),
    ("too few fields", "ACME,,Acme", "row 2: must have 10 fields"),
    ("too many fields", GOOD + ",x", "row 2: must have 10 fields"),
    ("unknown parent", "ACME,,Acme,,,NOBODY,,,,", "`parent`: 'NOBODY'"),
]


@pytest.mark.parametrize(("row", "told"), [fault[1:] for fault in FAULTS], ids=[fault[0] for fault in FAULTS])
def test_fault_is_told_by_row_and_field(tmp_path: Path, row: str, told: str) -> None:
    with pytest.raises(InvalidConfiguration, match=r"own\.csv") as raised:
        load_register(_file(tmp_path, row), replaces=True)
    assert told in str(raised.value)


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfiguration) as raised:
        read_companies(_file(tmp_path, "a,,A,,,,,,,", GOOD, "B,,,,,,,,,"))
    assert "row 2 `id`" in str(raised.value)
    assert "row 4 `name`" in str(raised.value)


def test_a_file_of_another_kind_tells_twenty_faults_at_most(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfiguration, match=r"and 30 more") as raised:
        read_companies(_file(tmp_path, *["x"] * 50))
    assert str(raised.value).count("row ") == 20


def test_header_without_a_name_or_with_another_column_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfiguration, match="column `name` is missing"):
        read_companies(_file(tmp_path, header="id"))
    with pytest.raises(InvalidConfiguration, match="column `colour` is unknown"):
        read_companies(_file(tmp_path, header="id,name,colour"))
    with pytest.raises(InvalidConfiguration, match="column `name` stands there 2 times"):
        read_companies(_file(tmp_path, header="id,name,name"))


def test_file_that_is_not_there_or_no_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfiguration, match=r"missing\.csv"):
        read_companies(tmp_path / "missing.csv")
    path = tmp_path / "latin.csv"
    path.write_bytes(HEADER.encode() + b"\nACME,,Soci\xe9t\xe9,,,,,,,\n")
    with pytest.raises(InvalidConfiguration, match="UTF-8"):
        read_companies(path)


def test_id_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfiguration, match=r"row 3 `id`: ACME is that of row 2 too"):
        read_companies(_file(tmp_path, GOOD, "ACME,,Other,,,,,,,"))


def test_name_or_ticker_of_two_companies_on_the_same_days_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfiguration, match=r"row 3 `aliases`: 'ACME' means ACME on the same days"):
        read_companies(_file(tmp_path, GOOD, "OTHER,,Other,ACME,,,,,,"))
    with pytest.raises(InvalidConfiguration, match=r"row 3 `ticker`: 'ACME' means ACME on the same days"):
        read_companies(_file(tmp_path, GOOD, "OTHER,ACME,Other,,,,,,,"))


def test_name_of_two_companies_one_after_the_other_is_accepted(tmp_path: Path) -> None:
    companies = read_companies(_file(tmp_path, GOOD, "NEW,ACME,Acme New,Acme,,,,,2030-01-01,"))
    assert [company.id for company in companies] == ["ACME", "NEW"]


def test_own_row_takes_the_place_of_the_shipped_one(tmp_path: Path) -> None:
    register = load_register(_file(tmp_path, "AAPL,AAPL,Apple of Mine,,,,,,,"))
    apple = register.find("AAPL")
    assert apple is not None
    assert apple.name == "Apple of Mine"
    assert register.find("MSFT") is not None


def test_own_company_takes_name_and_ticker_from_the_shipped_one(tmp_path: Path) -> None:
    register = load_register(_file(tmp_path, "MYNET,NFLX,Netflix of Ours,netflix,,,,,,"))
    shipped = register.find("NFLX")
    assert shipped is not None
    assert shipped.ticker == ""
    assert not {"netflix", "Netflix"} & set(shipped.aliases)
    at = datetime(2024, 1, 1, tzinfo=UTC)
    assert register.resolve("NFLX", at) in (shipped, register.find("MYNET"))
    assert register.resolve("$NFLX", at) == register.find("MYNET")


def test_own_company_with_the_very_name_of_a_shipped_one_is_told_the_id(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfiguration, match="give your row the id BES"):
        load_register(_file(tmp_path, "MINE,,Banco Espirito Santo,,,,,,,"))


def test_replacing_leaves_nothing_of_the_shipped_register(tmp_path: Path) -> None:
    assert [company.id for company in load_register(_file(tmp_path, GOOD), replaces=True).companies] == ["ACME"]


def test_parent_may_be_a_shipped_company_when_extending(tmp_path: Path) -> None:
    assert load_register(_file(tmp_path, "SUB,,Subsidiary of Ours,,,AAPL,,,,")).find("SUB") is not None


def test_symbols_compare_without_case_and_separator() -> None:
    assert symbol_key("$brk-b") == symbol_key("BRK.B") == symbol_key("BRK/B") == "BRK.B"
