"""The tree of commands, and how a fault is told."""

from __future__ import annotations

import sys

import typer
from rich.console import Console

from monitor.bootstrap.logs import start_logging
from monitor.cli import history, models, operating, running
from monitor.domain.errors import InvalidConfiguration, MonitorError

__all__ = ["app", "run"]

app = typer.Typer(
    name="bellwether",
    help="A streaming monitor of financial opinion. Start with: bellwether up",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
running.attach(app)
history.attach(app)
models.attach(app)
operating.attach(app)


def run() -> None:
    """Run one command."""
    start_logging()
    try:
        app()
    except InvalidConfiguration as error:
        _say(f"configuration: {error}")
        sys.exit(2)
    except MonitorError as error:
        _say(str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def _say(text: str) -> None:
    Console(stderr=True, highlight=False).print(text, style="red", markup=False)
