"""Reading what publishers send, well made or not."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.sources.configuration import Source, SourceKind
from streams.sources.fetch import FailureReason, Fetched, FetchFailed
from streams.sources.parse import ParsedFeed, parse
from streams.sources.testing import rss
from streams.sources.text import instant, plain, safe_link

URL = "https://news.example/feed"
FEED = Source(id="wire", title="Wire", url=URL)
FORUM = Source(
    id="forum",
    title="Forum",
    url="https://forum.example/api/new.json",
    kind=SourceKind.JSON_API,
    items="data.children",
    fields={
        "key": "data.id",
        "title": "data.title",
        "text": "data.body",
        "url": "data.link",
        "published": "data.created",
        "author": "data.by",
    },
)


def answer(body: bytes, content_type: str = "application/xml") -> Fetched:
    return Fetched(url=URL, body=body, content_type=content_type)


def read(body: bytes, source: Source = FEED, content_type: str = "application/xml") -> ParsedFeed:
    feed = parse(answer(body, content_type), source)
    assert isinstance(feed, ParsedFeed), feed
    return feed


def refused(body: bytes, source: Source = FEED, content_type: str = "application/xml") -> FetchFailed:
    feed = parse(answer(body, content_type), source)
    assert isinstance(feed, FetchFailed), feed
    return feed


def test_an_rss_entry_becomes_plain_text_with_its_key_and_time() -> None:
    body = (
        "<?xml version='1.0'?><rss version='2.0'><channel><title>Wire</title><language>en-gb</language><ttl>15</ttl>"
        "<item><guid isPermaLink='false'>g1</guid><title>Acme &amp;amp; Sons &lt;b&gt;up&lt;/b&gt;</title>"
        "<link>/a?b=1&amp;c=2</link><pubDate>Mon, 02 Mar 2026 07:30:00 -0500</pubDate>"
        "<description>&lt;p&gt;One &lt;a href='javascript:x'&gt;two&lt;/a&gt;&lt;/p&gt;&lt;script&gt;evil()"
        "&lt;/script&gt;&lt;p&gt;three&lt;/p&gt;</description></item></channel></rss>"
    )
    feed = read(body.encode())
    item = feed.items[0]
    assert (feed.kind, feed.language, feed.ttl) == (SourceKind.RSS, "en", timedelta(minutes=15))
    assert (item.key, item.title, item.text) == ("g1", "Acme & Sons up", "One two\nthree")
    assert item.url == "https://news.example/a?b=1&c=2"
    assert item.published_at == datetime(2026, 3, 2, 12, 30, tzinfo=UTC)


def test_an_atom_entry_takes_its_longest_text_and_its_update_where_nothing_else_is_dated() -> None:
    body = (
        "<feed xmlns='http://www.w3.org/2005/Atom'><title>A</title><entry><id>tag:1</id><title>T</title>"
        "<link href='https://news.example/1'/><updated>2026-03-02T12:00:00Z</updated><summary>short</summary>"
        "<content type='html'>a longer text</content></entry></feed>"
    )
    feed = read(body.encode())
    assert feed.kind is SourceKind.ATOM
    assert feed.items[0].text == "a longer text"
    assert feed.items[0].published_at == datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize("year", [1970, 2099])
def test_a_foolish_date_is_kept_as_the_publisher_gave_it(year: int) -> None:
    item = read(rss(("a", "Title", f"Thu, 01 Jan {year} 00:00:00 GMT"))).items[0]
    assert item.published_at == datetime(year, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("date", ["", "yesterday", "Thu, 99 Foo 2026 99:99:99 GMT"])
def test_no_date_and_nonsense_are_no_date(date: str) -> None:
    assert read(rss(("a", "Title", date))).items[0].published_at is None


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"", "empty"),
        (b"   \n", "empty"),
        (b"<!doctype html><html><body>Sorry</body></html>", "HTML page"),
        (b"Service unavailable", "not XML"),
        (b"<?xml version='1.0'?><note><to>You</to></note>", "no feed"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00", "not XML"),
        (b"{broken", "not JSON"),
        (b'{"a": 1}', "no JSON Feed"),
        (b"[" * 100_000, "nested"),
    ],
)
def test_what_is_no_feed_is_refused_in_words(body: bytes, word: str) -> None:
    failure = refused(body)
    assert failure.reason is FailureReason.NOT_A_FEED
    assert word in failure.detail


def test_a_feed_that_breaks_off_gives_its_whole_entries_and_says_so() -> None:
    body = rss(*[(f"g{n}", f"Title {n}", "") for n in range(5)])
    feed = read(body[: body.index(b"<title>Title 3") + 15])
    assert [item.key for item in feed.items] == ["g0", "g1", "g2"]
    assert "breaks off after 3" in feed.fault


def test_a_feed_that_is_only_badly_formed_is_read_whole() -> None:
    feed = read(rss(("a", "Fish & chips <br> up", ""), ("b", "Next", "")))
    assert [item.key for item in feed.items] == ["a", "b"]
    assert feed.fault == ""


def test_a_wrong_declaration_of_the_encoding_is_seen_through() -> None:
    start = "<?xml version='1.0' encoding='utf-8'?><rss version='2.0'>"
    body = f"{start}<channel><item><title>Für Élan</title></item></channel></rss>"
    assert read(body.encode("latin-1")).items[0].title == "Für Élan"
    assert read(body.replace("utf-8", "utf-16").encode("utf-16")).items[0].title == "Für Élan"


def test_titles_in_no_known_encoding_are_refused() -> None:
    start = b"<?xml version='1.0' encoding='x-unheard-of'?><rss version='2.0'><channel><item><title>"
    body = start + bytes(range(0x81, 0x90)) + b"</title></item></channel></rss>"
    failure = refused(body, content_type="application/xml; charset=x-unheard-of")
    assert failure.reason is FailureReason.WRONG_ENCODING


def test_entities_do_not_multiply() -> None:
    bomb = (
        "<?xml version='1.0'?><!DOCTYPE rss [<!ENTITY a 'aaaaaaaaaa'>"
        + "".join(f"<!ENTITY {chr(98 + n)} '{('&' + chr(97 + n) + ';') * 10}'>" for n in range(9))
        + "]><rss version='2.0'><channel><item><title>&j;</title><guid>1</guid></item></channel></rss>"
    )
    parsed = parse(answer(bomb.encode()), FEED)
    assert isinstance(parsed, FetchFailed) or all(len(item.title) <= 500 for item in parsed.items)


def test_an_entry_twice_counts_once_and_one_without_words_is_counted_out() -> None:
    feed = read(rss(("a", "First", ""), ("a", "Second", "")) + b"")
    assert [item.title for item in feed.items] == ["First"]
    empty = read(
        b"<rss version='2.0'><channel><item><guid>x</guid></item><item><title>T</title></item></channel></rss>"
    )
    assert ([item.key for item in empty.items], empty.left_out) == (["T"], 1)


def test_control_characters_and_turned_text_are_taken_out() -> None:
    entry = {
        "id": 7,
        "title": "A\u0000c\u202eme \ud800 up",
        "content_text": "x\u0007y\ufeff",
        "url": "javascript:alert(1)",
    }
    body = json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "J", "items": [entry]})
    item = read(body.encode(), content_type="application/feed+json").items[0]
    assert (item.key, item.title, item.text, item.url) == ("7", "Acme ? up", "xy", "")


def test_a_json_feed_is_read() -> None:
    body = {
        "version": "https://jsonfeed.org/version/1",
        "title": "J",
        "language": "de",
        "items": [
            {
                "id": "1",
                "url": "https://news.example/1",
                "title": "Eins",
                "content_html": "<p>Text &amp; mehr</p>",
                "date_published": "2026-03-02T13:00:00+01:00",
                "authors": [{"name": "Ann"}],
            },
            "not an entry",
        ],
    }
    feed = read(b"\xef\xbb\xbf" + json.dumps(body).encode())
    item = feed.items[0]
    assert (feed.kind, feed.language, feed.left_out) == (SourceKind.JSON_FEED, "de", 1)
    assert (item.text, item.author) == ("Text & mehr", "Ann")
    assert item.published_at == datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_a_json_api_is_read_by_path_and_field_map() -> None:
    child = {
        "id": "t3",
        "title": "Long AC&amp;ME",
        "body": "to the <i>moon</i>",
        "link": "/r/1",
        "created": 1772452800,
        "by": "u",
    }
    feed = read(json.dumps({"data": {"children": [{"data": child}]}}).encode(), FORUM, "application/json")
    item = feed.items[0]
    assert (item.key, item.title, item.text, item.author) == ("t3", "Long AC&ME", "to the moon", "u")
    assert item.url == "https://news.example/r/1"
    assert item.published_at == datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ({"data": {}}, "leads to nothing"),
        ({"data": {"children": {}}}, "leads to dict"),
        ({"data": {"children": [1]}}, "paths"),
    ],
)
def test_a_json_api_that_changed_its_shape_is_named(value: object, word: str) -> None:
    assert word in refused(json.dumps(value).encode(), FORUM).detail


def test_json_in_a_wrong_encoding_is_named() -> None:
    assert refused('{"t": "é"}'.encode("latin-1"), FORUM).reason is FailureReason.WRONG_ENCODING


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1772452800, "2026-03-02T12:00:00+00:00"),
        (1772452800000, "2026-03-02T12:00:00+00:00"),
        ("1772452800", "2026-03-02T12:00:00+00:00"),
        ("2026-03-02T12:00:00", "2026-03-02T12:00:00+00:00"),
        ("Mon, 02 Mar 2026 12:00:00 GMT", "2026-03-02T12:00:00+00:00"),
    ],
)
def test_a_date_of_an_api_is_read_in_every_usual_form(value: object, expected: str) -> None:
    moment = instant(value)
    assert moment is not None
    assert moment.isoformat() == expected


@pytest.mark.parametrize("value", [True, None, [], 1e300, float("nan"), "soon", "9" * 13])
def test_nonsense_is_no_date_or_a_far_one_but_never_an_error(value: object) -> None:
    assert instant(value) is None or str(value).startswith("9")


@pytest.mark.parametrize("text", ["profit <forecast and more", "1 < 2 & 3 > 2", "AT&T up", "a <- b"])
def test_signs_that_are_no_markup_stay(text: str) -> None:
    assert plain(text) == text


@given(st.text() | st.from_regex(r"(<[a-z]{1,6}>|&[a-z]{1,5};|[a-z ]|</[a-z]{1,6}>){0,30}"))
def test_plain_text_can_always_be_sent_and_shown(text: str) -> None:
    shown = plain(text)
    assert shown.encode().decode() == shown
    assert not any(ord(char) < 32 and char != "\n" for char in shown)
    assert "<script" not in plain(f"<p>{shown}</p><script>x</script>")


@given(st.binary(max_size=400), st.sampled_from([b"", b"<rss version='2.0'><channel><item><title>", b"<feed>", b'{"']))
def test_no_bytes_whatever_raise(body: bytes, start: bytes) -> None:
    assert isinstance(parse(answer(start + body), FEED), ParsedFeed | FetchFailed)


@pytest.mark.parametrize(
    "link", ["javascript:x", "data:text/html,x", "https://a:b@x.example/", "http://[", " ", "mailto:x"]
)
def test_only_plain_web_links_are_kept(link: str) -> None:
    assert safe_link(link, URL) == ""
