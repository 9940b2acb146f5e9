from __future__ import annotations

import gzip
import io
import json
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from models.classifier import TransformerClassifier, load_classifier
from models.evaluation import Evaluation, evaluate_file, label_columns, rendered
from models.training import TrainReport
from monitor.domain.errors import InvalidConfiguration
from monitor.domain.sentiment import TOPICS

LABELS = "0=negative,1=positive,2=neutral"
ROWS = (
    ("Quantara plunges after profit warning", 0),
    ("Quantara surges after record profit", 1),
    ("Quantara publishes calendar", 2),
    ("Zorin Tea slumps as losses widen", 0),
    ("Zorin Tea jumps on strong outlook", 0),
)
"""The last one is labelled wrongly on purpose."""


@pytest.fixture(scope="module")
def classifier(tiny_report: TrainReport) -> TransformerClassifier:
    return load_classifier(tiny_report.artefact, device="cpu", precision="fp32")


def frame() -> pd.DataFrame:
    return pd.DataFrame(ROWS, columns=["headline", "verdict"])


def write(path: Path) -> Path:
    kinds = {
        "a.csv": lambda: frame().to_csv(path, index=False),
        "a.csv.gz": lambda: frame().to_csv(path, index=False),
        "a.tsv": lambda: frame().to_csv(path, index=False, sep="\t"),
        "a.jsonl": lambda: frame().to_json(path, orient="records", lines=True),
        "a.jsonl.gz": lambda: path.write_bytes(
            gzip.compress(frame().to_json(orient="records", lines=True).encode())  # type: ignore[union-attr]
        ),
        "a.parquet": lambda: frame().to_parquet(path),
    }
    kinds[path.name]()
    return path


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.tsv", "a.jsonl", "a.jsonl.gz", "a.parquet"])
def test_every_kind_of_file_gives_the_same_figures(
    classifier: TransformerClassifier, tmp_path: Path, name: str
) -> None:
    found = evaluate_file(
        write(tmp_path / name), text="headline", label="verdict", labels=LABELS, classifier=classifier
    )
    assert found.n == 5
    assert found.accuracy == pytest.approx(0.8)
    assert found.confusion == ((2, 0, 1), (0, 1, 0), (0, 0, 1))


def test_rows_without_text_or_label_are_counted(classifier: TransformerClassifier, tmp_path: Path) -> None:
    path = tmp_path / "gaps.jsonl"
    rows = [{"t": "Quantara plunges after profit warning", "l": 0}, {"t": None, "l": 1}, {"t": "Quantara", "l": None}]
    path.write_text("\n".join(json.dumps(row) for row in rows))
    found = evaluate_file(path, text="t", label="l", labels=LABELS, classifier=classifier)
    assert (found.n, found.skipped) == (1, 2)


def test_topics_are_told_by_index_or_by_name(classifier: TransformerClassifier, tmp_path: Path) -> None:
    path = tmp_path / "topics.csv"
    path.write_text(f"t,l\nQuantara payout,4\nQuantara payout,{TOPICS[4].lower()}\n")
    found = evaluate_file(path, text="t", label="l", task="topic", classifier=classifier)
    assert found.n == 2
    assert sum(found.confusion[4]) == 2


def test_a_mapping_may_name_topics() -> None:
    assert label_columns("a=Dividend,b=5", "topic") == {"a": 4, "b": 5}


def test_an_equals_sign_in_a_value_is_part_of_it() -> None:
    assert label_columns("x=y=positive", "sentiment") == {"x=y": 2}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param({"text": "body"}, "column 'body' is not in a.csv; it has headline, verdict", id="no such text"),
        pytest.param({"label": "mood"}, "column 'mood'", id="no such label column"),
        pytest.param({"labels": "0=bad,1=good"}, "names 'bad', which is no sentiment", id="no such label"),
        pytest.param({"labels": "0:negative"}, "must be pairs", id="no equals sign"),
        pytest.param({"labels": "0=negative"}, "row 2 is '1'.*--labels 1=negative", id="value without a meaning"),
        pytest.param({"labels": ""}, "row 1 is '0'", id="numbers without a meaning"),
        pytest.param({"task": "mood"}, "sentiment or topic", id="no such task"),
    ],
)
def test_faults_name_the_option_and_the_way_out(
    classifier: TransformerClassifier, tmp_path: Path, options: dict[str, str], message: str
) -> None:
    asked = {"text": "headline", "label": "verdict", "labels": LABELS, **options}
    with pytest.raises(InvalidConfiguration, match=message):
        evaluate_file(write(tmp_path / "a.csv"), classifier=classifier, **asked)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["absent.csv", "absent.parquet", "odd.xlsx"])
def test_a_file_that_cannot_be_read_is_named(classifier: TransformerClassifier, tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidConfiguration, match=name):
        evaluate_file(tmp_path / name, text="t", label="l", classifier=classifier)


def test_a_file_that_is_not_what_its_name_says_is_refused(classifier: TransformerClassifier, tmp_path: Path) -> None:
    for name in ("a.parquet", "a.jsonl", "a.csv.gz"):
        path = tmp_path / name
        path.write_bytes(b"\xff\xfe not that")
        with pytest.raises(InvalidConfiguration, match="cannot be read"):
            evaluate_file(path, text="t", label="l", classifier=classifier)


def test_the_tables_show_figures_and_confusion() -> None:
    found = Evaluation(
        n=1234,
        accuracy=0.875,
        macro_f1=0.5,
        weighted_f1=0.75,
        ece=0.0125,
        names=("negative", "neutral", "positive"),
        confusion=((1000, 0, 0), (0, 234, 0), (0, 0, 0)),
    )
    stream = io.StringIO()
    Console(file=stream, width=100).print(rendered(found))
    shown = stream.getvalue()
    assert "1,234" in shown
    assert "0.8750" in shown
    assert "0.0125" in shown
    assert "neutral" in shown
    assert "positive" not in shown
