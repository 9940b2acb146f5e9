"""The steps of training: a seeded, resumable loop over two heads at once."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from models.batching import epoch_batches, pad
from models.distilling import Lesson, distance
from models.network import HeadLogits, OpinionNetwork
from monitor.domain.errors import InvalidConfiguration

__all__ = ["IGNORED", "Learner", "Recipe", "TokenRow"]

AVERAGE_EVERY = 4
"""Steps between two moves of the moving average: each move reads and writes all weights."""

IGNORED = -100
"""A row without a label for a head; `cross_entropy` leaves it out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What decides the weights, given base and corpus.

    Attributes:
        batch: Rows per step.
        learning_rate: At its peak; it rises over `warm_up` of all steps, then falls in a straight line to 0.
        smoothing: Mass taken from the true label and spread over all.
        masking: Share of the words of a text that are hidden from the network, drawn anew each time.
        consistency: Weight of the disagreement between two readings of each text (other words hidden, other dropout)
            on the heads it has a label for; 0 reads each text once.
        teaching: Share of the loss that is the distance from a teacher's opinion, on every text and head; the rest
            comes from the labels. Without a teacher there is only the rest.
        softness: Temperature at which the two opinions are compared.
        average: Decay per step of the exponential moving average of the weights, which is what is kept.
        seed: Of the heads, the order of rows and dropout.
        order: Which of the seed's orders of rows; the heads start the same in all of them.
        bf16: Run matrix products in bfloat16 (weights stay float32).
    """

    epochs: int = 4
    batch: int = 64
    learning_rate: float = 2e-4
    warm_up: float = 0.1
    weight_decay: float = 0.01
    smoothing: float = 0.05
    masking: float = 0.0
    consistency: float = 0.0
    teaching: float = 0.0
    softness: float = 2.0
    average: float = 0.995
    clip: float = 1.0
    seed: int = 7
    order: int = 0
    bf16: bool = False


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A tokenised example: sentiment and topic are columns, or IGNORED; with neither, only a teacher helps."""

    token_ids: tuple[int, ...]
    sentiment: int
    topic: int


class Learner:
    """Network, moving average, optimiser and place in the schedule; saved and restored as one.

    Args of the constructor: `padding` and `hidden` are the ids of the padding token and of the one that hides a word
    (None: no word is ever hidden); `lesson` is what a teacher thinks of `rows`, row by row.

    References:
        Wu et al. (2021), R-Drop: regularized dropout for neural networks: the consistency of two readings.
    """

    def __init__(
        self,
        network: OpinionNetwork,
        rows: Sequence[TokenRow],
        recipe: Recipe,
        *,
        padding: int,
        hidden: int | None = None,
        lesson: Lesson | None = None,
        device: torch.device,
    ) -> None:
        self.recipe = recipe
        self.network = network.to(device)
        self.step = 0
        self.seconds = 0.0
        self._rows = rows
        self._lengths = [len(row.token_ids) for row in rows]
        self._padding = padding
        self._hidden = hidden
        self._lesson = lesson
        self._device = device
        self._optimiser = torch.optim.AdamW(_groups(network, recipe.weight_decay), lr=recipe.learning_rate, fused=True)
        self._average = {name: value.detach().clone() for name, value in network.state_dict().items()}
        self._epoch_batches: tuple[int, list[list[int]]] = (-1, [])
        self.per_epoch = math.ceil(len(rows) / recipe.batch)
        self.steps = self.per_epoch * recipe.epochs

    def run(self, until: int, after_step: Callable[[float], None]) -> None:
        """Take steps until `until` of them are taken in all; `after_step` gets each step's loss."""
        self.network.train()
        while self.step < min(until, self.steps):
            begin = time.perf_counter()
            loss = self._take_step()
            self.seconds += time.perf_counter() - begin
            after_step(loss)

    def averaged(self) -> dict[str, Tensor]:
        """Return the moving average of the weights."""
        return self._average

    def save(self, path: Path, fingerprint: str) -> None:
        """Write everything that decides the next step, by a rename, so that a kill leaves the older file whole."""
        half = path.with_suffix(".half")
        torch.save(
            {
                "fingerprint": fingerprint,
                "step": self.step,
                "seconds": self.seconds,
                "network": self.network.state_dict(),
                "average": self._average,
                "optimiser": self._optimiser.state_dict(),
                "random": torch.get_rng_state(),
            },
            half,
        )
        half.replace(path)

    def restore(self, path: Path, fingerprint: str) -> None:
        """Go on where `save` stopped.

        Raises:
            InvalidConfiguration: The checkpoint is of another recipe, base or corpus, or cannot be read.
        """
        try:
            state: dict[str, Any] = torch.load(path, map_location=self._device, weights_only=True)
        except Exception as error:  # torch.load raises whatever the broken file leads it to
            msg = f"checkpoint `{path.name}` cannot be read ({type(error).__name__}); remove it to start anew"
            raise InvalidConfiguration(msg) from error
        if state.get("fingerprint") != fingerprint:
            msg = f"checkpoint `{path.name}` is of another recipe, base or corpus; remove it to start anew"
            raise InvalidConfiguration(msg)
        self.step = state["step"]
        self.seconds = state["seconds"]
        self.network.load_state_dict(state["network"])
        self._average = state["average"]
        self._optimiser.load_state_dict(state["optimiser"])
        torch.set_rng_state(state["random"].cpu())

    def _take_step(self) -> float:
        places = self._batch()
        batch = [self._rows[place] for place in places]
        ids, mask = pad([row.token_ids for row in batch], self._padding, self._device)
        for group in self._optimiser.param_groups:
            group["lr"] = self.recipe.learning_rate * self._rate()
        readings = 2 if self.recipe.consistency else 1
        ids, mask = ids.repeat(readings, 1), mask.repeat(readings, 1)
        with torch.autocast(self._device.type, dtype=torch.bfloat16, enabled=self.recipe.bf16):
            logits = self.network(self._with_words_hidden(ids, mask), mask)
        loss = self._loss(logits.sentiment, [row.sentiment for row in batch])
        loss = loss + self._loss(logits.topic, [row.topic for row in batch])
        if self._lesson is not None:
            loss = (1 - self.recipe.teaching) * loss + self.recipe.teaching * self._unlike(logits, places, self._lesson)
        loss = loss / len(batch)
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.clip)
        self._optimiser.step()
        self.step += 1
        self._follow()
        return float(loss.detach())

    def _unlike(self, logits: HeadLogits, places: list[int], lesson: Lesson) -> Tensor:
        """Return the distance of both heads from the teacher, summed over rows."""
        pairs = ((logits.sentiment, lesson.sentiment), (logits.topic, lesson.topic))
        parts = [distance(own, taught[places].to(self._device), self.recipe.softness) for own, taught in pairs]
        return parts[0] + parts[1]

    def _batch(self) -> list[int]:
        epoch, place = divmod(self.step, self.per_epoch)
        if self._epoch_batches[0] != epoch:
            self._epoch_batches = (
                epoch,
                epoch_batches(
                    self._lengths, self.recipe.batch, self.recipe.seed * 10_000 + self.recipe.order * 100 + epoch
                ),
            )
        return self._epoch_batches[1][place]

    def _with_words_hidden(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Return ids with some words replaced; the first and the last token of a text, its frame, always stay."""
        if self._hidden is None or not self.recipe.masking:
            return ids
        inner = mask.bool() & mask.roll(-1, 1).bool()
        inner[:, 0] = inner[:, -1] = False
        return torch.where(inner & (torch.rand(ids.shape, device=ids.device) < self.recipe.masking), self._hidden, ids)

    def _rate(self) -> float:
        """Return the share of the peak learning rate at this step."""
        rise = max(1, round(self.recipe.warm_up * self.steps))
        if self.step < rise:
            return (self.step + 1) / rise
        return (self.steps - self.step) / max(1, self.steps - rise)

    def _loss(self, logits: Tensor, columns: list[int]) -> Tensor:
        """Return the loss of one head summed over labelled rows; logits: (readings x rows, labels)."""
        readings = len(logits) // len(columns)
        truth = torch.tensor(columns, device=self._device)
        loss = nn.functional.cross_entropy(
            logits,
            truth.repeat(readings),
            ignore_index=IGNORED,
            label_smoothing=self.recipe.smoothing,
            reduction="sum",
        )
        if readings == 1:
            return loss
        labelled = (truth != IGNORED).repeat(readings)
        return loss / readings + self.recipe.consistency * _disagreement(logits[labelled])

    @torch.no_grad()
    def _follow(self) -> None:
        """Move the average toward the weights; faster in the first steps, when it still holds the fresh heads."""
        if self.step % AVERAGE_EVERY and self.step != self.steps:
            return
        decay = min(self.recipe.average, (1 + self.step) / (10 + self.step)) ** AVERAGE_EVERY
        for name, value in self.network.state_dict().items():
            kept = self._average[name]
            if kept.is_floating_point():
                kept.lerp_(value, 1 - decay)
            else:
                kept.copy_(value)


def _disagreement(logits: Tensor) -> Tensor:
    """Return the sum over texts of the symmetric KL divergence of two readings; logits: (2 x texts, labels)."""
    first, second = logits.log_softmax(-1).chunk(2)
    return 0.5 * ((first.exp() - second.exp()) * (first - second)).sum()


def _groups(network: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Biases and norms are not decayed."""
    decayed = [value for value in network.parameters() if value.ndim > 1]
    free = [value for value in network.parameters() if value.ndim <= 1]
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": free, "weight_decay": 0.0}]
