"""Which network addresses anybody may be sent to: the rule that keeps a feed or a webhook out of the own network."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

__all__ = ["is_loopback_host", "is_public"]

_NAT64 = IPv6Network("64:ff9b::/96")
"""IPv4 reached through a translator (RFC 6052); the last 32 bits are the address that counts."""

_COMPATIBLE = IPv6Network("::/96")
"""IPv4-compatible IPv6 (RFC 4291, 2.5.5.1), long deprecated, still understood by some systems."""


def is_public(address: str) -> bool:
    """Return whether a numeric IP address lies in the public internet.

    False for private, loopback, link-local (cloud metadata), shared, multicast, reserved and unspecified addresses,
    also where one is wrapped into IPv6 (mapped, 6to4, Teredo, NAT64), and for text that is no numeric address at all.

    >>> is_public("93.184.216.34"), is_public("169.254.169.254"), is_public("::ffff:10.0.0.1"), is_public("example.com")
    (True, False, False, False)
    """
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return all(part.is_global and not part.is_multicast for part in (found, *_wrapped(found)))


def _wrapped(address: IPv4Address | IPv6Address) -> list[IPv4Address]:
    """Return the IPv4 addresses that an IPv6 address carries inside."""
    if isinstance(address, IPv4Address):
        return []
    inner = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64 or address in _COMPATIBLE:
        inner.append(IPv4Address(int(address) & 0xFFFF_FFFF))
    return [part for part in inner if part is not None]


def is_loopback_host(host: str) -> bool:
    """Return whether a host, as configured, is this machine itself: ``localhost`` or a loopback address.

    >>> is_loopback_host("localhost"), is_loopback_host("127.0.0.9"), is_loopback_host("mail.example.com")
    (True, True, False)
    """
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
