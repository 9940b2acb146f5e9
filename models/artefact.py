"""A trained classifier as a folder: what is in it, how it is written, and everything that is checked before it is used.

manifest.json      format, base, label order, temperatures, data sets, scores, digests, golden sentences
model.safetensors  the weights, float16
tokenizer.json     config.json      README.md (the card)
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.golden import GoldenSentence
from monitor.domain.errors import InvalidArtefact
from monitor.domain.sentiment import TOPICS, Label

__all__ = ["FORMAT", "SHIPPED", "Manifest", "file_digests", "read_manifest", "write_manifest"]

FORMAT = 1
"""Version of the folder's layout; a newer one is refused."""

SHIPPED = Path(__file__).parent / "artefact_minilm"
"""The artefact that comes with this release."""

_FILES = ("model.safetensors", "tokenizer.json", "config.json")
_LABELS = tuple(label.word for label in Label)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What an artefact says of itself.

    Attributes:
        base: Where the encoder's weights came from, with its licence in `base_licence`.
        most_tokens: Longest piece the network is given, with its special tokens.
        padding: Id of the padding token.
        temperatures: By head; logits are divided by them.
        files: SHA-256 of each file, by name.
        facts: Recipe, data sets, scores and versions, for people; not read by the classifier.
        digest: SHA-256 over all of the above.
    """

    name: str
    base: str
    base_licence: str
    most_tokens: int
    padding: int
    temperatures: Mapping[str, float]
    golden: tuple[GoldenSentence, ...]
    files: Mapping[str, str]
    facts: Mapping[str, Any] = field(default_factory=dict)
    digest: str = ""


def file_digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file of an artefact.

    Raises:
        InvalidArtefact: A file is missing.
    """
    digests = {}
    for name in _FILES:
        path = folder / name
        if not path.is_file():
            msg = f"artefact `{folder.name}` has no {name}; copy the whole folder, or train it with `bellwether train`"
            raise InvalidArtefact(msg)
        with path.open("rb") as content:
            digests[name] = hashlib.file_digest(content, "sha256").hexdigest()
    return digests


def write_manifest(folder: Path, manifest: Manifest) -> str:
    """Write manifest.json and return the digest it was given."""
    plain: dict[str, Any] = {
        "format": FORMAT,
        "name": manifest.name,
        "base": manifest.base,
        "base_licence": manifest.base_licence,
        "labels": list(_LABELS),
        "topics": list(TOPICS),
        "most_tokens": manifest.most_tokens,
        "padding": manifest.padding,
        "temperatures": dict(manifest.temperatures),
        "golden": [{"text": one.text, "sentiment": one.sentiment.word, "topic": one.topic} for one in manifest.golden],
        "files": dict(manifest.files),
        "facts": dict(manifest.facts),
    }
    plain["digest"] = _digest(plain)
    text = json.dumps(plain, indent=2, ensure_ascii=False) + "\n"
    (folder / "manifest.json").write_text(text, encoding="utf-8")
    return str(plain["digest"])


def read_manifest(folder: Path) -> Manifest:
    """Read and check everything that can be checked without running the network.

    Raises:
        InvalidArtefact: The folder is incomplete, altered, of a newer format, or its labels are in another order.
    """
    plain = _parsed(folder)
    _check_format(folder, plain)
    if plain.get("digest") != _digest(plain):
        msg = f"artefact `{folder.name}` has an altered manifest.json: its digest does not match; fetch it anew"
        raise InvalidArtefact(msg)
    _check_order(folder, "labels", plain.get("labels"), _LABELS)
    _check_order(folder, "topics", plain.get("topics"), TOPICS)
    try:
        manifest = _manifest(plain)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        msg = f"artefact `{folder.name}` has a manifest.json without a valid {error}; fetch it anew"
        raise InvalidArtefact(msg) from error
    for name, found in file_digests(folder).items():
        if manifest.files.get(name) != found:
            msg = f"artefact `{folder.name}` has an altered {name}: its SHA-256 does not match; fetch it anew"
            raise InvalidArtefact(msg)
    return manifest


def _manifest(plain: Mapping[str, Any]) -> Manifest:
    return Manifest(
        name=plain["name"],
        base=plain["base"],
        base_licence=plain["base_licence"],
        most_tokens=int(plain["most_tokens"]),
        padding=int(plain["padding"]),
        temperatures={head: float(plain["temperatures"][head]) for head in ("sentiment", "topic")},
        golden=tuple(
            GoldenSentence(one["text"], Label[one["sentiment"].upper()], one["topic"]) for one in plain["golden"]
        ),
        files=dict(plain["files"]),
        facts=plain["facts"],
        digest=plain["digest"],
    )


def _parsed(folder: Path) -> dict[str, Any]:
    try:
        plain = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        msg = f"artefact `{folder}` has no manifest.json; name the folder that `bellwether train` wrote"
        raise InvalidArtefact(msg) from error
    except (OSError, ValueError) as error:
        msg = f"artefact `{folder.name}` has a manifest.json that cannot be read: {error}"
        raise InvalidArtefact(msg) from error
    if not isinstance(plain, dict):
        msg = f"artefact `{folder.name}` has a manifest.json that is no object"
        raise InvalidArtefact(msg)
    return plain


def _check_format(folder: Path, plain: Mapping[str, Any]) -> None:
    found = plain.get("format")
    if not isinstance(found, int) or not 1 <= found <= FORMAT:
        msg = f"artefact `{folder.name}` has format {found}, this release reads up to {FORMAT}; upgrade bellwether"
        raise InvalidArtefact(msg)


def _check_order(folder: Path, what: str, found: object, expected: tuple[str, ...]) -> None:
    if not isinstance(found, list) or tuple(found) != expected:
        msg = f"artefact `{folder.name}` has `{what}` {found}, this release needs {list(expected)}; train it anew"
        raise InvalidArtefact(msg)


def _digest(plain: Mapping[str, Any]) -> str:
    bare = {name: value for name, value in plain.items() if name != "digest"}
    return hashlib.sha256(json.dumps(bare, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
