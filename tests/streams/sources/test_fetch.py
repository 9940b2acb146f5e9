"""Fetching from a real server on this machine, which keeps no promise."""

from __future__ import annotations

import gzip
import threading
import time
import zlib
from datetime import timedelta

import httpx
import pytest

from monitor.domain.addresses import is_public
from streams.sources.fetch import FailureReason, Fetched, Fetcher, FetchFailed, FetchLimits, NotModified
from streams.sources.guard import check_url
from streams.sources.testing import Answer, FeedServer

LIMITS = FetchLimits(body_bytes=100_000, total=timedelta(seconds=1), read=timedelta(seconds=0.6))


@pytest.fixture
def fetcher() -> Fetcher:
    return Fetcher(limits=LIMITS, allow_private=True)


def failure(outcome: object) -> FetchFailed:
    assert isinstance(outcome, FetchFailed), outcome
    return outcome


def test_a_body_comes_with_its_validators_and_its_age(server: FeedServer, fetcher: Fetcher) -> None:
    server.pages["/feed"] = Answer(
        body=b"<rss/>",
        headers={"ETag": '"v1"', "Last-Modified": "Mon, 02 Mar 2026 12:00:00 GMT", "Cache-Control": "max-age=90"},
    )
    outcome = fetcher.fetch(server.url("/feed"), headers={"X-Key": "k"})
    assert isinstance(outcome, Fetched)
    assert outcome.body == b"<rss/>"
    assert (outcome.etag, outcome.last_modified) == ('"v1"', "Mon, 02 Mar 2026 12:00:00 GMT")
    assert outcome.max_age == timedelta(seconds=90)
    asked = server.asked("/feed")[0]
    assert asked["user-agent"].startswith("Bellwether/")
    assert asked["x-key"] == "k"


def test_a_second_request_is_conditional_and_304_keeps_the_validators(server: FeedServer, fetcher: Fetcher) -> None:
    server.pages["/feed"] = lambda headers: Answer(status=304 if headers.get("if-none-match") == '"v1"' else 200)
    assert fetcher.fetch(server.url("/feed"), etag='"v1"', last_modified="then") == NotModified(
        etag='"v1"', last_modified="then"
    )
    assert server.asked("/feed")[0]["if-modified-since"] == "then"


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (304, FailureReason.UNEXPECTED_STATUS),
        (401, FailureReason.FORBIDDEN),
        (404, FailureReason.NOT_FOUND),
        (410, FailureReason.NOT_FOUND),
        (418, FailureReason.UNEXPECTED_STATUS),
        (503, FailureReason.SERVER_ERROR),
    ],
)
def test_a_status_has_its_reason(server: FeedServer, fetcher: Fetcher, status: int, reason: FailureReason) -> None:
    server.pages["/feed"] = Answer(status=status)
    outcome = failure(fetcher.fetch(server.url("/feed")))
    assert outcome.reason is reason
    assert str(status) in outcome.detail


def test_429_says_how_long_to_wait(server: FeedServer, fetcher: Fetcher) -> None:
    server.pages["/feed"] = Answer(status=429, headers={"Retry-After": "120"})
    outcome = failure(fetcher.fetch(server.url("/feed")))
    assert (outcome.reason, outcome.retry_after) == (FailureReason.RATE_LIMITED, timedelta(seconds=120))


def test_a_huge_body_is_left_at_the_cap(server: FeedServer, fetcher: Fetcher) -> None:
    server.pages["/huge"] = Answer(chunks=[b"x" * 50_000] * 100)
    assert failure(fetcher.fetch(server.url("/huge"))).reason is FailureReason.TOO_LARGE


@pytest.mark.parametrize("wbits", [31, 15, -15], ids=["gzip", "zlib", "raw deflate"])
def test_a_compressed_body_is_counted_unpacked(server: FeedServer, fetcher: Fetcher, wbits: int) -> None:
    packer = zlib.compressobj(wbits=wbits)
    small = packer.compress(b"feed " * 1000) + packer.flush()
    packer = zlib.compressobj(wbits=wbits)
    bomb = packer.compress(bytes(200_000_000)) + packer.flush()
    encoding = {"Content-Encoding": "gzip" if wbits == 31 else "deflate"}
    server.pages["/small"] = Answer(body=small, headers=encoding)
    server.pages["/bomb"] = Answer(body=bomb, headers=encoding)
    outcome = fetcher.fetch(server.url("/small"))
    assert isinstance(outcome, Fetched)
    assert outcome.body == b"feed " * 1000
    assert failure(fetcher.fetch(server.url("/bomb"))).reason is FailureReason.TOO_LARGE


def test_a_damaged_or_cut_compression_is_a_broken_answer(server: FeedServer, fetcher: Fetcher) -> None:
    packed = gzip.compress(bytes(range(256)) * 100)
    server.pages["/cut"] = Answer(body=packed[:-20], headers={"Content-Encoding": "gzip"})
    server.pages["/bad"] = Answer(body=b"\x1f\x8b no gzip", headers={"Content-Encoding": "gzip"})
    server.pages["/odd"] = Answer(body=b"?", headers={"Content-Encoding": "br"})
    for path in ("/cut", "/bad", "/odd"):
        assert failure(fetcher.fetch(server.url(path))).reason is FailureReason.BROKEN_ANSWER, path


def test_a_body_shorter_than_promised_is_a_broken_answer(server: FeedServer, fetcher: Fetcher) -> None:
    server.pages["/feed"] = Answer(body=b"<rss>", length=500)
    assert failure(fetcher.fetch(server.url("/feed"))).reason is FailureReason.BROKEN_ANSWER


def test_a_body_that_drips_ends_at_the_time_cap(server: FeedServer, fetcher: Fetcher) -> None:
    server.pages["/slow"] = Answer(chunks=[b"x"] * 1000, pause_s=0.1)
    begun = time.monotonic()
    assert failure(fetcher.fetch(server.url("/slow"))).reason is FailureReason.TIMEOUT
    assert time.monotonic() - begun < 2


def test_closing_the_fetcher_breaks_off_a_slow_fetch(server: FeedServer) -> None:
    arrived = threading.Event()

    def slow(_: dict[str, str]) -> Answer:
        arrived.set()
        return Answer(chunks=[b"x"] * 1000, pause_s=1.0)

    server.pages["/slow"] = slow
    fetcher = Fetcher(allow_private=True)
    outcomes: list[object] = []
    thread = threading.Thread(target=lambda: outcomes.append(fetcher.fetch(server.url("/slow"))))
    thread.start()
    assert arrived.wait(5)
    fetcher.close()
    thread.join(5)
    assert failure(outcomes[0]).reason is FailureReason.CANCELLED


def test_redirects_are_followed_to_a_limit(server: FeedServer, fetcher: Fetcher) -> None:
    server.pages["/1"] = Answer(status=301, headers={"Location": "/2"})
    server.pages["/2"] = Answer(status=302, headers={"Location": server.url("/end")})
    server.pages["/end"] = Answer(body=b"here")
    server.pages["/loop"] = Answer(status=307, headers={"Location": "/loop"})
    outcome = fetcher.fetch(server.url("/1"))
    assert isinstance(outcome, Fetched)
    assert (outcome.body, outcome.url) == (b"here", server.url("/end"))
    assert failure(fetcher.fetch(server.url("/loop"))).reason is FailureReason.TOO_MANY_REDIRECTS
    assert len(server.asked("/loop")) == 6


def test_a_key_is_not_carried_to_another_host(server: FeedServer, fetcher: Fetcher) -> None:
    server.pages["/1"] = Answer(status=302, headers={"Location": server.url("/2").replace("127.0.0.1", "localhost")})
    server.pages["/2"] = Answer(body=b"here")
    assert isinstance(fetcher.fetch(server.url("/1"), headers={"Authorization": "secret"}), Fetched)
    assert server.asked("/1")[0]["authorization"] == "secret"
    assert "authorization" not in server.asked("/2")[0]


def test_an_unreachable_server_and_an_unknown_host_are_told_apart(server: FeedServer, fetcher: Fetcher) -> None:
    server.stop()
    assert failure(fetcher.fetch(server.url("/"))).reason is FailureReason.UNREACHABLE
    assert failure(fetcher.fetch("http://no-such-host.invalid/")).reason is FailureReason.UNKNOWN_HOST
    server.stop = lambda: None  # type: ignore[method-assign]


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "017700000001",
        "127.1",
        "0.0.0.0",
        "10.1.2.3",
        "192.168.1.1",
        "172.16.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:a00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[fe80::1]",
        "[fc00::1]",
        "[fec0::1]",
    ],
)
def test_a_private_address_is_refused_in_any_spelling(server: FeedServer, host: str) -> None:
    fetcher = Fetcher(limits=LIMITS)
    outcome = failure(fetcher.fetch(f"http://{host}:{server.port}/feed"))
    assert outcome.reason is FailureReason.ADDRESS_REFUSED, outcome
    assert not outcome.retryable
    assert server.requests == []


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "ftp://example.org/x", "gopher://x", "//x", "x", "", "http://", "http://a:b@example.org/"],
)
def test_only_plain_http_addresses_are_fetched(url: str) -> None:
    assert failure(Fetcher().fetch(url)).reason is FailureReason.ADDRESS_REFUSED


def test_the_judged_address_is_the_one_that_is_dialled(server: FeedServer) -> None:
    answers = iter([["127.0.0.1"], ["93.184.216.34"]])
    fetcher = Fetcher(limits=LIMITS, resolver=lambda _host, _port: next(answers))
    outcome = failure(fetcher.fetch(f"http://rebinding.example:{server.port}/feed"))
    assert outcome.reason is FailureReason.ADDRESS_REFUSED
    assert "127.0.0.1" in outcome.detail
    assert "allow_private" in outcome.detail
    assert next(answers) == ["93.184.216.34"], "the name was looked up once"


def test_of_several_addresses_only_the_public_ones_are_dialled(server: FeedServer) -> None:
    fetcher = Fetcher(limits=LIMITS, resolver=lambda _host, _port: ["127.0.0.1", "192.0.2.1"])
    assert isinstance(fetcher.fetch(f"http://mixed.example:{server.port}/feed"), FetchFailed)
    assert server.requests == []


def test_a_redirect_into_a_private_network_is_refused(server: FeedServer) -> None:
    names = {"news.example": ["127.0.0.1"]}

    def resolver(host: str, _port: int) -> list[str]:
        return names.get(host, [host])

    server.pages["/feed"] = Answer(status=302, headers={"Location": "http://169.254.169.254/latest/meta-data"})
    dialled: list[str] = []

    def public(address: str) -> bool:
        dialled.append(address)
        return address == "127.0.0.1" or is_public(address)

    fetcher = Fetcher(limits=LIMITS, resolver=resolver, judge=public)
    outcome = failure(fetcher.fetch(f"http://news.example:{server.port}/feed"))
    assert outcome.reason is FailureReason.ADDRESS_REFUSED
    assert "169.254.169.254" in outcome.detail
    assert dialled == ["127.0.0.1", "169.254.169.254"]


def test_a_name_that_cannot_be_looked_up_in_time_is_a_timeout() -> None:
    never = threading.Event()
    fetcher = Fetcher(limits=LIMITS, resolver=lambda _host, _port: [str(never.wait(5))])
    begun = time.monotonic()
    assert failure(fetcher.fetch("http://slow.example/")).reason is FailureReason.TIMEOUT
    assert time.monotonic() - begun < 2
    never.set()


def test_a_server_without_a_proper_certificate_is_refused(server: FeedServer, fetcher: Fetcher) -> None:
    outcome = failure(fetcher.fetch(server.url("/").replace("http:", "https:")))
    assert outcome.reason is FailureReason.TLS


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:8.8.8.8"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)


def test_a_checked_address_is_parsed() -> None:
    assert check_url("https://example.org/feed") == httpx.URL("https://example.org/feed")
