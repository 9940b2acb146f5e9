"""The classifier's commands: train and evaluate."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal, TypeAlias

from rich.console import RenderableType

from monitor.domain.errors import InvalidConfiguration
from monitor.ports import Classifier
from monitor.settings import Settings

Task: TypeAlias = Literal["sentiment", "topic"]

__all__ = ["evaluate_classifier", "open_classifier", "train_classifier"]


def open_classifier(settings: Settings) -> Classifier:
    """Return the configured classifier, checked; raise InvalidArtefact if it must not be used."""
    from models.classifier import load_classifier

    chosen = settings.classifier
    return load_classifier(chosen.artefact, device=chosen.device, precision=chosen.precision)


def train_classifier(
    *, out: Path, data: Path | None, base: str, epochs: int | None, seed: int | None, replace_output: bool
) -> str:
    """Train an artefact into a folder and return what came of it, in words."""
    from models.learning import Recipe
    from models.network import DEFAULT_BASE
    from models.training import TrainSettings, train

    if data is None:
        msg = "`--data` names no folder: give that of the training data (docs/model.md) or set BELLWETHER_DATA"
        raise InvalidConfiguration(msg)
    shipped = Recipe()
    recipe = replace(shipped, epochs=epochs or shipped.epochs, seed=shipped.seed if seed is None else seed)
    chosen = base or DEFAULT_BASE
    settings = TrainSettings(data=data, output=out, base=chosen, recipe=recipe, replace_output=replace_output)
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
