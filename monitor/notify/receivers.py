"""Who can be told, as the operator wrote it. Secrets never show in `repr`."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field, fields
from email.errors import MessageError
from email.headerregistry import Address
from email.utils import parseaddr
from enum import StrEnum
from typing import NoReturn, TypeAlias
from urllib.parse import urlsplit

from monitor.domain.addresses import is_loopback_host
from monitor.domain.errors import InvalidConfiguration

__all__ = ["ChatReceiver", "ConsoleReceiver", "EmailReceiver", "Receiver", "Security", "WebhookReceiver", "kind_of"]

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_SECRET_BYTES = range(24, 65)
"""Length of a Standard Webhooks secret (specification, "Signature scheme")."""

_NEW_SECRET = (
    "python -c \"import base64, secrets; print('whsec_' + base64.b64encode(secrets.token_bytes(32)).decode())\""  # noqa: S105 - a command that makes one, none itself
)


class Security(StrEnum):
    """How a connection to an SMTP server is protected."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailReceiver:
    """Some mailboxes behind one SMTP server.

    Attributes:
        security: ``starttls`` (port 587), ``tls`` (port 465) or ``none``; certificates are always verified.
        user, password: Both or neither.
        sender: ``desk@example.com`` or ``Bellwether <desk@example.com>``; `to` likewise.
        timeout_s: For each step of the conversation.
        allow_plain: Without it, ``none`` is refused for every host but this machine.
        ca_file: PEM file of the authorities to trust instead of the system's; for a server of one's own.
    """

    name: str
    host: str
    port: int
    sender: str
    to: tuple[str, ...]
    security: Security = Security.STARTTLS
    user: str = ""
    password: str = field(default="", repr=False)
    timeout_s: float = 15.0
    allow_plain: bool = False
    ca_file: str = ""

    def __post_init__(self) -> None:
        _check_types(self)
        _check_name(self.name)
        _check_timeout(self.name, self.timeout_s)
        if not self.host or re.search(r"[\s/@]", self.host):
            _refuse(self.name, "host", f"must be the name or address of an SMTP server, was {self.host!r}")
        if not 1 <= self.port <= 65535:
            _refuse(self.name, "port", f"must be from 1 to 65535, was {self.port}")
        if self.security not in set(Security):
            _refuse(self.name, "security", f"must be starttls, tls or none, was {self.security!r}")
        if bool(self.user) != bool(self.password):
            _refuse(self.name, "password" if self.user else "user", "must be set together with the other of the two")
        _check_mailbox(self.name, "sender", self.sender)
        if not self.to:
            _refuse(self.name, "to", "must name at least one mailbox")
        for mailbox in self.to:
            _check_mailbox(self.name, "to", mailbox)
        if self.security is Security.NONE and not (self.allow_plain or is_loopback_host(self.host)):
            msg = "must not be none for another machine (anybody between could read it); set `allow_plain` if you must"
            _refuse(self.name, "security", msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookReceiver:
    """An address that is sent signed JSON (Standard Webhooks).

    Attributes:
        url: https; plain http only together with `allow_private`. May hold a token, so it never shows.
        secret: ``whsec_`` and 24 to 64 bytes in base64.
        timeout_s: For connecting, and for each wait for the answer.
        allow_private: The address may lie in the own network.
        ca_file: PEM file of the authorities to trust instead of the system's.
    """

    name: str
    url: str = field(repr=False)
    secret: str = field(repr=False)
    timeout_s: float = 10.0
    allow_private: bool = False
    ca_file: str = ""

    def __post_init__(self) -> None:
        _check_types(self)
        _check_name(self.name)
        _check_timeout(self.name, self.timeout_s)
        scheme, host = _scheme_and_host(self.name, self.url)
        if scheme not in {"https", "http"} or not host:
            _refuse(self.name, "url", "must begin with https:// and name a host")
        if scheme == "http" and not self.allow_private:
            _refuse(self.name, "url", "must be https; plain http only inside the own network, with `allow_private`")
        if not _is_secret(self.secret):
            msg = f"must be whsec_ and 24 to 64 bytes in base64; make one: {_NEW_SECRET}"
            _refuse(self.name, "secret", msg)

    @property
    def host(self) -> str:
        """Return the host alone: all of the address that may be shown."""
        return urlsplit(self.url).hostname or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatReceiver:
    """Chat and push services by Apprise addresses, such as ``slack://...`` (https://appriseit.com/services/).

    Attributes:
        urls: They hold tokens, so they never show.
    """

    name: str
    urls: tuple[str, ...] = field(repr=False)

    def __post_init__(self) -> None:
        _check_types(self)
        _check_name(self.name)
        if not self.urls:
            _refuse(self.name, "urls", "must hold at least one Apprise address")
        for number, url in enumerate(self.urls):
            if not re.match(r"[a-zA-Z][a-zA-Z0-9_+.-]*://", url):
                _refuse(self.name, f"urls[{number}]", "must be an Apprise address such as slack://token")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleReceiver:
    """Standard output: one line for each notice."""

    name: str

    def __post_init__(self) -> None:
        _check_types(self)
        _check_name(self.name)


_KINDS: dict[str, tuple[type | tuple[type, ...], str]] = {
    "str": (str, "text"),
    "int": (int, "a whole number"),
    "float": ((int, float), "a number"),
    "bool": (bool, "true or false"),
    "tuple[str, ...]": (tuple, "a list of texts"),
    "Security": (str, "starttls, tls or none"),
}
"""Types of fields, as they are annotated above, and their words."""

Receiver: TypeAlias = EmailReceiver | WebhookReceiver | ChatReceiver | ConsoleReceiver


def kind_of(receiver: Receiver) -> str:
    """Return ``email``, ``webhook``, ``chat`` or ``console``.

    >>> kind_of(ConsoleReceiver(name="screen"))
    'console'
    """
    return type(receiver).__name__.removesuffix("Receiver").lower()


def _refuse(name: str, field_name: str, fact: str) -> NoReturn:
    msg = f"receiver {name!r}: `{field_name}` {fact}"
    raise InvalidConfiguration(msg)


def _check_types(receiver: Receiver) -> None:
    """Refuse a value of another type than its field: settings come from files."""
    for each in fields(receiver):
        value = getattr(receiver, each.name)
        kinds, words = _KINDS[str(each.type)]
        whole = isinstance(value, kinds) and (each.type == "bool") == isinstance(value, bool)
        if not whole or (isinstance(value, tuple) and not all(isinstance(part, str) for part in value)):
            _refuse(str(receiver.name), each.name, f"must be {words}")


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        _refuse(name, "name", "must be 1 to 40 lower-case letters, digits and dashes")


def _check_timeout(name: str, timeout_s: float) -> None:
    if not 0 < timeout_s <= 120:
        _refuse(name, "timeout_s", f"must be above 0 and at most 120 seconds, was {timeout_s}")


def _check_mailbox(name: str, field_name: str, mailbox: str) -> None:
    address = parseaddr(mailbox)[1]
    try:
        parsed = Address(addr_spec=address)
    except (MessageError, ValueError, IndexError):
        _refuse(name, field_name, f"must be a mailbox such as desk@example.com, was {mailbox!r}")
    if not (parsed.username and parsed.domain) or re.search(r"[\r\n\x00]", mailbox):
        _refuse(name, field_name, f"must be a mailbox such as desk@example.com, was {mailbox!r}")


def _scheme_and_host(name: str, url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - reading it is the check
    except ValueError:
        _refuse(name, "url", "must be a valid address with a port from 0 to 65535")
    if re.search(r"[\s\x00-\x1f]", url):
        _refuse(name, "url", "must not hold blanks or control characters")
    return parts.scheme, parts.hostname or ""


def _is_secret(secret: str) -> bool:
    if not secret.startswith("whsec_"):
        return False
    body = secret.removeprefix("whsec_").rstrip("=")
    try:
        return len(base64.b64decode(body + "=" * (-len(body) % 4), validate=True)) in _SECRET_BYTES
    except (binascii.Error, ValueError):
        return False
