"""Commands about the classifier: train, evaluate."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.options import ConfigOption
from monitor.settings import load_settings

__all__ = ["attach"]


class Task(StrEnum):
    """What is measured."""

    SENTIMENT = "sentiment"
    TOPIC = "topic"


def attach(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(train)
    app.command()(evaluate)


def train(
    out: Annotated[Path, typer.Argument(help="Folder for the artefact.")],
    data: Annotated[
        Path | None, typer.Option(envvar="BELLWETHER_DATA", help="Folder of the training data (docs/model.md).")
    ] = None,
    base: Annotated[
        str,
        typer.Option(help="Default: the shipped one; large: 110 M parameters; a folder; a hub id."),
    ] = "",
    teacher: Annotated[
        Path | None, typer.Option(help="An artefact, as of --base large, whose opinion of every text is learned too.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the training data; default: the recipe's.")] = None,
    seed: Annotated[int | None, typer.Option(help="Same seed, same weights; default: the recipe's.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Overwrite an artefact that is there.")] = False,
) -> None:
    """Train the classifier: sentiment and topic together. Resumes where an interrupted run stopped.

    **Examples**

        bellwether train build/artefact --data data

        bellwether train build/teacher --data data --base large

        bellwether train build/taught --data data --teacher build/teacher
    """
    from monitor.bootstrap.classifying import train_classifier

    typer.echo(
        train_classifier(
            out=out, data=data, base=base, teacher=teacher, epochs=epochs, seed=seed, replace_output=replace
        )
    )


def evaluate(
    file: Annotated[Path, typer.Argument(help="CSV, JSON Lines or Parquet.")],
    text: Annotated[str, typer.Option(help="Column of the texts.")] = "text",
    label: Annotated[str, typer.Option(help="Column of the labels.")] = "label",
    labels: Annotated[
        str, typer.Option(help="What the labels mean, e.g. 0=negative,1=positive,2=neutral; empty: their own names.")
    ] = "",
    task: Annotated[Task, typer.Option(help="sentiment or topic.")] = Task.SENTIMENT,
    as_json: Annotated[
        bool, typer.Option("--json", help="One object with accuracy, macro_f1, weighted_f1, ece, n.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Measure the classifier on labelled texts: accuracy, F1, calibration error, confusion matrix.

    **Example:** bellwether evaluate valid.csv --text text --label label --labels 0=negative,1=positive,2=neutral
    """
    from monitor.bootstrap.classifying import evaluate_classifier

    evaluation, table = evaluate_classifier(
        load_settings(config), file, text=text, label=label, labels=labels, task=task.value, progress=not as_json
    )
    if as_json:
        typer.echo(json.dumps(evaluation))
        return
    from rich.console import Console

    Console().print(table)
