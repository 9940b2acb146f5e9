"""The classifier the worker calls: texts in, rounded scores out; loads without a network.

What each distinct text costs is paid once: identical texts, and identical parts of texts, go through the network once.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import structlog
import torch
from numpy.typing import NDArray

from models.artefact import SHIPPED, Manifest, read_manifest
from models.batching import budgeted, pad
from models.calibration import softmax
from models.network import OpinionNetwork
from models.parts import Split, split_text
from models.precision import bf16_is_faster, choose_device
from models.rounding import NOTHING_TO_READ, to_micro
from models.weights import read_network, read_tokenizer
from monitor.domain.errors import InvalidArtefact, InvalidConfiguration
from monitor.domain.sentiment import MICRO, TOPICS, Label, Scores
from monitor.ports import Text

__all__ = ["Probabilities", "TransformerClassifier", "load_classifier"]

TOKEN_BUDGET = 4096
"""Padded tokens per batch on a CPU: larger batches leave the cache without filling the matrix unit any better."""

MOST_ROWS = 256

BF16_TOLERANCE = 0.05
"""Largest change of a golden sentence's probability with which bfloat16 is still chosen."""


class Probabilities(NamedTuple):
    """Calibrated probabilities: sentiment (texts, 3), topic (texts, 20), rows sum to 1; parts: pieces of each text.

    A text with nothing to read has parts 0 and rows of zeros.
    """

    sentiment: NDArray[np.float64]
    topic: NDArray[np.float64]
    parts: list[int]


class TransformerClassifier:
    """Implements `monitor.ports.Classifier`."""

    def __init__(
        self,
        network: OpinionNetwork,
        tokenizer: Any,
        manifest: Manifest,
        device: torch.device,
        *,
        bf16: bool = False,
        token_budget: int = TOKEN_BUDGET,
    ) -> None:
        self.bf16 = bf16
        self.device = device
        self.manifest = manifest
        self.network = network.to(device=device, dtype=torch.bfloat16 if bf16 else torch.float32).eval()
        self._tokenizer = tokenizer
        self._token_budget = token_budget
        self._unknown = tokenizer.token_to_id("[UNK]")
        self._frame = tuple(tokenizer.encode("").ids)

    def token_counts(self, texts: Sequence[str]) -> list[int]:
        """Return how many tokens each text takes, as it stands, with the special ones."""
        return [len(encoding.ids) for encoding in self._tokenizer.encode_batch_fast(list(texts))]

    @property
    def digest(self) -> str:
        """First 12 characters of the artefact's digest."""
        return self.manifest.digest[:12]

    def classify(self, texts: Sequence[Text]) -> list[Scores]:
        """Return one `Scores` per text, in order; a text with nothing to read is neutral without confidence."""
        found = self.probabilities(texts)
        scores = []
        for sentiment, topic, parts in zip(found.sentiment, found.topic, found.parts, strict=True):
            if not parts:
                scores.append(NOTHING_TO_READ)
                continue
            negative, neutral, positive = to_micro(sentiment)
            best = int(topic.argmax())
            confidence = min(MICRO, round(float(topic[best]) * MICRO))
            scores.append(
                Scores(
                    negative=negative,
                    neutral=neutral,
                    positive=positive,
                    topic=best,
                    topic_confidence=confidence,
                    parts=parts,
                )
            )
        return scores

    def probabilities(self, texts: Sequence[Text]) -> Probabilities:
        """Return calibrated probabilities, not rounded; the parts of a text merged as `models.parts` says."""
        places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
        splits = [split_text(text) for text in places]
        pieces = {piece.text: None for split in splits for piece in split.pieces if piece.text}
        windows = dict(zip(pieces, self._windows(list(pieces)), strict=True))
        distinct = list(dict.fromkeys(ids for found in windows.values() for ids in found))
        sentiment, topic = self._run(distinct)
        rows = {ids: row for row, ids in enumerate(distinct)}
        merged_sentiment = np.zeros((len(splits), len(Label)))
        merged_topic = np.zeros((len(splits), len(TOPICS)))
        parts = []
        for place, split in enumerate(splits):
            chosen, weights, total = _weighing(split, windows, rows)
            if chosen:
                merged_sentiment[place] = weights @ sentiment[chosen]
                merged_topic[place] = weights @ topic[chosen]
            parts.append(total)
        order = [places[text] for text in texts]
        return Probabilities(merged_sentiment[order], merged_topic[order], [parts[place] for place in order])

    def _windows(self, pieces: list[str]) -> list[tuple[tuple[int, ...], ...]]:
        """Return the token ids of each piece: one window, several if it is over the limit, none if nothing is known."""
        limit = self.manifest.most_tokens
        room = limit - len(self._frame)
        begin, end = self._frame[:1], self._frame[1:]
        found: list[tuple[tuple[int, ...], ...]] = []
        for encoding in self._tokenizer.encode_batch_fast(pieces):
            ids = tuple(encoding.ids)
            inner = ids[len(begin) : len(ids) - len(end)]
            if all(token == self._unknown for token in inner):
                found.append(())
            elif len(ids) <= limit:
                found.append((ids,))
            else:
                cuts = range(0, len(inner), room)
                found.append(tuple((*begin, *inner[cut : cut + room], *end) for cut in cuts))
        return found

    def _run(self, token_ids: list[tuple[int, ...]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return calibrated probabilities of windows: (windows, 3) and (windows, 20)."""
        sentiment = np.zeros((len(token_ids), len(Label)))
        topic = np.zeros((len(token_ids), len(TOPICS)))
        lengths = [len(ids) for ids in token_ids]
        with torch.inference_mode():
            for batch in budgeted(lengths, self._token_budget, MOST_ROWS):
                ids, mask = pad([token_ids[place] for place in batch], self.manifest.padding, self.device)
                logits = self.network(ids, mask)
                sentiment[batch] = logits.sentiment.cpu().numpy()
                topic[batch] = logits.topic.cpu().numpy()
        heat = self.manifest.temperatures
        return softmax(sentiment, heat["sentiment"]), softmax(topic, heat["topic"])


def _weighing(
    split: Split, windows: dict[str, tuple[tuple[int, ...], ...]], rows: dict[tuple[int, ...], int]
) -> tuple[list[int], NDArray[np.float64], int]:
    """Return rows, weights that sum to 1, and the number of parts of one text; (.., .., 0) if nothing is readable."""
    chosen: list[int] = []
    weights: list[float] = []
    total = split.total
    for piece in split.pieces:
        own = windows.get(piece.text, ())
        total += max(0, len(own) - 1)
        tokens = sum(len(ids) for ids in own)
        for ids in own:
            chosen.append(rows[ids])
            weights.append(piece.weight * len(ids) / tokens)
    mass = np.asarray(weights)
    return chosen, mass / mass.sum() if chosen else mass, total if chosen else 0


def load_classifier(
    path: Path | None = None, *, device: str = "auto", precision: str = "auto", token_budget: int = TOKEN_BUDGET
) -> TransformerClassifier:
    """Load an artefact, check it, and choose device and precision.

    Args:
        path: Folder of the artefact; None takes the one that is shipped.
        device: "auto" (CUDA, else MPS, else CPU) or a name that torch knows, such as "cuda:1".
        precision: "auto" takes bfloat16 where a short measurement says that it is faster on this device and the
            golden sentences keep their labels; "fp32" and "bf16" are taken as they are.
        token_budget: Padded tokens per batch.

    Raises:
        InvalidArtefact: The folder is incomplete, altered, of another label order, or fails its golden sentences.
        InvalidConfiguration: `device` or `precision` cannot be had.
    """
    if precision not in {"auto", "fp32", "bf16"}:
        msg = f"`precision` must be auto, fp32 or bf16, was {precision!r}"
        raise InvalidConfiguration(msg)
    begin = time.perf_counter()
    folder = path or SHIPPED
    manifest = read_manifest(folder)
    place = choose_device(device)
    tokenizer = read_tokenizer(folder)

    def built(*, bf16: bool) -> TransformerClassifier:
        network = read_network(folder)
        return TransformerClassifier(network, tokenizer, manifest, place, bf16=bf16, token_budget=token_budget)

    classifier = built(bf16=precision == "bf16")
    check_golden(classifier, folder.name)
    if precision == "auto" and bf16_is_faster(place):
        candidate = built(bf16=True)
        if _faster_and_agreeing(candidate, classifier):
            classifier = candidate
    structlog.get_logger(__name__).info(
        "classifier loaded",
        artefact=folder.name,
        digest=classifier.digest,
        device=str(place),
        precision="bf16" if classifier.bf16 else "fp32",
        seconds=round(time.perf_counter() - begin, 2),
    )
    return classifier


def check_golden(classifier: TransformerClassifier, name: str) -> None:
    """Check the golden sentences of an artefact.

    Raises:
        InvalidArtefact: One has another label or topic than the manifest says, or there is none.
    """
    golden = classifier.manifest.golden
    if not golden:
        msg = f"artefact `{name}` has no golden sentences, so that its labels cannot be checked; train it anew"
        raise InvalidArtefact(msg)
    for expected, scores in zip(golden, classifier.classify([Text(one.text, "") for one in golden]), strict=True):
        if scores.label is not expected.sentiment:
            found, wanted = scores.label.word, expected.sentiment.word
        elif expected.topic and TOPICS[scores.topic] != expected.topic:
            found, wanted = TOPICS[scores.topic], expected.topic
        else:
            continue
        msg = (
            f"artefact `{name}` calls {expected.text!r} {found}, it must be {wanted}; "
            "its labels are swapped or it was trained too little"
        )
        raise InvalidArtefact(msg)


def _faster_and_agreeing(candidate: TransformerClassifier, current: TransformerClassifier) -> bool:
    """Compare two classifiers on the golden sentences: labels, probabilities, and the least of three times."""
    texts = [Text(one.text, "") for one in current.manifest.golden]
    here, there = current.probabilities(texts), candidate.probabilities(texts)
    if (here.sentiment.argmax(1) != there.sentiment.argmax(1)).any():
        return False
    if (here.topic.argmax(1) != there.topic.argmax(1)).any():
        return False
    if np.abs(here.sentiment - there.sentiment).max() > BF16_TOLERANCE:
        return False
    load = [Text(" ".join([text.title] * 4), str(number)) for number in range(3) for text in texts]
    return _faster(candidate, current, load)


def _faster(candidate: TransformerClassifier, current: TransformerClassifier, load: list[Text]) -> bool:
    """Return whether a classifier is faster on texts of some fifty tokens: the least time of each, measured in turns.

    In turns, so that whatever else the machine does meets both alike.
    """
    best = {True: float("inf"), False: float("inf")}
    for _ in range(5):
        for which, classifier in ((True, candidate), (False, current)):
            best[which] = min(best[which], _seconds(classifier, load))
    return best[True] < best[False]


def _seconds(classifier: TransformerClassifier, texts: list[Text]) -> float:
    begin = time.perf_counter()
    classifier.probabilities(texts)
    return time.perf_counter() - begin
