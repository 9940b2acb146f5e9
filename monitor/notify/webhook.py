"""Signed webhooks: the Standard Webhooks scheme, one POST, no redirects, no way into the own network by accident.

References:
    https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from datetime import datetime
from email.utils import parsedate_to_datetime

import httpx
import msgspec
from standardwebhooks import Webhook

from monitor.domain.addresses import is_public
from monitor.notify.notices import Notice
from monitor.notify.outcomes import Outcome, SendFailed, Sent
from monitor.notify.receivers import WebhookReceiver
from monitor.notify.texts import REASON, one_line
from monitor.notify.webhook_body import body_of
from monitor.ports import Clock

__all__ = ["Resolver", "SignedPost", "WebhookSender", "resolve"]

Resolver = Callable[[str, int], list[str]]
"""From host and port to numeric addresses, the preferred first; raises OSError for an unknown host."""

_RETRYABLE = {408, 425, 429}
"""Answers below 500 that ask for another attempt: too slow, too early, too often."""

_GONE = 410
_ADDRESSES = 3
"""Addresses of one host that are tried; each may take the whole `timeout_s`."""

_ANSWER_BYTES = 400
"""How much of a refusal is read, for the delivery log."""


def resolve(host: str, port: int) -> list[str]:
    """Return the numeric addresses of a host, as the system prefers them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class SignedPost:
    """Posts signed JSON to one address. The host is resolved once per attempt, judged, and dialled by that address."""

    def __init__(self, receiver: WebhookReceiver, resolver: Resolver = resolve) -> None:
        self._receiver = receiver
        self._resolver = resolver
        self._url = httpx.URL(receiver.url)
        self._signer = Webhook(receiver.secret)
        self._client = httpx.Client(
            verify=ssl.create_default_context(cafile=receiver.ca_file or None),
            timeout=receiver.timeout_s,
            follow_redirects=False,
            trust_env=False,  # a proxy of the environment would resolve the host by itself, unjudged
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    def post(self, key: str, body: bytes, at: datetime) -> Outcome:
        """Post once; `key` becomes ``webhook-id``, `at` the signed timestamp."""
        try:
            addresses = self._resolver(self._url.host, self._port)
        except OSError as error:
            return SendFailed(reason=f"host {self._receiver.host} was not found: {_words(error)}")
        if not self._receiver.allow_private and not all(is_public(address) for address in addresses):
            reason = f"host {self._receiver.host} lies in a private network; set `allow_private` if that is meant"
            return SendFailed(reason=reason)
        headers = self._headers(key, body, at)
        outcome: Outcome = SendFailed(reason=f"host {self._receiver.host} has no address")
        for address in addresses[:_ADDRESSES]:
            try:
                return self._post_to(address, headers, body)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                outcome = SendFailed(reason=f"no connection to {self._receiver.host}: {_words(error)}")
            except httpx.TimeoutException:
                return SendFailed(reason=f"{self._receiver.host} gave no answer in {self._receiver.timeout_s:g} s")
            except httpx.HTTPError as error:
                return SendFailed(reason=f"{self._receiver.host} broke off: {_words(error)}")
        return outcome

    def close(self) -> None:
        """Close the client."""
        self._client.close()

    @property
    def _port(self) -> int:
        return self._url.port or (443 if self._url.scheme == "https" else 80)

    def _headers(self, key: str, body: bytes, at: datetime) -> dict[str, str]:
        return {
            "host": self._url.netloc.decode("ascii"),
            "content-type": "application/json",
            "user-agent": "Bellwether",
            "webhook-id": key,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": self._signer.sign(key, at, body.decode()),
        }

    def _post_to(self, address: str, headers: dict[str, str], body: bytes) -> Outcome:
        """Dial one judged address; the certificate is still checked against the host's name."""
        url = self._url.copy_with(host=address)
        named = {"sni_hostname": self._url.host}
        with self._client.stream("POST", url, headers=headers, content=body, extensions=named) as response:
            if response.is_success:
                return Sent(detail=f"answered {response.status_code}")
            return _failure(response)


class WebhookSender:
    """Tells a webhook receiver."""

    def __init__(self, receiver: WebhookReceiver, clock: Clock, resolver: Resolver = resolve) -> None:
        self._post = SignedPost(receiver, resolver)
        self._clock = clock

    def send(self, notice: Notice, key: str) -> Outcome:
        """Post the notice once."""
        return self._post.post(key, msgspec.json.encode(body_of(notice)), self._clock.now())

    def close(self) -> None:
        """Close the client."""
        self._post.close()


def _failure(response: httpx.Response) -> SendFailed:
    """Return what a refusal means: who may be asked again, and when."""
    status = response.status_code
    said = f"answered {status} {response.reason_phrase}".strip()
    if response.has_redirect_location or 300 <= status < 400:
        return SendFailed(reason=f"{said}; redirects are not followed, set `url` to the final address")
    if status == _GONE:
        return SendFailed(reason=f"{said}; it wants no more, remove the receiver", permanent=True, closes=True)
    words = _beginning(response)
    reason = one_line(f"{said}: {words}" if words else said, REASON)
    if status in _RETRYABLE or status >= 500:
        return SendFailed(reason=reason, retry_after_s=_wish_s(response.headers))
    return SendFailed(reason=reason, permanent=True)


def _beginning(response: httpx.Response) -> str:
    """Return the first words of an answer; an answer that breaks off has said enough."""
    read = b""
    try:
        for chunk in response.iter_bytes(_ANSWER_BYTES):
            read += chunk
            if len(read) >= _ANSWER_BYTES:
                break
    except httpx.HTTPError:
        pass
    return one_line(read.decode("utf-8", "replace"), _ANSWER_BYTES)


def _wish_s(headers: httpx.Headers) -> float | None:
    """Return Retry-After in seconds, given as a number or as a date beside the answer's own Date; None without one."""
    wish = headers.get("retry-after", "").strip()
    if wish.isdecimal():
        return float(wish)
    try:
        until = parsedate_to_datetime(wish)
        return max(0.0, (until - parsedate_to_datetime(headers.get("date", ""))).total_seconds())
    except (TypeError, ValueError):
        return None


def _words(error: Exception) -> str:
    return one_line(str(error), REASON) or type(error).__name__
