"""Evaluate a classifier on a file of the user's: `bellwether evaluate`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from models.metrics import Evaluation, evaluation_of
from monitor.domain.errors import InvalidConfiguration
from monitor.domain.sentiment import TOPICS, Label
from monitor.ports import Text

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Group

    from models.classifier import TransformerClassifier

__all__ = ["Evaluation", "Task", "evaluate", "evaluate_file", "label_columns", "rendered"]

Task: TypeAlias = Literal["sentiment", "topic"]

_NAMES: dict[str, tuple[str, ...]] = {"sentiment": tuple(label.word for label in Label), "topic": TOPICS}

_STEP = 1024
"""Texts classified between two moves of the progress bar."""


def evaluate_file(
    path: Path,
    *,
    text: str,
    label: str,
    labels: str | Mapping[str, str] = "",
    task: Task = "sentiment",
    classifier: TransformerClassifier,
    progress: bool = False,
) -> Evaluation:
    """Classify a column of a CSV, JSONL or Parquet file (also .gz) and compare with a column of labels.

    Args:
        path: The file; its kind is told by its name.
        text: Name of the column of texts.
        label: Name of the column of true labels.
        labels: What the values of that column mean: "0=negative,1=positive,2=neutral", or a mapping of the same.
            Without it a value is the name of a label, or for topics also the index of one.
        task: "sentiment" or "topic".
        progress: Show a progress bar on standard error.

    Returns:
        The figures; rows without a text or a label are left out and counted in `skipped`.

    Raises:
        InvalidConfiguration: File, column, label or task cannot be used; the text names it and the way out.
    """
    if task not in _NAMES:
        msg = f"`task` must be sentiment or topic, was {task!r}"
        raise InvalidConfiguration(msg)
    frame = _read(path)
    for option, column in (("text", text), ("label", label)):
        if column not in frame.columns:
            msg = f"`{option}` column {column!r} is not in {path.name}; it has {', '.join(map(str, frame.columns))}"
            raise InvalidConfiguration(msg)
    meaning = label_columns(labels, task)
    texts, truth, skipped = _pairs(frame[text], frame[label], meaning, task)
    if not texts:
        msg = f"`{path.name}` has no row with both {text!r} and {label!r}"
        raise InvalidConfiguration(msg)
    return evaluate(texts, truth, task=task, classifier=classifier, skipped=skipped, progress=progress)


def evaluate(
    texts: Sequence[Text],
    truth: Sequence[int],
    *,
    task: Task,
    classifier: TransformerClassifier,
    skipped: int = 0,
    progress: bool = False,
) -> Evaluation:
    """Return the figures of a classifier on texts whose true columns are known.

    A text with nothing to read counts as neutral, or as the topic that stands for everything else, without confidence.
    """
    from rich.console import Console
    from rich.progress import track

    from models.rounding import NOTHING_TO_READ

    blank = {"sentiment": int(NOTHING_TO_READ.label), "topic": NOTHING_TO_READ.topic}[task]
    rows = []
    starts = range(0, len(texts), _STEP)
    for start in track(starts, "classifying", console=Console(stderr=True), disable=not progress):
        found = classifier.probabilities(texts[start : start + _STEP])
        matrix = found.sentiment if task == "sentiment" else found.topic
        for row, parts in enumerate(found.parts):
            if not parts:
                matrix[row] = 1 / matrix.shape[1]
                matrix[row, blank] += 1e-9
        rows.append(matrix)
    return evaluation_of(np.concatenate(rows), truth, _NAMES[task], skipped)


def label_columns(labels: str | Mapping[str, str], task: Task) -> dict[str, int]:
    """Return which column of the network each value of a label column stands for.

    >>> label_columns("0=negative,1=positive", "sentiment")["1"]
    2

    Raises:
        InvalidConfiguration: A pair has no "=", or names no label of the task.
    """
    names = {name.casefold(): column for column, name in enumerate(_NAMES[task])}
    by_index = {str(column): column for column in range(len(TOPICS))} if task == "topic" else {}
    pairs = _parsed(labels) if isinstance(labels, str) else dict(labels)
    chosen: dict[str, int] = {}
    for value, name in pairs.items():
        column = names.get(name.strip().casefold(), by_index.get(name.strip()))
        if column is None:
            msg = f"`labels` names {name!r}, which is no {task}; there are {', '.join(_NAMES[task])}"
            raise InvalidConfiguration(msg)
        chosen[value.strip().casefold()] = column
    return chosen or {**names, **by_index}


def rendered(evaluation: Evaluation) -> Group:
    """Return two rich tables: the figures, and the confusion matrix of the labels that occur."""
    from rich.console import Group
    from rich.table import Table

    figures = Table("texts", "accuracy", "macro F1", "weighted F1", "ECE", "left out", title="Evaluation")
    chosen = (evaluation.accuracy, evaluation.macro_f1, evaluation.weighted_f1, evaluation.ece)
    figures.add_row(f"{evaluation.n:,}", *(f"{value:.4f}" for value in chosen), f"{evaluation.skipped:,}")
    counts = np.asarray(evaluation.confusion)
    seen = [place for place in range(len(evaluation.names)) if counts[place].sum() + counts[:, place].sum()]
    short = len(seen) > len(Label)
    matrix = Table(title="Confusion: rows are true, columns predicted")
    matrix.add_column("")
    for place in seen:
        matrix.add_column(str(place) if short else evaluation.names[place], justify="right")
    for place in seen:
        name = f"{place} {evaluation.names[place]}" if short else evaluation.names[place]
        matrix.add_row(name, *(f"{counts[place, other]:,}" for other in seen))
    return Group(figures, matrix)


def _read(path: Path) -> pd.DataFrame:
    import pandas as pd

    suffixes = [suffix.lower() for suffix in path.suffixes]
    kind = suffixes[-2] if len(suffixes) > 1 and suffixes[-1] == ".gz" else (suffixes or [""])[-1]
    try:
        if kind in {".csv", ".tsv"}:
            separator = "\t" if kind == ".tsv" else ","
            return pd.read_csv(path, dtype=str, keep_default_na=False, sep=separator)
        if kind in {".jsonl", ".ndjson"}:
            return pd.read_json(path, lines=True, dtype=False)
        if kind in {".parquet", ".pq"}:
            return pd.read_parquet(path)
    except (OSError, ValueError, UnicodeDecodeError) as error:
        msg = f"`{path}` cannot be read: {error}"
        raise InvalidConfiguration(msg) from error
    msg = f"`{path.name}` must be named .csv, .tsv, .jsonl or .parquet (csv, tsv and jsonl also with .gz)"
    raise InvalidConfiguration(msg)


def _pairs(
    texts: Sequence[Any] | pd.Series[Any], labels: Sequence[Any] | pd.Series[Any], meaning: dict[str, int], task: Task
) -> tuple[list[Text], list[int], int]:
    """Return texts, true columns, and how many rows were left out."""
    kept: list[Text] = []
    truth: list[int] = []
    skipped = 0
    for number, (text, value) in enumerate(zip(texts, labels, strict=True), start=1):
        wording, key = _plain(text), _plain(value).strip().casefold()
        if not wording.strip() or not key:
            skipped += 1
            continue
        if key not in meaning:
            msg = (
                f"`label` of row {number} is {_plain(value)!r}, known are {', '.join(list(meaning)[:24])}; "
                f"say what each value means, `--labels {_plain(value)}={_NAMES[task][0]},...`"
            )
            raise InvalidConfiguration(msg)
        kept.append(Text(wording, ""))
        truth.append(meaning[key])
    return kept, truth, skipped


def _plain(value: Any) -> str:
    """Return a cell as text: "" for nothing, "1" for 1.0, which is what pandas makes of 1 beside an empty cell."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _parsed(labels: str) -> dict[str, str]:
    pairs = {}
    for pair in filter(None, (part.strip() for part in labels.split(","))):
        value, equals, name = pair.rpartition("=")
        if not equals:
            msg = f"`labels` must be pairs such as 0=negative,1=positive,2=neutral, was {pair!r}"
            raise InvalidConfiguration(msg)
        pairs[value] = name
    return pairs
