"""What a larger network thinks of the training texts: its logits of every head on every text, for a smaller one.

References:
    Hinton, Vinyals, Dean (2015), Distilling the knowledge in a neural network.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from models.artefact import read_manifest
from models.batching import pad
from models.network import HeadLogits
from models.weights import read_network, read_tokenizer
from monitor.domain.errors import InvalidArtefact

__all__ = ["Lesson", "Teacher", "distance", "lessons", "open_teacher"]

_BATCH = 64


class Lesson(NamedTuple):
    """The teacher's float32 logits: sentiment (texts, 3) and topic (texts, 20), row by row of the training texts."""

    sentiment: Tensor
    topic: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Teacher:
    """A trained artefact that teaches."""

    folder: Path
    name: str
    base: str
    digest: str
    padding: int


def open_teacher(folder: Path) -> Teacher:
    """Return the artefact in a folder as a teacher.

    Raises:
        InvalidArtefact: It is incomplete, altered, or of another label order.
    """
    manifest = read_manifest(folder)
    return Teacher(
        folder=folder, name=manifest.name, base=manifest.base, digest=manifest.digest, padding=manifest.padding
    )


def lessons(
    teacher: Teacher,
    texts: Sequence[str],
    keep: Path,
    *,
    most_tokens: int,
    device: torch.device,
    bf16: bool,
    progress: Callable[[int], None] = lambda _: None,
) -> Lesson:
    """Return the teacher's logits of some texts; they are kept in `keep` and read from there the next time.

    Args:
        most_tokens: What a longer text is cut to, as in training.
        progress: Called with the number of texts done in each batch.
    """
    from safetensors import safe_open
    from safetensors.torch import save_file

    fingerprint = hashlib.sha256("\n".join([teacher.digest, str(most_tokens), *texts]).encode()).hexdigest()
    if keep.is_file():
        with safe_open(keep, framework="pt") as kept:
            if (kept.metadata() or {}).get("fingerprint") == fingerprint:
                return Lesson(kept.get_tensor("sentiment"), kept.get_tensor("topic"))
    found = _logits(teacher, texts, most_tokens=most_tokens, device=device, bf16=bf16, progress=progress)
    half = keep.with_suffix(".half")
    save_file(found._asdict(), half, metadata={"fingerprint": fingerprint})
    half.replace(keep)
    return found


@torch.inference_mode()
def _logits(
    teacher: Teacher,
    texts: Sequence[str],
    *,
    most_tokens: int,
    device: torch.device,
    bf16: bool,
    progress: Callable[[int], None],
) -> Lesson:
    network = read_network(teacher.folder).to(device)
    encodings = read_tokenizer(teacher.folder).encode_batch(list(texts))
    rows = [encoding.ids[:most_tokens] for encoding in encodings]
    found = Lesson(
        torch.empty(len(rows), network.sentiment.out_features), torch.empty(len(rows), network.topic.out_features)
    )
    order = sorted(range(len(rows)), key=lambda place: len(rows[place]))
    for first in range(0, len(order), _BATCH):
        places = order[first : first + _BATCH]
        ids, mask = pad([rows[place] for place in places], teacher.padding, device)
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=bf16):
            logits: HeadLogits = network(ids, mask)
        found.sentiment[places] = logits.sentiment.float().cpu()
        found.topic[places] = logits.topic.float().cpu()
        progress(len(places))
    if not (found.sentiment.isfinite().all() and found.topic.isfinite().all()):
        msg = f"teacher `{teacher.name}` gives values that are no number; train it anew"
        raise InvalidArtefact(msg)
    return found


def distance(logits: Tensor, taught: Tensor, softness: float) -> Tensor:
    """Return the sum over rows of KL(teacher || student) at a temperature, times its square (Hinton, section 2).

    Args:
        logits: Of the student, (readings x rows, labels); the mean over readings is taken.
        taught: Of the teacher, (rows, labels).
    """
    readings = len(logits) // len(taught)
    wanted = (taught / softness).log_softmax(-1).repeat(readings, 1)
    given = (logits / softness).log_softmax(-1)
    found = nn.functional.kl_div(given, wanted, reduction="sum", log_target=True)
    return found * softness**2 / readings
