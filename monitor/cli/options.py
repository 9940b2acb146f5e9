"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

__all__ = ["ConfigOption", "RunOption", "StateOption"]

ConfigOption: TypeAlias = Annotated[
    Path | None, typer.Option("--config", "-c", help="Your TOML file; default: bellwether.toml if it exists.")
]
StateOption: TypeAlias = Annotated[
    Path | None, typer.Option("--state", help="Folder that holds everything that lasts; default: state.")
]
RunOption: TypeAlias = Annotated[str, typer.Option("--run", help="The run: live, demo, or a replay's name.")]
