"""Which network addresses anybody may be sent to: the rule that keeps a feed or a webhook out of the own network."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

__all__ = ["is_loopback_host", "is_public"]

_TRANSLATED = tuple(map(IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "::/96")))
"""Networks in which the last 32 bits are an IPv4 address: translators (RFC 6052, RFC 8215), and the deprecated form."""


def is_public(address: str) -> bool:
    """Return whether a numeric IP address lies in the public internet.

    False for private, loopback, link-local (cloud metadata), shared, multicast, reserved and unspecified addresses,
    also where one is wrapped into IPv6 (mapped, 6to4, Teredo, NAT64), and for text that is no numeric address at all.

    >>> is_public("93.184.216.34"), is_public("169.254.169.254"), is_public("::ffff:10.0.0.1"), is_public("example.com")
    (True, False, False, False)
    """
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    inner = _wrapped(found)
    return _routable(inner or found)


def _routable(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address) and address.is_site_local:
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


def _wrapped(address: IPv4Address | IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address that an IPv6 address carries inside, where the packet would come out."""
    if isinstance(address, IPv4Address):
        return None
    if any(address in network for network in _TRANSLATED):
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    teredo = address.teredo[1] if address.teredo else None
    return address.ipv4_mapped or address.sixtofour or teredo


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
