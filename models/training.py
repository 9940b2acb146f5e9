"""Train the shipped classifier anew: `bellwether train`.

Load and split, learn (resumable), calibrate on validation, score on test, write the artefact, load it as the worker
would.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import structlog
import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from torch import Tensor

from models.artefact import Manifest, file_digests, write_manifest
from models.bases import BASE_LICENCES, DEFAULT_BASE
from models.calibration import fit_temperature
from models.card import model_card
from models.classifier import TransformerClassifier, load_classifier
from models.datasets import DATA_SETS, Corpus, Example, Split, load_corpus
from models.distilling import Lesson, Teacher, lessons, open_teacher
from models.evaluation import Task, evaluate
from models.golden import GOLDEN, GoldenSentence
from models.learning import IGNORED, Learner, Recipe, TokenRow
from models.metrics import Evaluation
from models.network import OpinionNetwork, load_base, load_tokenizer
from models.precision import bf16_is_faster, choose_device
from models.recipes import MEMBERS, Member
from models.weights import write_weights
from monitor.domain.errors import InvalidConfiguration
from monitor.ports import Text

__all__ = ["TrainReport", "TrainSettings", "train"]

MOST_TOKENS = 256
"""Longest piece given to the network at run time; the base was trained on as many."""

TRAINED_TOKENS = 96
"""Tokens of a text that training reads: all of every tweet and headline but a handful."""

_SOURCES: tuple[tuple[Task, str], ...] = (
    ("sentiment", "twitter_financial_news_sentiment"),
    ("topic", "twitter_financial_news_topic"),
)
"""Calibration and the figures that stand for the artefact: the split of the set each head is mainly trained on."""

_BESIDE: tuple[tuple[Task, str], ...] = (("sentiment", "sentfin"), ("sentiment", "finentity"))
"""Scored too: formal news (texts whose entities agree). FinEntity is never trained on."""

_LEARNED_SETS = ("twitter_financial_news_sentiment", "twitter_financial_news_topic", "sentfin")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainSettings:
    """What `bellwether train` is asked for.

    Attributes:
        data: Folder with the data sets, one folder each, as docs/model.md lists them.
        output: Folder of the artefact; it must not hold another one unless `replace_output`.
        base: The default base, a folder, or a hub id.
        teacher: Folder of an artefact whose opinion of every text is learned beside the labels; None for labels only.
        members: How each of the networks is trained that are averaged; all start from the same base and heads.
        precision: "auto", "fp32" or "bf16"; with "auto" bfloat16 is taken where it is faster here.
        save_every: Steps between two checkpoints.
        any_edition: Accept other editions of the data sets than the known ones.
        resume: Go on from the checkpoint in `output`, if there is one.
    """

    data: Path
    output: Path
    base: str = DEFAULT_BASE
    recipe: Recipe = field(default_factory=Recipe)
    teacher: Path | None = None
    members: tuple[Member, ...] = MEMBERS
    device: str = "auto"
    precision: str = "auto"
    save_every: int = 200
    any_edition: bool = False
    resume: bool = True
    replace_output: bool = False
    progress: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainReport:
    """What came of it: figures by "task/set/split", steps and seconds of all members."""

    artefact: Path
    digest: str
    steps: int
    seconds: float
    scores: dict[str, Evaluation]
    temperatures: dict[str, float]


def train(settings: TrainSettings, golden: Sequence[GoldenSentence] = GOLDEN) -> TrainReport:
    """Train, calibrate, score, write and check an artefact.

    A run that was stopped goes on from its last checkpoints and ends in the same weights as one that was not.

    Raises:
        InvalidConfiguration: Data, base, output or checkpoint cannot be used.
        InvalidArtefact: The trained network gets a golden sentence wrong (too few epochs, or other data).
    """
    log = structlog.get_logger(__name__)
    _check_output(settings)
    device = choose_device(settings.device)
    recipe = replace(settings.recipe, bf16=_bf16(settings.precision, device))
    teacher = open_teacher(settings.teacher) if settings.teacher else None
    corpus = load_corpus(settings.data, DATA_SETS, verify=not settings.any_edition)
    tokenizer = load_tokenizer(settings.base)
    examples = _learned_from(corpus, unlabelled=teacher is not None)
    rows = _token_rows(tokenizer, examples)
    lesson = _lesson(teacher, examples, settings, device, bf16=recipe.bf16) if teacher else None
    log.info("training starts", texts=len(rows), members=len(settings.members), device=str(device), bf16=recipe.bf16)
    corpus_digest = _fingerprint(settings, corpus, teacher)
    network, steps, spent = _taught_network(settings, recipe, tokenizer, rows, lesson, device, corpus_digest)
    draft = _draft(settings, tokenizer, golden)
    write_weights(settings.output, network, network.state_dict(), tokenizer)
    temperatures = _temperatures(TransformerClassifier(network, tokenizer, draft, device), corpus)
    scores = _scores(network, tokenizer, replace(draft, temperatures=temperatures), device, corpus)
    manifest = replace(
        draft,
        temperatures=temperatures,
        files=file_digests(settings.output),
        facts={
            "parameters": sum(value.numel() for value in network.parameters()),
            "recipe": {**asdict(recipe), "members": [asdict(member) for member in settings.members]},
            "steps": steps,
            "texts": len(rows),
            "seconds": round(spent),
            **({"teacher": {"base": teacher.base, "digest": teacher.digest}} if teacher else {}),
            **_facts(corpus, scores),
        },
    )
    digest = write_manifest(settings.output, manifest)
    (settings.output / "README.md").write_text(model_card(manifest, digest), encoding="utf-8")
    load_classifier(settings.output, device=settings.device, precision="fp32")
    for place in range(len(settings.members)):
        _checkpoint(settings, place).unlink(missing_ok=True)
    _kept_lesson(settings).unlink(missing_ok=True)
    log.info("training done", artefact=str(settings.output), digest=digest[:12], seconds=round(spent))
    return TrainReport(
        artefact=settings.output, digest=digest, steps=steps, seconds=spent, scores=scores, temperatures=temperatures
    )


def _taught_network(
    settings: TrainSettings,
    recipe: Recipe,
    tokenizer: Any,
    rows: list[TokenRow],
    lesson: Lesson | None,
    device: torch.device,
    corpus: str,
) -> tuple[OpinionNetwork, int, float]:
    """Train every member and return the network with the mean of their weights, all steps taken, and their seconds.

    Args:
        corpus: Digest of base and corpus; with the recipe it decides whether a checkpoint may be resumed.
    """
    mean: dict[str, Tensor] = {}
    steps, seconds = 0, 0.0
    for place, member in enumerate(settings.members):
        own = replace(recipe, masking=member.masking, consistency=member.consistency, order=place)
        torch.manual_seed(own.seed)
        network = load_base(settings.base)
        learner = Learner(
            network,
            rows,
            own,
            padding=_padding(tokenizer),
            hidden=_hiding(tokenizer),
            lesson=lesson,
            device=device,
        )
        fingerprint = hashlib.sha256(f"{corpus} {json.dumps(asdict(own), sort_keys=True)}".encode()).hexdigest()
        _learn(learner, settings, place, fingerprint)
        for name, value in learner.averaged().items():
            share = value.double() / len(settings.members)
            mean[name] = mean[name] + share if name in mean else share
        steps, seconds = steps + learner.steps, seconds + learner.seconds
    network.load_state_dict({name: value.float() for name, value in mean.items()})
    return network, steps, seconds


def _check_output(settings: TrainSettings) -> None:
    if (settings.output / "manifest.json").exists() and not settings.replace_output:
        msg = f"`output` {settings.output} holds an artefact already; name another folder or give `--replace`"
        raise InvalidConfiguration(msg)
    if settings.precision not in {"auto", "fp32", "bf16"}:
        msg = f"`precision` must be auto, fp32 or bf16, was {settings.precision!r}"
        raise InvalidConfiguration(msg)
    settings.output.mkdir(parents=True, exist_ok=True)


def _bf16(precision: str, device: torch.device) -> bool:
    return bf16_is_faster(device) if precision == "auto" else precision == "bf16"


def _padding(tokenizer: Any) -> int:
    return _first_known(tokenizer, "[PAD]", "<pad>") or 0


def _hiding(tokenizer: Any) -> int | None:
    return _first_known(tokenizer, "[MASK]", "<mask>")


def _first_known(tokenizer: Any, *words: str) -> int | None:
    return next((found for word in words if (found := tokenizer.token_to_id(word)) is not None), None)


def _checkpoint(settings: TrainSettings, place: int) -> Path:
    return settings.output / f"checkpoint-{place}.pt"


def _kept_lesson(settings: TrainSettings) -> Path:
    return settings.output / "lesson.safetensors"


def _learned_from(corpus: Corpus, *, unlabelled: bool) -> list[Example]:
    """Return the examples that the heads learn from; without a label only where a teacher says something of them."""
    return [
        example
        for example in corpus.trainable()
        if example.source in _LEARNED_SETS and (unlabelled or not (example.sentiment is None and example.topic is None))
    ]


def _token_rows(tokenizer: Any, examples: Sequence[Example]) -> list[TokenRow]:
    encodings = tokenizer.encode_batch([example.text for example in examples])
    return [
        TokenRow(
            tuple(encoding.ids[:TRAINED_TOKENS]),
            IGNORED if example.sentiment is None else int(example.sentiment),
            IGNORED if example.topic is None else example.topic,
        )
        for encoding, example in zip(encodings, examples, strict=True)
    ]


def _lesson(
    teacher: Teacher, examples: Sequence[Example], settings: TrainSettings, device: torch.device, *, bf16: bool
) -> Lesson:
    """Return what the teacher thinks of the examples, with a bar while it thinks."""
    console = Console(stderr=True)
    columns = (TextColumn("asking the teacher"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not settings.progress) as bar:
        task = bar.add_task("asking", total=len(examples))
        return lessons(
            teacher,
            [example.text for example in examples],
            _kept_lesson(settings),
            most_tokens=TRAINED_TOKENS,
            device=device,
            bf16=bf16,
            progress=lambda done: bar.advance(task, done),
        )


def _fingerprint(settings: TrainSettings, corpus: Corpus, teacher: Teacher | None) -> str:
    """Return a digest of base, teacher and corpus: what decides the weights beside the recipe."""
    texts = hashlib.sha256()
    for example, split in zip(corpus.examples, corpus.splits, strict=True):
        texts.update(f"{split}\t{example.sentiment}\t{example.topic}\t{example.text}\n".encode())
    return f"{settings.base} {teacher.digest if teacher else ''} {texts.hexdigest()}"


def _learn(learner: Learner, settings: TrainSettings, place: int, fingerprint: str) -> None:
    """Take all steps, with a checkpoint now and then and a bar that says how long it will take."""
    log = structlog.get_logger(__name__)
    checkpoint = _checkpoint(settings, place)
    if settings.resume and checkpoint.exists():
        learner.restore(checkpoint, fingerprint)
        log.info("training resumed", member=place + 1, step=learner.step, of=learner.steps)
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("loss {task.fields[loss]:.3f}"))
    clocks = (TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())
    with Progress(
        TextColumn(f"training {place + 1} of {len(settings.members)}"),
        *columns,
        *clocks,
        console=Console(stderr=True),
        disable=not settings.progress,
    ) as bar:
        task = bar.add_task("training", total=learner.steps, completed=learner.step, loss=float("nan"))
        while learner.step < learner.steps:
            upto = min(learner.steps, (learner.step // settings.save_every + 1) * settings.save_every)
            learner.run(upto, lambda loss: bar.update(task, advance=1, loss=loss))
            learner.save(checkpoint, fingerprint)
            log.debug("training saved", member=place + 1, step=learner.step, of=learner.steps)


def _draft(settings: TrainSettings, tokenizer: Any, golden: Sequence[GoldenSentence]) -> Manifest:
    """Return the manifest before calibration and digests: temperatures are 1."""
    return Manifest(
        name=settings.output.name,
        base=Path(settings.base).name if Path(settings.base).is_dir() else settings.base,
        base_licence=BASE_LICENCES.get(settings.base, "unknown: see the base"),
        most_tokens=MOST_TOKENS,
        padding=_padding(tokenizer),
        temperatures={"sentiment": 1.0, "topic": 1.0},
        golden=tuple(golden),
        files={},
    )


def _labelled(corpus: Corpus, task: Task, source: str, split: Split) -> tuple[list[Text], list[int]]:
    pairs = [
        (Text(example.text, ""), int(label))
        for example in corpus.of(split, source)
        if (label := example.sentiment if task == "sentiment" else example.topic) is not None
    ]
    return [text for text, _ in pairs], [label for _, label in pairs]


def _temperatures(classifier: TransformerClassifier, corpus: Corpus) -> dict[str, float]:
    """Fit one temperature per head on validation; `classifier` must have temperatures of 1."""
    import numpy as np

    found: dict[str, float] = {}
    for task, source in _SOURCES:
        texts, truth = _labelled(corpus, task, source, Split.VALIDATION)
        rows = classifier.probabilities(texts)
        chosen = rows.sentiment if task == "sentiment" else rows.topic
        read = np.asarray(rows.parts) == 1
        found[task] = round(fit_temperature(np.log(np.maximum(chosen[read], 1e-30)), np.asarray(truth)[read]), 4)
    return found


def _scores(
    network: OpinionNetwork, tokenizer: Any, manifest: Manifest, device: torch.device, corpus: Corpus
) -> dict[str, Evaluation]:
    classifier = TransformerClassifier(network, tokenizer, manifest, device)
    scores = {}
    for task, source in (*_SOURCES, *_BESIDE):
        for split in (Split.VALIDATION, Split.TEST):
            texts, truth = _labelled(corpus, task, source, split)
            if texts:
                scores[f"{task}/{source}/{split}"] = evaluate(texts, truth, task=task, classifier=classifier)
    return scores


def _facts(corpus: Corpus, scores: dict[str, Evaluation]) -> dict[str, Any]:
    """Return what people want to know of an artefact: what it was trained on, and its figures."""
    figures = ("accuracy", "macro_f1", "weighted_f1", "ece", "n")
    return {
        "torch": torch.__version__.split("+")[0],
        "trained_on": [
            {
                "name": chosen.name,
                "licence": chosen.licence,
                "origin": chosen.origin,
                "files": {file.path: file.sha256 for file in chosen.files},
            }
            for chosen in corpus.sets
            if chosen.name in _LEARNED_SETS and chosen.may_train
        ],
        "scores": {
            name: {figure: round(float(getattr(one, figure)), 4) for figure in figures} for name, one in scores.items()
        },
    }
