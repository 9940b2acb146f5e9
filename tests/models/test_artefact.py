from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

from models.artefact import _digest, file_digests, read_manifest
from models.classifier import load_classifier
from models.training import TrainReport
from monitor.domain.errors import InvalidArtefact


@pytest.fixture
def folder(tiny_report: TrainReport, tmp_path: Path) -> Path:
    """A copy of the tiny artefact to tamper with."""
    return Path(shutil.copytree(tiny_report.artefact, tmp_path / "copy"))


def rewrite(folder: Path, change: Callable[[dict[str, Any]], None], *, sign: bool = True) -> None:
    """Change the manifest; `sign` makes its digests right again, as one who writes an artefact wrongly would."""
    plain = json.loads((folder / "manifest.json").read_text())
    change(plain)
    if sign:
        plain["files"] = file_digests(folder)
        plain["digest"] = _digest(plain)
    (folder / "manifest.json").write_text(json.dumps(plain))


def load(folder: Path) -> None:
    load_classifier(folder, device="cpu", precision="fp32")


def test_an_untouched_copy_loads(folder: Path) -> None:
    load(folder)


def test_a_single_altered_byte_of_the_weights_is_refused(folder: Path) -> None:
    path = folder / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(InvalidArtefact, match=r"altered model\.safetensors"):
        load(folder)


def test_an_altered_manifest_is_refused(folder: Path) -> None:
    rewrite(folder, lambda plain: plain["temperatures"].update(sentiment=9.0), sign=False)
    with pytest.raises(InvalidArtefact, match=r"altered manifest\.json"):
        load(folder)


def test_labels_in_another_order_are_refused(folder: Path) -> None:
    rewrite(folder, lambda plain: plain.update(labels=["positive", "neutral", "negative"]))
    with pytest.raises(InvalidArtefact, match="`labels`"):
        load(folder)


def test_topics_in_another_order_are_refused(folder: Path) -> None:
    rewrite(folder, lambda plain: plain["topics"].reverse())
    with pytest.raises(InvalidArtefact, match="`topics`"):
        load(folder)


def test_swapped_rows_of_the_sentiment_head_fail_the_golden_sentences(folder: Path) -> None:
    path = folder / "model.safetensors"
    weights = load_file(path)
    for name in ("sentiment.weight", "sentiment.bias"):
        weights[name] = weights[name].flip(0).contiguous()
    save_file(weights, path)
    rewrite(folder, lambda plain: None)
    with pytest.raises(InvalidArtefact, match="it must be negative"):
        load(folder)


def test_a_wrong_golden_topic_is_refused(folder: Path) -> None:
    rewrite(folder, lambda plain: plain["golden"][0].update(topic="IPO"))
    with pytest.raises(InvalidArtefact, match="it must be IPO"):
        load(folder)


def test_an_artefact_without_golden_sentences_is_refused(folder: Path) -> None:
    rewrite(folder, lambda plain: plain.update(golden=[]))
    with pytest.raises(InvalidArtefact, match="no golden sentences"):
        load(folder)


def test_weights_that_do_not_fit_the_config_are_refused(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    config["hidden_size"] = 64
    (folder / "config.json").write_text(json.dumps(config))
    rewrite(folder, lambda plain: None)
    with pytest.raises(InvalidArtefact, match=r"do not fit its config\.json"):
        load(folder)


def test_a_tokenizer_that_is_none_is_refused(folder: Path) -> None:
    (folder / "tokenizer.json").write_text("{}")
    rewrite(folder, lambda plain: None)
    with pytest.raises(InvalidArtefact, match=r"tokenizer\.json that cannot be read"):
        load(folder)


def test_a_newer_format_names_the_way_out(folder: Path) -> None:
    rewrite(folder, lambda plain: plain.update(format=2))
    with pytest.raises(InvalidArtefact, match="reads up to 1; upgrade"):
        load(folder)


@pytest.mark.parametrize("name", ["manifest.json", "model.safetensors", "tokenizer.json", "config.json"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(InvalidArtefact, match=name):
        load(folder)


@pytest.mark.parametrize("content", ["", "[]", "null", "{", '{"format": "1"}', '{"format": 1}'])
def test_a_manifest_that_is_none_is_refused(folder: Path, content: str) -> None:
    (folder / "manifest.json").write_text(content)
    with pytest.raises(InvalidArtefact):
        read_manifest(folder)


def test_a_manifest_without_a_field_names_it(folder: Path) -> None:
    rewrite(folder, lambda plain: plain.pop("most_tokens"))
    with pytest.raises(InvalidArtefact, match="most_tokens"):
        read_manifest(folder)
