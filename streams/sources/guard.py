"""Keeps fetches out of private networks: the address is checked when it is dialled, and the checked one is dialled.

A name is looked up once per connection, every answer is judged, and the socket is opened to the judged address. So
neither a second look-up (DNS rebinding) nor another spelling of an address (decimal, hexadecimal, IPv4 inside IPv6)
gets past. TLS still verifies the name of the URL.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
import weakref
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import httpcore
import httpx

from monitor.domain.errors import SourceRefused

__all__ = ["Connections", "GuardedBackend", "Resolver", "UnknownHost", "check_url", "resolve"]

Resolver: TypeAlias = Callable[[str, int], list[str]]
"""From host and port to the addresses it stands for."""


class UnknownHost(LookupError):
    """The name has no address."""


def check_url(url: str) -> httpx.URL:
    """Return the parsed address.

    Raises:
        SourceRefused: Not http or https, without a host, or with a name and password inside.
    """
    try:
        parsed = httpx.URL(url)
        port = parsed.port
    except (httpx.InvalidURL, ValueError, TypeError) as error:
        msg = f"`url` is not an address ({error})"
        raise SourceRefused(msg) from error
    if parsed.scheme not in {"http", "https"}:
        msg = f"`url` must begin with http:// or https://, began with {parsed.scheme or 'nothing'!r}"
        raise SourceRefused(msg)
    if not parsed.host:
        msg = "`url` names no host"
        raise SourceRefused(msg)
    if parsed.userinfo:
        msg = f"`url` for {parsed.host} holds a user name; put credentials into `headers`, as env:NAME or file:PATH"
        raise SourceRefused(msg)
    if port == 0:
        msg = f"`url` for {parsed.host} has port 0"
        raise SourceRefused(msg)
    return parsed


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of `host`, in the order the system prefers.

    Raises:
        UnknownHost: It has none.
    """
    try:
        answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        msg = f"{host} has no address ({getattr(error, 'strerror', None) or error})"
        raise UnknownHost(msg) from error
    return list(dict.fromkeys(str(answer[4][0]) for answer in answers))


class Connections:
    """Every open socket of a fetcher, so that a shutdown need not wait for a slow server."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self.closed = False

    def add(self, opened: socket.socket) -> None:
        """Remember a socket; closed at once if the shutdown has begun."""
        with self._lock:
            self._sockets.add(opened)
            late = self.closed
        if late:
            _shut(opened)

    def close(self) -> None:
        """Wake every thread that waits for one of the sockets."""
        with self._lock:
            self.closed = True
            opened = list(self._sockets)
        for one in opened:
            _shut(one)


def _shut(opened: socket.socket) -> None:
    try:
        opened.shutdown(socket.SHUT_RDWR)
    except OSError:  # not connected any more: what we wanted
        return


class GuardedBackend(httpcore.NetworkBackend):
    """Opens sockets to judged addresses only, and lets no single wait outlast the deadline of the fetch.

    Args:
        judge: Tells of an address whether it may be dialled (`monitor.domain.addresses.is_public`).
        deadline: On the monotonic clock, in seconds.
    """

    def __init__(
        self, *, resolver: Resolver, judge: Callable[[str], bool], deadline: float, connections: Connections
    ) -> None:
        self._resolver = resolver
        self._judge = judge
        self._deadline = deadline
        self._connections = connections
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Look `host` up, judge its addresses, and connect to the first that answers."""
        failure: Exception | None = None
        for address in self._judged(host, port):
            left = time_left(self._deadline, timeout)
            try:
                stream = self._sockets.connect_tcp(address, port, left, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
                continue
            self._connections.add(stream.get_extra_info("socket"))
            return _BoundedStream(stream, self._deadline, self._connections)
        raise failure or httpcore.ConnectError(f"{host} has no address")

    def _judged(self, host: str, port: int) -> list[str]:
        addresses = look_up(self._resolver, host, port, self._deadline, self._connections)
        public = [address for address in addresses if self._judge(address)]
        if not public:
            msg = (
                f"{host} stands for {', '.join(addresses) or 'no address'}, which is not a public address; "
                "set `allow_private = true` on this source if that is meant"
            )
            raise SourceRefused(msg)
        return public


class _BoundedStream(httpcore.NetworkStream):
    """A stream whose every wait ends at the deadline of the fetch, however slowly the bytes drip."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float, connections: Connections) -> None:
        self._stream = stream
        self._deadline = deadline
        self._connections = connections

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, time_left(self._deadline, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, time_left(self._deadline, timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        secured = self._stream.start_tls(ssl_context, server_hostname, time_left(self._deadline, timeout))
        self._connections.add(secured.get_extra_info("socket"))
        return _BoundedStream(secured, self._deadline, self._connections)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def time_left(deadline: float, timeout: float | None) -> float:
    """Return the seconds a wait may last.

    Raises:
        TimeoutError: The deadline has passed.
    """
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left if timeout is None else min(left, timeout)


def look_up(resolver: Resolver, host: str, port: int, deadline: float, connections: Connections) -> list[str]:
    """Resolve in a thread of its own: the system's look-up knows no time-out, a fetch does."""
    found: list[list[str] | Exception] = []
    done = threading.Event()

    def ask() -> None:
        try:
            found.append(resolver(host, port))
        except Exception as error:
            found.append(error)
        done.set()

    threading.Thread(target=ask, name=f"look up {host}", daemon=True).start()
    while not done.wait(min(0.2, time_left(deadline, None))):
        if connections.closed:
            raise TimeoutError
    answer = found[0]
    if isinstance(answer, Exception):
        raise answer
    return answer
