"""How many texts per second: Bellwether's classifier beside `transformers.pipeline`, same weights, same texts.

    python -m benchmarks.classify [--texts FILE] [--column text] [--count 1000]

Without a file the texts are invented headlines. Every row of the table runs in this process, one after the other, on
the same texts and the same number of threads; the ceiling is the rate of matrix products measured in the same run.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from rich.console import Console
from rich.table import Table

from models.artefact import SHIPPED
from models.classifier import TransformerClassifier, load_classifier
from models.precision import bf16_is_faster
from models.text import normalise
from monitor.ports import Text

REPEATS = 3
"""Each way is timed so often and its best time counts: the machine may be shared."""

COMPANIES = ("Orbital Foods", "Halvorsen Bank", "Quantara", "Talvera Mining", "Nimbus Rail", "Zorin Tea")
STARTS = ("UPDATE 1-", "BRIEF-", "", "", "", "$QTRA ")
DEEDS = (
    "shares fall {n}% after weak outlook",
    "beats quarterly profit estimates, raises guidance for the year",
    "to buy rival for ${n} billion",
    "says regulator opens inquiry into its accounts",
    "declares dividend of {n} cents per share",
    "names new chief financial officer",
    "prices bond of {n} million euros",
    "and the market: what to watch in the week ahead",
)


class Measured(NamedTuple):
    """A way of classifying, its rate, and the share of texts that get the same sentiment as in float32."""

    way: str
    texts_per_s: float
    agreement: float


def invented(count: int) -> list[str]:
    """Return headlines that are nobody's; the same ones each time."""
    chance = random.Random(1)
    return [
        f"{chance.choice(STARTS)}{chance.choice(COMPANIES)} {chance.choice(DEEDS).format(n=chance.randint(1, 4000))}"
        for _ in range(count)
    ]


def read_texts(path: Path, column: str, count: int) -> list[str]:
    """Return the first `count` texts of a CSV or JSONL file (also .gz)."""
    opener: Any = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        rows: Any = (json.loads(line) for line in lines) if ".jsonl" in path.name else csv.DictReader(lines)
        return [row[column] for row, _ in zip(rows, range(count), strict=False)]


def best_rate(texts: Sequence[str], run: Callable[[Sequence[str]], Any]) -> tuple[float, Any]:
    """Return texts per second at the best of REPEATS, and what was returned."""
    best, found = float("inf"), None
    run(texts[: min(64, len(texts))])
    for _ in range(REPEATS):
        begin = time.perf_counter()
        found = run(texts)
        best = min(best, time.perf_counter() - begin)
    return len(texts) / best, found


def in_pipeline(classifier: TransformerClassifier, batch: int) -> Callable[[Sequence[str]], list[int]]:
    """Return `transformers.pipeline` around the same network and tokenizer, as a function from texts to labels."""
    from transformers import AutoConfig, PreTrainedModel, PreTrainedTokenizerFast, pipeline
    from transformers import logging as transformers_logging
    from transformers.modeling_outputs import SequenceClassifierOutput

    transformers_logging.set_verbosity(50)  # it would list every model it knows because it does not know this one

    class Wrapped(PreTrainedModel):  # type: ignore[no-untyped-call]
        config_class: Any = type(classifier.network.encoder.config)

        def forward(self: Any, input_ids: Any, attention_mask: Any, token_type_ids: Any = None) -> Any:
            return SequenceClassifierOutput(logits=self.network(input_ids, attention_mask).sentiment)

    config = AutoConfig.from_pretrained(str(SHIPPED), num_labels=3)
    tokenizer = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_file=str(SHIPPED / "tokenizer.json"),
        pad_token="[PAD]",
        model_input_names=["input_ids", "attention_mask"],
    )
    wrapped: Any = Wrapped(config)
    wrapped.network = classifier.network
    pipe: Any = pipeline("text-classification", model=wrapped, tokenizer=tokenizer, batch_size=batch, device="cpu")
    return lambda texts: [int(one["label"].removeprefix("LABEL_")) for one in pipe(list(texts))]


def ours(classifier: TransformerClassifier) -> Callable[[Sequence[str]], list[int]]:
    """Return the product's own way, from raw text to rounded scores."""
    return lambda texts: [int(one.label) for one in classifier.classify([Text(text, "") for text in texts])]


def ceiling(tokens_per_text: float, parameters: int, *, bf16: bool) -> float:
    """Return the texts per second that matrix products alone would allow: 2 FLOP per weight and token."""
    dtype = torch.bfloat16 if bf16 else torch.float32
    left, right = torch.ones(4096, 384, dtype=dtype), torch.ones(1536, 384, dtype=dtype)
    best = float("inf")
    for _ in range(30):
        begin = time.perf_counter()
        torch.nn.functional.linear(left, right)
        best = min(best, time.perf_counter() - begin)
    return 2 * left.shape[0] * right.numel() / best / (2 * parameters * tokens_per_text)


def measure(texts: list[str]) -> tuple[list[Measured], float, str]:
    """Return the rows of the table, the ceiling in texts per second, and the name of the best precision."""
    plain = load_classifier(device="cpu", precision="fp32")
    brief = load_classifier(device="cpu", precision="bf16")
    clean = [normalise(text) for text in texts]
    fp32_rate, truth = best_rate(texts, ours(plain))
    some = clean[: max(64, len(clean) // 8)]
    ways = [
        ("pipeline, one by one", *best_rate(some, in_pipeline(plain, 1))),
        ("pipeline, batch 64", *best_rate(clean, in_pipeline(plain, 64))),
        ("Bellwether, fp32", fp32_rate, truth),
        ("Bellwether, bf16", *best_rate(texts, ours(brief))),
    ]
    rows = [Measured(way, rate, _agreement(labels, truth)) for way, rate, labels in ways]
    bf16 = bf16_is_faster(torch.device("cpu"))
    inner = sum(value.numel() for name, value in plain.network.named_parameters() if ".layer." in name)
    tokens = sum(plain.token_counts(clean)) / len(clean)
    return rows, ceiling(tokens, inner, bf16=bf16), "bf16" if bf16 else "fp32"


def _agreement(labels: list[int], truth: list[int]) -> float:
    return sum(one == other for one, other in zip(labels, truth, strict=False)) / len(labels)


def main(arguments: Sequence[str] = ()) -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.classify", description=__doc__.splitlines()[0])
    parser.add_argument("--texts", type=Path, help="a CSV or JSONL file (also .gz); invented headlines without it")
    parser.add_argument("--column", default="text")
    parser.add_argument("--count", type=int, default=1000)
    asked = parser.parse_args(list(arguments))
    texts = read_texts(asked.texts, asked.column, asked.count) if asked.texts else invented(asked.count)
    rows, most, precision = measure(texts)
    usual = max(row.texts_per_s for row in rows if row.way.startswith("pipeline"))
    table = Table(
        title=f"Classify {len(texts):,} texts ({len(set(texts)):,} distinct), {torch.get_num_threads()} threads",
        caption=f"pipeline: of transformers, at its best; ceiling: matrix products in {precision}, {most:,.0f} texts/s",
    )
    for heading in ("way", "texts/s", "x pipeline", "of ceiling", "label as fp32"):
        table.add_column(heading, justify="left" if heading == "way" else "right")
    for row in rows:
        shares = (f"{row.texts_per_s / usual:.1f}", f"{row.texts_per_s / most:.0%}", f"{row.agreement:.2%}")
        table.add_row(row.way, f"{row.texts_per_s:,.0f}", *shares)
    Console().print(table)


if __name__ == "__main__":
    main(sys.argv[1:])
