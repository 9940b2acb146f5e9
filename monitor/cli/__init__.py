"""The command line: each command reads its arguments and calls one function of the bootstrap."""

from __future__ import annotations

__all__ = ["main"]


def main() -> None:
    """Run the command line; an expected fault is one clear sentence and exit code 2, never a traceback."""
    from monitor.cli.application import run

    run()
