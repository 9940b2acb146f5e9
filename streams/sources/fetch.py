"""Fetches one address, politely and within bounds: conditional, capped in bytes and time, never into a private network.

The outcome is a value, `Fetched | NotModified | FetchFailed`; nothing that a server does raises.
"""

from __future__ import annotations

import ssl
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from typing import TypeAlias

import httpcore
import httpx

from monitor.domain.addresses import is_public
from monitor.domain.errors import SourceRefused
from streams.sources.guard import Connections, GuardedBackend, Resolver, check_url, resolve
from streams.sources.politeness import freshness, retry_after

__all__ = ["FailureReason", "FetchFailed", "FetchLimits", "FetchOutcome", "Fetched", "Fetcher", "NotModified"]

REDIRECTS = frozenset({301, 302, 303, 307, 308})
CHUNK_BYTES = 64 * 1024
ACCEPT = "application/atom+xml, application/rss+xml, application/feed+json, application/json;q=0.9, */*;q=0.5"


class FailureReason(StrEnum):
    """Why a poll failed; the same word in logs, in the source's state and in tests."""

    ADDRESS_REFUSED = "address refused"
    UNKNOWN_HOST = "unknown host"
    UNREACHABLE = "unreachable"
    TLS = "tls failed"
    TIMEOUT = "timeout"
    TOO_LARGE = "too large"
    TOO_MANY_REDIRECTS = "too many redirects"
    RATE_LIMITED = "rate limited"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not found"
    SERVER_ERROR = "server error"
    UNEXPECTED_STATUS = "unexpected status"
    BROKEN_ANSWER = "broken answer"
    WRONG_ENCODING = "wrong encoding"
    NOT_A_FEED = "not a feed"
    TRUNCATED = "truncated"
    CANCELLED = "cancelled"
    INTERNAL = "internal error"

    @property
    def retryable(self) -> bool:
        """True if the same request may succeed later without anybody changing the configuration."""
        return self not in {FailureReason.ADDRESS_REFUSED, FailureReason.NOT_FOUND, FailureReason.NOT_A_FEED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A whole body, decoded.

    Attributes:
        url: Where it was found, after redirects.
        max_age: How long the publisher says the answer stays fresh; None if it says nothing.
    """

    url: str
    body: bytes
    content_type: str = ""
    etag: str = ""
    last_modified: str = ""
    max_age: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotModified:
    """Nothing new since the validators that were sent."""

    etag: str = ""
    last_modified: str = ""
    max_age: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchFailed:
    """An expected failure, in one sentence that an operator can act on."""

    reason: FailureReason
    detail: str
    retry_after: timedelta | None = None

    @property
    def retryable(self) -> bool:
        """True if the same request may succeed later."""
        return self.reason.retryable

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}"


FetchOutcome: TypeAlias = Fetched | NotModified | FetchFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchLimits:
    """What one fetch may cost."""

    body_bytes: int = 15 * 1024 * 1024
    """Largest decoded body; the figure miniflux uses."""
    total: timedelta = timedelta(seconds=30)
    """From the look-up of the name to the last byte, all redirects included."""
    connect: timedelta = timedelta(seconds=10)
    read: timedelta = timedelta(seconds=15)
    redirects: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    """One fetch under way: what every hop shares."""

    validators: Mapping[str, str]
    headers: Mapping[str, str]
    allow_private: bool
    limits: FetchLimits
    deadline: float = field(repr=False)


class _GuardedTransport(httpx.BaseTransport):
    """httpx over a connection pool whose connections go through `GuardedBackend`; one per hop, never reused."""

    def __init__(self, backend: GuardedBackend, context: ssl.SSLContext) -> None:
        self._pool = httpcore.ConnectionPool(ssl_context=context, network_backend=backend, max_keepalive_connections=0)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        answer = self._pool.handle_request(
            httpcore.Request(method=request.method, url=url, headers=request.headers.raw, extensions=request.extensions)
        )
        return httpx.Response(status_code=answer.status, headers=answer.headers, stream=_Body(answer))

    def close(self) -> None:
        self._pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        yield from self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()


class Fetcher:
    """Fetches addresses; safe to use from several threads.

    Args:
        user_agent: Sent with every request; the default names the project and its version.
        resolver: Looks names up; given by tests.
        judge: Tells of an address whether it may be dialled.
        allow_private: Allow private addresses for every fetch (a wholly internal installation).
    """

    def __init__(
        self,
        *,
        limits: FetchLimits | None = None,
        user_agent: str = "",
        resolver: Resolver = resolve,
        judge: Callable[[str], bool] = is_public,
        allow_private: bool = False,
    ) -> None:
        self.limits = limits or FetchLimits()
        self.user_agent = user_agent or default_user_agent()
        self._resolver = resolver
        self._judge = judge
        self._allow_private = allow_private
        self._context = httpx.create_ssl_context()
        self._connections = Connections()

    def fetch(
        self,
        url: str,
        *,
        etag: str = "",
        last_modified: str = "",
        headers: Mapping[str, str] | None = None,
        allow_private: bool = False,
        limits: FetchLimits | None = None,
    ) -> FetchOutcome:
        """Fetch `url`, conditionally where `etag` or `last_modified` of an earlier answer is given."""
        bounds = limits or self.limits
        validators = {"if-none-match": etag, "if-modified-since": last_modified}
        request = _Request(
            validators={name: value for name, value in validators.items() if value},
            headers=headers or {},
            allow_private=allow_private or self._allow_private,
            limits=bounds,
            deadline=time.monotonic() + bounds.total.total_seconds(),
        )
        try:
            return self._follow(url, request)
        except (httpx.InvalidURL, SourceRefused) as error:
            return FetchFailed(reason=FailureReason.ADDRESS_REFUSED, detail=str(error))
        except Exception as error:
            return self._failure(error, request)

    def close(self) -> None:
        """Break off every fetch under way; later fetches fail at once. Called from another thread at shutdown."""
        self._connections.close()

    def _follow(self, url: str, request: _Request) -> FetchOutcome:
        first = address = check_url(url)
        for _ in range(request.limits.redirects + 1):
            outcome = self._hop(address, request, own_headers=_origin(address) == _origin(first))
            if not isinstance(outcome, httpx.URL):
                return outcome
            address = check_url(str(outcome))
        detail = f"{first.host} redirected more than {request.limits.redirects} times"
        return FetchFailed(reason=FailureReason.TOO_MANY_REDIRECTS, detail=detail)

    def _hop(self, url: httpx.URL, request: _Request, *, own_headers: bool) -> FetchOutcome | httpx.URL:
        backend = GuardedBackend(
            resolver=self._resolver,
            judge=_anything if request.allow_private else self._judge,
            deadline=request.deadline,
            connections=self._connections,
        )
        headers = {"user-agent": self.user_agent, "accept": ACCEPT, "accept-encoding": "gzip, deflate"}
        headers |= dict(request.validators)
        if own_headers:
            # the operator's headers may hold a key: it goes to the host it was written for, nowhere else
            headers |= {name.lower(): value for name, value in request.headers.items()}
        timeout = httpx.Timeout(request.limits.read.total_seconds(), connect=request.limits.connect.total_seconds())
        with (
            httpx.Client(transport=_GuardedTransport(backend, self._context), timeout=timeout) as client,
            client.stream("GET", url, headers=headers, follow_redirects=False) as answer,
        ):
            if answer.status_code in REDIRECTS and answer.headers.get("location"):
                return url.join(answer.headers["location"])
            outcome = _outcome(answer, url, request)
        if self._connections.closed:  # a socket that we shut looks like the end of a body without a length
            raise TimeoutError
        return outcome

    def _failure(self, error: Exception, request: _Request) -> FetchFailed:
        if self._connections.closed:
            return FetchFailed(reason=FailureReason.CANCELLED, detail="the crawler is stopping")
        late = time.monotonic() >= request.deadline
        if late or isinstance(error, httpx.TimeoutException | httpcore.TimeoutException | TimeoutError):
            detail = f"no whole answer within {request.limits.total.total_seconds():g} s"
            return FetchFailed(reason=FailureReason.TIMEOUT, detail=detail)
        if isinstance(error, _BrokenBody):
            return FetchFailed(reason=FailureReason.BROKEN_ANSWER, detail=str(error))
        return FetchFailed(reason=_reason_of(error), detail=_sentence(error))


class _BrokenBody(Exception):
    """A body that does not decode as its headers promise."""


def default_user_agent() -> str:
    """Return a name by which a publisher can tell us and find out who we are."""
    try:
        release = version("bellwether")
    except PackageNotFoundError:  # run from a bare checkout
        release = "0"
    return f"Bellwether/{release} (+https://github.com/bellwether-monitor/bellwether; feed reader)"


def _anything(_: str) -> bool:
    return True


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _outcome(answer: httpx.Response, url: httpx.URL, request: _Request) -> FetchOutcome:
    now = datetime.now(UTC)
    max_age = freshness(answer.headers, now)
    etag, last_modified = answer.headers.get("etag", ""), answer.headers.get("last-modified", "")
    if answer.status_code == httpx.codes.NOT_MODIFIED and request.validators:
        return NotModified(
            etag=etag or request.validators.get("if-none-match", ""),
            last_modified=last_modified or request.validators.get("if-modified-since", ""),
            max_age=max_age,
        )
    if answer.status_code != httpx.codes.OK:
        return _refusal(answer, now)
    body = _read(answer, request)
    if isinstance(body, FetchFailed):
        return body
    content_type = answer.headers.get("content-type", "")
    return Fetched(
        url=str(url), body=body, content_type=content_type, etag=etag, last_modified=last_modified, max_age=max_age
    )


def _refusal(answer: httpx.Response, now: datetime) -> FetchFailed:
    status = answer.status_code
    wait = retry_after(answer.headers.get("retry-after", ""), now)
    if status == httpx.codes.TOO_MANY_REQUESTS:
        reason = FailureReason.RATE_LIMITED
    elif status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN, httpx.codes.PAYMENT_REQUIRED}:
        reason = FailureReason.FORBIDDEN
    elif status in {httpx.codes.NOT_FOUND, httpx.codes.GONE}:
        reason = FailureReason.NOT_FOUND
    elif status >= httpx.codes.INTERNAL_SERVER_ERROR:
        reason = FailureReason.SERVER_ERROR
    else:
        reason = FailureReason.UNEXPECTED_STATUS
    phrase = httpx.codes.get_reason_phrase(status)
    return FetchFailed(reason=reason, detail=f"answered {status} {phrase}".rstrip(), retry_after=wait)


def _read(answer: httpx.Response, request: _Request) -> bytes | FetchFailed:
    limit = request.limits.body_bytes
    encoding = answer.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"", "identity", "gzip", "x-gzip", "deflate"}:
        detail = f"content-encoding {encoding!r} was not asked for"
        return FetchFailed(reason=FailureReason.BROKEN_ANSWER, detail=detail)
    plain = encoding in {"", "identity"}
    body = bytearray()
    inflater = None if plain else _Inflater()
    for chunk in answer.iter_raw(CHUNK_BYTES):
        if time.monotonic() >= request.deadline:
            raise TimeoutError
        # one byte more than allowed tells too much from just enough, and no bomb is ever unpacked beyond it
        body += chunk if inflater is None else inflater.inflate(chunk, limit + 1 - len(body))
        if len(body) > limit:
            detail = f"body is larger than {limit} bytes after decoding"
            return FetchFailed(reason=FailureReason.TOO_LARGE, detail=detail)
    if inflater is not None and not inflater.finished:
        msg = "compressed body broke off"
        raise _BrokenBody(msg)
    return bytes(body)


class _Inflater:
    """gzip, zlib or raw deflate, told apart by the first bytes; never returns more than asked."""

    def __init__(self) -> None:
        self._engine = zlib.decompressobj(zlib.MAX_WBITS | 32)
        self._begun = False

    @property
    def finished(self) -> bool:
        return self._engine.eof or not self._begun

    def inflate(self, chunk: bytes, most: int) -> bytes:
        try:
            plain = self._engine.decompress(chunk, max(most, 1))
        except zlib.error as error:
            if self._begun:
                msg = f"compressed body is damaged ({error})"
                raise _BrokenBody(msg) from error
            self._engine = zlib.decompressobj(-zlib.MAX_WBITS)
            try:
                plain = self._engine.decompress(chunk, max(most, 1))
            except zlib.error as again:
                msg = f"compressed body is damaged ({again})"
                raise _BrokenBody(msg) from again
        self._begun = True
        rest = self._engine.unused_data
        if self._engine.eof and rest[:2] == b"\x1f\x8b" and len(plain) < most:
            self._engine = zlib.decompressobj(zlib.MAX_WBITS | 32)
            plain += self.inflate(rest, most - len(plain))
        return plain


def _reason_of(error: BaseException) -> FailureReason:
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLError):
            return FailureReason.TLS
        if isinstance(seen, httpcore.RemoteProtocolError | httpx.RemoteProtocolError | httpx.DecodingError):
            return FailureReason.BROKEN_ANSWER
        if isinstance(seen, LookupError) and not isinstance(seen, KeyError | IndexError):
            return FailureReason.UNKNOWN_HOST
        seen = seen.__cause__ or seen.__context__
    return FailureReason.UNREACHABLE


def _sentence(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text[:200]
