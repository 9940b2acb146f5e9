"""The classifier's commands: train and evaluate."""

from __future__ import annotations

import fcntl
import hashlib
import json
import platform
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Literal, TypeAlias

from rich.console import RenderableType

from monitor.bootstrap.parts import state_folder
from monitor.domain.errors import InvalidConfiguration
from monitor.ports import Classifier
from monitor.settings import Settings

Task: TypeAlias = Literal["sentiment", "topic"]

__all__ = ["evaluate_classifier", "open_classifier", "train_classifier"]


def open_classifier(settings: Settings) -> Classifier:
    """Return the configured classifier, checked.

    With `precision` auto, the choice is measured at the first start and remembered in the state folder, by artefact,
    release of torch and processor: two workers of one run must not differ because one was measured under load.

    Raises:
        InvalidArtefact: It must not be used.
    """
    from models.classifier import load_classifier

    chosen = settings.classifier
    if chosen.precision != "auto":
        return load_classifier(chosen.artefact, device=chosen.device, precision=chosen.precision)
    memory = state_folder(settings).root / "precision.json"
    with memory.with_suffix(".lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        known = _remembered(memory)
        place = _place(chosen.artefact, chosen.device)
        classifier = load_classifier(chosen.artefact, device=chosen.device, precision=known.get(place, "auto"))
        if place not in known:
            known[place] = "bf16" if classifier.bf16 else "fp32"
            memory.write_text(json.dumps(known, indent=1), encoding="utf-8")
    return classifier


def _place(artefact: Path | None, device: str) -> str:
    """Return what a measurement holds for: artefact, device, release of torch, processor."""
    processor = next((line for line in _cpu_lines() if line.startswith("model name")), platform.processor())
    flags = next((line for line in _cpu_lines() if line.startswith("flags")), "")
    machine = hashlib.sha256(f"{processor}{flags}{platform.machine()}".encode()).hexdigest()[:12]
    return f"{artefact or 'shipped'} {device} torch-{version('torch')} {machine}"


def _cpu_lines() -> list[str]:
    try:
        return Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


def _remembered(memory: Path) -> dict[str, str]:
    try:
        return dict(json.loads(memory.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def train_classifier(
    *,
    out: Path,
    data: Path | None,
    base: str,
    teacher: Path | None,
    epochs: int | None,
    seed: int | None,
    replace_output: bool,
) -> str:
    """Train an artefact into a folder and return what came of it, in words."""
    from models.bases import DEFAULT_BASE, LARGE_BASE
    from models.recipes import recipe_for
    from models.training import TrainSettings, train

    if data is None:
        msg = "`--data` names no folder: give that of the training data (docs/model.md) or set BELLWETHER_DATA"
        raise InvalidConfiguration(msg)
    chosen = {"": DEFAULT_BASE, "large": LARGE_BASE}.get(base, base)
    usual, members = recipe_for(chosen, taught=teacher is not None)
    recipe = replace(usual, epochs=epochs or usual.epochs, seed=usual.seed if seed is None else seed)
    settings = TrainSettings(
        data=data,
        output=out,
        base=chosen,
        recipe=recipe,
        teacher=teacher,
        members=members,
        replace_output=replace_output,
    )
    report = train(settings)
    lines = [
        f"artefact {report.digest[:12]} in {report.artefact}, {report.steps} steps in {report.seconds / 60:.1f} min"
    ]
    lines += [f"  {name}: accuracy {e.accuracy:.4f}, macro F1 {e.macro_f1:.4f}" for name, e in report.scores.items()]
    return "\n".join(lines)


def evaluate_classifier(
    settings: Settings, file: Path, *, text: str, label: str, labels: str, task: Task, progress: bool
) -> tuple[dict[str, object], RenderableType]:
    """Measure the configured classifier on a labelled file: the figures, and a table of them."""
    from models.classifier import load_classifier
    from models.evaluation import evaluate_file, rendered

    chosen = settings.classifier
    classifier = load_classifier(chosen.artefact, device=chosen.device, precision=chosen.precision)
    evaluation = evaluate_file(
        file, text=text, label=label, labels=labels, task=task, classifier=classifier, progress=progress
    )
    return evaluation.as_dict(), rendered(evaluation)
