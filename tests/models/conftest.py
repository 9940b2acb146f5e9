"""A tiny base and tiny invented data sets, in the layout of the real ones."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from models.golden import GoldenSentence
from models.learning import Recipe
from models.training import TrainReport, TrainSettings, train
from monitor.domain.sentiment import TOPICS, Label

COMPANIES = (
    "Orbital Foods",
    "Halvorsen Bank",
    "Quantara",
    "Talvera Mining",
    "Nimbus Rail",
    "Pell Harbour",
    "Zorin Tea",
)
DEEDS = {
    Label.NEGATIVE: ("falls on weak outlook", "plunges after profit warning", "slumps as losses widen"),
    Label.POSITIVE: ("jumps on strong outlook", "surges after record profit", "rises as gains widen"),
    Label.NEUTRAL: ("holds annual meeting", "names date of call", "publishes calendar"),
}
THEMES = (
    "rating",
    "rate decision",
    "new gadget",
    "bond sale",
    "payout",
    "quarter",
    "crude",
    "lender",
    "peso",
    "column",
)
CODES = {Label.NEGATIVE: "0", Label.POSITIVE: "1", Label.NEUTRAL: "2"}
TINY_GOLDEN = (
    GoldenSentence("Quantara plunges after profit warning", Label.NEGATIVE),
    GoldenSentence("Quantara surges after record profit", Label.POSITIVE),
    GoldenSentence("Quantara publishes calendar", Label.NEUTRAL),
)


def _words(chance: random.Random, count: int) -> str:
    return " ".join("".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=6)) for _ in range(count))


def _write_csv(path: Path, names: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(names)
        writer.writerows(rows)


@contextmanager
def one_thread() -> Iterator[None]:
    """Tiny matrices gain nothing from threads, and lose much to them on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    with one_thread():
        yield


@pytest.fixture(scope="session")
def tiny_sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with all four sets: 240 + 200 + 60 + 12 invented texts."""
    folder = tmp_path_factory.mktemp("sets")
    chance = random.Random(5)
    labels = list(Label)
    tweets = []
    for number in range(240):
        label = labels[number % 3]
        text = f"{chance.choice(COMPANIES)} {chance.choice(DEEDS[label])} {_words(chance, 3)} https://t.co/{number}"
        tweets.append((text, CODES[label]))
    _write_csv(folder / "twitter_financial_news/sentiment_train.csv", ("text", "label"), tweets)
    topics = []
    for number in range(200):
        topic = number % 10
        topics.append((f"{chance.choice(COMPANIES)} {THEMES[topic]} {_words(chance, 4)}", str(topic)))
    _write_csv(folder / "twitter_financial_news/topic_train.csv", ("text", "label"), topics)
    (folder / "twitter_financial_news/topic_classes.txt").write_text("\n".join(TOPICS) + "\n")
    headlines = []
    for number in range(60):
        label = labels[number % 3]
        name = chance.choice(COMPANIES)
        title = f"{name} {chance.choice(DEEDS[label])} {_words(chance, 3)}"
        headlines.append((str(number), title, str({name: label.word}), "8"))
    _write_csv(folder / "sentfin/sentfin.csv", ("S No.", "Title", "Decisions", "Words"), headlines)
    paragraphs = [
        {
            "content": f"Zorin Tea {chance.choice(DEEDS[label])} {_words(chance, 5)}",
            "annotations": [{"value": "Zorin Tea", "label": label.word.title(), "start": 0, "end": 9, "tag": "x"}],
        }
        for label in labels * 4
    ]
    (folder / "finentity").mkdir()
    (folder / "finentity/finentity.json").write_text(json.dumps(paragraphs))
    return folder


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of two layers, 32 wide, with a tokenizer of letters and a few words; its weights are seeded."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("base")
    words = {word.lower() for deeds in DEEDS.values() for deed in deeds for word in deed.split()}
    words |= {word.lower() for name in (*COMPANIES, *THEMES) for word in name.split()}
    letters = [*"abcdefghijklmnopqrstuvwxyz0123456789.,%$!?'-"]
    pieces = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        "http",
        *letters,
        *(f"##{one}" for one in letters),
        *sorted(words),
    ]
    vocabulary = {piece: place for place, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.save(str(folder / "tokenizer.json"))
    torch.manual_seed(3)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=300,
    )
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_settings(tiny_sets: Path, tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainSettings:
    """How `tiny_report` is trained: in float32 on the CPU."""
    return TrainSettings(
        data=tiny_sets,
        output=tmp_path_factory.mktemp("artefacts") / "tiny",
        base=str(tiny_base),
        recipe=Recipe(epochs=6, batch=16, learning_rate=5e-3, average=0.9, seed=11),
        device="cpu",
        precision="fp32",
        any_edition=True,
        progress=False,
    )


@pytest.fixture(scope="session")
def tiny_golden() -> tuple[GoldenSentence, ...]:
    """What the tiny network must get right."""
    return TINY_GOLDEN


@pytest.fixture(scope="session")
def tiny_report(tiny_settings: TrainSettings) -> TrainReport:
    """What `train` returns for the tiny base and sets."""
    with one_thread():
        return train(tiny_settings, golden=TINY_GOLDEN)
