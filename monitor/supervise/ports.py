"""Ports of this machine: which are free, and who holds those that are not."""

from __future__ import annotations

import socket
from contextlib import closing

import psutil

from monitor.domain.errors import InvalidConfiguration

__all__ = ["free_port", "port_holder", "port_is_free", "require_free_port"]


def free_port(host: str = "127.0.0.1") -> int:
    """Return a port that is free now; another process may take it before it is used."""
    with closing(_stream_socket(host)) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def port_is_free(host: str, port: int) -> bool:
    """Say whether a server could listen at `host` and `port` now."""
    with closing(_stream_socket(host)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a closed connection's remains do not count
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def port_holder(port: int) -> str | None:
    """Name the process that listens at a port, where this user may know it."""
    try:
        listening = [each for each in psutil.net_connections("tcp") if each.status == psutil.CONN_LISTEN]
        holders = [each.pid for each in listening if each.laddr and each.laddr.port == port and each.pid]
        return f"`{psutil.Process(holders[0]).name()}` (process {holders[0]})" if holders else None
    except psutil.Error:
        return None


def require_free_port(host: str, port: int, *, wanted_by: str, flag: str) -> None:
    """Refuse a port that is taken, before anything is started.

    Args:
        host: The address to listen at.
        port: The port; 0 (any) is always free.
        wanted_by: What would listen there, as the operator knows it: `the dashboard`.
        flag: The option that changes it: `--port`.

    Raises:
        InvalidConfiguration: It is taken; the text names the port, its holder, what wanted it, and the way out.
    """
    if port and not port_is_free(host, port):
        holder = port_holder(port) or "another process"
        msg = (
            f"port {port} on {host} is taken by {holder}, and {wanted_by} wants it; "
            f"stop that process or choose another port with `{flag}`"
        )
        raise InvalidConfiguration(msg)


def _stream_socket(host: str) -> socket.socket:
    return socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
