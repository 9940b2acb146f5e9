"""What operators write, and what they are told about it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from monitor.domain.documents import SourceClass
from monitor.domain.errors import InvalidConfiguration
from streams.sources.configuration import (
    Source,
    SourceKind,
    as_toml,
    default_sources,
    import_opml,
    load_sources,
    read_sources,
)

WHOLE = """
[[source]]
id = "forum"
title = "Forum \\u00e9"
url = "https://forum.example/new.json"
kind = "json-api"
class = "comment"
every = "90s"
language = "de"
hints = ["acme"]
items = "data.children"
fields = { title = "data.title", author = "data.by" }
headers = { Authorization = "env:FORUM_KEY", Accept = "application/json" }

[[source]]
id = "wire"
url = "https://news.example/feed"
article = true
allow_private = true
"""


def test_a_list_is_read_with_its_secrets_kept_out_of_sight(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORUM_KEY", "Bearer hush")
    path = tmp_path / "sources.toml"
    path.write_text(WHOLE, encoding="utf-8")
    forum, wire = load_sources(path)
    assert (forum.kind, forum.source_class, forum.every) == (
        SourceKind.JSON_API,
        SourceClass.COMMENT,
        timedelta(seconds=90),
    )
    assert forum.headers["Authorization"] == "Bearer hush"
    assert "hush" not in repr(forum)
    assert "hush" not in as_toml([forum])
    assert (wire.title, wire.article, wire.allow_private, wire.host) == ("wire", True, True, "news.example")


def test_what_is_printed_as_toml_is_read_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORUM_KEY", "k")
    sources = read_sources(
        WHOLE.replace('headers = { Authorization = "env:FORUM_KEY", Accept = "application/json" }', ""), "x"
    )
    assert read_sources(as_toml(sources), "again") == sources
    odd = Source(id="a", title='Qu"ote \\ and \x7f', url="https://news.example/?a=1&b=%22")
    assert read_sources(as_toml([odd]), "odd") == [odd]


@pytest.mark.parametrize(
    ("line", "field", "word"),
    [
        ("every = '5 fortnights'", "`every`", "90s"),
        ("every = '1s'", "`every`", "between"),
        ("every = true", "`every`", "5m"),
        ("class = 'gossip'", "`class`", "news"),
        ("kind = 'gopher'", "`kind`", "rss"),
        ("language = 'English'", "`language`", "pattern"),
        ("article = 'yes'", "`article`", "boolean"),
        ("colour = 'red'", "`colour`", "extra"),
        ("hints = 'acme'", "`hints`", "list"),
        ("headers = { Key = 'env:NOT_SET_ANYWHERE' }", "`headers.Key`", "not set"),
        ("headers = { Key = 'file:/no/such/file' }", "`headers.Key`", "cannot be read"),
        ('headers = { Key = "a\\nb" }', "`headers.Key`", "one line"),
        ("kind = 'json-api'", "`fields`", "title"),
        ("items = 'data'", "`items`", "json-api"),
        ("fields = { titel = 'x' }", "`fields.titel", "title"),
    ],
)
def test_a_fault_is_named_by_its_field(line: str, field: str, word: str) -> None:
    text = f"[[source]]\nid = 'wire'\nurl = 'https://news.example/feed'\n{line}\n"
    with pytest.raises(InvalidConfiguration) as error:
        read_sources(text, "sources.toml")
    assert "sources.toml: source 1 (wire)" in str(error.value)
    assert field in str(error.value)
    assert word.lower() in str(error.value).lower()


@pytest.mark.parametrize(
    "url", ["", "news.example/feed", "file:///etc/passwd", "https://user:hush@news.example/feed", "http://"]
)
def test_an_address_that_must_not_be_fetched_is_named_without_its_password(url: str) -> None:
    with pytest.raises(InvalidConfiguration, match="`url`") as error:
        read_sources(f"[[source]]\nid = 'wire'\nurl = '{url}'\n", "sources.toml")
    assert "hush" not in str(error.value)


def test_all_faults_of_a_file_are_told_at_once() -> None:
    text = "colour = 1\n[[source]]\nid = 'A B'\nurl = 'x'\n[[source]]\nurl = 'https://a.example'\n"
    text += "[[source]]\nid = 'w'\nurl = 'https://a.example'\n[[source]]\nid = 'w'\nurl = 'https://b.example'\n"
    with pytest.raises(InvalidConfiguration) as error:
        read_sources(text, "f")
    lines = str(error.value).splitlines()
    assert len(lines) == 5
    assert "`colour`" in lines[0]
    assert "source 2: `id` field required" in lines[3]
    assert "'w' is given to more than one source" in lines[4]


def test_a_file_that_is_missing_or_no_toml_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfiguration, match=r"no\.toml cannot be read"):
        load_sources(tmp_path / "no.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("[[source", encoding="utf-8")
    with pytest.raises(InvalidConfiguration, match="is not TOML"):
        load_sources(broken)
    broken.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidConfiguration, match="is not UTF-8"):
        load_sources(broken)


def test_the_shipped_list_is_sound() -> None:
    sources = default_sources()
    assert len(sources) >= 40
    assert {source.source_class for source in sources} == set(SourceClass)
    assert all(source.url.startswith("https://") for source in sources)
    assert len({source.url for source in sources}) == len(sources)


OPML = """<?xml version="1.0"?><opml version="2.0"><head><title>Mine</title></head><body>
<outline text="Markets"><outline type="rss" text="Wire &amp; Sons" xmlUrl="https://news.example/feed"/>
<outline type="rss" title="Wire &amp; Sons" text="x" xmlUrl="https://news.example/other"/></outline>
<outline type="rss" text="" xmlUrl="https://plain.example/feed"/>
<outline type="rss" text="Again" xmlUrl="https://news.example/feed"/></body></opml>"""


def opml(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "feeds.opml"
    path.write_text(text, encoding="utf-8")
    return path


def test_opml_gives_each_feed_once_with_an_id_of_its_own(tmp_path: Path) -> None:
    sources = import_opml(opml(tmp_path, OPML))
    assert [source.id for source in sources] == ["wire-sons", "wire-sons-2", "plain-example"]
    assert sources[0].title == "Wire & Sons"
    assert read_sources(as_toml(sources), "again") == sources


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ('<!DOCTYPE opml [<!ENTITY x "y">]><opml><body/></opml>', "entities"),
        ('<!DOCTYPE opml [<!ENTITY x SYSTEM "file:///etc/passwd">]><opml><body>&x;</body></opml>', "entities"),
        ("<rss/>", "not <opml>"),
        ("<opml><body>", "not XML"),
        ('<opml><body><outline text="Bad" xmlUrl="file:///etc/passwd"/></body></opml>', "`xmlUrl`"),
    ],
)
def test_opml_that_is_none_or_attacks_its_reader_is_refused(tmp_path: Path, text: str, word: str) -> None:
    with pytest.raises(InvalidConfiguration, match=word):
        import_opml(opml(tmp_path, text))
